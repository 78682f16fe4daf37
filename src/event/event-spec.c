/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lookups in the catalogue of events (by id, name, system call number, set). The catalogue itself is generated from
 * bpf/abi/events.list; nothing here knows a particular event. */

#include <string.h>

#include "../basic/macro.h"
#include "event-id.h"
#include "event-table.h"

const EventSpec *event_spec_by_id(uint16_t id) {
        if (id >= EVENT_ID_MAX || event_table_by_id[id] == 0)
                return NULL;
        return event_table + event_table_by_id[id] - 1;
}

const EventSpec *event_spec_by_name(const char *name) {
        size_t low = 0, high = event_table_size;

        assert(name);

        while (low < high) {
                size_t middle = (low + high) / 2;
                const EventSpec *spec = event_table + event_table_by_name[middle];
                int c = strcmp(name, spec->name);

                if (c == 0)
                        return spec;
                if (c < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

const EventSpec *event_spec_next(const EventSpec *prev) {
        const EventSpec *next = prev ? prev + 1 : event_table;

        return next < event_table + event_table_size ? next : NULL;
}

uint32_t event_packet_kind(const EventSpec *spec) {
        unsigned bit = (unsigned) spec->id - SCT_EVENT_NET_PACKET_IPV4;

        return spec->family == EVENT_FAMILY_NETWORK && bit < 15 ? UINT32_C(1) << bit : 0;
}

int event_arg_index(const EventSpec *spec, const char *name) {
        assert(spec);
        assert(name);

        for (int i = 0; i < spec->n_args; i++)
                if (strcmp(spec->args[i].name, name) == 0)
                        return i;
        return -ENOENT;
}

int event_set_index(const char *name) {
        assert(name);

        for (int i = 0; event_sets[i]; i++)
                if (strcmp(event_sets[i], name) == 0)
                        return i;
        return -ENOENT;
}

const EventSpec *event_spec_by_syscall(unsigned abi, unsigned nr) {
        uint16_t position;

        if (nr >= SCT_SYSCALL_NR_MAX)
                return NULL;
        position = abi == 0 ? event_table_by_native_nr[nr] : event_table_by_compat_nr[nr];
        return position > 0 ? event_table + position - 1 : NULL;
}

static int number_of(const uint16_t *table, const EventSpec *spec) {
        uint16_t position = (uint16_t) (spec - event_table + 1);

        for (int nr = 0; nr < SCT_SYSCALL_NR_MAX; nr++)
                if (table[nr] == position)
                        return nr;
        return -1;
}

void event_syscall_numbers(const EventSpec *spec, int *ret_native, int *ret_compat) {
        assert(spec);

        /* A policy's own hook is described by an EventSpec that is not in the table. */
        bool known = event_spec_by_id(spec->id) == spec;

        if (ret_native)
                *ret_native = known ? number_of(event_table_by_native_nr, spec) : -1;
        if (ret_compat)
                *ret_compat = known ? number_of(event_table_by_compat_nr, spec) : -1;
}
