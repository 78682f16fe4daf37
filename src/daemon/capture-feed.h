/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the capture worker is told: what the rules of each generation ask to be kept. Begins the worker with the first
 * generation that asks for anything. */

#include "../capture/capture.h"
#include "../policy/plan.h"
#include "rule-map.h"

typedef struct CaptureFeed CaptureFeed;
/* Opens the store when it is first needed; it stays the owner's. */
typedef int (*CaptureStoreOpener)(Store **ret, void *userdata);

int capture_feed_new(Kernel *kernel, CaptureStoreOpener opener, void *userdata, CaptureFeed **ret);
/* Ends the worker after what is in the ring. */
CaptureFeed *capture_feed_free(CaptureFeed *f);
static inline void capture_feed_freep(CaptureFeed **f) {
        capture_feed_free(*f);
}
/* A generation of a predecessor, whose operations may still be in the ring. Oldest first, before any other. */
int capture_feed_saved(CaptureFeed *f, const RuleMap *map);
/* Before a plan becomes the active generation. */
int capture_feed_prepare(CaptureFeed *f, const Plan *plan);
/* After it has become that. */
int capture_feed_applied(CaptureFeed *f);
/* NULL: nothing was captured yet. */
CaptureWorker *capture_feed_worker(CaptureFeed *f);
