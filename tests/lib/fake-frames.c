/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds the frames that the fake kernel layer reads. */

#include <string.h>
#include <time.h>

#include "../../src/basic/macro.h"
#include "../../src/event/record.h"
#include "fake-kernel.h"

static size_t frame(uint32_t kind, const void *data, size_t n, const void *more, size_t n_more, void *buffer,
                    size_t size) {
        FakeFrame f = { .size = (uint32_t) (n + n_more), .kind = kind };
        char *p = buffer;

        assert(sizeof(f) + n + n_more <= size);
        memcpy(p, &f, sizeof(f));
        memcpy(p + sizeof(f), data, n);
        if (n_more > 0)
                memcpy(p + sizeof(f) + n, more, n_more);
        return sizeof(f) + n + n_more;
}

size_t fake_frame_event(const FakeEvent *e, void *buffer, size_t size) {
        const EventSpec *spec = event_spec_by_name(e->event);
        struct {
                struct sct_record header;
                struct sct_arg arg;
                char payload[512];
        } record = {};
        size_t n = sizeof(record.header);
        struct timespec ts;

        assert(spec);
        (void) clock_gettime(CLOCK_BOOTTIME, &ts);
        record.header = (struct sct_record) {
                .type = SCT_RECORD_EVENT,
                .event = spec->id,
                .flags = SCT_RECORD_HAS_RETVAL,
                .time_ns = e->time_ns ?: (uint64_t) ts.tv_sec * NSEC_PER_SEC + (uint64_t) ts.tv_nsec,
                .retval = e->retval,
                .cgroup_id = e->cgroup_id,
                .pid = 1234, .tid = 1234, .ppid = 1, .host_pid = 1234, .host_tid = 1234, .host_ppid = 1,
                .uid = 1000, .gid = 1000, .mnt_ns = 4026531841U, .pid_ns = 4026531836U,
                .syscall = spec->family == EVENT_FAMILY_SYSCALL ? spec->id : -1,
                .auid = UINT32_MAX,
        };
        strncpy(record.header.comm, e->comm ?: "cat", sizeof(record.header.comm) - 1);
        strcpy(record.header.uts_name, "host");

        for (unsigned i = 0; e->path && i < spec->n_args; i++) {
                if (!IN_SET(spec->args[i].type, SCT_ARG_STR, SCT_ARG_PATH, SCT_ARG_KSTR))
                        continue;
                assert(strlen(e->path) < sizeof(record.payload));
                strcpy(record.payload, e->path);
                record.arg = (struct sct_arg) { .index = (uint8_t) i, .type = spec->args[i].type,
                                                .size = (uint32_t) strlen(e->path) + 1 };
                record.header.n_args = 1;
                n += sizeof(record.arg) + ALIGN8(strlen(e->path) + 1);
                break;
        }
        return frame(FAKE_RECORD, &record, n, NULL, 0, buffer, size);
}

size_t fake_frame_lost(uint64_t n, void *buffer, size_t size) {
        return frame(FAKE_LOST, &n, sizeof(n), NULL, 0, buffer, size);
}

size_t fake_frame_cgroup(uint64_t id, const char *path, void *buffer, size_t size) {
        return frame(FAKE_CGROUP, &id, sizeof(id), path, strlen(path), buffer, size);
}
