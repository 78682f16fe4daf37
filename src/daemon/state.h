/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon knows and its successor needs: what rule numbers in the ring mean, the numbers that were given out,
 * what was switched off, captures that were started at run time, and transient policies that belong to nobody on the
 * bus. As text in a sealed memory file. */

#include <stddef.h>
#include <stdint.h>

#include "../basic/buffer.h"
#include "../policy/capture-spec.h"
#include "policy-set.h"
#include "rule-map.h"

#define STATE_VERSION 1
#define STATE_SIZE_MAX (64U * 1024U * 1024U)

typedef struct SavedPolicy {
        char *name;
        bool disabled;          /* with the mode in one number: bit 0, the rest */
        PolicyMode mode;
        uint8_t scope, follow_slot;
        uint64_t loaded_ns;
        uint64_t load_flags;
        char *text;             /* transient ones; NULL: from a file */
} SavedPolicy;

/* One that was started at run time. */
typedef struct SavedCapture {
        uint8_t scope;
        CaptureKind kind;
        char **expressions;
} SavedCapture;

typedef struct SavedState {
        SavedPolicy *policies;
        size_t n_policies, n_policies_allocated;
        RuleMap *maps[RULE_MAPS_MAX];   /* newest first */
        size_t n_maps;
        SavedCapture *captures;
        size_t n_captures, n_captures_allocated;
        uint64_t disabled_scopes;
        uint32_t abi;
} SavedState;

void saved_state_done(SavedState *s);

int state_save(const PolicySet *set, const RuleMapRing *maps, const SavedCapture *captures, size_t n_captures,
               Buffer *b);
/* -EBADMSG: not ours, or damaged; -EPROTONOSUPPORT: of another version. */
int state_load(const char *text, size_t size, SavedState *ret);
/* Gives policies of files back what they had, and loads the transient ones again. After policy_set_read(). */
int state_restore(const SavedState *s, PolicySet *set);
