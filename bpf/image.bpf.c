// SPDX-License-Identifier: GPL-2.0-only
/* What is captured as a whole: files when they are executed, memory when it stops being writable, kernel modules when
 * they are loaded. What a file holds is copied out of the page cache at the event, because its process may be gone
 * before anybody could open it; what is not resident there is left to the reader. */

#include "lib/artifact.bpf.h"
#include "lib/object-read.bpf.h"
#include "lib/page-cache.bpf.h"
#include "event-id.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- Where pages are ---- */

struct direct_ask {                  /* what src/kernel/images.c gives */
        u32 fd;                      /* a memory file whose first page is resident */
        u32 gib;                     /* physical addresses are below so many GiB */
        u64 content[8];              /* its first bytes: random */
};

struct direct_walk {
        u64 page, object;            /* a struct page, and any address in the direct mapping */
        u64 content[8];
        u32 gib, pad;
        u64 found;
};

/* Both arrays begin at a multiple of 1 GiB (arch/x86/mm/kaslr.c), so there are few places where the page can be. The
 * content says which is right. */
static long direct_step(u32 i, struct direct_walk *w) {
        u64 n = w->gib + 1, pages = (w->page >> 30) - i / n, base = (w->object >> 30) - i % n;
        u64 number = (w->page - (pages << 30)) >> 6, at = (base << 30) + (number << SCT_PAGE_SHIFT), content[8];

        if (bpf_probe_read_kernel(content, sizeof(content), (void *) at))
                return 0;
        for (int j = 0; j < 8; j++)
                if (content[j] != w->content[j])
                        return 0;
        w->found = at;
        return 1;
}

SEC("syscall")
int sct_x_direct(struct direct_ask *ask) {
        struct task_struct *task = bpf_get_current_task_btf();
        struct file **fds = BPF_CORE_READ(task, files, fdt, fd), *file = NULL;
        struct direct_walk w = { .object = (u64) BPF_CORE_READ(task, group_leader), .gib = ask->gib };
        struct sct_direct found = {};
        u32 zero = 0;

        if (bpf_core_type_size(struct page) != 64)
                return 1;
        for (int j = 0; j < 8; j++)
                w.content[j] = ask->content[j];
        bpf_probe_read_kernel(&file, sizeof(file), fds + ask->fd);
        if (!file)
                return 2;
        w.page = xa_find((u64) BPF_CORE_READ(file, f_mapping) +
                         bpf_core_field_offset(struct address_space, i_pages), 0);
        if (!w.page || w.page & 3)
                return 3;
        bpf_loop((w.gib + 1) * (w.gib / 64 + 2), direct_step, &w, 0);
        if (!w.found)
                return 4;
        found.page = w.page;
        found.address = w.found;
        bpf_map_update_elem(&sct_art_direct, &zero, &found, 0);
        return 0;
}

/* ---- Executed files ---- */

#define IMAGE_BYTES_MAX (16 << 20)    /* copied here at most: 3 ms. The rest is the reader's to fetch */
#define IMAGE_AGAIN_NS 5000000000ULL  /* how long a copy that was sent is waited for before it is sent again */
#define IMAGE_TICK_NS 20000000ULL     /* two changes of a file within one tick of the clock have the same time */

struct {                             /* owner: both: files whose content was sent, or is kept. Restart: new */
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, 16384);
        __type(key, struct sct_image_key);
        __type(value, struct sct_image_state);
} sct_art_images __weak SEC(".maps");

struct page_block {
        u8 data[SCT_PAGE_SIZE];
};

/* Pages are named by the file's mapping, or by the address of the first one in user memory. */
static __always_inline int page_is_there(u64 where, u64 index) {
        u64 probe;

        if (where <= SCT_TASK_SIZE_MAX)
                return !bpf_probe_read_user(&probe, sizeof(probe), (void *) (where + (index << SCT_PAGE_SHIFT)));
        return page_cache_find(where, index) != 0;
}

/* 0 when the page is copied, and was the same page all the while. */
__weak __noinline int copy_page(u64 where, u64 index, struct page_block *to) {
        u64 page, address;

        if (!to)
                return -1;
        if (where <= SCT_TASK_SIZE_MAX)
                return bpf_probe_read_user(to, sizeof(*to), (void *) (where + (index << SCT_PAGE_SHIFT))) ? -1 : 0;
        page = page_cache_find(where, index);
        address = page ? page_address(page) : 0;
        if (!address || bpf_probe_read_kernel(to, sizeof(*to), (void *) address))
                return -1;
        return page_cache_find(where, index) == page ? 0 : -1;
}

#define PAGES_LARGE 16
#define PAGES_SMALL 4

struct pages_large {
        u8 data[PAGES_LARGE * SCT_PAGE_SIZE];
};

struct pages_small {
        u8 data[PAGES_SMALL * SCT_PAGE_SIZE];
};

/* How many pages from `first` on are copied: up to the first one that is not resident. */
__weak __noinline int copy_large(u64 where, u64 first, u64 end, struct pages_large *to) {
        u32 n = 0;

        if (!to)
                return 0;
        for (u32 i = 0; i < PAGES_LARGE; i++) {
                if (first + i >= end ||
                    copy_page(where, first + i, (struct page_block *) (to->data + i * SCT_PAGE_SIZE)))
                        break;
                n++;
        }
        return n;
}

__weak __noinline int copy_small(u64 where, u64 first, u64 end, struct pages_small *to) {
        u32 n = 0;

        if (!to)
                return 0;
        for (u32 i = 0; i < PAGES_SMALL; i++) {
                if (first + i >= end ||
                    copy_page(where, first + i, (struct page_block *) (to->data + i * SCT_PAGE_SIZE)))
                        break;
                n++;
        }
        return n;
}

/* The position is op->chunk.offset: a word of a map, of which the verifier assumes nothing, so that it looks at one
 * turn of the loop and not at each. */
struct page_walk {
        struct artifact_op *op;
        u64 where, size, end;
};

/* One chunk of pages that are there. Returns how many, negative when there is no room for them. */
__weak __noinline int page_piece(struct artifact_op *op, u64 where, u64 end, u64 size) {
        struct sct_artifact_state *a = artifact_state();
        struct {
                struct sct_chunk chunk;
                struct pages_large pages;
        } *large;
        struct {
                struct sct_chunk chunk;
                struct pages_small pages;
        } *small;
        u64 next, bytes;
        int n;

        if (!op || !a)
                return 0;
        next = op->chunk.offset >> SCT_PAGE_SHIFT;
        op->chunk.type = SCT_CHUNK_DATA;
        op->chunk.record_size = 0;
#define PIECE(e, copy)                                                                          \
        e = bpf_ringbuf_reserve(&sct_art_ring, sizeof(*e), 0);                                  \
        if (!e)                                                                                 \
                return -1;                                                                      \
        n = copy(where, next, end, &e->pages);                                                  \
        if (n <= 0) {                                                                           \
                bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);                                       \
                return 0;                                                                       \
        }                                                                                       \
        bytes = (u64) n << SCT_PAGE_SHIFT;                                                      \
        op->chunk.size = op->chunk.offset + bytes > size ? size - op->chunk.offset : bytes;     \
        e->chunk = op->chunk;                                                                   \
        bpf_ringbuf_submit(e, artifact_wakeup(a))

        if (next + PAGES_SMALL < end) {
                PIECE(large, copy_large);
        } else {
                PIECE(small, copy_small);
        }
#undef PIECE
        return n;
}

static long page_step(u32 i, struct page_walk *w) {
        u64 next = w->op->chunk.offset >> SCT_PAGE_SHIFT;
        int n = 0;

        if (next >= w->end)
                return 1;
        /* Asked before room is taken: what is given back still takes its place until the reader passes it. */
        if (page_is_there(w->where, next))
                n = page_piece(w->op, w->where, w->end, w->size);
        if (n < 0) {
                w->op->lost++;
                return 1;
        }
        w->op->chunk.offset = (next + (n ? n : 1)) << SCT_PAGE_SHIFT;
        return 0;
}

/* Pages that are not there, or find no room, are simply not sent: the reader sees by the offsets which, and looks for
 * them elsewhere before it calls them holes. */
static __always_inline void copy_pages(struct artifact_op *op, u64 where, u64 size, u64 max) {
        struct page_walk w = { .op = op, .where = where, .size = size };

        w.end = ((size > max ? max : size) + SCT_PAGE_SIZE - 1) >> SCT_PAGE_SHIFT;
        op->chunk.offset = 0;
        bpf_loop(w.end, page_step, &w, 0);
}

/* Whether the content is still to be sent. Then it is on its way from now on. A file may change without another time of
 * change for as long as a tick lasts; what was sent before that is over does not count. */
static __always_inline int image_is_new(u64 dev, u64 inode, u64 ctime_ns, u64 size) {
        struct sct_image_key key = { .dev = dev, .inode = inode };
        struct sct_image_state *known = bpf_map_lookup_elem(&sct_art_images, &key), state = {
                .ctime_ns = ctime_ns, .size = size, .sent_ns = bpf_ktime_get_boot_ns(),
        };

        state.first_ns = state.sent_ns;
        if (known && known->ctime_ns == ctime_ns && known->size == size) {
                if (!known->sent_ns || (known->is_settled && state.sent_ns - known->sent_ns < IMAGE_AGAIN_NS))
                        return 0;
                state.first_ns = known->first_ns;
        }
        state.is_settled = state.sent_ns - state.first_ns >= IMAGE_TICK_NS;
        bpf_map_update_elem(&sct_art_images, &key, &state, BPF_ANY);
        return 1;
}

struct vma_file {
        u64 mapping;
};

static long vma_file_found(struct task_struct *task, struct vm_area_struct *vma, struct vma_file *found) {
        found->mapping = (u64) BPF_CORE_READ(vma, vm_file, f_mapping);
        return 0;
}

/* Where the bytes of a program that just began are. overlayfs has none of its own: what is mapped is the file below. */
static __always_inline u64 program_mapping(struct task_struct *task, struct file *file) {
        struct vma_file found = {};

        if (BPF_CORE_READ(file, f_mapping, nrpages))
                return (u64) BPF_CORE_READ(file, f_mapping);
        bpf_find_vma(task, BPF_CORE_READ(task, mm, start_code), vma_file_found, &found, 0);
        return found.mapping;
}

/* Arguments of capture_exec (events.list). */
__weak __noinline int put_image(struct sct_buf *b, struct sct_scratch *s, u64 address) {
        struct file *file = (struct file *) address;
        struct inode *inode = BPF_CORE_READ(file, f_inode);

        if (!b || !s)
                return -1;
        put_file_path(b, s, 0, address);
        put_u64(b, 1, SCT_ARG_U16, BPF_CORE_READ(inode, i_mode));
        put_u64(b, 2, SCT_ARG_U32, BPF_CORE_READ(inode, i_sb, s_dev));
        put_u64(b, 3, SCT_ARG_U64, BPF_CORE_READ(inode, i_ino));
        put_u64(b, 4, SCT_ARG_U64, inode_ctime_ns(inode));
        put_u64(b, 5, SCT_ARG_U32, BPF_CORE_READ(inode, __i_nlink));
        put_u64(b, 6, SCT_ARG_U64, BPF_CORE_READ(inode, i_size));
        return 0;
}

static __noinline int send_image(struct sct_scratch *s, u64 address, u64 mapping) {
        struct inode *inode = BPF_CORE_READ((struct file *) address, f_inode);
        struct artifact_work *w = artifact_work_get(s->level, SCT_EVENT_CAPTURE_EXEC);
        u64 size;

        if (!w)
                return 0;
        w->op.chunk.dev = BPF_CORE_READ(inode, i_sb, s_dev);
        w->op.chunk.inode = BPF_CORE_READ(inode, i_ino);
        w->op.chunk.size_total = size = BPF_CORE_READ(inode, i_size);
        if (!artifact_begin(&s->buf, w))
                return 0;
        if (mapping && image_is_new(w->op.chunk.dev, w->op.chunk.inode, inode_ctime_ns(inode), size))
                copy_pages(&w->op, mapping, size, IMAGE_BYTES_MAX);
        artifact_end(&w->op);
        return 0;
}

static __always_inline void image_event(u64 file, u64 mapping) {
        struct event_run r = {};

        if (!event_begin(&r, SCT_EVENT_CAPTURE_EXEC))
                return;
        put_image(&r.s->buf, r.s, file);
        if (artifact_match(&r))
                send_image(r.s, file, mapping);
        scratch_put();
}

/* The script that the program interprets. The kernel let go of it, but a file is put away only when the task goes back
 * to user space (task_work): until then it stands in the task's list of work. Its link there has a name of its own in
 * newer kernels. */
struct file___task_work {
        struct callback_head f_task_work;
} __attribute__((preserve_access_index));

struct file___rcuhead {
        struct callback_head f_rcuhead;
} __attribute__((preserve_access_index));

static __always_inline u32 file_work_offset(void) {
        if (bpf_core_field_exists(((struct file___task_work *) 0)->f_task_work))
                return bpf_core_field_offset(struct file___task_work, f_task_work);
        return bpf_core_field_offset(struct file___rcuhead, f_rcuhead);
}

#define SCRIPT_WORKS_MAX 8

struct script_walk {
        u64 work;
        u64 interpreter;             /* struct file of the program */
        u64 found;
};

static long script_step(u32 i, struct script_walk *w) {
        struct callback_head *work = (struct callback_head *) w->work;
        struct file *file = (struct file *) (w->work - file_work_offset());
        struct inode *inode;
        u64 mapping;

        if (!work)
                return 1;
        w->work = (u64) BPF_CORE_READ(work, next);
        if ((u64) file == w->interpreter)
                return 0;
        /* What is no file does not agree with itself so well. */
        inode = BPF_CORE_READ(file, f_inode);
        mapping = (u64) BPF_CORE_READ(file, f_mapping);
        if (!inode || !mapping || BPF_CORE_READ(file, f_path.dentry, d_inode) != inode ||
            (BPF_CORE_READ(inode, i_mode) & 0170000) != 0100000)
                return 0;
        w->found = (u64) file;
        return 1;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sct_x_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm) {
        struct file *file = bprm->file;
        struct script_walk script = {};
        u64 found;

        if (!active_generation())
                return 0;
        image_event((u64) BPF_CORE_READ(bprm, file), program_mapping(bpf_get_current_task_btf(), file));
        if (BPF_CORE_READ(bprm, interp) == BPF_CORE_READ(bprm, filename))
                return 0;
        script.work = (u64) BPF_CORE_READ((struct task_struct *) bpf_get_current_task(), task_works);
        script.interpreter = (u64) BPF_CORE_READ(bprm, file);
        bpf_loop(SCRIPT_WORKS_MAX, script_step, &script, 0);
        found = script.found;
        if (found)
                image_event(found, (u64) BPF_CORE_READ((struct file *) found, f_mapping));
        return 0;
}

/* ---- Memory that changes its protection ---- */

#define MEM_BYTES_MAX (64 << 20)      /* copied here at most: 15 ms. The rest is the reader's to fetch */
#define MEM_REGIONS_MAX 4             /* of one call, each of neighbours with the same protection */
#define MEM_VMAS_MAX 16               /* that one call is looked at for */
#define MEM_TRIES_MAX 8               /* another thread may hold the lock of the map */

#define MEM_READ 1                    /* PROT_*, and VM_* of the same number */
#define MEM_WRITE 2
#define MEM_EXEC 4

struct mem_region {
        u64 start, end;               /* mmap(): start is 0 until it returns, end is the size */
        u32 prev_prot, transition;
};

struct mem_call {
        u32 n, prot;
        struct mem_region regions[MEM_REGIONS_MAX];
};

struct {                             /* owner: kernel side: calls between entry and return. Restart: kept */
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 1024);
        __type(key, u64);
        __type(value, struct mem_call);
} sct_art_mem __weak SEC(".maps");

enum mem_call_kind {
        MEM_CALL_NONE,
        MEM_CALL_PROTECT,
        MEM_CALL_MAP,
};

static __always_inline enum mem_call_kind mem_call_kind(struct task_struct *task, u64 nr) {
        u32 key = (syscall_is_compat(task) ? SCT_SYSCALL_NR_MAX : 0) + (nr & (SCT_SYSCALL_NR_MAX - 1)), *id;

        if (nr >= SCT_SYSCALL_NR_MAX)
                return MEM_CALL_NONE;
        id = bpf_map_lookup_elem(&sct_sysnames, &key);
        if (!id)
                return MEM_CALL_NONE;
        switch (*id) {
        case SCT_EVENT_MPROTECT + 1:
        case SCT_EVENT_PKEY_MPROTECT + 1:
                return MEM_CALL_PROTECT;
        case SCT_EVENT_MMAP + 1:
                return MEM_CALL_MAP;
        }
        return MEM_CALL_NONE;
}

static __always_inline u32 mem_transition(u32 before, u32 after) {
        if (!(after & MEM_EXEC))
                return 0;
        if (!(before & MEM_EXEC))
                return SCT_MEM_TO_EXEC;
        if (before & MEM_WRITE)
                return after & MEM_WRITE ? 0 : SCT_MEM_UNPACKED;
        return after & MEM_WRITE ? SCT_MEM_EXEC_TO_WX : 0;
}

struct vma_seen {
        u64 start, end, file;
        u32 prot;
};

static long vma_seen_step(struct task_struct *task, struct vm_area_struct *vma, struct vma_seen *seen) {
        seen->start = BPF_CORE_READ(vma, vm_start);
        seen->end = BPF_CORE_READ(vma, vm_end);
        seen->file = (u64) BPF_CORE_READ(vma, vm_file);
        seen->prot = BPF_CORE_READ(vma, vm_flags) & (MEM_READ | MEM_WRITE | MEM_EXEC);
        return 0;
}

static __always_inline int vma_at(struct task_struct *task, u64 address, struct vma_seen *seen) {
        for (u32 i = 0; i < MEM_TRIES_MAX; i++)
                switch (bpf_find_vma(task, address, vma_seen_step, seen, 0)) {
                case 0:
                        return 1;
                case -2:             /* ENOENT: nothing is mapped there, and the call will fail */
                        return 0;
                }
        COUNT(n_internal);
        return 0;
}

struct mem_walk {
        struct mem_call *call;
        u64 at, end;
};

static long mem_step(u32 i, struct mem_walk *w) {
        struct mem_call *call = w->call;
        struct vma_seen seen = {};
        struct mem_region *region;
        u32 transition, n;
        u64 end;

        if (w->at >= w->end || !vma_at(bpf_get_current_task_btf(), w->at, &seen))
                return 1;
        end = seen.end < w->end ? seen.end : w->end;
        transition = mem_transition(seen.prot, call->prot);
        n = call->n;
        if (transition) {
                region = call->regions + ((n - 1) & (MEM_REGIONS_MAX - 1));
                if (n == 0 || region->end != w->at || region->transition != transition ||
                    region->prev_prot != seen.prot) {
                        if (n >= MEM_REGIONS_MAX) {
                                COUNT(n_internal);
                                return 1;
                        }
                        region = call->regions + (n & (MEM_REGIONS_MAX - 1));
                        region->start = w->at;
                        region->prev_prot = seen.prot;
                        region->transition = transition;
                        call->n = n + 1;
                }
                region->end = end;
        }
        w->at = end;
        return 0;
}

/* Whether a rule of the task may want its memory at all. */
static __always_inline int mem_is_wanted(struct task_struct *task) {
        u32 generation = active_generation(), key, *index;
        struct sct_plan *plan;
        struct sct_task *t;

        if (!generation)
                return 0;
        key = (generation & 1) * SCT_EVENT_ID_MAX + SCT_EVENT_CAPTURE_MEM;
        index = bpf_map_lookup_elem(&sct_events, &key);
        if (!index || !*index)
                return 0;
        plan = plan_get(*index, generation & 1);
        t = plan ? subject_get(task, generation) : NULL;
        return t && rules_wanted(t, plan);
}

static const struct mem_call mem_call_none;

/* What is looked at stands in the map from the beginning, and here in a frame of its own: the stack is short. */
static __noinline int mem_enter(struct pt_regs *regs, int compat, enum mem_call_kind kind) {
        u64 thread = bpf_get_current_pid_tgid(), a[8];
        struct mem_call *call;

        syscall_args(regs, compat, a);
        if (!(a[2] & MEM_EXEC) || (kind == MEM_CALL_MAP && !(a[2] & MEM_WRITE)))
                return 0;
        if (bpf_map_update_elem(&sct_art_mem, &thread, &mem_call_none, BPF_ANY))
                return 0;
        call = bpf_map_lookup_elem(&sct_art_mem, &thread);
        if (!call)
                return 0;
        call->prot = a[2] & (MEM_READ | MEM_WRITE | MEM_EXEC);
        if (kind == MEM_CALL_MAP) {
                call->regions[0].end = a[1];
                call->regions[0].transition = SCT_MEM_MMAP_WX;
                call->n = 1;
        } else {
                struct mem_walk w = { .call = call, .at = a[0] & ~(u64) (SCT_PAGE_SIZE - 1) };

                w.end = (a[0] + a[1] + SCT_PAGE_SIZE - 1) & ~(u64) (SCT_PAGE_SIZE - 1);
                bpf_loop(MEM_VMAS_MAX, mem_step, &w, 0);
        }
        if (call->n == 0)
                bpf_map_delete_elem(&sct_art_mem, &thread);
        return 0;
}

static __noinline int mem_send(struct mem_region *region, u32 prot) {
        u64 start = region->start, size = region->end - region->start;
        struct vma_seen seen = {};
        struct artifact_work *w;
        struct event_run r = {};

        if (!event_begin(&r, SCT_EVENT_CAPTURE_MEM))
                return 0;
        put_u64(&r.s->buf, 0, SCT_ARG_U32, region->transition);
        put_u64(&r.s->buf, 1, SCT_ARG_U64, start);
        put_u64(&r.s->buf, 2, SCT_ARG_U64, size);
        if (vma_at(bpf_get_current_task_btf(), start, &seen) && seen.file)
                put_file_path(&r.s->buf, r.s, 3, seen.file);
        put_u64(&r.s->buf, 4, SCT_ARG_S32, prot);
        put_u64(&r.s->buf, 5, SCT_ARG_S32, region->prev_prot);
        w = artifact_match(&r) ? artifact_work_get(r.s->level, SCT_EVENT_CAPTURE_MEM) : NULL;
        if (w) {
                w->op.chunk.size_total = size;
                if (artifact_begin(&r.s->buf, w)) {
                        copy_pages(&w->op, start, size, MEM_BYTES_MAX);
                        artifact_end(&w->op);
                }
        }
        scratch_put();
        return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sct_x_mement, struct pt_regs *regs, long nr) {
        struct task_struct *task = bpf_get_current_task_btf();
        enum mem_call_kind kind = mem_call_kind(task, nr);

        if (kind != MEM_CALL_NONE && mem_is_wanted(task))
                mem_enter(regs, syscall_is_compat(task), kind);
        return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sct_x_memexit, struct pt_regs *regs, long retval) {
        u64 thread = bpf_get_current_pid_tgid();
        struct mem_call *call;

        if (mem_call_kind(bpf_get_current_task_btf(), syscall_nr(regs)) == MEM_CALL_NONE)
                return 0;
        call = bpf_map_lookup_elem(&sct_art_mem, &thread);
        if (!call)
                return 0;
        if (retval >= 0 || retval < -4095) {
                if (call->regions[0].transition == SCT_MEM_MMAP_WX) {
                        call->regions[0].start = retval;
                        call->regions[0].end += retval;
                }
                for (u32 i = 0; i < MEM_REGIONS_MAX; i++)
                        if (i < call->n)
                                mem_send(call->regions + i, call->prot);
        }
        bpf_map_delete_elem(&sct_art_mem, &thread);
        return 0;
}

/* ---- Kernel modules ---- */

/* The kernel's own copy of what is loaded, as it stands before anything looks into it: what the security modules are
 * asked about. Whether it was loaded is known when the call returns. */
struct {                             /* owner: kernel side: operations whose call has not returned. Restart: kept */
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 256);
        __type(key, u64);
        __type(value, struct artifact_op);
} sct_art_module __weak SEC(".maps");

/* In frames of their own, which are not held while rules are judged. */
static __noinline int module_args(struct sct_scratch *s, u64 file, u64 size) {
        struct inode *inode = BPF_CORE_READ((struct file *) file, f_inode);

        if (file) {
                put_file_path(&s->buf, s, 0, file);
                put_u64(&s->buf, 1, SCT_ARG_U32, BPF_CORE_READ(inode, i_sb, s_dev));
                put_u64(&s->buf, 2, SCT_ARG_U64, BPF_CORE_READ(inode, i_ino));
        }
        put_u64(&s->buf, 3, SCT_ARG_U64, size);
        if (file)
                put_u64(&s->buf, 4, SCT_ARG_U64, inode_ctime_ns(inode));
        return 0;
}

static __noinline int module_copy(struct sct_scratch *s, u64 file, u64 buffer, u64 size) {
        struct artifact_walk walk = { .address = buffer, .size = size, .left = size, .from = ARTIFACT_FROM_KERNEL };
        struct artifact_work *w = artifact_work_get(s->level, SCT_EVENT_CAPTURE_MODULE);
        struct inode *inode = BPF_CORE_READ((struct file *) file, f_inode);
        u64 thread = bpf_get_current_pid_tgid();

        if (!w)
                return 0;
        if (file) {
                w->op.chunk.dev = BPF_CORE_READ(inode, i_sb, s_dev);
                w->op.chunk.inode = BPF_CORE_READ(inode, i_ino);
        }
        w->op.chunk.size_total = size;
        if (artifact_begin(&s->buf, w)) {
                walk.op = &w->op;
                artifact_copy(&walk);
                bpf_map_update_elem(&sct_art_module, &thread, &w->op, BPF_ANY);
        }
        return 0;
}

static __always_inline int module_send(u64 file, u64 buffer, u64 size) {
        struct event_run r = {};

        if (!event_begin(&r, SCT_EVENT_CAPTURE_MODULE))
                return 0;
        module_args(r.s, file, size);
        if (artifact_match(&r))
                module_copy(r.s, file, buffer, size);
        scratch_put();
        return 0;
}

SEC("kprobe/security_kernel_post_read_file")
int BPF_KPROBE(sct_x_modfile, struct file *file, char *buffer, s64 size, u32 id) {
        if (id == bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE))
                module_send((u64) file, (u64) buffer, size);
        return 0;
}

SEC("kprobe/security_kernel_post_load_data")
int BPF_KPROBE(sct_x_modmem, char *buffer, s64 size, u32 id) {
        if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
                module_send(0, (u64) buffer, size);
        return 0;
}

static __always_inline int module_end(s64 retval) {
        u64 thread = bpf_get_current_pid_tgid();
        struct artifact_op *op = bpf_map_lookup_elem(&sct_art_module, &thread);

        if (!op)
                return 0;
        if (retval < 0) {
                op->flags |= SCT_CHUNK_FAILED;
                op->chunk.offset = -retval;
        }
        artifact_end(op);
        bpf_map_delete_elem(&sct_art_module, &thread);
        return 0;
}

SEC("kretsyscall/init_module")
int BPF_KRETPROBE(sct_x_modend, long retval) {
        return module_end(retval);
}

SEC("kretsyscall/finit_module")
int BPF_KRETPROBE(sct_x_modfend, long retval) {
        return module_end(retval);
}
