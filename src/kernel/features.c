/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this kernel grants: every feature is tried once, the way it will be used, because versions and configuration say
 * nothing about lockdown, seccomp and missing capabilities. Rows in the order of features.def. */

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/perf_event.h>
#include <mntent.h>
#include <stdio.h>
#include <sys/syscall.h>

#include <bpf/btf.h>

#include "kernel-internal.h"

#define SYSCALL_ENTRY(name) "__x64_sys_" name

/* r0 = 0; exit */
static const struct bpf_insn return_0[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
        { .code = BPF_JMP | BPF_EXIT },
};

static const struct bpf_insn return_1[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
        { .code = BPF_JMP | BPF_EXIT },
};

/* The kernel's types, read once while features are probed: parsing them takes longer than all tries together. */
static struct btf *vmlinux;

static int find_btf_id(const char *target, enum bpf_attach_type attach) {
        char name[128];

        if (!vmlinux)
                return -ENOENT;
        if (attach != BPF_TRACE_RAW_TP)
                return btf__find_by_name_kind(vmlinux, target, BTF_KIND_FUNC);
        snprintf(name, sizeof(name), "btf_trace_%s", target);
        return btf__find_by_name_kind(vmlinux, name, BTF_KIND_TYPEDEF);
}

static int load_on(enum bpf_prog_type type, enum bpf_attach_type attach, const char *target) {
        LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach);
        int id, fd;

        if (target) {
                id = find_btf_id(target, attach);
                if (id < 0)
                        return id;
                opts.attach_btf_id = id;
        }
        fd = bpf_prog_load(type, NULL, "GPL", return_0, ELEMENTSOF(return_0), &opts);
        return fd < 0 ? -errno : fd;
}

/* Loads a program on `target` and attaches it for a moment. */
static int try_tracing(enum bpf_prog_type type, enum bpf_attach_type attach, const char *target) {
        _cleanup_close_ int fd = load_on(type, attach, target), link = -EBADF;

        if (fd < 0)
                return fd;
        link = bpf_raw_tracepoint_open(NULL, fd);
        return link < 0 ? -errno : 0;
}

static int try_btf(void) {
        return access("/sys/kernel/btf/vmlinux", R_OK) < 0 ? -errno : 0;
}

static int try_tp_btf(void) {
        return try_tracing(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "sched_process_exec");
}

static int try_fentry(void) {
        return try_tracing(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "security_file_open");
}

static int try_fmod_ret(void) {
        return try_tracing(BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, "security_file_open");
}

static int try_lsm(void) {
        char list[512] = "";
        int fd, r;
        ssize_t n;

        r = try_tracing(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bpf_lsm_file_alloc_security");
        if (r < 0)
                return r;
        /* A program that attaches is not called unless the LSM is in the list. */
        fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        n = read(fd, list, sizeof(list) - 1);
        safe_close(fd);
        return n > 0 && !strstr(list, "bpf") ? -ENODEV : 0;
}

static int try_raw_tp(void) {
        _cleanup_close_ int fd = load_on(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL), link = -EBADF;

        if (fd < 0)
                return fd;
        link = bpf_raw_tracepoint_open("sched_process_exec", fd);
        return link < 0 ? -errno : 0;
}

static int read_number(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        char buffer[32] = "";

        if (fd < 0)
                return -errno;
        if (read(fd, buffer, sizeof(buffer) - 1) <= 0)
                return -EIO;
        return atoi(buffer);
}

static int perf_open(struct perf_event_attr *attr) {
        attr->size = sizeof(*attr);
        attr->sample_period = 1;
        attr->wakeup_events = 1;
        return syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

static int try_perf(enum bpf_prog_type type, struct perf_event_attr *attr) {
        _cleanup_close_ int event = -EBADF, fd = -EBADF, link = -EBADF;

        event = perf_open(attr);
        if (event < 0)
                return -errno;
        fd = load_on(type, 0, NULL);
        if (fd < 0)
                return fd;
        link = bpf_link_create(fd, event, BPF_PERF_EVENT, NULL);
        return link < 0 ? -errno : 0;
}

static int try_tracepoint(void) {
        int id = read_number("/sys/kernel/tracing/events/sched/sched_process_exec/id");
        struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT };

        if (id < 0)
                return id;
        attr.config = id;
        return try_perf(BPF_PROG_TYPE_TRACEPOINT, &attr);
}

static int try_kprobe(void) {
        int type = read_number("/sys/bus/event_source/devices/kprobe/type");
        struct perf_event_attr attr = { .kprobe_func = (uintptr_t) "security_file_open" };

        if (type < 0)
                return type;
        attr.type = type;
        return try_perf(BPF_PROG_TYPE_KPROBE, &attr);
}

static int try_kprobe_multi(void) {
        const char *symbols[] = { "security_file_open" };
        LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.syms = symbols, .kprobe_multi.cnt = 1);
        _cleanup_close_ int fd = load_on(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, NULL), link = -EBADF;

        if (fd < 0)
                return fd;
        link = bpf_link_create(fd, 0, BPF_TRACE_KPROBE_MULTI, &opts);
        return link < 0 ? -errno : 0;
}

/* A place for a probe must hold an instruction that the kernel can step over (others: ENOTSUPP, 524): any function begins
 * with one. */
static int own_offset(struct dl_phdr_info *info, size_t size, void *userdata) {
        uint64_t *offset = userdata, at = (uintptr_t) read_number - info->dlpi_addr;

        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *p = info->dlpi_phdr + i;

                if (p->p_type == PT_LOAD && at >= p->p_vaddr && at - p->p_vaddr < p->p_filesz)
                        *offset = at - p->p_vaddr + p->p_offset;
        }
        return 1;       /* the executable comes first */
}

static int try_uprobe(void) {
        int type = read_number("/sys/bus/event_source/devices/uprobe/type");
        struct perf_event_attr attr = { .uprobe_path = (uintptr_t) "/proc/self/exe" };
        uint64_t offset = 0;

        if (type < 0)
                return type;
        (void) dl_iterate_phdr(own_offset, &offset);
        if (offset == 0)
                return -ENOENT;
        attr.probe_offset = offset;
        attr.type = type;
        return try_perf(BPF_PROG_TYPE_KPROBE, &attr);
}

/* uprobe.multi is of 6.6 (89ae89f53d20); libbpf 1.1 does not know its attach type, 48. */
static int try_uprobe_multi(void) {
        int fd = load_on(BPF_PROG_TYPE_KPROBE, 48, NULL);

        if (fd < 0)
                return fd == -EINVAL ? -EOPNOTSUPP : fd;
        safe_close(fd);
        return 0;
}

/* System calls may be made to fail where CONFIG_FUNCTION_ERROR_INJECTION is on: loading asks for it, nothing is attached.
 * A call with arguments: functions that do not use theirs may be missing from BTF. */
static int try_error_injection(void) {
        int fd = load_on(BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, SYSCALL_ENTRY("close"));

        if (fd < 0)
                return fd == -EINVAL ? -EOPNOTSUPP : fd;
        safe_close(fd);
        return 0;
}

static int try_cgroup_skb(void) {
        LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET_EGRESS);
        int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, NULL, "GPL", return_1, ELEMENTSOF(return_1), &opts);

        if (fd < 0)
                return -errno;
        safe_close(fd);
        return 0;
}

static int try_cgroup_sock(void) {
        LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET_SOCK_CREATE);
        int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK, NULL, "GPL", return_1, ELEMENTSOF(return_1), &opts);

        if (fd < 0)
                return -errno;
        safe_close(fd);
        return 0;
}

static int try_task_storage(void) {
        int r = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL);

        return r > 0 ? 0 : r == 0 ? -EOPNOTSUPP : r;
}

static int try_iter_task(void) {
        int fd = load_on(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bpf_iter_task");

        if (fd < 0)
                return fd;
        safe_close(fd);
        return 0;
}

static int try_signal(void) {
        int r = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_send_signal, NULL);

        return r > 0 ? 0 : r == 0 ? -EOPNOTSUPP : r;
}

static int try_cgroup2(void) {
        struct mntent *entry;
        FILE *f = setmntent("/proc/self/mounts", "re");
        int r = -ENOENT;

        if (!f)
                return -errno;
        while ((entry = getmntent(f)))
                if (strcmp(entry->mnt_type, "cgroup2") == 0)
                        r = 0;
        endmntent(f);
        return r;
}

/* The 32-bit entry points are functions of their own. */
static int try_ia32(void) {
        if (!vmlinux)
                return 0;       /* not knowing, expect 32-bit calls */
        return btf__find_by_name_kind(vmlinux, "__ia32_sys_openat", BTF_KIND_FUNC) > 0 ||
               btf__find_by_name_kind(vmlinux, "__ia32_compat_sys_openat", BTF_KIND_FUNC) > 0 ? 0 : -ENOENT;
}

static int try_modules(void) {
        return access("/proc/modules", F_OK) < 0 ? -errno : 0;
}

static int (*const tries[_FEATURE_MAX])(void);

static const struct {
        const char *name, *sentence;
} texts[_FEATURE_MAX] = {
#define SCT_FEATURE(sym, name, sentence) [FEATURE_##sym] = { name, sentence },
#include "../../bpf/abi/features.def"
#undef SCT_FEATURE
};

const char *feature_name(Feature f) {
        return f >= 0 && f < _FEATURE_MAX ? texts[f].name : NULL;
}

const char *feature_sentence(Feature f) {
        return f >= 0 && f < _FEATURE_MAX ? texts[f].sentence : NULL;
}

int features_probe(FeatureSet *features) {
        libbpf_print_fn_t print = libbpf_set_print(NULL);

        *features = (FeatureSet) {};
        vmlinux = btf__load_vmlinux_btf();
        for (Feature f = 0; f < _FEATURE_MAX; f++) {
                int r = tries[f]();

                features->granted[f] = r >= 0;
                if (r < 0)
                        snprintf(features->reason[f], sizeof(features->reason[f]), "%s", strerror(-r));
        }
        btf__free(vmlinux);
        vmlinux = NULL;
        libbpf_set_print(print);
        return 0;
}

static int try_capture_kernel(void) {
        int fd = load_on(BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, "__kernel_write");

        if (fd < 0)
                return fd;
        safe_close(fd);
        return 0;
}

static int try_capture_uring(void) {
        int fd = load_on(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "io_uring_complete");

        if (fd < 0)
                return fd;
        safe_close(fd);
        return 0;
}

static int (*const tries[_FEATURE_MAX])(void) = {
        [FEATURE_CAPTURE_KERNEL] = try_capture_kernel,
        [FEATURE_CAPTURE_URING] = try_capture_uring,
        [FEATURE_BTF] = try_btf,
        [FEATURE_TP_BTF] = try_tp_btf,
        [FEATURE_RAW_TP] = try_raw_tp,
        [FEATURE_TRACEPOINT] = try_tracepoint,
        [FEATURE_FENTRY] = try_fentry,
        [FEATURE_KPROBE] = try_kprobe,
        [FEATURE_KPROBE_MULTI] = try_kprobe_multi,
        [FEATURE_LSM] = try_lsm,
        [FEATURE_FMOD_RET] = try_fmod_ret,
        [FEATURE_ERROR_INJECTION] = try_error_injection,
        [FEATURE_UPROBE] = try_uprobe,
        [FEATURE_UPROBE_MULTI] = try_uprobe_multi,
        [FEATURE_CGROUP_SKB] = try_cgroup_skb,
        [FEATURE_CGROUP_SOCK] = try_cgroup_sock,
        [FEATURE_TASK_STORAGE] = try_task_storage,
        [FEATURE_ITER_TASK] = try_iter_task,
        [FEATURE_SIGNAL] = try_signal,
        [FEATURE_CGROUP2] = try_cgroup2,
        [FEATURE_IA32] = try_ia32,
        [FEATURE_MODULES] = try_modules,
};
