/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Records as the kernel side would write them, built by hand. */

#include <stdint.h>
#include <string.h>

#include "basic/macro.h"
#include "event/record.h"

typedef struct RecordBuilder {
        union {
                uint8_t data[SCT_RECORD_MAX];
                struct sct_record h;
        };
        size_t size;
} __attribute__((aligned(8))) RecordBuilder;

static inline void record_begin(RecordBuilder *r, uint16_t event) {
        memset(&r->h, 0, sizeof(r->h));
        r->h.type = SCT_RECORD_EVENT;
        r->h.event = event;
        r->h.syscall = -1;
        r->size = sizeof(r->h);
}

static inline void record_add(RecordBuilder *r, uint8_t index, uint8_t type, uint8_t flags, const void *data,
                              uint32_t size) {
        struct sct_arg a = { .index = index, .type = type, .flags = flags, .size = size };

        assert(r->size + sizeof(a) + ALIGN8((size_t) size) <= sizeof(r->data));
        memcpy(r->data + r->size, &a, sizeof(a));
        r->size += sizeof(a);
        if (size > 0)
                memcpy(r->data + r->size, data, size);
        memset(r->data + r->size + size, 0xa5, ALIGN8((size_t) size) - size);  /* padding holds anything */
        r->size += ALIGN8((size_t) size);
        r->h.n_args++;
}

static inline void record_add_number(RecordBuilder *r, uint8_t index, uint8_t type, uint64_t value) {
        record_add(r, index, type, 0, &value, sizeof(value));
}

static inline void record_add_string(RecordBuilder *r, uint8_t index, uint8_t type, const char *s) {
        record_add(r, index, type, 0, s, (uint32_t) strlen(s) + 1);
}

static inline void record_add_rules(RecordBuilder *r, uint8_t bank_first, const uint64_t *masks, uint8_t n) {
        r->h.bank_first = bank_first;
        r->h.n_banks = n;
        memcpy(r->data + r->size, masks, n * sizeof(*masks));
        r->size += n * sizeof(*masks);
}

static inline void record_set_comm(RecordBuilder *r, const char *comm, const char *uts_name) {
        memcpy(r->h.comm, comm, strnlen(comm, sizeof(r->h.comm)));
        memcpy(r->h.uts_name, uts_name, strnlen(uts_name, sizeof(r->h.uts_name)));
}

static inline void record_set_pids(RecordBuilder *r, uint32_t pid, uint32_t tid, uint32_t ppid) {
        r->h.pid = r->h.host_pid = pid;
        r->h.tid = r->h.host_tid = tid;
        r->h.ppid = r->h.host_ppid = ppid;
}
