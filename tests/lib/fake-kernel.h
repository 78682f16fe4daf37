/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A kernel layer without a kernel: implements kernel/kernel.h from frames that a test hands over, in the process or
 * through the file, FIFO or socket that $SCOPETRACE_FAKE_RECORDS names. Every rule that wants an event matches it. */

#include <stddef.h>
#include <stdint.h>

#include "../../src/event/record-abi.h"

/* One frame: this header, then `size` bytes. */
typedef struct FakeFrame {
        uint32_t size;
        uint32_t kind;
} FakeFrame;

enum {
        FAKE_RECORD = 0,        /* a record. generation 0: the current one, and its rules are filled in */
        FAKE_LOST = 1,          /* u64: so many more events were lost, for every rule */
        FAKE_CGROUP = 2,        /* u64 id, then the path */
};

/* From outside a process: one frame each, appended to `buffer`. Returns the bytes used. */
typedef struct FakeEvent {
        const char *event;
        const char *comm;
        uint64_t cgroup_id;
        uint64_t time_ns;       /* 0: now */
        int64_t retval;
        const char *path;       /* payload of the first string argument; NULL: the event has no arguments */
} FakeEvent;
size_t fake_frame_event(const FakeEvent *e, void *buffer, size_t size);
size_t fake_frame_lost(uint64_t n, void *buffer, size_t size);
size_t fake_frame_cgroup(uint64_t id, const char *path, void *buffer, size_t size);

/* In the process: what the next turn of the loop finds in the ring. */
void fake_kernel_push(const void *frames, size_t size);
