/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Packets: which kinds are wanted at all, one plan that wants what the plans of all these kinds want, and how rules capture
 * them. The kernel side asks that plan first: of most packets it says that nobody wants them. */

#include "../basic/macro.h"
#include "capture-spec.h"
#include "compile-packet.h"

/* The bit of config.packet_kinds; 0: the event is not of packets. */
static uint32_t packet_kind(const EventSpec *spec) {
        return spec == capture_kind_event(CAPTURE_NETWORK) ? SCT_PACKET_CAPTURE : event_packet_kind(spec);
}

static void note_capture(struct sct_gen_config *config, size_t rule, const Policy *p) {
        for (size_t i = 0; p->captures && i < p->captures->n; i++) {
                const CaptureSpec *spec = p->captures->items + i;

                if (spec->kind != CAPTURE_NETWORK)
                        continue;
                config->packet_bytes = MAX(config->packet_bytes, spec->pcap_snaplen);
                if (spec->pcap_filtered)
                        config->packets_filtered[rule / 64] |= UINT64_C(1) << (rule % 64);
        }
}

void compile_packets(Compiler *c) {
        struct sct_gen_config *config = &c->plan->config;
        struct sct_plan *all = c->plan->plans + c->plan->n_plans;

        for (size_t i = 0; i < c->n_rules; i++)
                note_capture(config, i, c->rules[i].input->policy);
        for (size_t i = 0; i < c->n_events; i++) {
                const EventSpec *spec = c->specs[c->events[i]];
                uint32_t kind = packet_kind(spec);

                if (kind == 0)
                        continue;
                config->packet_kinds |= kind;
                for (unsigned bank = 0; bank < SCT_BANKS_MAX; bank++)
                        all->wants[bank] |= c->plan->plans[c->plan->events[spec->id]].wants[bank];
        }
        if (config->packet_kinds == 0)
                return;
        compiler_set_banks(all);
        config->plan_packets = (uint32_t) c->plan->n_plans++;
}
