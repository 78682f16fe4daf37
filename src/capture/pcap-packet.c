/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one packet is. A filter is asked of the bytes that were kept, so one that looks deeper into a packet than its
 * snap length does not match; compiled once, however many rules have it. Nothing here trusts a length that stands in
 * a packet. */

#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <uthash.h>

#include "../basic/macro.h"
#include "pcap-file.h"
#include "pcap-packet.h"

struct PcapFilter {
        UT_hash_handle hh;
        char *expression;
        struct bpf_program program;
        bool bad;
};

/* IPv6's extension headers up to the transport header. Returns where that begins; *next: what it is. */
static size_t ipv6_transport(const uint8_t *p, size_t size, uint8_t *next) {
        size_t at = 40;

        for (unsigned i = 0; i < 6; i++) {
                uint8_t header = *next;

                if (!IN_SET(header, IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_FRAGMENT, IPPROTO_AH) ||
                    at + 2 > size)
                        break;
                *next = p[at];
                at += header == IPPROTO_FRAGMENT ? 8 :
                      header == IPPROTO_AH ? (p[at + 1] + 2U) * 4 : (p[at + 1] + 1U) * 8;
        }
        return at;
}

size_t pcap_packet_headers(const void *packet, size_t size) {
        const uint8_t *p = packet;
        size_t at;
        uint8_t protocol;

        if (size < 20)
                return size;
        if (p[0] >> 4 == 6) {
                if (size < 40)
                        return size;
                protocol = p[6];
                at = ipv6_transport(p, size, &protocol);
        } else {
                at = (p[0] & 15) * 4U;
                protocol = p[9];
                if ((p[6] & 0x1f) != 0 || p[7] != 0)
                        return MIN(at, size);
        }
        switch (protocol) {
        case IPPROTO_TCP:
                at += at + 12 < size ? (p[at + 12] >> 4) * 4U : 20;
                break;
        case IPPROTO_UDP:
        case IPPROTO_ICMP:
        case IPPROTO_ICMPV6:
                at += 8;
                break;
        }
        return MIN(at, size);
}

static int filter_compile(const char *expression, struct bpf_program *ret, char **reterr) {
        pcap_t *p = pcap_open_dead(DLT_RAW, PCAP_FILE_SNAPLEN);
        int r;

        if (!p)
                return -ENOMEM;
        r = pcap_compile(p, ret, expression, 1, PCAP_NETMASK_UNKNOWN);
        if (r < 0) {
                if (reterr && asprintf(reterr, "%s is no packet filter: %s; write one as for tcpdump, for example "
                                       "pcap-filter:tcp port 443.", expression, pcap_geterr(p)) < 0)
                        *reterr = NULL;
                r = -EINVAL;
        }
        pcap_close(p);
        return r < 0 ? r : 0;
}

int pcap_filter_check(const char *expression, char **reterr) {
        struct bpf_program program;
        int r;

        assert(expression);

        r = filter_compile(expression, &program, reterr);
        if (r < 0)
                return r;
        pcap_freecode(&program);
        return 0;
}

static PcapFilter *filter_get(PcapFilter **filters, const char *expression) {
        PcapFilter *f;

        HASH_FIND_STR(*filters, expression, f);
        if (f)
                return f;
        f = new0(PcapFilter, 1);
        if (!f)
                return NULL;
        f->expression = strdup(expression);
        if (!f->expression) {
                free(f);
                return NULL;
        }
        f->bad = filter_compile(expression, &f->program, NULL) < 0;
        HASH_ADD_KEYPTR(hh, *filters, f->expression, strlen(f->expression), f);
        return f;
}

bool pcap_filter_passes(PcapFilter **filters, const char *expression, const void *packet, size_t size,
                        size_t length_original) {
        struct pcap_pkthdr h = { .caplen = size, .len = length_original };
        PcapFilter *f;

        if (!expression)
                return true;
        f = filter_get(filters, expression);
        return f && !f->bad && pcap_offline_filter(&f->program, &h, packet) != 0;
}

void pcap_filters_done(PcapFilter **filters) {
        PcapFilter *f, *next;

        HASH_ITER(hh, *filters, f, next) {
                HASH_DEL(*filters, f);
                if (!f->bad)
                        pcap_freecode(&f->program);
                free(f->expression);
                free(f);
        }
}
