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
#define SCT_RWF_APPEND 0x10
#define SCT_RWF_NOAPPEND 0x20
#define SCT_S_IFMT 0170000
#define SCT_S_IFSOCK 0140000
#define SCT_S_IFCHR 0020000
#define SCT_S_IFIFO 0010000
#define SCT_FMODE_STREAM 0x200000

enum side_flags {
        SIDE_WRITE = 1 << 0,
        SIDE_COMPAT = 1 << 1,
        SIDE_OFFSET = 1 << 2,        /* offset is where the data begins; else the file's position is where it ends */
        SIDE_APPEND = 1 << 3,        /* asked for by the call */
        SIDE_NOAPPEND = 1 << 4,
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

/* Which file, and where its data is. */
static __noinline int side_fill(struct io_side *s, struct pt_regs *regs, u32 call) {
        u32 compat = s->flags & SIDE_COMPAT, write = s->flags & SIDE_WRITE;
        u64 a[8] = {};

        syscall_args(regs, compat, a);
        s->fd = a[0];
        switch (call) {
        case SCT_EVENT_WRITE:
        case SCT_EVENT_READ:
                s->address = a[1];
                break;
        case SCT_EVENT_PWRITE64:
        case SCT_EVENT_PREAD64:
                s->address = a[1];
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
        }
        return 0;
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

/* Where the data of a side begins in its file. */
static __always_inline s64 side_offset(const struct io_side *s, struct file *file) {
        int append = s->flags & SIDE_APPEND ||
                     (BPF_CORE_READ(file, f_flags) & SCT_O_APPEND && !(s->flags & SIDE_NOAPPEND));

        if (!(s->flags & SIDE_OFFSET))
                return BPF_CORE_READ(file, f_pos) - s->size;
        /* With O_APPEND pwrite() appends too, wherever it was told to write. */
        if (s->flags & SIDE_WRITE && append && s->how == SCT_HOW_CALL)
                return BPF_CORE_READ(file, f_inode, i_size) - s->size;
        return s->offset;
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
        if (type == SCT_S_IFSOCK || type == SCT_S_IFCHR || type == SCT_S_IFIFO)
                work->op.chunk.flags = SCT_CHUNK_APPEND;
        else
                work->op.chunk.offset = side_offset(s, file);
        if (s->how != SCT_HOW_CALL && s->how != SCT_HOW_URING) {
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
        b->rec.retval = s->size;
        b->rec.flags |= SCT_RECORD_HAS_RETVAL;
        return 0;
}

/* Judges one side of a call, and sends it when a rule wants it. */
static __noinline int side_capture(struct pt_regs *regs, u32 call, s64 retval, u32 flags) {
        u32 event = flags & SIDE_WRITE ? SCT_EVENT_CAPTURE_WRITE : SCT_EVENT_CAPTURE_READ;
        struct artifact_work *w;
        struct event_run r = {};
        u64 file;

        if (!event_begin(&r, event))
                return 0;
        w = artifact_work_get(r.s->level, event);
        if (!w)
                goto finish;
        __builtin_memset(&w->side, 0, sizeof(w->side));
        w->side.size = retval;
        w->side.flags = flags | call >> 16;
        side_fill(&w->side, regs, call & 0xffff);
        file = fd_file(w->side.fd);
        if (!file)
                goto finish;
        side_put(&r.s->buf, r.s, &w->side, file);
        if (artifact_match(&r))
                side_send(&r.s->buf, w, file);
finish:
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
        u32 call;

        if (!active_generation() || retval <= 0)
                return 0;
        call = call_of(regs);
        if (call_moves(call & 0xffff, 1))
                side_capture(regs, call, retval, SIDE_WRITE);
        if (call_moves(call & 0xffff, 0))
                side_capture(regs, call, retval, 0);
        return 0;
}
