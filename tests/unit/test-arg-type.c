/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values: every wire type in every style, flags by name and back, and addresses as inet_ntop() writes them. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sys/socket.h>

#include "abi/arg-struct.h"
#include "basic/macro.h"
#include "event/arg-type.h"
#include "event/inet-print.h"
#include "test.h"

typedef struct PrintRow {
        ArgPrinter printer;
        uint64_t value;
        const char *tracee;     /* as the tables show it */
        const char *people;
} PrintRow;

static const PrintRow print_rows[] = {
        { PRINTER_OPEN_FLAGS, 0, "O_RDONLY", "O_RDONLY" },
        { PRINTER_OPEN_FLAGS, 02000000, "O_RDONLY|O_CLOEXEC", "O_RDONLY|O_CLOEXEC" },
        { PRINTER_OPEN_FLAGS, 01101, "O_WRONLY|O_CREAT|O_TRUNC", "O_WRONLY|O_CREAT|O_TRUNC" },
        { PRINTER_OPEN_FLAGS, 0101101, "O_WRONLY|O_CREAT|O_TRUNC|O_LARGEFILE", NULL },
        { PRINTER_OPEN_FLAGS, 2, "O_RDWR", NULL },
        { PRINTER_OPEN_FLAGS, 04010000, "O_RDONLY|O_SYNC", NULL },
        { PRINTER_OPEN_FLAGS, 010000, "O_RDONLY|O_DSYNC", NULL },
        { PRINTER_OPEN_FLAGS, 020200002, "O_RDWR|O_DIRECTORY|O_TMPFILE", NULL },
        { PRINTER_OPEN_FLAGS, 0x40000000, "O_RDONLY|0x40000000", NULL },
        { PRINTER_DIRFD, (uint64_t) -100, "-100", "AT_FDCWD" },
        { PRINTER_DIRFD, 3, "3", "3" },
        { PRINTER_MODE, 438, "438", "0666" },
        { PRINTER_MODE, 0, "0", "0" },
        { PRINTER_INODE_MODE, 0100644, "S_IFREG|S_IRUSR|S_IWUSR|S_IRGRP|S_IROTH", "0100644" },
        { PRINTER_INODE_MODE, 0755, "S_IRWXU|S_IRUSR|S_IWUSR|S_IXUSR|S_IRGRP|S_IXGRP|S_IROTH|S_IXOTH", "0755" },
        { PRINTER_INODE_MODE, 04000, "S_ISUID", "04000" },
        { PRINTER_INODE_TYPE, 020620, "S_IFCHR", "S_IFCHR" },
        { PRINTER_INODE_TYPE, 010600, "S_IFIFO", "S_IFIFO" },
        { PRINTER_INODE_TYPE, 0, "0", "0" },
        { PRINTER_ACCESS_MODE, 0, "F_OK", NULL },
        { PRINTER_ACCESS_MODE, 6, "R_OK|W_OK", NULL },
        { PRINTER_MMAP_PROT, 0, "PROT_NONE", NULL },
        { PRINTER_MMAP_PROT, 7, "PROT_READ|PROT_WRITE|PROT_EXEC", NULL },
        { PRINTER_MMAP_FLAGS, 0x22, "MAP_PRIVATE|MAP_ANONYMOUS", NULL },
        { PRINTER_MMAP_FLAGS, 3, "MAP_SHARED_VALIDATE", NULL },
        { PRINTER_CLONE_FLAGS, 0x1200011, "CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID", NULL },
        { PRINTER_CLONE_FLAGS, 17, "0", NULL },
        { PRINTER_CLONE3_FLAGS, 0x200000080ULL, "CLONE_INTO_CGROUP|CLONE_NEWTIME", NULL },
        { PRINTER_PTRACE_REQUEST, 0, "PTRACE_TRACEME", NULL },
        { PRINTER_PTRACE_REQUEST, 0x4206, "PTRACE_SEIZE", NULL },
        { PRINTER_PTRACE_REQUEST, 12345, "12345", NULL },
        { PRINTER_PTRACE_REQUEST, (uint64_t) -1, "-1", NULL },
        { PRINTER_PRCTL_OPTION, 38, "PR_SET_NO_NEW_PRIVS", NULL },
        { PRINTER_BPF_CMD, 5, "BPF_PROG_LOAD", NULL },
        { PRINTER_CAPABILITY, 21, "CAP_SYS_ADMIN", NULL },
        { PRINTER_SOCKET_DOMAIN, 1, "AF_UNIX", NULL },
        { PRINTER_SOCKET_DOMAIN, 10, "AF_INET6", NULL },
        { PRINTER_SOCKET_TYPE, 02000001, "SOCK_STREAM|SOCK_CLOEXEC", NULL },
        { PRINTER_SOCKET_TYPE, 3 | 04000, "SOCK_RAW|SOCK_NONBLOCK", NULL },
        { PRINTER_SOCKET_LEVEL, 1, "SOL_SOCKET", NULL },
        { PRINTER_SOCKET_OPTION, 2, "SO_REUSEADDR", NULL },
        { PRINTER_SIGNAL, 9, "9", "SIGKILL" },
        { PRINTER_WHENCE, 2, "SEEK_END", NULL },
        { PRINTER_CLOCKID, 1, "1", "CLOCK_MONOTONIC" },
        { PRINTER_UNLINK_FLAGS, 0x200, "AT_REMOVEDIR", NULL },
        { PRINTER_AT_FLAGS, 0x1000, "AT_EMPTY_PATH", NULL },
        { PRINTER_AT_FLAGS, 0, "0", NULL },
        { PRINTER_MOUNT_FLAGS, 0x5000, "MS_BIND|MS_REC", NULL },
        { PRINTER_FCNTL_CMD, 1030, "F_DUPFD_CLOEXEC", NULL },
        { PRINTER_MADVISE, 4, "MADV_DONTNEED", NULL },
        { PRINTER_FUTEX_OP, 0x81, "FUTEX_WAKE|FUTEX_PRIVATE_FLAG", NULL },
        { PRINTER_FLOCK_OP, 6, "LOCK_EX|LOCK_NB", NULL },
        { PRINTER_WAIT_OPTIONS, (uint64_t) (int64_t) INT32_MIN, "__WCLONE", NULL },
        { PRINTER_EVENT, 257, "openat", NULL },
        { PRINTER_EVENT, 4000, "4000", NULL },
        { PRINTER_HEX, 0x5401, "21505", "0x5401" },
        { PRINTER_ERRNO, (uint64_t) -2, "-2", "ENOENT" },
        { PRINTER_CAPABILITIES, 1ULL << 21 | 1ULL << 41, "CAP_SYS_ADMIN|0x20000000000", NULL },
        { PRINTER_TCP_STATE, 10, "TCP_LISTEN", NULL },
        { PRINTER_IP_PROTOCOL, 6, "IPPROTO_TCP", NULL },
        { PRINTER_PACKET_PROTOCOL, 1, "ICMPv4", NULL },
        { PRINTER_PACKET_PROTOCOL, 200, "200", NULL },
        { PRINTER_ICMP_TYPE, 0x0000, "EchoReply", NULL },
        { PRINTER_ICMP_TYPE, 0x0800, "EchoRequest", NULL },
        { PRINTER_ICMP_TYPE, 0x0801, "EchoRequest(Code: 1)", NULL },
        { PRINTER_ICMP_TYPE, 0x0303, "DestinationUnreachable(Port)", NULL },
        { PRINTER_ICMP_TYPE, 0x0310, "DestinationUnreachable(Code: 16)", NULL },
        { PRINTER_ICMP_TYPE, 0xc801, "200(1)", NULL },
        { PRINTER_ICMPV6_TYPE, 0x8000, "EchoRequest", NULL },
        { PRINTER_ICMPV6_TYPE, 0x0104, "DestinationUnreachable(PortUnreachable)", NULL },
};

TEST(names) {
        for (size_t i = 0; i < ELEMENTSOF(print_rows); i++) {
                const PrintRow *row = print_rows + i;
                _cleanup_(buffer_done) Buffer b = {};

                ASSERT_OK(printer_print(&b, row->printer, row->value, ARG_STYLE_TRACEE));
                ASSERT_STREQ(buffer_cstring(&b), row->tracee);
                buffer_reset(&b);
                ASSERT_OK(printer_print(&b, row->printer, row->value, ARG_STYLE_PEOPLE));
                ASSERT_STREQ(buffer_cstring(&b), row->people ?: row->tracee);
                buffer_reset(&b);
                ASSERT_OK(printer_print(&b, row->printer, row->value, ARG_STYLE_RAW));
                ASSERT_EQ(strtoll(buffer_cstring(&b), NULL, 10), row->value);
        }
}

typedef struct ParseRow {
        ArgPrinter printer;
        const char *text;
        int error;
        uint64_t and, cmp;
} ParseRow;

static const ParseRow parse_rows[] = {
        { PRINTER_OPEN_FLAGS, "O_WRONLY", 0, 3, 1 },
        { PRINTER_OPEN_FLAGS, "O_RDONLY", 0, 3, 0 },
        { PRINTER_OPEN_FLAGS, "O_CREAT", 0, 0100, 0100 },
        { PRINTER_OPEN_FLAGS, "O_WRONLY|O_CREAT", 0, 0103, 0101 },
        { PRINTER_OPEN_FLAGS, " O_RDWR | O_CLOEXEC ", 0, 02000003, 02000002 },
        { PRINTER_OPEN_FLAGS, "O_TMPFILE", 0, 020200000, 020200000 },
        { PRINTER_OPEN_FLAGS, "O_CREAT|0x200", 0, 01100, 01100 },
        { PRINTER_OPEN_FLAGS, "0", 0, UINT64_MAX, 0 },
        { PRINTER_OPEN_FLAGS, "O_WRONLY|O_RDWR", EINVAL, 0, 0 },
        { PRINTER_OPEN_FLAGS, "O_WRONG", ENOENT, 0, 0 },
        { PRINTER_OPEN_FLAGS, "O_CREAT|", EINVAL, 0, 0 },
        { PRINTER_OPEN_FLAGS, "|O_CREAT", EINVAL, 0, 0 },
        { PRINTER_OPEN_FLAGS, "O_CREAT||O_EXCL", EINVAL, 0, 0 },
        { PRINTER_OPEN_FLAGS, "", EINVAL, 0, 0 },
        { PRINTER_OPEN_FLAGS, "o_creat", ENOENT, 0, 0 },
        { PRINTER_PTRACE_REQUEST, "PTRACE_TRACEME", 0, UINT64_MAX, 0 },
        { PRINTER_PTRACE_REQUEST, "16", 0, UINT64_MAX, 16 },
        { PRINTER_PTRACE_REQUEST, "PTRACE_TRACEME|PTRACE_SEIZE", EINVAL, 0, 0 },
        { PRINTER_SOCKET_DOMAIN, "AF_INET", 0, UINT64_MAX, 2 },
        { PRINTER_SOCKET_DOMAIN, "AF_LOCAL", 0, UINT64_MAX, 1 },
        { PRINTER_SOCKET_TYPE, "SOCK_STREAM", 0, 15, 1 },
        { PRINTER_SOCKET_TYPE, "SOCK_CLOEXEC", 0, 02000000, 02000000 },
        { PRINTER_MMAP_PROT, "PROT_WRITE|PROT_EXEC", 0, 6, 6 },
        { PRINTER_MMAP_PROT, "PROT_NONE", 0, UINT64_MAX, 0 },
        { PRINTER_MMAP_PROT, "PROT_NONE|PROT_READ", EINVAL, 0, 0 },
        { PRINTER_DIRFD, "AT_FDCWD", 0, UINT64_MAX, (uint64_t) -100 },
        { PRINTER_DIRFD, "-100", 0, UINT64_MAX, (uint64_t) -100 },
        { PRINTER_MODE, "0644", 0, UINT64_MAX, 0644 },
        { PRINTER_MODE, "0x1a4", 0, UINT64_MAX, 0x1a4 },
        { PRINTER_MODE, "420", 0, UINT64_MAX, 420 },
        { PRINTER_MODE, "0899", ENOENT, 0, 0 },
        { PRINTER_MODE, "18446744073709551616", ENOENT, 0, 0 },
        { PRINTER_INODE_TYPE, "S_IFCHR", 0, 0170000, 0020000 },
        { PRINTER_EVENT, "openat", 0, UINT64_MAX, 257 },
        { PRINTER_EVENT, "sched_switch", ENOENT, 0, 0 },
        { PRINTER_ERRNO, "ENOENT", 0, UINT64_MAX, (uint64_t) -2 },
        { PRINTER_ERRNO, "-EACCES", 0, UINT64_MAX, (uint64_t) -13 },
        { PRINTER_DEFAULT, "12", 0, UINT64_MAX, 12 },
        { PRINTER_DEFAULT, "O_CREAT", ENOENT, 0, 0 },
};

TEST(filters_by_name) {
        char longer[2000];

        for (size_t i = 0; i < ELEMENTSOF(parse_rows); i++) {
                const ParseRow *row = parse_rows + i;
                uint64_t and = 0, cmp = 0;

                if (printer_parse(row->printer, row->text, &and, &cmp) != -row->error)
                        TEST_FAIL("\"%s\": not the error %d", row->text, row->error);
                if (row->error == 0 && (and != row->and || cmp != row->cmp))
                        TEST_FAIL("\"%s\" is %#" PRIx64 "/%#" PRIx64, row->text, and, cmp);
        }
        memset(longer, 'x', sizeof(longer));
        longer[sizeof(longer) - 1] = '\0';
        ASSERT_ERROR(printer_parse(PRINTER_OPEN_FLAGS, longer, &(uint64_t) { 0 }, &(uint64_t) { 0 }), EINVAL);
}

/* Every name of every printer is printed for the value that it means, and means the value that it is printed for. */
TEST(round_trip_of_every_name) {
        unsigned n = 0;

        for (unsigned p = 0; p < _PRINTER_MAX; p++)
                for (size_t i = 0; printer_name((ArgPrinter) p, i); i++) {
                        const char *name = printer_name((ArgPrinter) p, i);
                        _cleanup_(buffer_done) Buffer b = {};
                        uint64_t and, cmp, and2, cmp2;

                        ASSERT_OK(printer_parse((ArgPrinter) p, name, &and, &cmp));
                        ASSERT_EQ_U64(cmp & ~and, 0);
                        ASSERT_OK(printer_print(&b, (ArgPrinter) p, cmp, ARG_STYLE_PEOPLE));
                        /* Modes are octal for people; aliases print as the first name: both mean the value again. */
                        if (printer_parse((ArgPrinter) p, buffer_cstring(&b), &and2, &cmp2) < 0)
                                TEST_FAIL("%s is printed as %s, which means nothing", name, b.data);
                        if ((cmp2 & and) != cmp)
                                TEST_FAIL("%s is printed as %s, which is another value", name, b.data);
                        n++;
                }
        ASSERT_GT(n, 800);
        ASSERT_STREQ(printer_to_string(PRINTER_OPEN_FLAGS), "open flag");
        ASSERT_NULL(printer_to_string(PRINTER_DEFAULT));
        ASSERT_NULL(printer_name(PRINTER_DEFAULT, 0));
        ASSERT_NULL(printer_name(255, 0));
}

/* No bit is lost: what has no name is shown as a number, and reads back. */
TEST(round_trip_of_any_flags) {
        static const ArgPrinter printers[] = {
                PRINTER_OPEN_FLAGS, PRINTER_MMAP_FLAGS, PRINTER_MMAP_PROT, PRINTER_AT_FLAGS, PRINTER_MOUNT_FLAGS,
                PRINTER_SOCKET_TYPE, PRINTER_CLONE3_FLAGS, PRINTER_MSG_FLAGS, PRINTER_FUTEX_OP, PRINTER_MEMFD_FLAGS,
        };
        uint64_t seed = 88172645463325252ULL;

        for (unsigned round = 0; round < 5000; round++) {
                ArgPrinter p = printers[round % ELEMENTSOF(printers)];
                _cleanup_(buffer_done) Buffer b = {};
                uint64_t v, and, cmp;

                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                v = seed & (seed >> 32) & INT32_MAX;
                ASSERT_OK(printer_print(&b, p, v, ARG_STYLE_TRACEE));
                ASSERT_OK(printer_parse(p, buffer_cstring(&b), &and, &cmp));
                if (cmp != v)
                        TEST_FAIL("%#" PRIx64 " is printed as %s", v, b.data);
        }
}

typedef struct ValueRow {
        uint8_t type;
        ArgPrinter printer;
        const void *data;
        uint32_t size;
        const char *table, *people, *json_raw, *json, *journal;
} ValueRow;

#define N(v) (const uint64_t[]) { (uint64_t) (v) }, 8
#define S(s) s, sizeof(s)
#define RAW(s) s, sizeof(s) - 1

static const ValueRow value_rows[] = {
        { SCT_ARG_S32, 0, N(-5), "-5", "-5", "-5", "-5", "-5" },
        { SCT_ARG_U32, 0, N(4294967295U), "4294967295", "4294967295", "4294967295", "4294967295", "4294967295" },
        { SCT_ARG_U64, 0, N(UINT64_MAX), "18446744073709551615", "18446744073709551615", "18446744073709551615",
          "18446744073709551615", "18446744073709551615" },
        { SCT_ARG_BOOL, 0, N(1), "true", "true", "true", "true", "true" },
        { SCT_ARG_BOOL, 0, N(0), "false", "false", "false", "false", "false" },
        { SCT_ARG_PTR, 0, N(0x7fd7ce0d3a10), "0x7fd7ce0d3a10", "0x7fd7ce0d3a10", "140564851669520",
          "\"0x7fd7ce0d3a10\"", "0x7fd7ce0d3a10" },
        { SCT_ARG_PTR, 0, N(0), "0x0", "0x0", "0", "\"0x0\"", "0x0" },
        { SCT_ARG_FD, 0, N(3), "3", "3", "3", "3", "3" },
        { SCT_ARG_FD, 0, RAW("\3\0\0\0\0\0\0\0/etc/passwd\0"), "3=/etc/passwd", "3=/etc/passwd", "3",
          "\"3=/etc/passwd\"", "3=/etc/passwd" },
        { SCT_ARG_FD, 0, RAW("\3\0\0\0\0\0\0\0/a\"\n"), "3=/a\"\\n", "3=/a\"\\n", "3", "\"3=/a\\\"\\n\"", "3=/a\"\n" },
        { SCT_ARG_FD, PRINTER_DIRFD, N(-100), "-100", "AT_FDCWD", "-100", "-100", "AT_FDCWD" },
        { SCT_ARG_S32, PRINTER_OPEN_FLAGS, N(02000000), "O_RDONLY|O_CLOEXEC", "O_RDONLY|O_CLOEXEC", "524288",
          "\"O_RDONLY|O_CLOEXEC\"", "O_RDONLY|O_CLOEXEC" },
        { SCT_ARG_STR, 0, S("/tmp/a b"), "/tmp/a b", "/tmp/a b", "\"/tmp/a b\"", "\"/tmp/a b\"", "/tmp/a b" },
        { SCT_ARG_STR, 0, S("a\nb"), "a\\nb", "a\\nb", "\"a\\nb\"", "\"a\\nb\"", "a\nb" },
        { SCT_ARG_STR, 0, RAW("cut"), "cut", "cut", "\"cut\"", "\"cut\"", "cut" },
        { SCT_ARG_STR, 0, "", 0, "", "", "\"\"", "\"\"", "" },
        { SCT_ARG_STRV, 0, S("ls\0--color=auto"), "[ls --color=auto]", "[ls --color=auto]",
          "[\"ls\",\"--color=auto\"]", "[\"ls\",\"--color=auto\"]", "ls --color=auto" },
        { SCT_ARG_KSTRV, 0, S("sh\0-c\0echo hi\0"), "[sh -c echo hi ]", "[sh -c \"echo hi\" \"\"]",
          "[\"sh\",\"-c\",\"echo hi\",\"\"]", "[\"sh\",\"-c\",\"echo hi\",\"\"]", "sh -c echo hi " },
        { SCT_ARG_STRV, 0, "", 0, "[]", "[]", "[]", "[]", "" },
        { SCT_ARG_TIMESPEC, 0, (const uint64_t[]) { 1, 500000000 }, 16, "1.5", "1.5s", "1.5", "1.5", "1.5s" },
        { SCT_ARG_TIMESPEC, 0, (const uint64_t[]) { 0, 1 }, 16, "0.000000001", "0.000000001s", "0.000000001",
          "0.000000001", "0.000000001s" },
        { SCT_ARG_TIMESPEC, 0, (const uint64_t[]) { 7, UINT64_MAX }, 16, "7", "7s", "7", "7", "7s" },
        { SCT_ARG_INT2, 0, (const int[]) { 3, -4 }, 8, "[3 -4]", "[3 -4]", "[3,-4]", "[3,-4]", "[3 -4]" },
        { SCT_ARG_BYTES, 0, RAW("\x7f" "ELF"), "7f454c46", "7f454c46", "\"7f454c46\"", "\"7f454c46\"", "7f454c46" },
        { SCT_ARG_BYTES, PRINTER_TEXT, RAW("host"), "host", "host", "\"host\"", "\"host\"", "host" },
        { SCT_ARG_BYTES, PRINTER_OPEN_HOW, (const uint64_t[]) { 02000000, 0, 8 }, 24,
          "{flags: O_RDONLY|O_CLOEXEC, resolve: RESOLVE_BENEATH}", "{flags: O_RDONLY|O_CLOEXEC, resolve: RESOLVE_BENEATH}",
          "\"{flags: O_RDONLY|O_CLOEXEC, resolve: RESOLVE_BENEATH}\"",
          "\"{flags: O_RDONLY|O_CLOEXEC, resolve: RESOLVE_BENEATH}\"",
          "{flags: O_RDONLY|O_CLOEXEC, resolve: RESOLVE_BENEATH}" },
        { SCT_ARG_BYTES, PRINTER_CLONE_ARGS, (const uint64_t[]) { 0x100, 0, 0, 0, 17 }, 40,
          "{flags: CLONE_VM, exit_signal: SIGCHLD}", "{flags: CLONE_VM, exit_signal: SIGCHLD}",
          "\"{flags: CLONE_VM, exit_signal: SIGCHLD}\"", "\"{flags: CLONE_VM, exit_signal: SIGCHLD}\"",
          "{flags: CLONE_VM, exit_signal: SIGCHLD}" },
        { SCT_ARG_SOCKADDR, 0, RAW("\2\0\0\x50\x7f\0\0\1"), "map[sa_family:AF_INET sin_addr:127.0.0.1 sin_port:80]",
          "127.0.0.1:80", "{\"sa_family\":\"AF_INET\",\"sin_addr\":\"127.0.0.1\",\"sin_port\":\"80\"}",
          "{\"sa_family\":\"AF_INET\",\"sin_addr\":\"127.0.0.1\",\"sin_port\":\"80\"}", "127.0.0.1:80" },
        { SCT_ARG_SOCKADDR, 0, RAW("\12\0\0\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2\0\0\0"),
          "map[sa_family:AF_INET6 sin6_addr:::1 sin6_flowinfo:0 sin6_port:80 sin6_scopeid:2]", "[::1]:80",
          "{\"sa_family\":\"AF_INET6\",\"sin6_addr\":\"::1\",\"sin6_flowinfo\":\"0\",\"sin6_port\":\"80\","
          "\"sin6_scopeid\":\"2\"}",
          "{\"sa_family\":\"AF_INET6\",\"sin6_addr\":\"::1\",\"sin6_flowinfo\":\"0\",\"sin6_port\":\"80\","
          "\"sin6_scopeid\":\"2\"}", "[::1]:80" },
        { SCT_ARG_SOCKADDR, 0, S("\1\0/run/x"), "map[sa_family:AF_UNIX sun_path:/run/x]", "/run/x",
          "{\"sa_family\":\"AF_UNIX\",\"sun_path\":\"/run/x\"}", "{\"sa_family\":\"AF_UNIX\",\"sun_path\":\"/run/x\"}",
          "/run/x" },
        { SCT_ARG_SOCKADDR, 0, RAW("\1\0\0abs"), "map[sa_family:AF_UNIX sun_path:\\x00abs]", "@abs",
          "{\"sa_family\":\"AF_UNIX\",\"sun_path\":\"\\u0000abs\"}",
          "{\"sa_family\":\"AF_UNIX\",\"sun_path\":\"\\u0000abs\"}", "@abs" },
        { SCT_ARG_SOCKADDR_OUT, 0, RAW("\1\0"), "map[sa_family:AF_UNIX sun_path:]", "(unnamed)",
          "{\"sa_family\":\"AF_UNIX\",\"sun_path\":\"\"}", "{\"sa_family\":\"AF_UNIX\",\"sun_path\":\"\"}", "(unnamed)" },
        { SCT_ARG_SOCKADDR, 0, RAW("\20\0\0\0\1\0\0\0\0\0\0\0"), "map[sa_family:AF_NETLINK]", "AF_NETLINK",
          "{\"sa_family\":\"AF_NETLINK\"}", "{\"sa_family\":\"AF_NETLINK\"}", "AF_NETLINK" },
        { SCT_ARG_SOCKADDR, 0, RAW("\2\0"), "map[sa_family:AF_INET]", "AF_INET", "{\"sa_family\":\"AF_INET\"}",
          "{\"sa_family\":\"AF_INET\"}", "AF_INET" },
        { SCT_ARG_SOCKADDR, 0, "", 0, "map[sa_family:AF_UNSPEC]", "AF_UNSPEC", "{\"sa_family\":\"AF_UNSPEC\"}",
          "{\"sa_family\":\"AF_UNSPEC\"}", "AF_UNSPEC" },
};

/* Headers as they stand in packets: tables have the values as Tracee's have them, people and JSON have names too. */
static const ValueRow header_rows[] = {
        { SCT_ARG_INET, 0, RAW("\4\x8\x8\x4\x4"), "8.8.4.4", "8.8.4.4", "\"8.8.4.4\"", "\"8.8.4.4\"", "8.8.4.4" },
        { SCT_ARG_INET, 0, RAW("\6\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1", "2001:db8::1",
          "\"2001:db8::1\"", "\"2001:db8::1\"", "2001:db8::1" },
        { SCT_ARG_PROTO_IPV4, 0, RAW("\x46\x10\1\2\xab\xcd\x5f\xff\x40\6\x12\x34\x7f\0\0\1\xa\0\0\2"),
          "{4 6 16 258 43981 2 8191 64 TCP 4660 127.0.0.1 10.0.0.2}",
          "{version: 4, IHL: 6, TOS: 16, length: 258, id: 43981, flags: 2, fragOffset: 8191, TTL: 64, protocol: TCP, "
          "checksum: 4660, srcIP: 127.0.0.1, dstIP: 10.0.0.2}",
          "{\"version\":4,\"IHL\":6,\"TOS\":16,\"length\":258,\"id\":43981,\"flags\":2,\"fragOffset\":8191,\"TTL\":64,"
          "\"protocol\":\"TCP\",\"checksum\":4660,\"srcIP\":\"127.0.0.1\",\"dstIP\":\"10.0.0.2\"}", NULL, NULL },
        { SCT_ARG_PROTO_IPV6, 0, RAW("\x6a\xb1\x23\x45\0\x10\x3a\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
                                     "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\2"),
          "{6 171 74565 16 ICMPv6 255 ::1 fe80::2}",
          "{version: 6, trafficClass: 171, flowLabel: 74565, length: 16, nextHeader: ICMPv6, hopLimit: 255, srcIP: ::1, "
          "dstIP: fe80::2}",
          "{\"version\":6,\"trafficClass\":171,\"flowLabel\":74565,\"length\":16,\"nextHeader\":\"ICMPv6\","
          "\"hopLimit\":255,\"srcIP\":\"::1\",\"dstIP\":\"fe80::2\"}", NULL, NULL },
        { SCT_ARG_PROTO_TCP, 0, RAW("\1\xbb\xc0\0\xff\xff\xff\xfe\0\0\0\7\x51\x12\xfd\xe8\0\x63\0\5"),
          "{443 49152 4294967294 7 5 0 1 0 0 1 0 0 0 1 65000 99 5}",
          "{srcPort: 443, dstPort: 49152, seq: 4294967294, ack: 7, dataOffset: 5, SYN: 1, ACK: 1, NS: 1, window: 65000, "
          "checksum: 99, urgent: 5}",
          "{\"srcPort\":443,\"dstPort\":49152,\"seq\":4294967294,\"ack\":7,\"dataOffset\":5,\"FIN\":0,\"SYN\":1,"
          "\"RST\":0,\"PSH\":0,\"ACK\":1,\"URG\":0,\"ECE\":0,\"CWR\":0,\"NS\":1,\"window\":65000,\"checksum\":99,"
          "\"urgent\":5}", NULL, NULL },
        { SCT_ARG_PROTO_UDP, 0, RAW("\0\x35\xff\xff\0\x8\x80\0"), "{53 65535 8 32768}",
          "{srcPort: 53, dstPort: 65535, length: 8, checksum: 32768}",
          "{\"srcPort\":53,\"dstPort\":65535,\"length\":8,\"checksum\":32768}", NULL, NULL },
        { SCT_ARG_PROTO_ICMP, 0, RAW("\x8\0\x8d\1\0\x16\0\1"), "{EchoRequest 36097 22 1}",
          "{typeCode: EchoRequest, checksum: 36097, id: 22, seq: 1}",
          "{\"typeCode\":\"EchoRequest\",\"checksum\":36097,\"id\":22,\"seq\":1}", NULL, NULL },
        { SCT_ARG_PROTO_ICMPV6, 0, RAW("\x81\0\0\x2a"), "{EchoReply 42}", "{typeCode: EchoReply, checksum: 42}",
          "{\"typeCode\":\"EchoReply\",\"checksum\":42}", NULL, NULL },
};

static void check_json(Buffer *b, const char *expected) {
        struct json_object *o = json_tokener_parse(buffer_cstring(b));

        ASSERT_STREQ(b->data, expected);
        ASSERT_NOT_NULL(o);
        json_object_put(o);
}

static void check_values(const ValueRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const ValueRow *row = rows + i;
                const EventArgSpec spec = { .name = "x", .ctype = "x", .type = row->type, .printer = row->printer };
                const EventArg a = { .spec = &spec, .type = row->type, .size = row->size, .data = row->data };
                _cleanup_(buffer_done) Buffer b = {};

                ASSERT_OK(arg_print(&b, &a, ARG_STYLE_TRACEE));
                ASSERT_STREQ(buffer_cstring(&b), row->table);
                buffer_reset(&b);
                ASSERT_OK(arg_print(&b, &a, ARG_STYLE_PEOPLE));
                ASSERT_STREQ(buffer_cstring(&b), row->people);
                buffer_reset(&b);
                ASSERT_OK(arg_print_json(&b, &a, ARG_STYLE_RAW));
                check_json(&b, row->json_raw);
                buffer_reset(&b);
                ASSERT_OK(arg_print_json(&b, &a, ARG_STYLE_TRACEE));
                check_json(&b, row->json ?: row->json_raw);
                buffer_reset(&b);
                ASSERT_OK(arg_print_journal(&b, &a));
                ASSERT_MEM(b.data, b.size, row->journal ?: row->people, strlen(row->journal ?: row->people));
        }
}

TEST(values) {
        check_values(value_rows, ELEMENTSOF(value_rows));
}

TEST(headers_of_packets) {
        check_values(header_rows, ELEMENTSOF(header_rows));
}

TEST(decoded_values_become_strings) {
        const EventArgSpec flags = { .printer = PRINTER_OPEN_FLAGS }, mode = { .printer = PRINTER_MODE }, plain = {};
        uint64_t v = 1;
        EventArg a = { .spec = &flags, .type = SCT_ARG_S32, .size = 8, .data = (const uint8_t *) &v };

        ASSERT_TRUE(arg_is_decoded(&a, ARG_STYLE_TRACEE));
        ASSERT_FALSE(arg_is_decoded(&a, ARG_STYLE_RAW));
        a.spec = &mode;
        ASSERT_FALSE(arg_is_decoded(&a, ARG_STYLE_TRACEE));
        a.spec = &plain;
        ASSERT_FALSE(arg_is_decoded(&a, ARG_STYLE_TRACEE));
        a.type = SCT_ARG_PTR;
        ASSERT_FALSE(arg_is_decoded(&a, ARG_STYLE_TRACEE));
}

TEST(unreadable_and_cut_values) {
        const EventArgSpec spec = {};
        EventArg a = { .spec = &spec, .type = SCT_ARG_STR, .flags = SCT_ARG_FAULT };
        _cleanup_(buffer_done) Buffer b = {};

        ASSERT_OK(arg_print(&b, &a, ARG_STYLE_PEOPLE));
        ASSERT_STREQ(buffer_cstring(&b), "?");
        buffer_reset(&b);
        a = (EventArg) { .spec = &spec, .type = SCT_ARG_STR, .flags = SCT_ARG_TRUNCATED, .size = 3,
                         .data = (const uint8_t *) "abc" };
        ASSERT_OK(arg_print(&b, &a, ARG_STYLE_PEOPLE));
        ASSERT_STREQ(buffer_cstring(&b), "abc...");
}

typedef struct ObjectRow {
        uint8_t type;
        const void *data;
        uint32_t size;
        const char *text, *json;
} ObjectRow;

/* What arg-struct.h describes, as people and as programs read it. */
TEST(kernel_objects) {
        static const struct sct_sock sock = {
                .source = { .address = { 127, 0, 0, 1 }, .port = 40000, .family = 4 },
                .dest = { .address = { [15] = 1 }, .port = 443, .family = 6 },
                .family = 2, .type = 1, .protocol = 6, .state = 1, .cookie = 7,
        };
        static const struct sct_user_ns ns = { .level = -1, .owner = 1000, .group = 1000, .inum = 4026531837U };
        static const struct sct_bpf_map map = { .type = 1, .key_size = 4, .value_size = 8, .max_entries = 9,
                                                .name = "sixteen_bytes_xx" };
        static const struct sct_module module = { .name = "a\x1b", .flags = SCT_MODULE_SIGNATURE_OK };
        static const struct { struct sct_file f; char path[8]; } file = { { .flags = 02001, .mode = 0100644 }, "/a\n" };
        static const uint64_t caps = 1ULL << 21 | 1ULL << 41, compat = 0x80000000ULL | 5;
        static const ObjectRow rows[] = {
                { SCT_ARG_SOCK, &sock, sizeof(sock),
                  "{family: AF_INET, type: SOCK_STREAM, protocol: IPPROTO_TCP, source: 127.0.0.1:40000, dest: [::1]:443, "
                  "state: TCP_ESTABLISHED, cookie: 7}",
                  "{\"family\":\"AF_INET\",\"type\":\"SOCK_STREAM\",\"protocol\":\"IPPROTO_TCP\",\"source\":\"127.0.0.1:40000\","
                  "\"dest\":\"[::1]:443\",\"state\":\"TCP_ESTABLISHED\",\"mark\":0,\"priority\":0,\"cookie\":7}" },
                { SCT_ARG_SKB, "", 0, "{len: 0}",
                  "{\"family\":\"AF_UNSPEC\",\"protocol\":\"IPPROTO_IP\",\"source\":null,\"dest\":null,\"len\":0,\"hash\":0,"
                  "\"priority\":0,\"mark\":0,\"secpath_len\":0,\"secpath_olen\":0}" },
                { SCT_ARG_USER_NS, &ns, sizeof(ns), "{inum: 4026531837, level: -1, owner: 1000, group: 1000}",
                  "{\"inum\":4026531837,\"level\":-1,\"owner\":1000,\"group\":1000}" },
                { SCT_ARG_BPF_MAP, &map, sizeof(map),
                  "{type: BPF_MAP_TYPE_HASH, key_size: 4, value_size: 8, max_entries: 9, name: sixteen_bytes_xx}",
                  "{\"type\":\"BPF_MAP_TYPE_HASH\",\"key_size\":4,\"value_size\":8,\"max_entries\":9,"
                  "\"name\":\"sixteen_bytes_xx\"}" },
                { SCT_ARG_MODULE, &module, sizeof(module), "{name: a\\x1b, signature_ok: true}",
                  "{\"name\":\"a\\u001b\",\"size\":0,\"taints\":\"0x0\",\"signature_known\":false,\"signature_ok\":true}" },
                { SCT_ARG_FILE, &file, sizeof(file), "/a\\n",
                  "{\"path\":\"/a\\n\",\"flags\":\"O_WRONLY|O_APPEND\",\"mode\":\"0100644\"}" },
                { SCT_ARG_KCAP, &caps, sizeof(caps), "2199025352704", "2199025352704" },
                { SCT_ARG_SYSCALL64, &compat, sizeof(compat), "open (32-bit)", "\"open (32-bit)\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const EventArgSpec spec = {};
                EventArg a = { .spec = &spec, .type = rows[i].type, .size = rows[i].size, .data = rows[i].data };
                _cleanup_(buffer_done) Buffer b = {};

                ASSERT_OK(arg_print(&b, &a, ARG_STYLE_PEOPLE));
                ASSERT_STREQ(buffer_cstring(&b), rows[i].text);
                buffer_reset(&b);
                ASSERT_OK(arg_print_json(&b, &a, ARG_STYLE_PEOPLE));
                ASSERT_STREQ(buffer_cstring(&b), rows[i].json);
        }
}

/* arg-types.def and the rows of arg-type.c: a type without a row would print "?". */
TEST(every_wire_type_has_a_row) {
        static const uint8_t bytes[16];

        for (unsigned type = 1; type < _SCT_ARG_TYPE_MAX; type++) {
                const EventArgSpec spec = {};
                EventArg a = { .spec = &spec, .type = (uint8_t) type, .size = type == SCT_ARG_TIMESPEC ? 16 : 8,
                               .data = bytes };
                _cleanup_(buffer_done) Buffer b = {};

                ASSERT_OK(arg_print(&b, &a, ARG_STYLE_TRACEE));
                ASSERT_TRUE(strcmp(buffer_cstring(&b), "?") != 0);
        }
}

TEST(inet_as_inet_ntop) {
        uint64_t seed = 1;

        for (unsigned round = 0; round < 20000; round++) {
                _cleanup_(buffer_done) Buffer b = {};
                uint8_t address[16];
                char text[INET6_ADDRSTRLEN];

                for (size_t i = 0; i < sizeof(address); i++) {
                        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
                        address[i] = seed >> 40 & 3 ? 0 : (uint8_t) (seed >> 48);
                }
                if (round % 5 == 0) {
                        memset(address, 0, 10);
                        memset(address + 10, round % 2 ? 0xff : 0, 2);
                }
                ASSERT_OK(inet_print6(&b, address));
                ASSERT_STREQ(buffer_cstring(&b), inet_ntop(AF_INET6, address, text, sizeof(text)));
                buffer_reset(&b);
                ASSERT_OK(inet_print4(&b, address));
                ASSERT_STREQ(buffer_cstring(&b), inet_ntop(AF_INET, address, text, sizeof(text)));
        }
}

TEST_MAIN()
