/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shared mappings of files: what is written through them passes no call, so the file is looked at when the mapping is
 * synced, ends, or shows that it was changed. */

#include "capture.h"
#include "file-fetch.h"

typedef struct Mappings Mappings;

/* Bytes of the file: `origin` and `key` are those that mapping_begin() was given. */
typedef int (*MappingWriter)(CaptureWorker *w, const char *key, ArtifactOrigin *origin, uint64_t offset,
                             const void *data, size_t size);

int mappings_new(MappingWriter writer, Mappings **ret);
/* Looks once more at those that are left. */
Mappings *mappings_free(Mappings *m, CaptureWorker *w);
/* From an operation whose `how` is SCT_HOW_MAPPING. `key` names the file to the writer. -ENOENT: it cannot be reached. */
int mapping_begin(Mappings *m, FileFetch *fetch, const CaptureOperation *o, const char *key);
/* A chunk of type SCT_CHUNK_SYNC. */
void mappings_sync(Mappings *m, CaptureWorker *w, const struct sct_chunk *c);
void mappings_tick(Mappings *m, CaptureWorker *w);
