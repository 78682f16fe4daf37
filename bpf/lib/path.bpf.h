/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Paths of kernel objects. bpf_d_path() is granted to a short list of functions only (kernel/trace/bpf_trace.c,
 * btf_allowlist_d_path), so this is our own walk over dentries and mounts, up to the root of the process: a path means
 * what the process means by it. Unlike the kernel's d_path() nothing is appended to deleted files' paths. Pipes, sockets and
 * the kernel's anonymous files are named as in /proc/PID/fd. */

#include "buf.bpf.h"

#define SCT_PATH_DEPTH 96     /* components and mount points; deeper paths lose their head (counted) */

/* include/uapi/linux/magic.h */
#define SCT_PIPEFS_MAGIC 0x50495045
#define SCT_SOCKFS_MAGIC 0x534f434b
#define SCT_ANON_INODE_FS_MAGIC 0x09041934
#define SCT_PIDFS_MAGIC 0x50494446      /* from 6.9 (cb12fd8e0dab); pidfds were anonymous inodes before */

/* The walk's state stands in the scratch space: frames are small. */
struct path_context {
        struct sct_scratch *s;
};

static long path_step(u32 i, struct path_context *c) {
        struct path_walk *w = &c->s->walk;
        struct dentry *dentry = (struct dentry *) w->dentry;
        struct mount *mnt = (struct mount *) w->mnt;
        struct dentry *parent, *mnt_root;
        const unsigned char *name;
        u32 len, off;

        if (w->dentry == w->root_dentry && w->mnt == w->root_mnt) {
                w->done = 1;
                return 1;
        }

        mnt_root = BPF_CORE_READ(mnt, mnt.mnt_root);
        if (dentry == mnt_root) {
                struct mount *up = BPF_CORE_READ(mnt, mnt_parent);

                if (up == mnt) {      /* the top of the mount tree */
                        w->done = 1;
                        return 1;
                }
                w->dentry = (u64) BPF_CORE_READ(mnt, mnt_mountpoint);
                w->mnt = (u64) up;
                return 0;
        }

        parent = BPF_CORE_READ(dentry, d_parent);
        len = BPF_CORE_READ(dentry, d_name.len);
        name = BPF_CORE_READ(dentry, d_name.name);
        if (dentry == parent && len == 1) {   /* "/" of a detached tree */
                w->done = 2;
                return 1;
        }
        len &= 0xff;                          /* NAME_MAX */
        off = w->off;
        if (off < len + 1 || off > SCT_STR_MAX)
                return 1;
        off -= len;
        if (off > SCT_STR_MAX)
                return 1;
        if (bpf_probe_read_kernel(c->s->path + off, len, name))
                return 1;
        if (dentry == parent) {               /* a file system without directories: memfd:x, no slash before it */
                w->off = off;
                w->done = 2;
                return 1;
        }
        off -= 1;
        if (off > SCT_STR_MAX)
                return 1;
        c->s->path[off] = '/';
        w->off = off;
        w->dentry = (u64) parent;
        return 0;
}

static const char sct_anon_inode[] = "anon_inode:", sct_pidfd[] = "anon_inode:[pidfd]", sct_pipe[] = "pipe:[",
                  sct_socket[] = "socket:[";

/* `text` before what stands at s->path + off. */
#define path_prepend(s, off, text) path_prepend_bytes(s, off, text, sizeof(text) - 1)
static __always_inline u32 path_prepend_bytes(struct sct_scratch *s, u32 off, const char *text, u32 len) {
        u64 at = off - len;

        barrier_var(at);
        bpf_probe_read_kernel(s->path + (at & (SCT_STR_MAX - 1)), len, text);
        return at;
}

/* Files without a name of their own get the kernel's: pipe:[12345], anon_inode:[eventfd]. Returns the new offset. */
__weak __noinline u32 path_name_nameless(struct sct_scratch *s, u64 address, u32 off) {
        struct dentry *dentry = (struct dentry *) address;
        u64 magic, ino;

        if (!s)
                return off;
        magic = BPF_CORE_READ(dentry, d_sb, s_magic);
        if (magic == SCT_ANON_INODE_FS_MAGIC)
                return path_prepend(s, off, sct_anon_inode);
        if (magic == SCT_PIDFS_MAGIC)
                return path_prepend(s, off, sct_pidfd);
        if (magic != SCT_PIPEFS_MAGIC && magic != SCT_SOCKFS_MAGIC)
                return off;
        off--;
        s->path[off & (SCT_STR_MAX - 1)] = ']';
        ino = BPF_CORE_READ(dentry, d_inode, i_ino);
        for (u32 i = 0; i < 20; i++) {
                off--;
                s->path[off & (SCT_STR_MAX - 1)] = '0' + ino % 10;
                ino /= 10;
                if (!ino)
                        break;
        }
        if (magic == SCT_PIPEFS_MAGIC)
                return path_prepend(s, off, sct_pipe);
        return path_prepend(s, off, sct_socket);
}

/* Writes the path, as the task names it, into s->path; returns the offset of its first byte there, its length (without
 * NUL) in *ret_len. Negative: nothing could be read. */
static __always_inline int path_resolve_of(struct task_struct *task, struct sct_scratch *s, u64 dentry, u64 vfsmnt,
                                           u32 *ret_len) {
        struct path_context c = { .s = s };
        struct path_walk *w = &s->walk;

        w->dentry = dentry;
        w->mnt = vfsmnt - bpf_core_field_offset(struct mount, mnt);
        w->off = SCT_STR_MAX - 1;
        w->done = 0;
        w->root_dentry = (u64) BPF_CORE_READ(task, fs, root.dentry);
        w->root_mnt = (u64) BPF_CORE_READ(task, fs, root.mnt) - bpf_core_field_offset(struct mount, mnt);

        s->path[SCT_STR_MAX - 1] = 0;
        bpf_loop(SCT_PATH_DEPTH, path_step, &c, 0);
        if (!w->done)
                COUNT(n_path_errors);
        if (w->done == 2)
                w->off = path_name_nameless(s, w->dentry, w->off);
        if (w->off >= SCT_STR_MAX - 1) {
                if (w->done != 1) {
                        *ret_len = 0;
                        return w->done == 2 ? SCT_STR_MAX - 1 : -1;
                }
                s->path[SCT_STR_MAX - 2] = '/';
                w->off = SCT_STR_MAX - 2;
        }
        *ret_len = SCT_STR_MAX - 1 - w->off;
        return w->off;
}

static __always_inline int path_resolve(struct sct_scratch *s, u64 dentry, u64 vfsmnt, u32 *ret_len) {
        return path_resolve_of((struct task_struct *) bpf_get_current_task(), s, dentry, vfsmnt, ret_len);
}

/* The executable of any task, as it calls it itself: into s->path. Returns where it begins there, negative when the task
 * has none. */
__weak __noinline int task_exe(struct sct_scratch *s, u64 address) {
        struct task_struct *task = (struct task_struct *) address;
        struct file *file = BPF_CORE_READ(task, mm, exe_file);
        u32 len = 0;

        if (!s || !file)
                return -1;
        return path_resolve_of(task, s, (u64) BPF_CORE_READ(file, f_path.dentry), (u64) BPF_CORE_READ(file, f_path.mnt), &len);
}

/* A path that path_resolve() left in s->path, as argument `index`. */
__weak __noinline int put_path(struct sct_buf *b, struct sct_scratch *s, u32 index, u32 path_off) {
        int truncated = 0;
        u32 off;
        long n;

        if (!b || !s || path_off >= SCT_STR_MAX)
                return -1;
        off = b->used;
        n = read_str_at(b, off + 8, s->path + path_off, 0, &truncated);
        if (n < 0 || n > SCT_STR_MAX)
                n = 0;
        arg_done(b, off, index, SCT_ARG_PATH, truncated ? SCT_ARG_TRUNCATED : 0, n);
        return 0;
}

/* The path of a struct file as argument `index`. */
__weak __noinline int put_file_path(struct sct_buf *b, struct sct_scratch *s, u32 index, u64 file_address) {
        struct file *file = (struct file *) file_address;
        u32 len = 0;
        int off;

        if (!b || !s)
                return -1;
        if (!file) {
                put_fault(b, index, SCT_ARG_PATH, SCT_ARG_FAULT);
                return 0;
        }
        off = path_resolve(s, (u64) BPF_CORE_READ(file, f_path.dentry), (u64) BPF_CORE_READ(file, f_path.mnt), &len);
        if (off < 0 || off >= SCT_STR_MAX) {
                put_fault(b, index, SCT_ARG_PATH, SCT_ARG_FAULT);
                return 0;
        }
        return put_path(b, s, index, off);
}
