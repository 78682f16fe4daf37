/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a kernel grants. The type only: kernel/features.c fills it, policy-compile.c reads it. */

#include <stdbool.h>

typedef enum Feature {
#define SCT_FEATURE(sym, name, sentence) FEATURE_##sym,
#include "../../bpf/abi/features.def"
#undef SCT_FEATURE
        _FEATURE_MAX,
        _FEATURE_INVALID = -22,
} Feature;

typedef struct FeatureSet {
        bool granted[_FEATURE_MAX];
        char reason[_FEATURE_MAX][128];    /* why not: the kernel's own words where it has some */
} FeatureSet;
