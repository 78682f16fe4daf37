/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Operations into the artifact ring. A program that captures:
 *
 *     if (!event_begin(&r, SCT_EVENT_CAPTURE_X)) return;      the subject is wanted
 *     put_...(&r.s->buf, ...)                                 what conditions may ask
 *     if (artifact_match(&r)) {
 *             w = artifact_work_get(r.s->level, event)        w->op.chunk says offset, size, dev, inode
 *             if (artifact_begin(&r.s->buf, w))               the head
 *                     artifact_copy(&walk), artifact_piece()  any number of times: data
 *             artifact_end(&w->op)
 *     }
 *     scratch_put();
 *
 * What finds no room is told to a queue of holes, which holds ranges only and so hardly ever fills. */

#include "../abi/artifact.h"
#include "event.bpf.h"

#define SCT_HOLES_MAX 16384
#define SCT_PIECES_MAX (1 << 20)          /* pieces of one operation */

enum artifact_from {
        ARTIFACT_FROM_USER,
        ARTIFACT_FROM_KERNEL,
};

/* ---- Maps: made when a capture is first wanted (src/kernel/artifacts.c), not with the others ---- */

struct {                             /* owner: kernel side; restart: kept, the new daemon reads what is there */
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 32 * 1024 * 1024);
} sct_art_ring __weak SEC(".maps");

struct {                             /* owner: both; restart: kept */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(map_flags, BPF_F_MMAPABLE);
        __uint(max_entries, 1);
        __type(key, u32);
        __type(value, struct sct_artifact_state);
} sct_art_state __weak SEC(".maps");

struct {                             /* owner: kernel side, user space takes them out; restart: kept */
        __uint(type, BPF_MAP_TYPE_QUEUE);
        __uint(max_entries, SCT_HOLES_MAX);
        __uint(value_size, sizeof(struct sct_hole));
} sct_art_holes __weak SEC(".maps");

/* Where the last write() of a task ended, as the kernel had it: the file's position may have been moved on by then. */
struct written {
        u64 file, end;
};

struct {                             /* owner: kernel side; restart: new */
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct written);
} sct_written __weak SEC(".maps");

struct {                             /* owner: kernel side: processes with shared mappings that are captured */
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 4096);
        __type(key, u32);
        __type(value, u32);
} sct_mappers __weak SEC(".maps");

/* One operation while it is copied. */
struct artifact_op {
        struct sct_chunk chunk;      /* operation, event, dev, inode; offset: where the next data goes */
        struct sct_hole hole;        /* what a hole of it says, but for where */
        u32 lost;                    /* chunks that found no room */
        u32 flags;                   /* of the end: SCT_CHUNK_FAULT */
        u32 level, pad;              /* of sct_art_work, that this one stands in */
};

#define ARTIFACT_SMALL_MAX 4096       /* data that travels with its head */
#define ARTIFACT_RECORD_MAX 8192      /* sizeof(struct sct_record) + SCT_DATA_MAX is below */

/* One end of a call: a file, and where the data is. */
struct io_side {
        u64 address;                 /* buffer, or struct iovec[] */
        u64 n_vector;                /* 0: a buffer */
        s64 offset;
        u64 size;                    /* what the call returned */
        s32 fd;
        u32 flags;                   /* of artifact.bpf.c */
        u32 how;                     /* enum sct_capture_how */
        u32 pad;
};

/* What is too large for the stack. */
struct artifact_work {
        struct artifact_op op;
        struct io_side side;
        struct sct_chunk chunk;      /* of a head, or of a whole small operation; what follows it is behind it */
        u8 data[ARTIFACT_RECORD_MAX + ARTIFACT_SMALL_MAX];
};

struct {                             /* owner: kernel side, by level of sct_scratches; restart: new */
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, SCT_NEST_MAX);
        __type(key, u32);
        __type(value, struct artifact_work);
} sct_art_work __weak SEC(".maps");

/* A fresh operation of the program that holds scratch space `level`. */
static __always_inline struct artifact_work *artifact_work_get(u32 level, u32 event) {
        struct artifact_work *w = bpf_map_lookup_elem(&sct_art_work, &level);

        if (w) {
                __builtin_memset(&w->op, 0, sizeof(w->op));
                w->op.chunk.event = event;
                w->op.level = level;
        }
        return w;
}

static __always_inline struct sct_artifact_state *artifact_state(void) {
        u32 zero = 0;

        return bpf_map_lookup_elem(&sct_art_state, &zero);
}

static __always_inline u64 artifact_wakeup(struct sct_artifact_state *a) {
        u32 state = a->reader;

        if (state == SCT_READER_AWAKE)
                return BPF_RB_NO_WAKEUP;
        if (state == SCT_READER_TIMER && bpf_ringbuf_query(&sct_art_ring, BPF_RB_AVAIL_DATA) < a->wakeup_bytes)
                return BPF_RB_NO_WAKEUP;
        if (__sync_val_compare_and_swap(&a->reader, state, SCT_READER_AWAKE) != state)
                return BPF_RB_NO_WAKEUP;
        return BPF_RB_FORCE_WAKEUP;
}

/* `size` bytes from op->chunk.offset on are not there. */
__weak __noinline int artifact_hole(struct artifact_op *op, u64 size, u32 fault) {
        struct sct_artifact_state *a = artifact_state();
        struct artifact_work *w;
        u32 level;

        if (!op || !a)
                return -1;
        level = op->level;
        /* Before 6.2 or so what is pushed must be known to stand in a map. */
        w = bpf_map_lookup_elem(&sct_art_work, &level);
        op->hole.offset = op->chunk.offset;
        op->hole.size = size;
        if (fault) {
                op->flags |= SCT_CHUNK_FAULT;
                __sync_fetch_and_add(&a->fault_bytes, size);
        } else {
                op->lost++;
                __sync_fetch_and_add(&a->n_lost, 1);
                __sync_fetch_and_add(&a->lost_bytes, size);
        }
        if (size && (!w || bpf_map_push_elem(&sct_art_holes, &w->op.hole, 0)))
                __sync_fetch_and_add(&a->n_unknown, 1);
        return 0;
}

/* Whether the rules that are left want the event. b->active holds which. */
static __always_inline int artifact_match(struct event_run *r) {
        r->s->buf.rec.bank_first = r->plan->bank_first & (SCT_BANKS_MAX - 1);
        r->s->buf.rec.n_banks = r->plan->n_banks;
        return event_matches(r);
}

/* Ends the record with its masks. Returns its size, 0 when there is none. */
static __always_inline u32 record_end(struct sct_buf *b) {
        u32 first = b->rec.bank_first & (SCT_BANKS_MAX - 1), banks = b->rec.n_banks;
        u64 off = b->used & ~7U;

        if (off > SCT_DATA_MAX - 8 * SCT_BANKS_MAX || banks > SCT_BANKS_MAX)
                return 0;
        if (banks == 1)
                *(u64 *) (b->data + off) = b->active[first];
        else if (first + banks > SCT_BANKS_MAX ||
                 bpf_probe_read_kernel(b->data + off, banks * 8, (void *) b->active + first * 8))
                return 0;
        b->rec.lost = sct_state.n_lost;
        return sizeof(b->rec) + off + banks * 8;
}

/* The record of w's operation, in w->data, and what its holes will say. Returns the record's size, 0 when there is none. */
__weak __noinline u32 artifact_record(struct sct_buf *b, struct artifact_work *w) {
        struct artifact_op *op;
        u32 first, size;

        if (!b || !w)
                return 0;
        op = &w->op;
        size = record_end(b);
        if (!size || size > ARTIFACT_RECORD_MAX || bpf_probe_read_kernel(w->data, size, &b->rec))
                return 0;
        first = b->rec.bank_first & (SCT_BANKS_MAX - 1);
        for (u32 i = 0; i < SCT_BANKS_MAX / 8; i++)
                op->hole.rules[i] = b->active[(first + i) & (SCT_BANKS_MAX - 1)];
        op->hole.generation = b->rec.generation;
        op->hole.bank_first = first;
        op->hole.event = op->chunk.event;
        op->hole.dev = op->chunk.dev;
        op->hole.inode = op->chunk.inode;
        op->hole.flags = op->chunk.flags;
        op->chunk.record_size = size;
        return size;
}

/* Begins an operation: w->op.chunk says event, offset, size_total, dev, inode, flags. Returns 1 when its head is in the
 * ring; 0 when it found no room, and then nothing more of it needs to be sent: the hole is told. */
__weak __noinline int artifact_begin(struct sct_buf *b, struct artifact_work *w) {
        struct sct_artifact_state *a = artifact_state();
        u64 size;

        if (!b || !w || !a)
                return 0;
        w->op.chunk.operation = __sync_fetch_and_add(&a->next_operation, 1) + 1;
        size = artifact_record(b, w);
        if (!size || size > ARTIFACT_RECORD_MAX)
                return 0;
        w->chunk = w->op.chunk;
        w->chunk.type = SCT_CHUNK_HEAD;
        if (bpf_ringbuf_output(&sct_art_ring, &w->chunk, sizeof(w->chunk) + size, artifact_wakeup(a))) {
                artifact_hole(&w->op, w->op.chunk.size_total, 0);
                return 0;
        }
        w->op.hole.operation = w->op.chunk.operation;
        return 1;
}

enum {
        PIECE_DONE = 0,
        PIECE_FAULT = 1,              /* some of it is not resident: nothing was sent */
};

/* One chunk of at most SCT_CHUNK_DATA_MAX bytes. The verifier wants constant sizes: the smallest class that fits. */
__weak __noinline int artifact_piece(struct artifact_op *op, u64 address, u64 size, u32 from) {
        struct sct_artifact_state *a = artifact_state();
        struct {
                struct sct_chunk chunk;
                u8 data[SCT_CHUNK_DATA_MAX];
        } *e;
        u64 n = size;

        if (!op || !a)
                return PIECE_DONE;
        op->chunk.type = SCT_CHUNK_DATA;
        op->chunk.record_size = 0;
        op->chunk.size = size;

#define PIECE(class)                                                                            \
        if (n <= (class)) {                                                                     \
                e = bpf_ringbuf_reserve(&sct_art_ring, sizeof(e->chunk) + (class), 0);          \
                if (!e)                                                                         \
                        goto lost;                                                              \
                barrier_var(n);                                                                 \
                if (n > (class))                                                                \
                        n = (class);                                                            \
                e->chunk = op->chunk;                                                           \
                if (from == ARTIFACT_FROM_USER ? bpf_probe_read_user(e->data, n, (void *) address) \
                                               : bpf_probe_read_kernel(e->data, n, (void *) address)) { \
                        bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);                               \
                        return PIECE_FAULT;                                                     \
                }                                                                               \
                bpf_ringbuf_submit(e, artifact_wakeup(a));                                      \
                op->chunk.offset += size;                                                       \
                return PIECE_DONE;                                                              \
        }
        PIECE(1024)
        PIECE(4096)
        PIECE(16384)
        PIECE(SCT_CHUNK_DATA_MAX)
#undef PIECE
lost:
        artifact_hole(op, size, 0);
        op->chunk.offset += size;
        return PIECE_DONE;
}

/* Where the data is: one buffer, or a vector of them in user memory. */
struct artifact_walk {
        struct artifact_op *op;
        u64 address, size;            /* of the buffer that is being copied: what is left of it */
        u64 left;                     /* of the operation */
        u64 paged_until;              /* below this address page by page: something there was not resident */
        u64 vector;                   /* struct iovec[] in user memory; 0: none */
        u32 n_vector, i_vector;
        u32 compat, from;
};

static __always_inline int next_vector(struct artifact_walk *w) {
        u64 v[2] = {};

        if (!w->vector || w->i_vector >= w->n_vector)
                return 0;
        if (w->compat) {
                u32 v32[2] = {};

                if (bpf_probe_read_user(v32, sizeof(v32), (void *) (w->vector + 8 * w->i_vector)))
                        return 0;
                v[0] = v32[0];
                v[1] = v32[1];
        } else if (bpf_probe_read_user(v, sizeof(v), (void *) (w->vector + 16 * w->i_vector)))
                return 0;
        w->i_vector++;
        w->address = v[0];
        w->size = v[1];
        return 1;
}

static long walk_step(u32 i, struct artifact_walk *w) {
        u64 n;

        if (!w->left)
                return 1;
        if (!w->size)
                return !next_vector(w);
        n = w->size < w->left ? w->size : w->left;
        if (n > SCT_CHUNK_DATA_MAX)
                n = SCT_CHUNK_DATA_MAX;
        if (w->address < w->paged_until && n > 4096 - (w->address & 4095))
                n = 4096 - (w->address & 4095);
        if (artifact_piece(w->op, w->address, n, w->from) == PIECE_FAULT) {
                if (n > 4096 - (w->address & 4095)) {
                        w->paged_until = w->address + n;
                        return 0;
                }
                artifact_hole(w->op, n, 1);
                w->op->chunk.offset += n;
        }
        w->address += n;
        w->size -= n;
        w->left -= n;
        return 0;
}

/* Copies w->left bytes. What its buffers do not hold, or cannot be read, is a hole. */
static __always_inline void artifact_copy(struct artifact_walk *w) {
        bpf_loop(SCT_PIECES_MAX, walk_step, w, 0);
        if (w->left)
                artifact_hole(w->op, w->left, 1);
        w->op->chunk.offset += w->left;
}

/* A process that has mappings changed `size` bytes of its memory from `address` on. */
__weak __noinline int artifact_sync(u64 address, u64 size, u32 event, u32 flags) {
        u32 tgid = bpf_get_current_pid_tgid() >> 32;
        struct sct_artifact_state *a = artifact_state();
        struct sct_chunk c = {};

        if (!a || !bpf_map_lookup_elem(&sct_mappers, &tgid))
                return 0;
        c.type = SCT_CHUNK_SYNC;
        c.event = event;
        c.flags = flags;
        c.operation = tgid;
        c.offset = address;
        c.size_total = size;
        bpf_ringbuf_output(&sct_art_ring, &c, sizeof(c), artifact_wakeup(a));
        return 0;
}

__weak __noinline int artifact_end(struct artifact_op *op) {
        struct sct_artifact_state *a = artifact_state();

        if (!op || !a)
                return -1;
        if (!op->hole.operation)
                return 0;
        op->chunk.type = SCT_CHUNK_END;
        op->chunk.flags |= op->flags;
        op->chunk.size = op->chunk.record_size = 0;
        op->chunk.lost = op->lost;
        /* A lost end is no loss: the reader ends what is idle, and holes are told elsewhere. */
        bpf_ringbuf_output(&sct_art_ring, &op->chunk, sizeof(op->chunk), artifact_wakeup(a));
        return 0;
}
