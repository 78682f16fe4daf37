/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the store share; nobody else includes it. All that is in a Store or an Artifact is guarded by
 * Store.lock, but Artifact.fd while Artifact.n_io says that somebody writes. Functions whose name begins with store_ or
 * artifact_ and that stand here are called with the lock held, unless they say otherwise. */

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <uthash.h>
#include <utlist.h>

#include "../basic/buffer.h"
#include "../basic/macro.h"
#include "store.h"

/* Below the directory. No encoded name begins with a dot. */
#define STORE_INDEX ".index"
#define STORE_INDEX_NEW ".index.new"
#define STORE_TRASH ".trash"

/* Descriptors that the store keeps open for writers; a holder of more artifacts than that is served all the same. */
#define STORE_FDS_MAX 128U
/* Completed artifacts between two syncs that are synced one by one; if more, the file system is. */
#define STORE_UNSYNCED_MAX 32U
#define STORE_SCOPES_MAX 64U
/* More holes in one artifact than this, and neighbours are joined: the list says too much then, never too little. */
#define STORE_HOLES_MAX 4096U

struct Artifact {
        Store *store;
        ArtifactInfo info;              /* holes are in .holes below while it lives here */
        ArtifactRange *holes;
        size_t n_holes, n_holes_allocated;

        unsigned n_refs;                /* handles, and the finisher */
        unsigned n_io;                  /* writes that run without the lock: fd stays */
        int fd;                         /* -EBADF: not open now */
        bool fd_lent;                   /* artifact_fd(): stays open while it is held */
        bool told;                      /* the listener knows it */
        bool queued;                    /* for the finisher */
        bool removed;                   /* no longer in the tables; freed with the last handle */
        bool in_tables, in_fd_list;
        uint64_t n_changes;             /* of contents, scopes, holes: what a digest belongs to */
        bool unverified;                /* while the index is read: may not have reached the disk */
        bool recovered;                 /* a crash cut it off: completed when there is a listener */

        UT_hash_handle by_path, by_id;
        struct Artifact *prev, *next;           /* Store.oldest: by last operation */
        struct Artifact *fd_prev, *fd_next;     /* Store.fds */
        struct Artifact *job_next;              /* Store.jobs */
};

struct Store {
        pthread_mutex_t lock;
        pthread_cond_t wake;            /* the finisher: something to do */
        pthread_cond_t idle;            /* store_flush(): nothing left */
        pthread_t finisher;
        bool finisher_runs, stopping, working;

        StoreConfig wanted;             /* as given */
        StoreConfig config;             /* sizes resolved; .directory is ours */
        char *directory;
        int dir_fd;
        mode_t file_mode, folder_mode;
        gid_t gid;                      /* (gid_t) -1: leave it */
        bool directory_lost;            /* removed, or never usable: tried again now and then */
        uint64_t retry_usec;

        Artifact *by_path, *by_id, *oldest, *fds;
        Artifact *jobs, *jobs_last;     /* of the finisher */
        size_t n_fds;
        StoreCounters counters;
        uint64_t free_bytes;            /* of the file system, as last asked */
        uint64_t free_unchecked;        /* bytes written since */
        uint64_t free_checked_usec;

        int index_fd;
        uint64_t index_bytes;           /* good so far */
        size_t index_lines;
        bool index_stale;               /* a line could not be written: the whole must be, by compaction */
        bool index_unsynced;
        uint64_t synced_usec;           /* when the last batch reached the disk */
        int unsynced_fds[STORE_UNSYNCED_MAX];   /* of artifacts that were completed since */
        const Artifact *unsynced_of[STORE_UNSYNCED_MAX];        /* compared only */
        size_t n_unsynced_fds;
        bool unsynced_more;             /* than there is room for */
        uint64_t expired_usec;
        bool limits_changed;
        Buffer line;

        StoreHandler handler;
        void *handler_userdata;
        void (*trouble_handler)(void *userdata);
        void *trouble_userdata;
        bool trouble_told;
        StoreUsage usage[_ARTIFACT_KIND_MAX][STORE_SCOPES_MAX + 1];
};

/* store-name.c: untrusted text → names of files */
#define STORE_NAME_MAX 255U
/* One component. Never empty, never begins with a dot, no slash, nothing but printable ASCII that no shell minds. */
int store_name_encode(const char *raw, char ret[static STORE_NAME_MAX + 1]);
/* "folder/…/name" below the directory; folder NULL: the container's. */
int store_path_make(const char *container, const char *folder, const char *name, char **ret);

/* store-range.c */
int range_add(ArtifactRange **ranges, size_t *n, size_t *n_allocated, uint64_t offset, uint64_t size);
void range_subtract(ArtifactRange *ranges, size_t *n, uint64_t offset, uint64_t size, ArtifactRange *reterr_rest);
uint64_t range_bytes(const ArtifactRange *ranges, size_t n);

/* store-file.c: opens, below the directory and nowhere else */
int store_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);
void store_adopt(const Store *s, int fd, mode_t mode);
int store_make_folders(Store *s, const char *path);
int store_open_directory(Store *s, bool create);
int store_ensure_directory(Store *s);
void store_free_space(Store *s, bool force);
int store_digest_fd(int fd, char ret[static 65]);
int store_for_each_file(Store *s, int (*callback)(Store *s, const char *path, const struct stat *st));
void store_remove_empty_folders(Store *s);
void store_empty_trash(Store *s);

/* store-index.c */
int store_index_load(Store *s);
int store_index_put(Store *s, Artifact *a);             /* the artifact as it is */
int store_index_hole(Store *s, Artifact *a, uint64_t offset, uint64_t size);
int store_index_drop(Store *s, const Artifact *a);
int store_index_compact(Store *s);
int store_index_sync(Store *s);                         /* lets go of the lock meanwhile */

/* store-entry.c: artifacts in the tables */
int store_entry_new(Store *s, Artifact **ret);
Artifact *store_entry_by_path(Store *s, const char *path);
Artifact *store_entry_by_id(Store *s, const char *id);
int store_entry_add(Store *s, Artifact *a);             /* needs id and path */
void store_entry_touch(Store *s, Artifact *a);          /* the youngest now */
void store_entry_detach(Store *s, Artifact *a);         /* from the tables; frees it when nobody holds it */
void store_entry_ref(Artifact *a);
void store_entry_unref(Artifact *a);
int store_entry_open(Store *s, Artifact *a);
void store_entry_close(Store *s, Artifact *a);
void store_entry_measure(Store *s, Artifact *a, const struct stat *st);
int store_entry_merge_origin(Store *s, Artifact *a, const ArtifactOrigin *origin);      /* > 0: something new */
int artifact_info_copy(const Artifact *a, ArtifactInfo *ret);

/* store-quota.c */
void store_limits_resolve(Store *s, const StoreConfig *config);
int store_make_room(Store *s, uint64_t more_bytes, const Artifact *for_whom);     /* for_whom NULL: a new one */
int store_expire(Store *s);
/* The disk is fuller than it said: takes the oldest off it. -ENOENT: there is none, or the configuration forbids it. */
int store_evict_one(Store *s, const Artifact *for_whom);
/* File, index and tables. `later`: the file goes to the trash, store_empty_trash() takes it off the disk without the lock. */
int store_delete(Store *s, Artifact *a, bool later);
void store_note_error(Store *s, int error);
void store_note_success(Store *s);
void store_note_dropped(Store *s, ArtifactKind kind, uint64_t scopes, uint64_t bytes);
void store_note_trouble(Store *s);

/* store-finish.c: the thread that takes digests, syncs and expires */
int store_finisher_start(Store *s);
void store_finisher_stop(Store *s);     /* without the lock; does what is queued first */
void store_finisher_queue(Store *s, Artifact *a);
void store_finisher_forget(Store *s, const Artifact *a);        /* it is removed: lets go of its space */
