/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The artifact store: one directory, its index, its quotas. Knows nothing of the kernel, the bus or the journal.
 *
 * Everything that names a file comes from untrusted text and is encoded here: no artifact leaves the directory. The
 * index (one file, append-only, each line checksummed) is consistent after any crash: an artifact is in it from its
 * first byte on. Thread-safe: the worker writes, the main thread lists, opens and removes. A thread of the store's own
 * takes digests, syncs and expires, so that a completed gigabyte delays nobody.
 *
 * What is on the disk when: an index line reaches the kernel before the file that it names is made (kill -9 loses
 * nothing); every five seconds, when something was completed, those artifacts and then the index are synced, and so at
 * the end. Power loss costs at most what came after that, and the next start marks what it finds cut short or
 * damaged. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Store Store;
typedef struct Artifact Artifact;

typedef enum ArtifactKind {
        ARTIFACT_WRITE,
        ARTIFACT_READ,
        ARTIFACT_EXEC,
        ARTIFACT_MEM,
        ARTIFACT_PCAP,
        ARTIFACT_MODULE,
        _ARTIFACT_KIND_MAX,
        _ARTIFACT_KIND_INVALID = -22,
} ArtifactKind;

const char *artifact_kind_to_string(ArtifactKind k);    /* write, read, exec, mem, pcap, module */
ArtifactKind artifact_kind_from_string(const char *s);

typedef enum StoreFull {
        STORE_FULL_EVICT,               /* remove the oldest complete artifacts */
        STORE_FULL_STOP,                /* keep what is there, take nothing new */
} StoreFull;

/* A size that is chosen by that of the file system: max_bytes a tenth of it, at most 4 GiB; keep_free_bytes 15 %, at
 * most 4 GiB; max_artifact_bytes half of max_bytes. */
#define STORE_AUTO UINT64_MAX

typedef struct StoreConfig {
        const char *directory;          /* absolute; made when missing */
        uint64_t max_bytes;             /* of all artifacts, on the disk; 0: no limit. The same for the following */
        uint64_t max_artifact_bytes;    /* on the disk, and its last byte's offset */
        uint64_t max_age_usec;          /* since the last operation */
        uint64_t keep_free_bytes;       /* of the file system */
        uint64_t max_artifacts;         /* each takes memory: STORE_AUTO is 50000 */
        StoreFull full;
        bool clear;                     /* remove everything first */
} StoreConfig;

/* Whom and what an artifact is of, as first seen. Strings are borrowed during the call and may hold anything. */
typedef struct ArtifactOrigin {
        ArtifactKind kind;
        const char *container;          /* full id; NULL or "": host */
        const char *source_path;        /* of the file; NULL: none */
        uint64_t dev, inode;            /* kernel's dev_t; 0: none */
        uint32_t host_pid, host_tid, uid, gid;
        uint64_t start_ns;              /* of the thread, CLOCK_BOOTTIME */
        const char *comm, *exe, *unit;
        uint64_t time_ns;               /* wall clock */
        uint64_t scopes;                /* mask; later operations on the same artifact add theirs */
        char *const *policies;          /* NULL-terminated names */
        const char *note;               /* "read back from the file at close", NULL: none */
} ArtifactOrigin;

typedef struct ArtifactRange {
        uint64_t offset, size;
} ArtifactRange;

/* What is kept, and what was not, of one kind for one scope. */
typedef struct StoreUsage {
        uint64_t n_artifacts, bytes;            /* now, on the disk; an artifact of several scopes counts for each */
        uint64_t n_dropped, dropped_bytes;
} StoreUsage;

/* What the index knows of one artifact. Owned by the caller, artifact_info_done(). */
typedef struct ArtifactInfo {
        char *id;                       /* short, stable, unique: names it on the bus and in the journal */
        char *path;                     /* below the directory */
        ArtifactKind kind;
        uint64_t size_bytes;            /* logical: end of its last byte */
        uint64_t stored_bytes;          /* on disk */
        char sha256[65];                /* "" until it is complete */
        bool complete;
        char *container, *source_path, *comm, *exe, *unit, *note;
        uint64_t dev, inode;
        uint32_t host_pid, host_tid, uid, gid;
        uint64_t start_ns;
        uint64_t first_usec, last_usec; /* wall clock of the first and last operation */
        uint64_t scopes;
        char **policies;
        ArtifactRange *holes;           /* bytes that should be there and are not; sorted, merged */
        size_t n_holes;
} ArtifactInfo;

void artifact_info_done(ArtifactInfo *info);
int artifact_info_dup(const ArtifactInfo *info, ArtifactInfo *ret);

/* Counters since the store was opened. */
typedef struct StoreCounters {
        uint64_t n_artifacts, bytes;            /* now */
        uint64_t n_dropped, dropped_bytes;      /* refused: quota, disk, error */
        uint64_t n_evicted, evicted_bytes;
        uint64_t n_holes, hole_bytes;
        uint64_t n_errors;                      /* ENOSPC, EIO, EROFS, the directory is gone */
        uint64_t lost_scopes;                   /* mask: whose data was dropped or is a hole, since the last
                                                 * acknowledgement */
        int last_errno;                         /* 0: all well again */
        bool full;                              /* the last artifact or chunk was refused by a limit */
        uint64_t max_bytes, max_artifact_bytes, keep_free_bytes, free_bytes;    /* as they hold; 0: no limit */
} StoreCounters;

int store_open(const StoreConfig *config, Store **ret);
Store *store_close(Store *s);
static inline void store_closep(Store **s) {
        store_close(*s);
}
/* New limits for the store as it is (reload). The directory cannot change. */
int store_configure(Store *s, const StoreConfig *config);

/* The artifact called `name` in its container's folder, begun when it is not there; several calls may hold it at once.
 * name: as design.md §7, already with numbers, but with raw text inside: encoded here, slashes between folders only
 * where the caller passes them in `folder` ("pcap/processes", NULL: the container's own folder as design.md §7 says).
 * -ENOSPC: over quota and nothing may be evicted (counted). */
int store_artifact_begin(Store *s, const ArtifactOrigin *origin, const char *folder, const char *name, Artifact **ret);
/* One that is there, to go on with; -ENOENT: there is none, or no file of it any more. */
int store_artifact_again(Store *s, const char *container, const char *folder, const char *name, Artifact **ret);
/* Write at an offset, or at the end (one thread at a time). A failure is counted, recorded as a hole, and does not end
 * the artifact: -EFBIG: beyond max_artifact_bytes (what fits is there); -ENOSPC; -EIO, ... -ESTALE: somebody removed
 * it: let go and begin again. */
int artifact_write(Artifact *a, uint64_t offset, const void *data, size_t size);
int artifact_append(Artifact *a, const void *data, size_t size);
int artifact_hole(Artifact *a, uint64_t offset, uint64_t size);
/* The file was cut to `size` bytes, or has zeros from `offset` on: so has the artifact, and no hole there any more. */
int artifact_cut(Artifact *a, uint64_t size);
int artifact_clear(Artifact *a, uint64_t offset, uint64_t size);
/* More subjects and scopes of the same artifact. */
int artifact_add_origin(Artifact *a, const ArtifactOrigin *origin);
/* A descriptor for writers of their own; the store learns the size by artifact_sync() (errors as artifact_write():
 * write no more then). Borrowed; one that was asked for stays open as long as somebody holds the artifact: with
 * thousands of them, artifact_append() is the better way. */
int artifact_fd(Artifact *a);
int artifact_sync(Artifact *a);
const char *artifact_id(const Artifact *a);
/* Bytes up to its end, as written so far. */
uint64_t artifact_size(Artifact *a);
/* Of the content as it is, for artifact_rename(). Reads all of it. */
int artifact_sha256(Artifact *a, char ret[static 65]);
/* Gives it a name of its content ("....<sha256>"), or drops it (-EEXIST) because the same content is already there
 * under that name: then scopes and subject are added to that one. */
int artifact_rename(Artifact *a, const char *name);
/* Nothing more comes for now: SHA-256 is taken and the listener told, soon, by the store's own thread; only then is
 * ArtifactInfo.complete set. The artifact may be begun again later. */
int artifact_complete(Artifact *a);
/* Lets go without completing (the artifact stays, incomplete). */
Artifact *artifact_unref(Artifact *a);
static inline void artifact_unrefp(Artifact **a) {
        artifact_unref(*a);
}

/* Told when an artifact is complete, from the store's own thread: the daemon hands it over to its loop. `again`: was
 * told before, has changed since. What a crash had cut off is completed when the first listener is set. */
typedef void (*StoreHandler)(const ArtifactInfo *info, bool again, void *userdata);
void store_set_handler(Store *s, StoreHandler handler, void *userdata);
/* Returns when everything that was completed before the call has its digest and was told. -ETIMEDOUT. */
int store_flush(Store *s, uint64_t timeout_usec);

/* Which artifacts. Empty members match all. */
typedef struct ArtifactFilter {
        const char *id;
        const char *path;               /* below the directory */
        int kind;                       /* enum ArtifactKind, -1: all */
        unsigned scope;                 /* 1..64, 0: all */
        const char *container, *source_path, *comm, *policy, *sha256;     /* source_path, comm: `*` is a wildcard */
        uint32_t host_pid;
        uint64_t since_usec, until_usec;
} ArtifactFilter;
#define ARTIFACT_FILTER_ALL { .kind = -1 }

/* Ascending by first_usec. Caller frees: artifact_info_done() each, then the array. */
int store_list(Store *s, const ArtifactFilter *filter, ArtifactInfo **ret, size_t *ret_n);
/* A read-only descriptor. -ENOENT. */
int store_open_artifact(Store *s, const char *id);
/* Called after each artifact that is removed, in the thread that asked: so many of at most `total`, so many bytes in
 * all. A negative result ends the work with it. */
typedef int (*StoreProgress)(uint64_t n, uint64_t total, uint64_t bytes, void *userdata);
/* `progress` may be NULL. The counts are set whatever the result. */
int store_remove(Store *s, const ArtifactFilter *filter, StoreProgress progress, void *userdata, uint64_t *ret_n,
                 uint64_t *ret_bytes);
/* Removes the oldest that nobody writes to until at most max_bytes are left and none is older than max_age_usec
 * (UINT64_MAX: no limit). */
int store_vacuum(Store *s, uint64_t max_bytes, uint64_t max_age_usec, StoreProgress progress, void *userdata,
                 uint64_t *ret_n, uint64_t *ret_bytes);
void store_counters(Store *s, StoreCounters *ret);
void store_usage(Store *s, ArtifactKind kind, unsigned scope, StoreUsage *ret);
const char *store_directory(const Store *s);
/* Called once when something was dropped or failed, from any thread and with the store locked: it may wake somebody and
 * do nothing else. Called again after store_ack_trouble(), which also says what there is to report. */
void store_set_trouble_handler(Store *s, void (*handler)(void *userdata), void *userdata);
void store_ack_trouble(Store *s, StoreCounters *ret);
