/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The generated catalogue: ids and names are unique and found again, arguments have types and printers that exist,
 * system call numbers agree with libseccomp's, and sets hold what the reference says. */

#include <seccomp.h>

#include "abi/plan.h"
#include "event-id.h"
#include "event/arg-type.h"
#include "event/record.h"
#include "basic/macro.h"
#include "test.h"

TEST(ids_names_and_order) {
        const EventSpec *previous = NULL;
        unsigned n = 0;

        for (const EventSpec *s = event_spec_next(NULL); s; s = event_spec_next(s)) {
                if (previous)
                        ASSERT_GT(s->id, previous->id);
                ASSERT_LT(s->id, 4096);
                ASSERT_TRUE(event_spec_by_id(s->id) == s);
                ASSERT_TRUE(event_spec_by_name(s->name) == s);
                ASSERT_TRUE(s->family >= 0 && s->family < _EVENT_FAMILY_MAX);
                ASSERT_TRUE(s->hook && *s->hook);
                if (!s->doc || !*s->doc)
                        TEST_FAIL("%s has no sentence", s->name);
                previous = s;
                n++;
        }
        ASSERT_GT(n, 470);
        ASSERT_NULL(event_spec_by_name("opena"));
        ASSERT_NULL(event_spec_by_name(""));
        ASSERT_NULL(event_spec_by_name("zzz"));
        ASSERT_NULL(event_spec_by_id(4095));
        ASSERT_NULL(event_spec_by_id(UINT16_MAX));
}

TEST(arguments) {
        for (const EventSpec *s = event_spec_next(NULL); s; s = event_spec_next(s)) {
                ASSERT_LE(s->n_args, SCT_ARGS_MAX);
                if (s->family == EVENT_FAMILY_SYSCALL)
                        ASSERT_LE(s->n_args, 6);
                for (int i = 0; i < s->n_args; i++) {
                        const EventArgSpec *a = s->args + i;

                        ASSERT_EQ(event_arg_index(s, a->name), i);
                        ASSERT_TRUE(a->type > SCT_ARG_NONE && a->type < _SCT_ARG_TYPE_MAX);
                        ASSERT_TRUE(a->printer < _PRINTER_MAX);
                        ASSERT_TRUE(*a->ctype);
                        if (s->family == EVENT_FAMILY_SYSCALL)
                                ASSERT_EQ(a->source, i);
                        if (a->size_source != 0xff)
                                ASSERT_LT(a->size_source, s->n_args);
                        /* What only exists at the exit is marked, and bytes know their length. */
                        if (IN_SET(a->type, SCT_ARG_STR_OUT, SCT_ARG_SOCKADDR_OUT, SCT_ARG_INT2))
                                ASSERT_TRUE(a->flags & SCT_ARG_PLAN_EXIT);
                        if (IN_SET(a->type, SCT_ARG_BYTES, SCT_ARG_SOCKADDR, SCT_ARG_SOCKADDR_OUT))
                                ASSERT_NE(a->size_source, 0xff);
                        if (s->no_return)
                                ASSERT_FALSE(a->flags & SCT_ARG_PLAN_EXIT);
                        /* Kernel strings have no place in a system call's registers. */
                        if (s->family == EVENT_FAMILY_SYSCALL)
                                ASSERT_FALSE(IN_SET(a->type, SCT_ARG_PATH, SCT_ARG_KSTR, SCT_ARG_KSTRV));
                }
        }
        ASSERT_ERROR(event_arg_index(event_spec_by_name("openat"), "path"), ENOENT);
}

static void check_args(const char *event, const char *names) {
        const EventSpec *s = event_spec_by_name(event);
        _cleanup_(buffer_done) Buffer b = {};

        if (!s)
                TEST_FAIL("no event %s", event);
        for (int i = 0; i < s->n_args; i++)
                ASSERT_OK(buffer_printf(&b, "%s%s %s", i > 0 ? ", " : "", s->args[i].ctype, s->args[i].name));
        ASSERT_STREQ(buffer_cstring(&b), names);
}

TEST(names_and_types_of_the_seeds) {
        check_args("openat", "int dirfd, const char* pathname, int flags, mode_t mode");
        check_args("close", "int fd");
        check_args("ptrace", "long request, pid_t pid, void* addr, void* data");
        check_args("clone", "unsigned long flags, void* stack, int* parent_tid, int* child_tid, unsigned long tls");
        check_args("sched_process_exit", "long exit_code, bool process_group_exit");
        check_args("sched_process_exec",
                   "const char* cmdpath, const char* pathname, dev_t dev, unsigned long inode, unsigned long ctime, "
                   "umode_t inode_mode, const char* interpreter_pathname, dev_t interpreter_dev, "
                   "unsigned long interpreter_inode, unsigned long interpreter_ctime, const char** argv, "
                   "const char* interp, umode_t stdin_type, char* stdin_path, int invoked_from_kernel, const char** env");
}

TEST(stable_ids) {
        ASSERT_EQ(SCT_EVENT_OPENAT, 257);
        ASSERT_EQ(SCT_EVENT_READ, 0);
        ASSERT_EQ(SCT_EVENT_CLONE3, 435);
        ASSERT_EQ(SCT_EVENT_FILE_SETATTR, 469);
        ASSERT_EQ(SCT_EVENT_SYS_ENTER, 704);
        ASSERT_EQ(SCT_EVENT_SCHED_PROCESS_EXEC, 707);
        ASSERT_EQ(SCT_EVENT_CGROUP_MKDIR, 719);
        ASSERT_EQ(SCT_EVENT_WAITPID, 1000);
}

/* libseccomp has its own table of the kernel's: every call that it knows must be ours, under its number. */
TEST(native_numbers_agree_with_libseccomp) {
        unsigned n = 0;

        for (unsigned nr = 0; nr < SCT_SYSCALL_NR_MAX; nr++) {
                char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int) nr);
                const EventSpec *s = event_spec_by_syscall(0, nr);
                int native = -1;

                if (!name)
                        continue;
                n++;
                if (!s)
                        TEST_FAIL("native call %s (%u) has no event", name, nr);
                if (strcmp(name, s->name) != 0 && strcmp(name, "_sysctl") != 0 && strcmp(name, "afs_syscall") != 0)
                        TEST_FAIL("native call %u is %s, not %s", nr, name, s->name);
                event_syscall_numbers(s, &native, NULL);
                ASSERT_EQ(native, nr);
                ASSERT_EQ(s->id, nr);
                ASSERT_FALSE(s->compat_only);
                free(name);
        }
        ASSERT_GT(n, 340);
}

TEST(compat_numbers_agree_with_libseccomp) {
        unsigned n = 0;

        for (unsigned nr = 0; nr < SCT_SYSCALL_NR_MAX; nr++) {
                char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, (int) nr);
                const EventSpec *s = event_spec_by_syscall(1, nr);
                int compat = -1;

                if (!name)
                        continue;
                n++;
                if (!s)
                        TEST_FAIL("32-bit call %s (%u) has no event", name, nr);
                event_syscall_numbers(s, NULL, &compat);
                ASSERT_EQ(compat, nr);
                free(name);
        }
        ASSERT_GT(n, 400);
}

typedef struct CompatRow {
        unsigned nr;
        const char *event;
} CompatRow;

/* Numbers whose 32-bit meaning is not the native one of that name. */
static const CompatRow compat_rows[] = {
        { 3, "read" }, { 5, "open" }, { 7, "waitpid" }, { 11, "execve" }, { 16, "lchown16" }, { 22, "umount" },
        { 24, "getuid16" }, { 52, "umount2" }, { 76, "old_getrlimit" }, { 82, "old_select" }, { 90, "old_mmap" },
        { 102, "socketcall" }, { 106, "stat" }, { 120, "clone" }, { 140, "llseek" }, { 142, "select" },
        { 191, "getrlimit" }, { 192, "mmap2" }, { 195, "stat64" }, { 199, "getuid" }, { 239, "sendfile" },
        { 187, "sendfile32" }, { 240, "futex_time32" }, { 252, "exit_group" }, { 265, "clock_gettime32" },
        { 295, "openat" }, { 300, "newfstatat" }, { 403, "clock_gettime" }, { 405, "clock_adjtime64" }, { 422, "futex" },
        { 435, "clone3" }, { 449, "futex_waitv" }, { 469, "file_setattr" },
};

TEST(compat_numbers) {
        for (size_t i = 0; i < ELEMENTSOF(compat_rows); i++) {
                const EventSpec *s = event_spec_by_syscall(1, compat_rows[i].nr);

                ASSERT_NOT_NULL(s);
                ASSERT_STREQ(s->name, compat_rows[i].event);
        }
        ASSERT_NULL(event_spec_by_syscall(0, SCT_SYSCALL_NR_MAX));
        ASSERT_NULL(event_spec_by_syscall(1, UINT32_MAX));
        ASSERT_STREQ(event_spec_by_syscall(1, 335)->name, "rt_tgsigqueueinfo");
        ASSERT_STREQ(event_spec_by_syscall(0, 335)->name, "uretprobe");
}

TEST(numbers_of_what_is_no_system_call) {
        const EventSpec own = { .id = 0, .name = "own" };
        int native = 7, compat = 7;

        event_syscall_numbers(event_spec_by_name("sched_switch"), &native, &compat);
        ASSERT_EQ(native, -1);
        ASSERT_EQ(compat, -1);
        event_syscall_numbers(&own, &native, &compat);
        ASSERT_EQ(native, -1);
        event_syscall_numbers(event_spec_by_name("waitpid"), &native, &compat);
        ASSERT_EQ(native, -1);
        ASSERT_EQ(compat, 7);
}

static unsigned set_size(const char *set) {
        int i = event_set_index(set);
        unsigned n = 0;

        ASSERT_OK(i);
        for (const EventSpec *s = event_spec_next(NULL); s; s = event_spec_next(s))
                n += (s->sets >> i) & 1;
        return n;
}

static bool in_set(const char *event, const char *set) {
        return event_spec_by_name(event)->sets >> event_set_index(set) & 1;
}

TEST(sets) {
        static const char *const known[] = {
                "syscalls", "fs", "proc", "32bit_unique", "default", "fs_file_attr", "system", "ipc", "net",
                "fs_file_ops", "proc_ids", "proc_mem", "time", "lsm_hooks", "network_events", "signals", "net_sock",
                "proc_sched", "fs_read_write", "proc_life", "fs_mux_io", "time_timer", "ipc_msgq", "fs_dir_ops",
                "fs_link_ops", "fs_fd_ops", "fs_sync", "net_snd_rcv", "time_clock", "system_module", "fs_async_io",
                "system_numa", "fs_monitor", "ipc_pipe", "ipc_shm", "ipc_sem", "fs_info", "time_tod", "ipc_futex",
                "system_keys", "containers", "derived", "security_alert", "signatures",
        };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                ASSERT_OK(event_set_index(known[i]));
        while (event_sets[n]) {
                ASSERT_TRUE(*event_set_docs[n]);
                n++;
        }
        ASSERT_EQ(n, ELEMENTSOF(known));
        ASSERT_ERROR(event_set_index("nothing"), ENOENT);

        ASSERT_EQ(set_size("32bit_unique"), 87);        /* 86 and old_mmap */
        ASSERT_GE(set_size("syscalls"), 446);
        ASSERT_GE(set_size("default"), 28);             /* 26 system calls of old, fchmodat2, the exec */
        ASSERT_TRUE(in_set("sched_process_exec", "default"));
        ASSERT_TRUE(in_set("ptrace", "default"));
        ASSERT_FALSE(in_set("openat", "default"));
        ASSERT_TRUE(in_set("openat", "fs_file_ops"));
        ASSERT_TRUE(in_set("sched_process_exit", "proc_life"));
        ASSERT_FALSE(in_set("sys_enter", "syscalls"));
        for (const EventSpec *s = event_spec_next(NULL); s; s = event_spec_next(s)) {
                ASSERT_EQ(in_set(s->name, "syscalls"), s->family == EVENT_FAMILY_SYSCALL);
                ASSERT_EQ(in_set(s->name, "32bit_unique"), s->compat_only);
        }
}

/* The kernel side counts on the order (bpf/net.bpf.c). */
TEST(packet_events) {
        static const struct {
                const char *name;
                uint32_t kind;
                bool is_default;
        } rows[] = {
                { "net_packet_ipv4", SCT_PACKET_IPV4, false }, { "net_packet_ipv6", SCT_PACKET_IPV6, false },
                { "net_packet_tcp", SCT_PACKET_TCP, false },   { "net_packet_udp", SCT_PACKET_UDP, false },
                { "net_packet_icmp", SCT_PACKET_ICMP, true },  { "net_packet_icmpv6", SCT_PACKET_ICMPV6, true },
        };

        ASSERT_EQ(set_size("network_events"), ELEMENTSOF(rows));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ASSERT_EQ(event_packet_kind(event_spec_by_name(rows[i].name)), rows[i].kind);
                ASSERT_TRUE(in_set(rows[i].name, "network_events"));
                ASSERT_EQ(in_set(rows[i].name, "default"), rows[i].is_default);
        }
        for (const EventSpec *s = event_spec_next(NULL); s; s = event_spec_next(s))
                ASSERT_EQ(event_packet_kind(s) != 0, in_set(s->name, "network_events"));
        ASSERT_EQ(event_packet_kind(event_spec_by_name("capture_packet")), 0);
}

TEST_MAIN()
