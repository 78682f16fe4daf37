/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whole events: the rows of the documentation that users come from, byte for byte, from records built by hand; the
 * JSON line; MESSAGE; and the journal fields. */

#include <arpa/inet.h>
#include <json-c/json.h>
#include <time.h>

#include "abi/arg-struct.h"
#include "event/event-format.h"
#include "event-id.h"
#include "record-builder.h"
#include "test.h"

#define HEADER_VERBOSE                                                                      \
        "TIME             SCOPES            UTS_NAME          CONTAINER_ID  MNT_NS       PID_NS       UID    COMM      " \
        "       PID     TID     PPID    RET              EVENT                ARGS\n"
#define HEADER_VERBOSE_CONTAINERS                                                           \
        "TIME             SCOPES            UTS_NAME          CONTAINER_ID  MNT_NS       PID_NS       UID    COMM      " \
        "       PID/host        TID/host        PPID/host       RET              EVENT                ARGS\n"

/* Events of later work, described as a policy's own hooks would be. */
static const EventArgSpec debugging_args[] = {
        { .name = "request", .ctype = "long", .type = SCT_ARG_S64, .printer = 0 },
};
static const EventSpec other_specs[] = {
        { .id = SCT_EVENT_HOOK_FIRST, .name = "an_event_with_a_very_long_name", .family = EVENT_FAMILY_HOOK,
          .args = debugging_args, .n_args = ELEMENTSOF(debugging_args) },
};

static const EventSpec *lookup(uint16_t id, void *userdata) {
        size_t i = (size_t) id - SCT_EVENT_HOOK_FIRST;

        return i < ELEMENTSOF(other_specs) ? other_specs + i : NULL;
}

/* 2022-11-15 HH:MM:SS:uuuuuu UTC */
static uint64_t at(unsigned hour, unsigned minute, unsigned second, unsigned usec) {
        return (1668470400ULL + hour * 3600 + minute * 60 + second) * NSEC_PER_SEC + usec * NSEC_PER_USEC;
}

__attribute__((constructor)) static void use_utc(void) {
        setenv("TZ", "UTC", 1);
        tzset();
}

static void begin(RecordBuilder *r, uint16_t event, const char *comm, uint32_t pid, uint32_t tid, uint32_t ppid) {
        record_begin(r, event);
        record_set_comm(r, comm, "hb");
        record_set_pids(r, pid, tid, ppid);
        r->h.uid = 1000;
        r->h.mnt_ns = 4026531841;
        r->h.pid_ns = 4026531836;
        if (event < SCT_EVENT_SYS_ENTER) {
                r->h.syscall = event;
                r->h.flags |= SCT_RECORD_HAS_RETVAL;
        }
}

static void parse(RecordBuilder *r, Event *e, uint64_t scopes, uint64_t time_ns) {
        ASSERT_OK(record_parse(r->data, r->size, lookup, NULL, e));
        e->scopes = scopes;
        e->time_ns = time_ns;
}

static void check_row(const Event *e, EventFormat f, EventFormatFlags flags, const char *row) {
        _cleanup_(buffer_done) Buffer b = {};

        ASSERT_OK(event_format(&b, e, f, flags));
        ASSERT_STREQ(buffer_cstring(&b), row);
}

static void build_exec(RecordBuilder *r) {
        static const char argv[] = "ls\0--color=auto";

        begin(r, SCT_EVENT_SCHED_PROCESS_EXEC, "ls", 470751, 470751, 470503);
        record_add_string(r, 0, SCT_ARG_KSTR, "/usr/bin/ls");
        record_add_string(r, 1, SCT_ARG_PATH, "/usr/bin/ls");
        record_add_number(r, 2, SCT_ARG_U32, 271581189);
        record_add_number(r, 3, SCT_ARG_U64, 3933037);
        record_add_number(r, 4, SCT_ARG_U64, 1668553120490241295);
        record_add_number(r, 5, SCT_ARG_U16, 33261);
        record_add(r, 10, SCT_ARG_KSTRV, 0, argv, sizeof(argv));
        record_add_string(r, 11, SCT_ARG_KSTR, "/usr/bin/ls");
        record_add_number(r, 12, SCT_ARG_U16, 020620);
        record_add_string(r, 13, SCT_ARG_PATH, "/dev/pts/2");
        record_add_number(r, 14, SCT_ARG_S32, 0);
}

static void build_openat(RecordBuilder *r) {
        begin(r, SCT_EVENT_OPENAT, "id", 473432, 473432, 295394);
        r->h.retval = 3;
        record_add_number(r, 0, SCT_ARG_FD, (uint64_t) -100);
        record_add_string(r, 1, SCT_ARG_STR, "/etc/ld.so.cache");
        record_add_number(r, 2, SCT_ARG_S32, 02000000);
        record_add_number(r, 3, SCT_ARG_U32, 0);
}

/* A request to 8.8.8.8. */
static void build_echo(RecordBuilder *r, const char *from, uint16_t checksum, uint16_t id, uint16_t seq) {
        uint8_t header[SCT_ICMP_HEADER] = { 8, 0, (uint8_t) (checksum >> 8), (uint8_t) checksum, (uint8_t) (id >> 8),
                                            (uint8_t) id, (uint8_t) (seq >> 8), (uint8_t) seq };
        uint8_t src[5] = { 4 }, dst[5] = { 4, 8, 8, 8, 8 };

        ASSERT_EQ(inet_pton(AF_INET, from, src + 1), 1);
        record_add(r, 0, SCT_ARG_INET, 0, src, sizeof(src));
        record_add(r, 1, SCT_ARG_INET, 0, dst, sizeof(dst));
        record_add(r, 2, SCT_ARG_PROTO_ICMP, 0, header, sizeof(header));
}

static void build_ptrace(RecordBuilder *r, uint64_t request, uint64_t pid) {
        record_add_number(r, 0, SCT_ARG_S64, request);
        record_add_number(r, 1, SCT_ARG_S32, pid);
        record_add_number(r, 2, SCT_ARG_PTR, 0);
        record_add_number(r, 3, SCT_ARG_PTR, 0);
}

TEST(rows_of_the_documentation) {
        RecordBuilder r;
        Event e;

        build_exec(&r);
        parse(&r, &e, 1ULL << 41, at(20, 9, 15, 41923));
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, 0,
                  "20:09:15:041923  0000020000000000  hb                             4026531841   4026531836   1000   ls "
                  "              470751  470751  470503  0                sched_process_exec   cmdpath: /usr/bin/ls, "
                  "pathname: /usr/bin/ls, dev: 271581189, inode: 3933037, ctime: 1668553120490241295, inode_mode: 33261, "
                  "argv: [ls --color=auto], interp: /usr/bin/ls, stdin_type: S_IFCHR, stdin_path: /dev/pts/2, "
                  "invoked_from_kernel: 0\n");

        begin(&r, SCT_EVENT_SCHED_PROCESS_EXIT, "id", 471990, 471990, 470503);
        record_add_number(&r, 0, SCT_ARG_S64, 0);
        record_add_number(&r, 1, SCT_ARG_BOOL, 1);
        parse(&r, &e, 4, at(20, 14, 57, 74270));
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, 0,
                  "20:14:57:074270  0000000000000004  hb                             4026531841   4026531836   1000   id "
                  "              471990  471990  470503  0                sched_process_exit   exit_code: 0, "
                  "process_group_exit: true\n");

        begin(&r, SCT_EVENT_SCHED_PROCESS_EXIT, "pkgfile", 474162, 474166, 474161);
        record_add_number(&r, 0, SCT_ARG_S64, 0);
        record_add_number(&r, 1, SCT_ARG_BOOL, 0);
        parse(&r, &e, 0x100, at(20, 26, 50, 457932));
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, 0,
                  "20:26:50:457932  0000000000000100  hb                             4026531841   4026531836   1000   "
                  "pkgfile          474162  474166  474161  0                sched_process_exit   exit_code: 0, "
                  "process_group_exit: false\n");

        build_openat(&r);
        parse(&r, &e, 0x20, at(20, 23, 22, 794235));
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, 0,
                  "20:23:22:794235  0000000000000020  hb                             4026531841   4026531836   1000   id "
                  "              473432  473432  295394  3                openat               dirfd: -100, pathname: "
                  "/etc/ld.so.cache, flags: O_RDONLY|O_CLOEXEC, mode: 0\n");

        begin(&r, SCT_EVENT_CLOSE, "id", 473432, 473432, 295394);
        record_add_number(&r, 0, SCT_ARG_FD, 3);
        parse(&r, &e, 0x40, at(20, 23, 22, 794246));
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, 0,
                  "20:23:22:794246  0000000000000040  hb                             4026531841   4026531836   1000   id "
                  "              473432  473432  295394  0                close                fd: 3\n");

        begin(&r, SCT_EVENT_PTRACE, "strace", 480614, 480614, 295394);
        build_ptrace(&r, 0x4206, 480615);
        parse(&r, &e, 0x100, at(20, 59, 57, 941107));
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, 0,
                  "20:59:57:941107  0000000000000100  hb                             4026531841   4026531836   1000   "
                  "strace           480614  480614  295394  0                ptrace               request: PTRACE_SEIZE, "
                  "pid: 480615, addr: 0x0, data: 0x0\n");

        begin(&r, SCT_EVENT_PTRACE, "strace", 903355, 903355, 903353);
        build_ptrace(&r, 0, 0);
        parse(&r, &e, 0x104, at(22, 13, 28, 878450));
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, 0,
                  "22:13:28:878450  0000000000000104  hb                             4026531841   4026531836   1000   "
                  "strace           903355  903355  903353  0                ptrace               request: "
                  "PTRACE_TRACEME, pid: 0, addr: 0x0, data: 0x0\n");
}

TEST(rows_with_containers) {
        RecordBuilder r;
        Event e;

        begin(&r, SCT_EVENT_NET_PACKET_ICMP, "ping", 902452, 902452, 902386);
        build_echo(&r, "192.168.0.109", 6891, 39, 1);
        parse(&r, &e, 0x10, at(22, 6, 47, 106058));
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, EVENT_FORMAT_CONTAINERS,
                  "22:06:47:106058  0000000000000010  hb                             4026531841   4026531836   1000   "
                  "ping             902452 /902452  902452 /902452  902386 /902386  0                net_packet_icmp    "
                  "  src: 192.168.0.109, dst: 8.8.8.8, proto_icmp: {EchoRequest 6891 39 1}\n");

        begin(&r, SCT_EVENT_NET_PACKET_ICMP, "ping", 8, 8, 1);
        build_echo(&r, "172.17.0.2", 38257, 8, 0);
        memset(r.h.uts_name, 0, sizeof(r.h.uts_name));
        record_set_comm(&r, "ping", "e9cf0db70635");
        r.h.host_pid = r.h.host_tid = 902559;
        r.h.host_ppid = 899413;
        r.h.uid = 0;
        r.h.mnt_ns = 4026532904;
        r.h.pid_ns = 4026532908;
        parse(&r, &e, 0x14, at(22, 6, 54, 878971));
        e.container_id = "e9cf0db706352d7f3b4c6a7f8d9e0a1b2c3d4e5f60718293a4b5c6d7e8f90123";
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, EVENT_FORMAT_CONTAINERS,
                  "22:06:54:878971  0000000000000014  e9cf0db70635     e9cf0db70635  4026532904   4026532908   0      "
                  "ping             8      /902559  8      /902559  1      /899413  0                net_packet_icmp    "
                  "  src: 172.17.0.2, dst: 8.8.8.8, proto_icmp: {EchoRequest 38257 8 0}\n");
        check_row(&e, EVENT_FORMAT_TABLE, EVENT_FORMAT_CONTAINERS,
                  "22:06:54:878971  e9cf0db70635  0      ping             8      /902559  8      /902559  0             "
                  "   net_packet_icmp           src: 172.17.0.2, dst: 8.8.8.8, proto_icmp: {EchoRequest 38257 8 0}\n");
}

TEST(plain_table) {
        RecordBuilder r;
        Event e;

        build_openat(&r);
        parse(&r, &e, 1, at(20, 23, 22, 794235));
        check_row(&e, EVENT_FORMAT_TABLE, 0,
                  "20:23:22:794235  1000   id               473432  473432  3                openat                    "
                  "dirfd: -100, pathname: /etc/ld.so.cache, flags: O_RDONLY|O_CLOEXEC, mode: 0\n");
        begin(&r, SCT_EVENT_HOOK_FIRST, "x", 1, 2, 3);
        r.h.retval = -2;
        parse(&r, &e, 1, at(0, 0, 0, 0));
        check_row(&e, EVENT_FORMAT_TABLE, 0,
                  "00:00:00:000000  1000   x                1       2       -2               an_event_with_a_very_l... \n");
        check_row(&e, EVENT_FORMAT_TABLE_VERBOSE, 0,
                  "00:00:00:000000  0000000000000001  hb                             4026531841   4026531836   1000   "
                  "x                1       2       3       -2               an_event_with_a_very_long_name \n");
}

TEST(headers) {
        _cleanup_(buffer_done) Buffer b = {};

        ASSERT_OK(event_format_header(&b, EVENT_FORMAT_TABLE_VERBOSE, 0));
        ASSERT_STREQ(buffer_cstring(&b), HEADER_VERBOSE);
        buffer_reset(&b);
        ASSERT_OK(event_format_header(&b, EVENT_FORMAT_TABLE_VERBOSE, EVENT_FORMAT_CONTAINERS));
        ASSERT_STREQ(buffer_cstring(&b), HEADER_VERBOSE_CONTAINERS);
        buffer_reset(&b);
        ASSERT_OK(event_format_header(&b, EVENT_FORMAT_TABLE, 0));
        ASSERT_STREQ(buffer_cstring(&b), "TIME             UID    COMM             PID     TID     RET              "
                     "EVENT                     ARGS\n");
        buffer_reset(&b);
        ASSERT_OK(event_format_header(&b, EVENT_FORMAT_JSON, 0));
        ASSERT_EQ(b.size, 0);
}

/* The clock of the row is the local one, also across a change of its offset. */
TEST(local_time) {
        RecordBuilder r;
        Event e;

        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
        build_openat(&r);
        parse(&r, &e, 1, 1667091599ULL * NSEC_PER_SEC);          /* 2022-10-30 00:59:59 UTC */
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(buffer_done) Buffer b = {};

                e.time_ns = (1667091599ULL + i) * NSEC_PER_SEC;
                ASSERT_OK(event_format(&b, &e, EVENT_FORMAT_TABLE, 0));
                ASSERT_TRUE(strncmp(b.data, i == 0 ? "02:59:59:000000" : "02:00:00:000000", 15) == 0);
        }
        use_utc();
        event_format_set_epoch(5 * NSEC_PER_SEC);
        r.h.time_ns = 6 * NSEC_PER_SEC + 250 * NSEC_PER_MSEC;
        {
                _cleanup_(buffer_done) Buffer b = {};

                ASSERT_OK(event_format(&b, &e, EVENT_FORMAT_TABLE, EVENT_FORMAT_RELATIVE_TIME));
                ASSERT_TRUE(strncmp(b.data, "00:00:01:250000", 15) == 0);
        }
        event_format_set_epoch(0);
}

/* Order and names of the members, and the arguments' shape, are those of the documentation's lines. */
TEST(json_of_the_documentation) {
        RecordBuilder r;
        Event e;

        begin(&r, SCT_EVENT_OPENAT, "bash", 2578238, 2578238, 2578237);
        memset(r.h.uts_name, 0, sizeof(r.h.uts_name));
        record_set_comm(&r, "bash", "fujitsu");
        r.h.start_ns = 620311624458929;
        r.h.cpu = 7;
        r.h.cgroup_id = 1;
        r.h.mnt_ns = 4026531840;
        r.h.retval = 3;
        record_add_number(&r, 0, SCT_ARG_FD, (uint64_t) -100);
        record_add_string(&r, 1, SCT_ARG_STR, "/tmp/testing.txt");
        record_add_number(&r, 2, SCT_ARG_S32, 01101);
        record_add_number(&r, 3, SCT_ARG_U32, 438);
        parse(&r, &e, 35, 1657321167356729582);
        check_row(&e, EVENT_FORMAT_JSON, EVENT_FORMAT_PARSE_ARGUMENTS,
                  "{\"timestamp\":1657321167356729582,\"threadStartTime\":620311624458929,\"processorId\":7,"
                  "\"processId\":2578238,\"cgroupId\":1,\"threadId\":2578238,\"parentProcessId\":2578237,"
                  "\"hostProcessId\":2578238,\"hostThreadId\":2578238,\"hostParentProcessId\":2578237,\"userId\":1000,"
                  "\"mountNamespace\":4026531840,\"pidNamespace\":4026531836,\"processName\":\"bash\","
                  "\"hostName\":\"fujitsu\",\"containerId\":\"\",\"containerImage\":\"\",\"containerName\":\"\","
                  "\"podName\":\"\",\"podNamespace\":\"\",\"podUID\":\"\",\"podSandbox\":false,\"eventId\":\"257\","
                  "\"eventName\":\"openat\",\"matchedScopes\":35,\"argsNum\":4,\"returnValue\":3,"
                  "\"syscall\":\"openat\",\"stackAddresses\":null,"
                  "\"contextFlags\":{\"containerStarted\":false,\"isCompat\":false},"
                  "\"args\":[{\"name\":\"dirfd\",\"type\":\"int\",\"value\":-100},"
                  "{\"name\":\"pathname\",\"type\":\"const char*\",\"value\":\"/tmp/testing.txt\"},"
                  "{\"name\":\"flags\",\"type\":\"string\",\"value\":\"O_WRONLY|O_CREAT|O_TRUNC\"},"
                  "{\"name\":\"mode\",\"type\":\"mode_t\",\"value\":438}]}\n");

        begin(&r, SCT_EVENT_CLONE, "bash", 1, 1, 1);
        record_add_number(&r, 0, SCT_ARG_U64, 0x1200011);
        record_add_number(&r, 1, SCT_ARG_PTR, 0);
        record_add_number(&r, 2, SCT_ARG_PTR, 0);
        record_add_number(&r, 3, SCT_ARG_PTR, 0x7fd7ce0d3a10);
        record_add_number(&r, 4, SCT_ARG_U64, 0);
        parse(&r, &e, 1, 1);
        {
                _cleanup_(buffer_done) Buffer b = {};

                ASSERT_OK(event_format(&b, &e, EVENT_FORMAT_JSON, EVENT_FORMAT_PARSE_ARGUMENTS));
                ASSERT_CONTAINS(buffer_cstring(&b),
                        "\"args\":[{\"name\":\"flags\",\"type\":\"string\",\"value\":\"CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID\"},"
                        "{\"name\":\"stack\",\"type\":\"void*\",\"value\":\"0x0\"},"
                        "{\"name\":\"parent_tid\",\"type\":\"int*\",\"value\":\"0x0\"},"
                        "{\"name\":\"child_tid\",\"type\":\"int*\",\"value\":\"0x7fd7ce0d3a10\"},"
                        "{\"name\":\"tls\",\"type\":\"unsigned long\",\"value\":0}]");
        }
}

TEST(json_raw_hostile_and_own_members) {
        static const char *const policies[] = { "one", "t\"wo" };
        _cleanup_(buffer_done) Buffer b = {};
        struct json_object *o, *args, *v;
        RecordBuilder r;
        Event e;

        begin(&r, SCT_EVENT_OPENAT, "a\"\n\xff" "bcdefghijkl", 1, 1, 1);         /* 16 bytes, no NUL */
        memset(r.h.uts_name, 'u', sizeof(r.h.uts_name));
        record_add_string(&r, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, "/bin/x\\y");
        record_add(&r, 1, SCT_ARG_STR, SCT_ARG_FAULT, NULL, 0);
        record_add_number(&r, 2, SCT_ARG_S32, 02000000);
        r.h.flags |= SCT_RECORD_COMPAT;
        parse(&r, &e, UINT64_MAX, 1);
        e.policies = policies;
        e.n_policies = 2;
        e.unit = "nginx.service";
        e.container_id = "abc";
        ASSERT_OK(event_format(&b, &e, EVENT_FORMAT_JSON, 0));
        o = json_tokener_parse(buffer_cstring(&b));
        ASSERT_NOT_NULL(o);
        ASSERT_TRUE(json_object_object_get_ex(o, "args", &args));
        ASSERT_EQ(json_object_array_length(args), 1);
        ASSERT_STREQ(json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN),
                     "[{\"name\":\"flags\",\"type\":\"int\",\"value\":524288}]");
        ASSERT_CONTAINS(b.data, "\"matchedScopes\":18446744073709551615,\"argsNum\":1,");
        ASSERT_CONTAINS(b.data, "\"containerId\":\"abc\"");
        ASSERT_CONTAINS(b.data, "\"contextFlags\":{\"containerStarted\":true,\"isCompat\":true}");
        ASSERT_TRUE(json_object_object_get_ex(o, "executable", &v));
        ASSERT_STREQ(json_object_get_string(v), "/bin/x\\y");
        ASSERT_TRUE(json_object_object_get_ex(o, "unit", &v));
        ASSERT_STREQ(json_object_get_string(v), "nginx.service");
        ASSERT_TRUE(json_object_object_get_ex(o, "matchedPolicies", &v));
        ASSERT_STREQ(json_object_get_string(json_object_array_get_idx(v, 1)), "t\"wo");
        ASSERT_TRUE(json_object_object_get_ex(o, "hostName", &v));
        ASSERT_EQ(json_object_get_string_len(v), SCT_UTS_LEN);
        json_object_put(o);
}

static void check_message(RecordBuilder *r, const char *message) {
        _cleanup_(buffer_done) Buffer b = {};
        Event e;

        parse(r, &e, 1, 1);
        ASSERT_OK(event_format_message(&b, &e));
        ASSERT_STREQ(buffer_cstring(&b), message);
}

TEST(messages) {
        RecordBuilder r;

        begin(&r, SCT_EVENT_OPENAT, "cat", 1234, 1234, 1);
        r.h.retval = 3;
        record_add_number(&r, 0, SCT_ARG_FD, (uint64_t) -100);
        record_add_string(&r, 1, SCT_ARG_STR, "/etc/passwd");
        record_add_number(&r, 2, SCT_ARG_S32, 0);
        record_add_number(&r, 3, SCT_ARG_U32, 0);
        check_message(&r, "cat[1234] openat(dirfd: AT_FDCWD, pathname: /etc/passwd, flags: O_RDONLY, mode: 0) = 3");
        r.h.retval = -2;
        check_message(&r, "cat[1234] openat(dirfd: AT_FDCWD, pathname: /etc/passwd, flags: O_RDONLY, mode: 0) = -2 (ENOENT)");

        begin(&r, SCT_EVENT_CHMOD, "a\x1b[2Jb", 1, 1, 1);
        record_add(&r, 0, SCT_ARG_STR, SCT_ARG_TRUNCATED, "x\ny", 3);
        record_add_number(&r, 1, SCT_ARG_U32, 0644);
        check_message(&r, "a\\x1b[2Jb[1] chmod(pathname: x\\ny..., mode: 0644) = 0");

        begin(&r, SCT_EVENT_MMAP, "x", 1, 1, 1);
        r.h.retval = 0x7f01d3e62000;
        check_message(&r, "x[1] mmap() = 0x7f01d3e62000");

        begin(&r, SCT_EVENT_EXIT_GROUP, "x", 1, 1, 1);
        record_add_number(&r, 0, SCT_ARG_S32, 1);
        check_message(&r, "x[1] exit_group(status: 1)");

        begin(&r, SCT_EVENT_SCHED_PROCESS_EXIT, "x", 1, 1, 1);
        record_add_number(&r, 0, SCT_ARG_S64, 256);
        check_message(&r, "x[1] sched_process_exit(exit_code: 256)");

        begin(&r, SCT_EVENT_CONNECT, "x", 1, 1, 1);
        record_add_number(&r, 0, SCT_ARG_FD, 5);
        record_add(&r, 1, SCT_ARG_SOCKADDR, 0, "\2\0\0\x50\x7f\0\0\1\0\0\0\0\0\0\0\0", 16);
        record_add_number(&r, 2, SCT_ARG_S32, 16);
        r.h.retval = -111;
        check_message(&r, "x[1] connect(sockfd: 5, addr: 127.0.0.1:80, addrlen: 16) = -111 (ECONNREFUSED)");
}

/* A MESSAGE stays a line; TRACE_ARGS has the whole. */
TEST(long_arguments_are_cut_in_the_message) {
        _cleanup_(buffer_done) Buffer message = {}, args = {};
        char path[4001];
        RecordBuilder r;
        Event e;

        for (size_t i = 0; i + 1 < sizeof(path); i += 2)
                memcpy(path + i, "\xc3\xa9", 2);
        path[sizeof(path) - 1] = '\0';
        begin(&r, SCT_EVENT_OPENAT, "x", 1, 1, 1);
        record_add_string(&r, 1, SCT_ARG_STR, path);
        record_add_number(&r, 2, SCT_ARG_S32, 0);
        parse(&r, &e, 1, 1);
        ASSERT_OK(event_format_message(&message, &e));
        ASSERT_LT(message.size, 700);
        ASSERT_CONTAINS(buffer_cstring(&message), "\xc3\xa9..., flags: O_RDONLY) = 0");
        ASSERT_OK(event_format_args(&args, &e, true));
        ASSERT_EQ(args.size, strlen("pathname: , flags: O_RDONLY") + 4000);
}

/* Text of NAME=..., the nth of that name; NULL when there is none. */
static const char *field(const FieldList *l, const char *name, unsigned nth, char *ret, size_t size) {
        size_t n = strlen(name);

        for (size_t i = 0; i < l->n; i++) {
                const char *item = l->data.data + l->offsets[i];
                size_t item_size = l->offsets[i + 1] - l->offsets[i];

                if (item_size <= n || item[n] != '=' || memcmp(item, name, n) != 0 || nth-- > 0)
                        continue;
                ASSERT_LT(item_size - n, size);
                memcpy(ret, item + n + 1, item_size - n - 1);
                ret[item_size - n - 1] = '\0';
                return ret;
        }
        return NULL;
}

typedef struct FieldRow {
        const char *name, *value;
} FieldRow;

static const FieldRow field_rows[] = {
        { "MESSAGE", "id[473432] openat(dirfd: AT_FDCWD, pathname: /etc/ld.so.cache, flags: O_RDONLY|O_CLOEXEC, mode: 0) = 3" },
        { "MESSAGE_ID", "2aeb64d4ab1e486eb8d3abe90f3d82ee" },
        { "PRIORITY", "5" }, { "SYSLOG_IDENTIFIER", "scopetrace" }, { "MATCHED_SCOPES", "35" },
        { "TRACE_EVENT", "openat" }, { "TRACE_HOOK", "tp_btf" }, { "TRACE_TIME_NS", "77" }, { "TRACE_SEQ", "9" },
        { "TRACE_PID", "473432" }, { "TRACE_TID", "473432" }, { "TRACE_PPID", "295394" },
        { "TRACE_HOST_PID", "473432" }, { "TRACE_HOST_TID", "473432" }, { "TRACE_HOST_PPID", "295394" },
        { "TRACE_UID", "1000" }, { "TRACE_GID", "100" }, { "TRACE_COMM", "id" }, { "TRACE_EXE", "/usr/bin/id" },
        { "TRACE_UTS_NAME", "hb" }, { "TRACE_MNT_NS", "4026531841" }, { "TRACE_PID_NS", "4026531836" },
        { "TRACE_CGROUP", "/system.slice/nginx.service" }, { "TRACE_CONTAINER_ID", NULL }, { "TRACE_SYSCALL", "openat" },
        { "TRACE_START_NS", "42" }, { "TRACE_RETVAL", "3" },
        { "TRACE_ARGS", "dirfd: AT_FDCWD, pathname: /etc/ld.so.cache, flags: O_RDONLY|O_CLOEXEC, mode: 0" },
        { "TRACE_ARG_DIRFD", "AT_FDCWD" }, { "TRACE_ARG_PATHNAME", "/etc/ld.so.cache" },
        { "TRACE_ARG_FLAGS", "O_RDONLY|O_CLOEXEC" }, { "TRACE_ARG_MODE", "0" }, { "TRACE_ACTION", "post" },
        { "OBJECT_SYSTEMD_UNIT", "nginx.service" }, { "OBJECT_SYSTEMD_SLICE", "system.slice" },
        { "OBJECT_SYSTEMD_USER_UNIT", NULL }, { "OBJECT_PID", NULL },
};

TEST(journal_fields) {
        static const char *const policies[] = { "a", "b" };
        _cleanup_(field_list_done) FieldList l = {};
        char text[1024];
        RecordBuilder r;
        size_t n;
        Event e;

        build_openat(&r);
        record_add_string(&r, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, "/usr/bin/id");
        r.h.gid = 100;
        r.h.start_ns = 42;
        parse(&r, &e, 35, 77);
        e.policies = policies;
        e.n_policies = 2;
        e.priority = 5;
        e.seq = 9;
        e.hook = "tp_btf";
        e.unit = "nginx.service";
        e.slice = "system.slice";
        e.cgroup_path = "/system.slice/nginx.service";
        ASSERT_GT(event_format_fields(&l, &e), 0);
        for (size_t i = 0; i < ELEMENTSOF(field_rows); i++) {
                const char *value = field(&l, field_rows[i].name, 0, text, sizeof(text));

                if (!field_rows[i].value)
                        ASSERT_NULL(value);
                else
                        ASSERT_STREQ(value, field_rows[i].value);
        }
        /* 35 is the scopes 1, 2 and 6, one field each; so are the policies. */
        ASSERT_STREQ(field(&l, "SCOPE", 0, text, sizeof(text)), "1");
        ASSERT_STREQ(field(&l, "SCOPE", 1, text, sizeof(text)), "2");
        ASSERT_STREQ(field(&l, "SCOPE", 2, text, sizeof(text)), "6");
        ASSERT_NULL(field(&l, "SCOPE", 3, text, sizeof(text)));
        ASSERT_STREQ(field(&l, "POLICY", 1, text, sizeof(text)), "b");
        ASSERT_NULL(field(&l, "MESSAGE", 1, text, sizeof(text)));

        /* Names as journald takes them. */
        ASSERT_NOT_NULL(buffer_cstring(&l.data));
        for (size_t i = 0; i < l.n; i++) {
                const char *item = l.data.data + l.offsets[i], *eq = memchr(item, '=', l.offsets[i + 1] - l.offsets[i]);

                ASSERT_NOT_NULL(eq);
                ASSERT_TRUE(eq - item > 0 && eq - item <= 64);
                ASSERT_EQ(strspn(item, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), eq - item);
        }

        /* The list is reused. */
        n = l.n;
        field_list_reset(&l);
        ASSERT_EQ(l.n, 0);
        ASSERT_EQ(event_format_fields(&l, &e), n);
}

TEST(journal_fields_are_binary_safe) {
        static const EventArgSpec args[] = {
                { .name = "odd-Name.of an argument that is much longer than what a field name may have in journald's eyes",
                  .ctype = "char*", .type = SCT_ARG_STR },
        };
        static const EventSpec spec = { .id = SCT_EVENT_HOOK_FIRST, .name = "hook", .family = EVENT_FAMILY_HOOK,
                                        .args = args, .n_args = 1 };
        _cleanup_(field_list_done) FieldList l = {};
        _cleanup_(buffer_done) Buffer b = {};
        char text[1024];
        RecordBuilder r;
        Event e;

        begin(&r, SCT_EVENT_HOOK_FIRST, "x", 1, 1, 1);
        record_add_string(&r, 0, SCT_ARG_STR, "a\nb\xff");
        parse(&r, &e, 1, 5000);
        e.spec = &spec;
        e.args[0].spec = args;
        e.actions = (const char *const[]) { "sigkill", "post" };
        e.n_actions = 2;
        e.kernel_stack.text = "f+0x1\ng+0x2";
        e.kernel_stack.size = strlen(e.kernel_stack.text);
        ASSERT_GT(event_format_fields(&l, &e), 0);
        ASSERT_STREQ(field(&l, "TRACE_ARG_ODD_NAME_OF_AN_ARGUMENT_THAT_IS_MUCH_LONGER_THAN_WHAT_", 0, text, sizeof(text)),
                     "a\nb\xff");
        ASSERT_CONTAINS(field(&l, "TRACE_ARGS", 0, text, sizeof(text)), ": a\\nb\\xff");
        ASSERT_STREQ(field(&l, "TRACE_ACTION", 0, text, sizeof(text)), "sigkill");
        ASSERT_STREQ(field(&l, "TRACE_ACTION", 1, text, sizeof(text)), "post");
        ASSERT_STREQ(field(&l, "TRACE_KERNEL_STACK", 0, text, sizeof(text)), "f+0x1\ng+0x2");
        ASSERT_NULL(field(&l, "TRACE_USER_STACK", 0, text, sizeof(text)));
        ASSERT_STREQ(field(&l, "MESSAGE_ID", 0, text, sizeof(text)), "89b1336c698d4270b27c68208ec0b743");
        ASSERT_NULL(field(&l, "TRACE_RETVAL", 0, text, sizeof(text)));
        ASSERT_NULL(field(&l, "TRACE_SYSCALL", 0, text, sizeof(text)));

        /* In the export format a value with a newline has its length before it. */
        ASSERT_OK(event_format(&b, &e, EVENT_FORMAT_EXPORT, 0));
        ASSERT_TRUE(strncmp(buffer_cstring(&b), "__REALTIME_TIMESTAMP=5\nMESSAGE=x[1] hook(", 41) == 0);
        ASSERT_NOT_NULL(memmem(b.data, b.size, "_THAN_WHAT_\n\4\0\0\0\0\0\0\0a\nb\xff\n", 25));
        ASSERT_MEM(b.data + b.size - 2, 2, "\n\n", 2);
}

TEST(format_names) {
        for (EventFormat f = 0; f < _EVENT_FORMAT_MAX; f++)
                ASSERT_EQ(event_format_from_string(event_format_to_string(f)), f);
        ASSERT_EQ(event_format_from_string("format:table-verbose"), EVENT_FORMAT_TABLE_VERBOSE);
        ASSERT_EQ(event_format_from_string("xml"), _EVENT_FORMAT_INVALID);
        ASSERT_EQ(event_format_from_string(""), _EVENT_FORMAT_INVALID);
        ASSERT_EQ(event_format_from_string("format:"), _EVENT_FORMAT_INVALID);
        ASSERT_NULL(event_format_to_string(_EVENT_FORMAT_MAX));
}

TEST_MAIN()
