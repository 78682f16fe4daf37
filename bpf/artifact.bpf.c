// SPDX-License-Identifier: GPL-2.0-only
/* Written and read data, by the exit of system calls: the one place that every kernel grants, and where it is known how
 * much was really written. What a call took from user memory is copied from there while it is still resident; what it
 * moved inside the kernel (splice, copy_file_range) is in no user memory and is left to the reader of the ring, which
 * takes it from the file and says so.
 *
 * The arguments of a call still stand in its registers when it returns. */

#include "lib/artifact.bpf.h"

#include "event-id.h"

char LICENSE[] SEC("license") = "GPL";

#define SCT_O_APPEND 02000
#define SCT_O_TRUNC 01000
#define SCT_FALLOC_PUNCH_HOLE 0x02
#define SCT_FALLOC_COLLAPSE_RANGE 0x08
#define SCT_FALLOC_ZERO_RANGE 0x10
#define SCT_FALLOC_INSERT_RANGE 0x20
#define SCT_RWF_APPEND 0x10
#define SCT_RWF_NOAPPEND 0x20
#define SCT_S_IFMT 0170000
#define SCT_S_IFSOCK 0140000
#define SCT_S_IFCHR 0020000
#define SCT_S_IFREG 0100000
#define SCT_S_IFIFO 0010000
#define SCT_PF_IO_WORKER 0x00000010
#define SCT_PROT_WRITE 2
#define SCT_MAP_SHARED 1             /* MAP_SHARED_VALIDATE has the bit too */
#define SCT_MAP_TYPE 0xf
#define SCT_MAP_ANONYMOUS 0x20
#define SCT_AIO_MAX 128              /* of one io_submit(); what is beyond is a hole that nobody can place */

/* include/uapi/linux/aio_abi.h, fs/aio.c */
struct sct_iocb {
        u64 data;
        u32 key, rw_flags;
        u16 opcode;
        s16 reqprio;
        u32 fildes;
        u64 buf, nbytes;
        s64 offset;
};

struct sct_aio_ring {
        u32 id, nr, head, tail, magic, compat, incompat, header_length;
};

struct sct_io_event {
        u64 data, obj;
        s64 res, res2;
};

enum {
        SCT_IOCB_PREAD = 0,
        SCT_IOCB_PWRITE = 1,
        SCT_IOCB_PREADV = 7,
        SCT_IOCB_PWRITEV = 8,
};

enum side_flags {
        SIDE_WRITE = 1 << 0,
        SIDE_COMPAT = 1 << 1,
        SIDE_OFFSET = 1 << 2,        /* offset is where the data begins; else the file's position is where it ends */
        SIDE_APPEND = 1 << 3,        /* asked for by the call */
        SIDE_NOAPPEND = 1 << 4,
        SIDE_SUBMITTED = 1 << 5,     /* asynchronous, and under way still */
        SIDE_SHARED = 1 << 6,        /* others may have moved the position meanwhile */
        SIDE_PLAIN = 1 << 7,         /* write(), pwrite(): what vfs_write() was asked for */
};

static __always_inline u64 wide(const u64 *a, u32 i, u32 compat) {
        return compat ? (u32) a[i] | a[i + 1] << 32 : a[i];
}

/* An offset that the caller keeps in its memory: the kernel has moved it behind the data. */
static __always_inline void side_moved(struct io_side *s, u64 pointer, int size) {
        u64 offset = 0;

        if (!pointer || bpf_probe_read_user(&offset, size & 15, (void *) pointer))
                return;
        s->offset = offset - s->size;
        s->flags |= SIDE_OFFSET;
}

static __always_inline void side_vector(struct io_side *s, const u64 *a) {
        s->address = a[1];
        s->n_vector = a[2];
}

static __always_inline void side_at(struct io_side *s, u64 offset) {
        s->offset = offset;
        s->flags |= SIDE_OFFSET;
}

/* Whether a call may have moved data out of this side. */
static __always_inline int call_moves(u32 call, u32 write) {
        switch (call) {
        case SCT_EVENT_WRITE:
        case SCT_EVENT_PWRITE64:
        case SCT_EVENT_WRITEV:
        case SCT_EVENT_PWRITEV:
        case SCT_EVENT_PWRITEV2:
        case SCT_EVENT_VMSPLICE:
        case SCT_EVENT_TEE:
        case SCT_EVENT_MMAP:
        case SCT_EVENT_MMAP2:
                return write;
        case SCT_EVENT_READ:
        case SCT_EVENT_PREAD64:
        case SCT_EVENT_READV:
        case SCT_EVENT_PREADV:
        case SCT_EVENT_PREADV2:
                return !write;
        case SCT_EVENT_SENDFILE:
        case SCT_EVENT_SENDFILE32:
        case SCT_EVENT_SPLICE:
        case SCT_EVENT_COPY_FILE_RANGE:
                return 1;
        }
        return 0;
}

/* The result of an asynchronous call that is over already, from the ring that the process shares with the kernel; 0: it is
 * not there (yet, or no more). */
static __noinline s64 aio_result(u64 ring, u64 iocb) {
        struct sct_aio_ring head;
        struct sct_io_event event;

        if (bpf_probe_read_user(&head, sizeof(head), (void *) ring) || !head.nr)
                return 0;
        for (u32 i = 1; i <= SCT_AIO_MAX; i++) {
                u32 at = (head.tail + head.nr - i) % head.nr;

                if (i > head.nr || bpf_probe_read_user(&event, sizeof(event), (void *) (ring + 32 + 32ULL * at)))
                        return 0;
                if (event.obj == iocb)
                        return event.res;
        }
        return 0;
}

/* One control block of io_submit(). What is under way still is taken as it was handed over. */
static __always_inline int side_of_aio(struct io_side *s, const u64 *a, u32 index) {
        u32 write = s->flags & SIDE_WRITE;
        struct sct_iocb c;
        u64 iocb = 0;
        s64 result;

        if (bpf_probe_read_user(&iocb, 8, (void *) (a[2] + 8 * index)) ||
            bpf_probe_read_user(&c, sizeof(c), (void *) iocb))
                return 0;
        if (write ? c.opcode != SCT_IOCB_PWRITE && c.opcode != SCT_IOCB_PWRITEV
                  : c.opcode != SCT_IOCB_PREAD && c.opcode != SCT_IOCB_PREADV)
                return 0;
        s->how = SCT_HOW_AIO;
        s->fd = c.fildes;
        s->address = c.buf;
        side_at(s, c.offset);
        if (c.rw_flags & SCT_RWF_APPEND)
                s->flags |= SIDE_APPEND;
        if (c.opcode == SCT_IOCB_PWRITEV || c.opcode == SCT_IOCB_PREADV)
                s->n_vector = c.nbytes;
        result = aio_result(a[0], iocb);
        if (!result && write && !s->n_vector) {
                result = c.nbytes;
                s->flags |= SIDE_SUBMITTED;
        }
        s->size = result;
        return result > 0;
}

/* Whether a call may have taken data out of a file without putting other there. */
static __always_inline int call_cuts(u32 call) {
        switch (call) {
        case SCT_EVENT_OPEN:
        case SCT_EVENT_OPENAT:
        case SCT_EVENT_OPENAT2:
        case SCT_EVENT_CREAT:
        case SCT_EVENT_FTRUNCATE:
        case SCT_EVENT_FTRUNCATE64:
        case SCT_EVENT_FALLOCATE:
                return 1;
        }
        return 0;
}

/* What such a call did, to which file. 0: nothing. What fallocate() moves to other places is no more where it was. */
static __noinline int side_of_cut(struct io_side *s, u32 call, s64 retval, const u64 *a) {
        u64 flags = SCT_O_TRUNC, mode;

        s->how = SCT_HOW_CUT;
        s->fd = retval;
        s->size = 0;
        side_at(s, 0);
        switch (call) {
        case SCT_EVENT_OPEN:
                flags = a[1];
                break;
        case SCT_EVENT_OPENAT:
                flags = a[2];
                break;
        case SCT_EVENT_OPENAT2:
                if (bpf_probe_read_user(&flags, sizeof(flags), (void *) a[2]))
                        flags = 0;
                break;
        case SCT_EVENT_FTRUNCATE:
        case SCT_EVENT_FTRUNCATE64:
                s->fd = a[0];
                s->offset = call == SCT_EVENT_FTRUNCATE64 ? wide(a, 1, 1) : a[1];
                break;
        case SCT_EVENT_FALLOCATE:
                s->fd = a[0];
                mode = a[1];
                s->offset = wide(a, 2, s->flags & SIDE_COMPAT);
                if (mode & (SCT_FALLOC_COLLAPSE_RANGE | SCT_FALLOC_INSERT_RANGE))
                        break;
                if (!(mode & (SCT_FALLOC_PUNCH_HOLE | SCT_FALLOC_ZERO_RANGE)))
                        return 0;
                s->how = SCT_HOW_PUNCH;
                s->size = s->flags & SIDE_COMPAT ? wide(a, 4, 1) : a[3];
                break;
        }
        return !!(flags & SCT_O_TRUNC);
}

/* Which file, and where its data is. 0: the call moved none. */
__weak __noinline int side_fill(struct io_side *s, u32 call, s64 retval, u32 index) {
        struct pt_regs *regs = (struct pt_regs *) bpf_task_pt_regs(bpf_get_current_task_btf());
        u64 a[8] = {};
        u32 compat, write;

        if (!s)
                return 0;
        compat = s->flags & SIDE_COMPAT;
        write = s->flags & SIDE_WRITE;
        syscall_args(regs, compat, a);
        s->size = retval;
        s->fd = a[0];
        switch (call) {
        case SCT_EVENT_WRITE:
        case SCT_EVENT_READ:
                s->address = a[1];
                s->flags |= write ? SIDE_PLAIN : 0;
                break;
        case SCT_EVENT_PWRITE64:
        case SCT_EVENT_PREAD64:
                s->address = a[1];
                s->flags |= write ? SIDE_PLAIN : 0;
                side_at(s, wide(a, 3, compat));
                break;
        case SCT_EVENT_WRITEV:
        case SCT_EVENT_READV:
                side_vector(s, a);
                break;
        case SCT_EVENT_PWRITEV:
        case SCT_EVENT_PREADV:
                side_vector(s, a);
                side_at(s, wide(a, 3, compat));
                break;
        case SCT_EVENT_PWRITEV2:
        case SCT_EVENT_PREADV2:
                side_vector(s, a);
                if (wide(a, 3, compat) != ~0ULL)
                        side_at(s, wide(a, 3, compat));
                if (a[5] & SCT_RWF_APPEND)
                        s->flags |= SIDE_APPEND;
                if (a[5] & SCT_RWF_NOAPPEND)
                        s->flags |= SIDE_NOAPPEND;
                break;
        case SCT_EVENT_VMSPLICE:
                side_vector(s, a);
                break;
        case SCT_EVENT_SENDFILE:
        case SCT_EVENT_SENDFILE32:
                s->how = SCT_HOW_COPY;
                if (write)
                        break;
                s->fd = a[1];
                side_moved(s, a[2], call == SCT_EVENT_SENDFILE32 ? 4 : 8);
                break;
        case SCT_EVENT_SPLICE:
        case SCT_EVENT_COPY_FILE_RANGE:
                s->how = SCT_HOW_COPY;
                s->fd = write ? a[2] : a[0];
                side_moved(s, write ? a[3] : a[1], 8);
                break;
        case SCT_EVENT_TEE:
                s->how = SCT_HOW_COPY;
                s->fd = a[1];
                break;
        case SCT_EVENT_MMAP:
        case SCT_EVENT_MMAP2:
                if (!(a[2] & SCT_PROT_WRITE) || !(a[3] & SCT_MAP_TYPE & SCT_MAP_SHARED) || a[3] & SCT_MAP_ANONYMOUS)
                        return 0;
                s->how = SCT_HOW_MAPPING;
                s->fd = a[4];
                s->address = retval;
                s->size = a[1];
                side_at(s, call == SCT_EVENT_MMAP2 ? a[5] << 12 : a[5]);
                break;
        case SCT_EVENT_IO_SUBMIT:
                return side_of_aio(s, a, index);
        }
        return call_cuts(call) ? side_of_cut(s, call, retval, a) : 1;
}

static __always_inline u64 fd_file(s32 fd) {
        struct task_struct *task = (struct task_struct *) bpf_get_current_task();
        struct file **table;
        u64 file = 0;

        if (fd < 0 || (u32) fd >= BPF_CORE_READ(task, files, fdt, max_fds))
                return 0;
        table = BPF_CORE_READ(task, files, fdt, fd);
        bpf_probe_read_kernel(&file, sizeof(file), table + fd);
        return file;
}

/* Struct file counts its holders in f_count, from 6.13 on in f_ref, which is 0 for one (90ee6ed776c0). */
struct file___count {
        atomic_long_t f_count;
} __attribute__((preserve_access_index));

struct file_ref___sct {
        atomic_long_t refcnt;
} __attribute__((preserve_access_index));

struct file___ref {
        struct file_ref___sct f_ref;
} __attribute__((preserve_access_index));

static __always_inline int file_is_shared(struct file *file) {
        struct file___count *old = (void *) file;
        struct file___ref *new = (void *) file;

        if (bpf_core_field_exists(new->f_ref))
                return BPF_CORE_READ(new, f_ref.refcnt.counter) > 0;
        return BPF_CORE_READ(old, f_count.counter) > 1;
}

/* Where the data of a side begins in its file. */
__weak __noinline u64 side_offset(struct io_side *s, u64 address) {
        struct task_struct *task = bpf_get_current_task_btf();
        struct file *file = (struct file *) address;
        struct written *written;
        int append;

        if (!s)
                return 0;
        append = s->flags & SIDE_APPEND ||
                 (BPF_CORE_READ(file, f_flags) & SCT_O_APPEND && !(s->flags & SIDE_NOAPPEND));
        if (s->flags & SIDE_PLAIN && (append || !(s->flags & SIDE_OFFSET))) {
                written = bpf_task_storage_get(&sct_written, task, NULL, 0);
                if (written && written->file == address)
                        return written->end - s->size;
        }
        if (!(s->flags & SIDE_OFFSET)) {
                if (file_is_shared(file))
                        s->flags |= SIDE_SHARED;
                return BPF_CORE_READ(file, f_pos) - s->size;
        }
        /* With O_APPEND pwrite() appends too, wherever it was told to write. */
        if (s->flags & SIDE_WRITE && append && (s->how == SCT_HOW_CALL || s->how == SCT_HOW_AIO)) {
                s->flags |= SIDE_SHARED;
                return BPF_CORE_READ(file, f_inode, i_size) - s->size;
        }
        return s->offset;
}

static __always_inline void note_mapper(void) {
        u32 tgid = bpf_get_current_pid_tgid() >> 32, one = 1;

        bpf_map_update_elem(&sct_mappers, &tgid, &one, BPF_ANY);
}

/* The whole of a small operation at once: `size` bytes of user memory. Returns 1 when it is done with (sent, or its hole
 * told), 0 when it must be sent by pieces: too large, or not readable at once. */
__weak __noinline int artifact_single(struct sct_buf *b, struct artifact_work *w, u64 address, u64 size) {
        struct sct_artifact_state *a = artifact_state();
        u64 at, n = size;

        if (!b || !w || !a || size > ARTIFACT_SMALL_MAX)
                return 0;
        at = artifact_record(b, w);
        if (!at || at > ARTIFACT_RECORD_MAX - 8)
                return 0;
        at = (at + 7) & ~7ULL;
        barrier_var(at);
        barrier_var(n);
        if (at > ARTIFACT_RECORD_MAX || n > ARTIFACT_SMALL_MAX)
                return 0;
        if (bpf_probe_read_user(w->data + at, n, (void *) address))
                return 0;
        w->chunk = w->op.chunk;
        w->chunk.type = SCT_CHUNK_SINGLE;
        w->chunk.size = n;
        w->chunk.operation = __sync_fetch_and_add(&a->next_operation, 1) + 1;
        n += sizeof(w->chunk) + at;
        barrier_var(n);
        if (n > sizeof(w->chunk) + sizeof(w->data))
                return 0;
        if (bpf_ringbuf_output(&sct_art_ring, &w->chunk, n, artifact_wakeup(a)))
                artifact_hole(&w->op, size, 0);
        return 1;
}

/* Sends what a side has: its rules have matched. */
__weak __noinline int side_send(struct sct_buf *b, struct artifact_work *work, u64 address) {
        struct io_side *s;
        struct file *file = (struct file *) address;
        struct artifact_walk w = {};
        struct inode *inode;
        u32 type;

        if (!b || !work)
                return -1;
        s = &work->side;
        inode = BPF_CORE_READ(file, f_inode);
        type = BPF_CORE_READ(inode, i_mode) & SCT_S_IFMT;
        work->op.chunk.dev = BPF_CORE_READ(inode, i_sb, s_dev);
        work->op.chunk.inode = BPF_CORE_READ(inode, i_ino);
        work->op.hole.inode_generation = BPF_CORE_READ(inode, i_generation);
        work->op.chunk.size_total = s->size;
        if ((s->how == SCT_HOW_CUT || s->how == SCT_HOW_PUNCH) && type != SCT_S_IFREG)
                return 0;
        if (type == SCT_S_IFSOCK || type == SCT_S_IFCHR || type == SCT_S_IFIFO)
                work->op.chunk.flags = SCT_CHUNK_APPEND;
        else
                work->op.chunk.offset = side_offset(s, address);
        if (s->flags & SIDE_SUBMITTED)
                work->op.chunk.flags |= SCT_CHUNK_SUBMITTED;
        if (s->flags & SIDE_SHARED)
                work->op.chunk.flags |= SCT_CHUNK_SHARED;
        if (s->how == SCT_HOW_MAPPING)
                note_mapper();
        if (s->how == SCT_HOW_COPY || s->how == SCT_HOW_MAPPING || s->how >= SCT_HOW_KERNEL) {
                work->op.chunk.flags |= SCT_CHUNK_FETCH;
                if (artifact_begin(b, work))
                        artifact_end(&work->op);
                return 0;
        }
        if (!s->n_vector && artifact_single(b, work, s->address, s->size))
                return 0;
        if (!artifact_begin(b, work))
                return 0;
        w.op = &work->op;
        w.left = s->size;
        if (s->n_vector) {
                w.vector = s->address;
                w.n_vector = s->n_vector;
                w.compat = s->flags & SIDE_COMPAT;
        } else {
                w.address = s->address;
                w.size = s->size;
        }
        artifact_copy(&w);
        artifact_end(&work->op);
        return 0;
}

static __always_inline void put_inode(struct sct_buf *b, struct inode *inode) {
        put_u64(b, 4, SCT_ARG_U32, BPF_CORE_READ(inode, i_sb, s_dev));
        put_u64(b, 5, SCT_ARG_U64, BPF_CORE_READ(inode, i_ino));
        put_u64(b, 6, SCT_ARG_U32, BPF_CORE_READ(inode, i_generation));
        put_u64(b, 7, SCT_ARG_U32, BPF_CORE_READ(inode, i_nlink));
}

/* What conditions may ask of a side. */
__weak __noinline int side_put(struct sct_buf *b, struct sct_scratch *scratch, struct io_side *s, u64 address) {
        struct file *file = (struct file *) address;
        struct inode *inode;

        if (!b || !scratch || !s)
                return -1;
        inode = BPF_CORE_READ(file, f_inode);
        put_file_path(b, scratch, 0, address);
        put_u64(b, 1, SCT_ARG_U16, BPF_CORE_READ(inode, i_mode));
        put_u64(b, 2, SCT_ARG_S32, (s64) s->fd);
        put_u64(b, 3, SCT_ARG_U32, s->how);
        put_u64(b, 4, SCT_ARG_U32, BPF_CORE_READ(inode, i_sb, s_dev));
        put_u64(b, 5, SCT_ARG_U64, BPF_CORE_READ(inode, i_ino));
        put_u64(b, 6, SCT_ARG_U32, BPF_CORE_READ(inode, i_generation));
        put_u64(b, 7, SCT_ARG_U32, BPF_CORE_READ(inode, i_nlink));
        b->rec.retval = s->how == SCT_HOW_MAPPING ? s->address : s->size;
        b->rec.flags |= SCT_RECORD_HAS_RETVAL;
        return 0;
}

static __always_inline void side_finish(struct event_run *r, struct artifact_work *w, u64 file) {
        side_put(&r->s->buf, r->s, &w->side, file);
        if (artifact_match(r))
                side_send(&r->s->buf, w, file);
}

static __always_inline u32 side_event(u32 flags) {
        return flags & SIDE_WRITE ? SCT_EVENT_CAPTURE_WRITE : SCT_EVENT_CAPTURE_READ;
}

static __always_inline struct artifact_work *side_work(struct event_run *r, u32 flags) {
        struct artifact_work *w = artifact_work_get(r->s->level, side_event(flags));

        if (w) {
                __builtin_memset(&w->side, 0, sizeof(w->side));
                w->side.flags = flags;
        }
        return w;
}

/* Judges one side of a system call, and sends it when a rule wants it. `index`: of an io_submit()'s calls. */
__weak __noinline int side_capture(u32 call, s64 retval, u32 flags, u32 index) {
        struct artifact_work *w;
        struct event_run r = {};
        u64 file = 0;

        if (!event_begin(&r, side_event(flags)))
                return 0;
        w = side_work(&r, flags);
        if (w && side_fill(&w->side, call, retval, index))
                file = fd_file(w->side.fd);
        if (file && w)
                side_finish(&r, w, file);
        scratch_put();
        return 0;
}

/* The event of the call in progress and, above it, SIDE_COMPAT. A frame of its own, as long as it is needed: all of a
 * chain may have 512 bytes. */
static __noinline u32 call_of(struct pt_regs *regs) {
        u32 compat = syscall_is_compat(bpf_get_current_task_btf()) ? SIDE_COMPAT : 0, key, *id;
        u64 nr = syscall_nr(regs);

        if (nr >= SCT_SYSCALL_NR_MAX)
                return ~0U;
        key = (compat ? SCT_SYSCALL_NR_MAX : 0) + (nr & (SCT_SYSCALL_NR_MAX - 1));
        id = bpf_map_lookup_elem(&sct_sysnames, &key);
        return id && *id ? (*id - 1) | compat << 16 : ~0U;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sct_a_sysexit, struct pt_regs *regs, long retval) {
        u32 call, flags;

        if (!active_generation() || retval < 0)
                return 0;
        call = call_of(regs);
        flags = call >> 16 & SIDE_COMPAT;
        call &= 0xffff;
        if (call == SCT_EVENT_MUNMAP || call == SCT_EVENT_MSYNC)
                return artifact_sync(PT_REGS_PARM1_CORE(regs), PT_REGS_PARM2_CORE(regs), SCT_EVENT_CAPTURE_WRITE,
                                     call == SCT_EVENT_MUNMAP ? SCT_CHUNK_GONE : 0);
        if (call_cuts(call)) {
                side_capture(call, retval, flags | SIDE_WRITE, 0);
                return 0;
        }
        if (!retval)
                return 0;
        if (call == SCT_EVENT_IO_SUBMIT && !flags) {
                for (u32 i = 0; i < SCT_AIO_MAX && i < retval; i++) {
                        side_capture(call, retval, SIDE_WRITE, i);
                        side_capture(call, retval, 0, i);
                }
                return 0;
        }
        if (call_moves(call, 1))
                side_capture(call, retval, flags | SIDE_WRITE, 0);
        if (call_moves(call, 0))
                side_capture(call, retval, flags, 0);
        return 0;
}

/* The end of a process with mappings: what they hold is final. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(sct_a_exit, struct task_struct *task) {
        u32 tgid = bpf_get_current_pid_tgid() >> 32;

        if (!bpf_map_lookup_elem(&sct_mappers, &tgid) || BPF_CORE_READ(task, signal, live.counter) > 0)
                return 0;
        artifact_sync(0, ~0ULL, SCT_EVENT_CAPTURE_WRITE, SCT_CHUNK_GONE);
        bpf_map_delete_elem(&sct_mappers, &tgid);
        return 0;
}

/* ---- io_uring: at the completion, which comes in the context of the submitter or of a thread of its own kind ---- */

/* io_uring/rw.c, splice.c: the beginning of a request, in place of struct io_kiocb's. */
struct io_rw___sct {
        struct kiocb kiocb;
        u64 addr;
        u32 len;
} __attribute__((preserve_access_index));

struct io_splice___sct {
        struct file *file_out;
        loff_t off_out;
} __attribute__((preserve_access_index));

enum {                               /* include/uapi/linux/io_uring.h */
        URING_READV = 1,
        URING_WRITEV = 2,
        URING_READ_FIXED = 4,
        URING_WRITE_FIXED = 5,
        URING_READ = 22,
        URING_WRITE = 23,
        URING_SPLICE = 30,
};

/* Worker threads carry names of their own: the process is judged by its first thread, where that was judged already. */
static __always_inline int uring_begin(struct event_run *r, u32 event) {
        struct task_struct *task = bpf_get_current_task_btf();
        u32 generation = active_generation(), key, *index;

        if (!generation || !(task->flags & SCT_PF_IO_WORKER))
                return event_begin(r, event);
        key = (generation & 1) * SCT_EVENT_ID_MAX + event;
        index = bpf_map_lookup_elem(&sct_events, &key);
        if (!index || !*index)
                return 0;
        r->parity = generation & 1;
        r->plan = plan_get(*index, r->parity);
        r->t = bpf_task_storage_get(&sct_tasks, task->group_leader, NULL, 0);
        if (!r->plan)
                return 0;
        if (!r->t || r->t->generation != generation)
                return event_begin(r, event);
        if (!rules_wanted(r->t, r->plan))
                return 0;
        r->s = scratch_get();
        if (!r->s)
                return 0;
        record_begin(&r->s->buf, r->t, event);
        rules_begin(&r->s->buf, r->t, r->plan);
        return 1;
}

static __always_inline void side_of_uring(struct io_side *s, u64 address, u32 opcode) {
        struct io_rw___sct *rw = (struct io_rw___sct *) address;
        struct io_splice___sct *splice = (struct io_splice___sct *) address;

        s->fd = -1;
        if (opcode == URING_SPLICE) {
                s->how = SCT_HOW_COPY;
                if (BPF_CORE_READ(splice, off_out) != -1)
                        side_at(s, BPF_CORE_READ(splice, off_out));
                return;
        }
        s->how = SCT_HOW_URING;
        s->address = BPF_CORE_READ(rw, addr);
        if (opcode == URING_READV || opcode == URING_WRITEV)
                s->n_vector = BPF_CORE_READ(rw, len);
        side_at(s, BPF_CORE_READ(rw, kiocb.ki_pos) - s->size);
}

__weak __noinline int uring_capture(u64 address, u32 opcode, s64 result, u32 flags) {
        struct artifact_work *w;
        struct event_run r = {};
        u64 file;

        if (!uring_begin(&r, side_event(flags)))
                return 0;
        w = side_work(&r, flags);
        file = (u64) BPF_CORE_READ((struct io_kiocb *) address, file);
        if (w && file) {
                w->side.size = result;
                side_of_uring(&w->side, address, opcode);
                side_finish(&r, w, file);
        }
        scratch_put();
        return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(sct_a_uring, void *ring, void *address) {
        struct io_kiocb *req = address;
        s64 result;
        u32 opcode;

        if (!req)
                return 0;
        result = BPF_CORE_READ(req, cqe.res);
        opcode = BPF_CORE_READ(req, opcode);
        if (result <= 0)
                return 0;
        switch (opcode) {
        case URING_WRITE:
        case URING_WRITEV:
        case URING_WRITE_FIXED:
        case URING_SPLICE:
                return uring_capture((u64) req, opcode, result, SIDE_WRITE);
        case URING_READ:
        case URING_READV:
        case URING_READ_FIXED:
                return uring_capture((u64) req, opcode, result, 0);
        }
        return 0;
}

/* A request goes to another thread: here its process can still be judged as itself. */
SEC("tp_btf/io_uring_queue_async_work")
int sct_a_urqueue(void *ctx) {
        u32 generation = active_generation();

        if (generation)
                subject_get(bpf_get_current_task_btf(), generation);
        return 0;
}

/* ---- What the kernel writes itself, into core dumps above all: no system call tells ---- */

__weak __noinline int kernel_capture(u64 file, u64 position, s64 result) {
        struct artifact_work *w;
        struct event_run r = {};
        u64 end = 0;

        if (result <= 0 || !file || !event_begin(&r, SCT_EVENT_CAPTURE_WRITE))
                return 0;
        w = side_work(&r, SIDE_WRITE);
        if (w) {
                bpf_probe_read_kernel(&end, sizeof(end), (void *) position);
                w->side.fd = -1;
                w->side.how = SCT_HOW_KERNEL;
                w->side.size = result;
                side_at(&w->side, end - result);
                side_finish(&r, w, file);
        }
        scratch_put();
        return 0;
}

/* One may be inlined into the other: what both tell is the same bytes of the same file. */
SEC("fexit/__kernel_write")
int sct_a_kwrite(void *ctx) {
        u64 a[5] = {};                  /* file, buffer, size, position; what it returned */

        bpf_probe_read_kernel(a, sizeof(a), ctx);
        kernel_capture(a[0], a[3], a[4]);
        return 0;
}

SEC("fexit/__kernel_write_iter")
int sct_a_kwriteit(void *ctx) {
        u64 a[4] = {};                  /* file, iterator, position; what it returned */

        bpf_probe_read_kernel(a, sizeof(a), ctx);
        kernel_capture(a[0], a[2], a[3]);
        return 0;
}

/* The position that a write() really had, before it gave the file's position free for others. */
static __always_inline int note_written(struct task_struct *task, u64 file, u64 position, s64 result) {
        struct written *w;

        if (result <= 0 || !position || !active_generation())
                return 0;
        w = bpf_task_storage_get(&sct_written, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
        if (!w)
                return 0;
        w->file = file;
        bpf_probe_read_kernel(&w->end, sizeof(w->end), (void *) position);
        return 0;
}

SEC("fexit/vfs_write")
int sct_a_vfswrite(void *ctx) {
        u64 a[5] = {};                  /* file, buffer, size, position; what it returned */

        bpf_probe_read_kernel(a, sizeof(a), ctx);
        note_written(bpf_get_current_task_btf(), a[0], a[3], a[4]);
        return 0;
}
