/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who did it, as far as the record does not say: the cgroup's path, unit, slice, session and container, and the wall
 * clock's time of the event. */

#include <stdbool.h>
#include <stdint.h>

#include "../event/record.h"
#include "../kernel/kernel.h"

/* What systemd says of a cgroup path; the strings are part of the object. NULL: none. */
typedef struct CgroupIdentity {
        uint64_t id;
        char *path;
        char *container_id;     /* "" when none */
        char *unit, *user_unit, *slice, *user_slice, *session;
} CgroupIdentity;

/* `container_id` NULL: none. */
int cgroup_identity_new(uint64_t id, const char *path, const char *container_id, CgroupIdentity **ret);
CgroupIdentity *cgroup_identity_free(CgroupIdentity *c);
static inline void cgroup_identity_freep(CgroupIdentity **c) {
        cgroup_identity_free(*c);
}

typedef int (*CgroupLookup)(uint64_t id, struct sct_cgroup *ret, void *userdata);

typedef struct Subject Subject;

int subject_new(CgroupLookup lookup, void *userdata, Subject **ret);
Subject *subject_free(Subject *s);
static inline void subject_freep(Subject **s) {
        subject_free(*s);
}

/* Takes the clocks again: before each batch. */
void subject_update_clock(Subject *s);
/* Fills time_ns, cgroup_path, container_id, unit, user_unit, slice, user_slice, session. What it points at is valid
 * until the next call. */
void subject_fill(Subject *s, Event *e);
void subject_forget_cgroup(Subject *s, uint64_t id);
uint64_t subject_n_unresolved(const Subject *s);
