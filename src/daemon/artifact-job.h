/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Removing artifacts in a thread of its own, because it may take minutes; and copying what is known of many of them, which
 * takes longer than the bus may wait. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "../capture/store.h"

typedef struct ArtifactJob ArtifactJob;

/* In the loop: now and then, and once at the end (`done`), with what is removed so far of at most `total`. */
typedef void (*ArtifactJobHandler)(int result, uint64_t n, uint64_t total, uint64_t bytes, bool done, void *userdata);

/* `filter` NULL: vacuum to these limits. The job is put into *jobs, and out of it when it is done. -EBUSY: too many. */
int artifact_job_new(sd_event *event, ArtifactJob **jobs, Store *s, const ArtifactFilter *filter, uint64_t max_bytes,
                     uint64_t max_age_usec, ArtifactJobHandler handler, void *userdata);
/* In the loop, once. The list is the handler's. */
typedef void (*ArtifactListHandler)(int result, ArtifactInfo *list, size_t n, void *userdata);

/* As store_list(). -EBUSY: too many. */
int artifact_job_list(sd_event *event, ArtifactJob **jobs, Store *s, const ArtifactFilter *filter,
                      ArtifactListHandler handler, void *userdata);
/* Ends all of them: each is told -ECANCELED and what was removed. */
void artifact_jobs_cancel(ArtifactJob **jobs);

/* A filter whose strings are its own. */
void artifact_filter_done(ArtifactFilter *f);
