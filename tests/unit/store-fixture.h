/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A store in a directory of its own, and the few operations that its tests repeat. */

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/macro.h"
#include "basic/string-util.h"
#include "capture/store.h"
#include "test.h"

#define FLUSH_USEC (60 * USEC_PER_SEC)

static char fixture_root[64], fixture_dir[80];

static int fixture_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

_unused_ static void fixture_remove(void) {
        (void) nftw(fixture_root, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Everything is allowed unless the test says otherwise. */
_unused_ static StoreConfig fixture_new(void) {
        strcpy(fixture_root, "/tmp/test-store.XXXXXX");
        ASSERT_NOT_NULL(mkdtemp(fixture_root));
        (void) snprintf(fixture_dir, sizeof(fixture_dir), "%s/captures", fixture_root);
        return (StoreConfig) { .directory = fixture_dir };
}

_unused_ static ArtifactOrigin fixture_origin(ArtifactKind kind, uint64_t scopes) {
        static uint64_t clock = 1700000000ULL * NSEC_PER_SEC;

        clock += NSEC_PER_MSEC;
        return (ArtifactOrigin) { .kind = kind, .scopes = scopes, .time_ns = clock, .comm = "test" };
}

/* One artifact, from begin to complete. */
_unused_ static void fixture_put(Store *s, const char *name, const void *data, size_t size) {
        ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 1);
        Artifact *a = NULL;

        ASSERT_OK(store_artifact_begin(s, &origin, NULL, name, &a));
        ASSERT_OK(artifact_write(a, 0, data, size));
        ASSERT_OK(artifact_complete(a));
        artifact_unref(a);
}

_unused_ static size_t fixture_count(Store *s) {
        ArtifactFilter all = ARTIFACT_FILTER_ALL;
        ArtifactInfo *list = NULL;
        size_t n = 0;

        ASSERT_OK(store_list(s, &all, &list, &n));
        for (size_t i = 0; i < n; i++)
                artifact_info_done(&list[i]);
        free(list);
        return n;
}

/* The one artifact whose path ends in `name`; the caller frees it. */
_unused_ static bool fixture_find(Store *s, const char *name, ArtifactInfo *ret) {
        ArtifactFilter all = ARTIFACT_FILTER_ALL;
        ArtifactInfo *list = NULL;
        bool found = false;
        size_t n = 0;

        ASSERT_OK(store_list(s, &all, &list, &n));
        for (size_t i = 0; i < n; i++)
                if (!found && endswith(list[i].path, name)) {
                        *ret = list[i];
                        found = true;
                } else
                        artifact_info_done(&list[i]);
        free(list);
        return found;
}

_unused_ static ArtifactInfo fixture_get(Store *s, const char *name) {
        ArtifactInfo info = {};

        if (!fixture_find(s, name, &info))
                TEST_FAIL("no artifact %s", name);
        return info;
}

_unused_ static bool fixture_exists(Store *s, const char *name) {
        ArtifactInfo info = {};
        bool found = fixture_find(s, name, &info);

        artifact_info_done(&info);
        return found;
}

_unused_ static StoreCounters fixture_counters(Store *s) {
        StoreCounters c;

        store_counters(s, &c);
        return c;
}
