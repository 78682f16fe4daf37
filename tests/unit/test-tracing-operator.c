/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What TracingPolicy's filters mean, value by value, and the traps: 64-bit sizes, negative numbers in sets, signed small
 * integers, entries and values beyond the fourth, ranges without bound, types that an operator does not know. */

#include <sys/stat.h>

#include "tracing-test.h"

/* One argument of `type` with one filter; its condition. */
static Parsed parse_filter(const char *type, const char *operator, const char *values) {
        char text[1024];

        snprintf(text, sizeof(text), "  kprobes:\n  - call: f\n    syscall: false\n    args: [{index: 3, type: "
                 "%s%s}]\n    selectors:\n"
                 "    - matchArgs:\n      - {index: 3, operator: %s%s%s}\n", type,
                 strstr(type, "char_") ? ", sizeArgIndex: 2" : "", operator, values ? ", values: " : "", values ?: "");
        return parse_spec(text);
}

static const Condition *filter_condition(const Parsed *p, unsigned field) {
        const PolicyEvent *e = rule_of(p)->events;

        ASSERT_EQ(e->n_conditions, 1);
        ASSERT_EQ(e->conditions[0].field, field);
        ASSERT_GE(e->conditions[0].line, 1);
        return e->conditions;
}

typedef struct NumberRow {
        const char *type, *operator, *values;
        uint64_t yes[3], no[3];         /* as on the wire */
} NumberRow;

#define S(v) ((uint64_t) (int64_t) (v))

static const NumberRow number_rows[] = {
        { "int", "Equal", "[1, 2, 3, 4, 5]", { 5, 1, 3 }, { 0, 6, S(-1) } },
        { "int", "NotEqual", "[1, 2]", { 0, 3, S(-1) }, { 1, 2, 1 } },
        { "int", "Equal", "[\"-1\", 0xfffffffe, 0x10]", { S(-1), S(-2), 16 }, { 0xffffffffULL, 0xfffffffeULL, 10 } },
        { "int", "Equal", "[010, 0b11]", { 8, 3, 8 }, { 10, 11, 2 } },
        { "uint32", "Equal", "[4294967295]", { 0xffffffffULL, 0xffffffffULL, 0xffffffffULL }, { S(-1), 1, 0 } },
        { "uint32", "Equal", "[-1]", { 0xffffffffULL, 0xffffffffULL, 0xffffffffULL }, { S(-1), 1, 0 } },
        { "int", "eq", "[7]", { 7, 7, 7 }, { 8, 0, 1 } },
        { "int", "In", "[7, 9]", { 7, 9, 9 }, { 8, 0, 1 } },
        /* Larger than any of the values, smaller than any: several bounds are alternatives. */
        { "int", "GT", "[10, 5]", { 6, 11, INT32_MAX }, { 5, 0, S(-7) } },
        { "int", "lt", "[10, 5]", { 9, 0, S(-7) }, { 10, 11, INT32_MAX } },
        { "uint32", "gt", "[2147483648]", { 0x80000001ULL, 0xffffffffULL, 0x90000000ULL }, { 0x80000000ULL, 1, 0 } },
        { "uint64", "GreaterThan", "[0x8000000000000000]", { UINT64_MAX, 0x8000000000000001ULL, UINT64_MAX },
          { INT64_MAX, 0, 1 } },
        { "long", "LessThan", "[0]", { S(-1), (uint64_t) INT64_MIN, S(-9) }, { 0, 1, INT64_MAX } },
        /* size_t has 64 bits. */
        { "size_t", "Equal", "[1]", { 1, 1, 1 }, { 0x100000001ULL, 0, 2 } },
        { "size_t", "Equal", "[0x100000001]", { 0x100000001ULL, 0x100000001ULL, 0x100000001ULL }, { 1, 0, 2 } },
        { "size_t", "GT", "[4294967296]", { 0x100000001ULL, UINT64_MAX, 1ULL << 63 }, { 1, 0xffffffffULL, 0 } },
        /* 8 and 16 bits, signed. */
        { "int8", "LT", "[0]", { S(-1), S(-128), S(-5) }, { 0, 1, 127 } },
        { "sint16", "GT", "[-5]", { S(-4), 0, 32767 }, { S(-5), S(-6), S(-32768) } },
        { "int16", "Equal", "[-2]", { S(-2), S(-2), S(-2) }, { 0xfffe, 2, 0 } },
        { "uint8", "Equal", "[255]", { 255, 255, 255 }, { S(-1), 0, 1 } },
        /* Sets, with negative numbers of 32 bits and ranges of any width. */
        { "int", "InMap", "[\"-1\", \"10:20\"]", { S(-1), 10, 20 }, { 0xffffffffULL, 9, 21 } },
        { "int", "NotInMap", "[\"-1\", \"10:20\"]", { 0, 9, 0xffffffffULL }, { S(-1), 15, 20 } },
        { "uint32", "InMap", "[\"0:4294967295\"]", { 0, 77, 0xffffffffULL }, { 1ULL << 32, S(-1), 1ULL << 33 } },
        { "int", "InRange", "[\"-5:5\", \"100:200\"]", { S(-5), 0, 200 }, { S(-6), 6, 201 } },
        { "int", "NotInRange", "[\"-5:5\", \"100:200\"]", { S(-6), 99, 201 }, { S(-5), 5, 150 } },
        { "uint64", "InRange", "[\"9223372036854775808:18446744073709551615\"]", { 1ULL << 63, UINT64_MAX, S(-5) },
          { INT64_MAX, 0, 1 } },
        { "kernel_cap_t", "Equal", "[\"CAP_CHOWN,CAP_SYS_ADMIN\", 5]", { 1 | 1 << 21, 5, 5 }, { 1, 1 << 21, 0 } },
        { "cap_effective", "NotEqual", "[CAP_CHOWN]", { 0, 3, 1 << 21 }, { 1, 1, 1 } },
        { "capability", "Equal", "[CAP_SYS_ADMIN]", { 21, 21, 21 }, { 1 << 21, 0, 1 } },
        { "bpf_cmd", "NotEqual", "[BPF_PROG_LOAD, 0]", { 1, 6, 4 }, { 5, 0, 5 } },
        { "fd", "Equal", "[0, \"1\", 2]", { 0, 1, 2 }, { 3, S(-1), 4 } },
};

TEST(numbers) {
        for (size_t i = 0; i < ELEMENTSOF(number_rows); i++) {
                const NumberRow *row = number_rows + i;
                Parsed p = parse_filter(row->type, row->operator, row->values);
                const Condition *c;

                if (p.n != 1 || p.problems.n > 0) {
                        print_problems(&p.problems);
                        TEST_FAIL("%s %s %s", row->type, row->operator, row->values);
                }
                c = filter_condition(&p, SCT_FIELD_ARG);
                ASSERT_EQ(c->class, CONDITION_NUMBER);
                for (size_t k = 0; k < ELEMENTSOF(row->yes); k++) {
                        if (!condition_number_matches(c, row->yes[k]))
                                TEST_FAIL("%s %s %s: %" PRIx64 " does not match", row->type, row->operator,
                                          row->values, row->yes[k]);
                        if (condition_number_matches(c, row->no[k]))
                                TEST_FAIL("%s %s %s: %" PRIx64 " matches", row->type, row->operator, row->values,
                                          row->no[k]);
                }
                /* A range is a range, however wide: nothing is written out. */
                ASSERT_TRUE(c->n_eq + c->n_ne + c->n_ranges <= 5);
                parsed_done(&p);
        }
}

TEST(masks) {
        Parsed p = parse_filter("uint32", "Mask", "[1, 0x80000000]");
        const Condition *c = filter_condition(&p, SCT_FIELD_ARG);

        ASSERT_TRUE(condition_mask_matches(c, 3));
        ASSERT_TRUE(condition_mask_matches(c, 0x80000000ULL));
        ASSERT_FALSE(condition_mask_matches(c, 6));
        parsed_done(&p);

        p = parse_filter("int", "Mask", "[-1]");
        ASSERT_TRUE(condition_mask_matches(filter_condition(&p, SCT_FIELD_ARG), 4));
        ASSERT_FALSE(condition_mask_matches(filter_condition(&p, SCT_FIELD_ARG), 0));
        parsed_done(&p);

        p = parse_filter("cap_permitted", "Mask", "[CAP_NET_RAW, cap_bpf]");
        ASSERT_TRUE(condition_mask_matches(filter_condition(&p, SCT_FIELD_ARG), 1ULL << 39));
        ASSERT_FALSE(condition_mask_matches(filter_condition(&p, SCT_FIELD_ARG), 1ULL << 21));
        parsed_done(&p);

        /* Flags of a system call by name: the argument's own printer knows them. */
        p = good_hook("  - call: sys_openat\n    args: [{index: 2, type: int}]\n    selectors:\n"
                      "    - matchArgs: [{index: 2, operator: Equal, values: [O_WRONLY]}, {index: 2, operator: Mask, "
                      "values: [O_CREAT|O_EXCL]}]\n");
        ASSERT_TRUE(condition_mask_matches(rule_of(&p)->events[0].conditions, 0101));
        ASSERT_FALSE(condition_mask_matches(rule_of(&p)->events[0].conditions, 02));
        ASSERT_TRUE(condition_mask_matches(rule_of(&p)->events[0].conditions + 1, 0200));
        ASSERT_FALSE(condition_mask_matches(rule_of(&p)->events[0].conditions + 1, 01));
        parsed_done(&p);
}

typedef struct StringRow {
        const char *type, *operator, *values, *yes[2], *no[2];
} StringRow;

static const StringRow string_rows[] = {
        { "string", "Equal", "[\"/etc/passwd\\0\", b]", { "/etc/passwd", "b" }, { "/etc/passwd2", "" } },
        { "string", "NotEqual", "[a, b]", { "c", "" }, { "a", "b" } },
        { "string", "Prefix", "[/nonexistent/x]", { "/nonexistent/x", "/nonexistent/xyz" }, { "/nonexistent/", "" } },
        { "string", "NotPrefix", "[/q/]", { "/", "" }, { "/q/", "/q/r" } },
        { "string", "Postfix", "[.so, strange.txt]", { "x.so", "/a/strange.txt" }, { "so", "strange.txt2" } },
        { "string", "NotPostfix", "[.so]", { "a", "" }, { ".so", "x.so" } },
        { "string", "SubString", "[mid]", { "amidst", "mid" }, { "mi", "" } },
        /* A file without a path is neither equal nor different. */
        { "file", "Equal", "[/q/a]", { "/q/a", "/q/a" }, { "", "/q/ab" } },
        { "file", "NotEqual", "[/q/a]", { "/q/b", "/" }, { "", "/q/a" } },
        { "path", "NotPrefix", "[/q/]", { "/r", "/" }, { "", "/q/a" } },
        { "dentry", "NotPostfix", "[a]", { "/b", "/" }, { "", "/a" } },
        { "fd", "NotEqual", "[/q/a]", { "/q/b", "/" }, { "", "/q/a" } },
        /* Types where others accept the operator and match everything. */
        { "filename", "Prefix", "[/q/]", { "/q/a", "/q/" }, { "/r", "" } },
        { "filename", "Equal", "[a]", { "a", "a" }, { "b", "" } },
        { "kiocb", "Postfix", "[x]", { "/x", "/ax" }, { "/y", "" } },
        { "char_iovec", "Prefix", "[ab]", { "ab", "abc" }, { "ba", "" } },
        { "linux_binprm", "Equal", "[/q/a]", { "/q/a", "/q/a" }, { "/q/b", "" } },
        { "net_device", "In", "[lo]", { "lo", "lo" }, { "eth0", "" } },
        { "sockaddr_un", "Prefix", "[\"@x\"]", { "@x", "@xy" }, { "/x", "" } },
        { "char_buf", "Equal", "[GET]", { "GET", "GET" }, { "GET ", "" } },
};

TEST(strings) {
        for (size_t i = 0; i < ELEMENTSOF(string_rows); i++) {
                const StringRow *row = string_rows + i;
                Parsed p = parse_filter(row->type, row->operator, row->values);
                const Condition *c;

                if (p.n != 1 || p.problems.n > 0) {
                        print_problems(&p.problems);
                        TEST_FAIL("%s %s %s", row->type, row->operator, row->values);
                }
                c = filter_condition(&p, SCT_FIELD_ARG);
                ASSERT_EQ(c->class, CONDITION_STRING);
                for (size_t k = 0; k < ELEMENTSOF(row->yes); k++) {
                        if (!condition_string_matches(c, row->yes[k], strlen(row->yes[k])))
                                TEST_FAIL("%s %s %s: \"%s\" does not match", row->type, row->operator, row->values,
                                          row->yes[k]);
                        if (condition_string_matches(c, row->no[k], strlen(row->no[k])))
                                TEST_FAIL("%s %s %s: \"%s\" matches", row->type, row->operator, row->values,
                                          row->no[k]);
                }
                parsed_done(&p);
        }
}

/* A NUL at the end is no part of a string, but a byte of a buffer. */
TEST(terminators) {
        Parsed p = parse_filter("char_buf", "Equal", "[\"a\\0\"]");

        ASSERT_TRUE(condition_string_matches(filter_condition(&p, SCT_FIELD_ARG), "a\0", 2));
        ASSERT_FALSE(condition_string_matches(filter_condition(&p, SCT_FIELD_ARG), "a", 1));
        parsed_done(&p);
}

/* Directories on the way may be symbolic links: the kernel knows only what they lead to. */
TEST(linked_directories) {
        char directory[] = "/tmp/test-tracing-XXXXXX", text[512], path[64];
        Parsed p;

        ASSERT_NOT_NULL(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/real", directory);
        ASSERT_OK(mkdir(path, 0700));
        snprintf(path, sizeof(path), "%s/link", directory);
        ASSERT_OK(symlink("real", path));

        snprintf(text, sizeof(text), "[%s/link/f]", directory);
        p = parse_filter("file", "Equal", text);
        snprintf(path, sizeof(path), "%s/real/f", directory);
        ASSERT_TRUE(condition_string_matches(filter_condition(&p, SCT_FIELD_ARG), path, strlen(path)));
        snprintf(path, sizeof(path), "%s/link/f", directory);
        ASSERT_TRUE(condition_string_matches(filter_condition(&p, SCT_FIELD_ARG), path, strlen(path)));
        parsed_done(&p);
        snprintf(path, sizeof(path), "%s/link", directory);
        (void) unlink(path);
        snprintf(path, sizeof(path), "%s/real", directory);
        (void) rmdir(path);
        (void) rmdir(directory);
}

/* ---- Sockets ---- */

static bool address_matches(const Parsed *p, unsigned part, const char *text) {
        const Condition *c = filter_condition(p, SCT_FIELD_ARG_PART(part, 0));
        _cleanup_(condition_builder_done) ConditionBuilder b = {};

        if (!text)
                return condition_string_matches(c, "", 0);
        /* A whole address is one prefix: what the kernel side would compare. */
        ASSERT_OK(tracing_add_cidr(&b, text, false));
        ASSERT_EQ(b.condition.n_patterns, 1);
        return condition_string_matches(c, b.condition.patterns[0].text, b.condition.patterns[0].size);
}

TEST(addresses) {
        Parsed p = parse_filter("sock", "SAddr", "[10.0.0.0/8, 192.168.64.0/18, 127.0.0.1, \"fe80::/10\"]");

        ASSERT_TRUE(address_matches(&p, SCT_PART_SADDR, "10.255.0.1"));
        ASSERT_TRUE(address_matches(&p, SCT_PART_SADDR, "192.168.127.255"));
        ASSERT_FALSE(address_matches(&p, SCT_PART_SADDR, "192.168.128.0"));
        ASSERT_FALSE(address_matches(&p, SCT_PART_SADDR, "192.168.63.255"));
        ASSERT_TRUE(address_matches(&p, SCT_PART_SADDR, "127.0.0.1"));
        ASSERT_FALSE(address_matches(&p, SCT_PART_SADDR, "127.0.0.2"));
        ASSERT_TRUE(address_matches(&p, SCT_PART_SADDR, "febf::1"));
        ASSERT_FALSE(address_matches(&p, SCT_PART_SADDR, "fec0::1"));
        ASSERT_TRUE(address_matches(&p, SCT_PART_SADDR, "::ffff:10.1.2.3"));
        ASSERT_FALSE(address_matches(&p, SCT_PART_SADDR, NULL));
        parsed_done(&p);

        /* A family without entries: false, and true of the negation. */
        p = parse_filter("skb", "DAddr", "[0.0.0.0/0]");
        ASSERT_TRUE(address_matches(&p, SCT_PART_DADDR, "1.2.3.4"));
        ASSERT_FALSE(address_matches(&p, SCT_PART_DADDR, "::1"));
        parsed_done(&p);
        p = parse_filter("socket", "NotDAddr", "[0.0.0.0/0]");
        ASSERT_FALSE(address_matches(&p, SCT_PART_DADDR, "1.2.3.4"));
        ASSERT_TRUE(address_matches(&p, SCT_PART_DADDR, "::1"));
        ASSERT_TRUE(address_matches(&p, SCT_PART_DADDR, NULL));
        parsed_done(&p);
}

typedef struct PartRow {
        const char *type, *operator, *values;
        unsigned part;
        uint64_t yes, no;
} PartRow;

static const PartRow part_rows[] = {
        { "sock", "SPort", "[80, \"8000:8010\"]", SCT_PART_SPORT, 8010, 81 },
        { "sock", "NotSPort", "[80, \"8000:8010\"]", SCT_PART_SPORT, 81, 8000 },
        { "skb", "DPort", "[443]", SCT_PART_DPORT, 443, 444 },
        { "socket", "notdport", "[443]", SCT_PART_DPORT, 444, 443 },
        { "sock", "SPortPriv", NULL, SCT_PART_SPORT, 1023, 1024 },
        { "sock", "NotSportPriv", NULL, SCT_PART_SPORT, 1024, 1023 },
        { "sockaddr", "SPortPriv", NULL, SCT_PART_SPORT, 0, 1024 },
        { "skb", "DPortPriv", NULL, SCT_PART_DPORT, 1, 65535 },
        { "skb", "NotDPortPriv", NULL, SCT_PART_DPORT, 65535, 1 },
        { "sock", "Protocol", "[IPPROTO_TCP, udp]", SCT_PART_PROTOCOL, 17, 1 },
        { "sock", "NotProtocol", "[6]", SCT_PART_PROTOCOL, 17, 6 },
        { "sockaddr_un", "Family", "[AF_UNIX]", SCT_PART_FAMILY, 1, 2 },
        { "sock", "Family", "[af_inet, AF_INET6]", SCT_PART_FAMILY, 10, 1 },
        { "sock", "State", "[TCP_SYN_RECV, LISTEN]", SCT_PART_STATE, 10, 1 },
        { "socket", "NotState", "[TCP_ESTABLISHED]", SCT_PART_STATE, 10, 1 },
};

TEST(parts_of_sockets) {
        for (size_t i = 0; i < ELEMENTSOF(part_rows); i++) {
                const PartRow *row = part_rows + i;
                Parsed p = parse_filter(row->type, row->operator, row->values);
                const Condition *c;

                if (p.n != 1)
                        print_problems(&p.problems);
                c = filter_condition(&p, SCT_FIELD_ARG_PART(row->part, 0));
                if (!condition_number_matches(c, row->yes) || condition_number_matches(c, row->no))
                        TEST_FAIL("%s %s %s", row->type, row->operator, row->values ?: "");
                parsed_done(&p);
        }
}

TEST(types_of_files) {
        Parsed p = parse_filter("path", "FileType", "[reg, symlink]");
        const Condition *c = filter_condition(&p, SCT_FIELD_ARG_PART(SCT_PART_MODE, 0));

        ASSERT_TRUE(condition_mask_matches(c, S_IFREG | 0644));
        ASSERT_TRUE(condition_mask_matches(c, S_IFLNK | 0777));
        ASSERT_FALSE(condition_mask_matches(c, S_IFSOCK | 0644));       /* its bits hold those of both */
        parsed_done(&p);

        p = parse_filter("file", "NotFileType", "[pipe]");
        c = filter_condition(&p, SCT_FIELD_ARG_PART(SCT_PART_MODE, 0));
        ASSERT_TRUE(condition_mask_matches(c, S_IFREG));
        ASSERT_FALSE(condition_mask_matches(c, S_IFIFO | 0600));
        parsed_done(&p);
}

TEST(capabilities_gained) {
        Parsed p = good_hook("  - call: security_capset\n    syscall: false\n    args: [{index: 2, type: "
                             "cap_effective}, {index: 1, type: kernel_cap_t}]\n"
                             "    selectors:\n    - matchArgs: [{args: [1, 0], operator: CapabilitiesGained}]\n");
        const Condition *c = rule_of(&p)->events[0].conditions;

        ASSERT_EQ(c->field, SCT_FIELD_ARG_PART(SCT_PART_GAINED + 1, 0));
        ASSERT_EQ(SCT_FIELD_ARG_INDEX(c->field), 0);                    /* the new set */
        ASSERT_EQ(SCT_FIELD_PART(c->field), SCT_PART_GAINED + 1);       /* against the old one */
        ASSERT_TRUE(condition_mask_matches(c, 1));
        ASSERT_FALSE(condition_mask_matches(c, 0));
        parsed_done(&p);
}

/* `args` counts positions in the hook and wins over `index`; data have numbers of their own. */
TEST(which_argument) {
        Parsed p = good_hook("  - call: f\n    syscall: false\n    args: [{index: 4, type: int}, {index: 1, type: "
                             "int}]\n"
                             "    data: [{type: uint32, resolve: cred.uid.val}]\n    selectors:\n    - matchArgs:\n"
                             "      - {index: 4, operator: Equal, values: [1]}\n      - {index: 4, args: [1], "
                             "operator: Equal, values: [1]}\n"
                             "      - {index: 4, operator: NotEqual, values: [2]}\n      matchData: [{index: 0, "
                             "operator: Equal, values: [0]}]\n");
        const PolicyEvent *e = rule_of(&p)->events;

        ASSERT_EQ(e->n_conditions, 4);
        ASSERT_EQ(e->conditions[0].field, SCT_FIELD_ARG);
        ASSERT_EQ(e->conditions[1].field, SCT_FIELD_ARG + 1);
        ASSERT_EQ(e->conditions[2].field, SCT_FIELD_ARG);               /* again: both hold */
        ASSERT_EQ(e->conditions[3].field, SCT_FIELD_ARG + 2);
        parsed_done(&p);
}

TEST(return_values) {
        Parsed p = good_hook("  - call: sys_openat\n    return: true\n    selectors: [{returnMatchArgs: [{operator: "
                             "NotEqual, values: [0]}]}]\n"
                             "  - call: f\n    syscall: false\n    returnArg: {index: 0, type: string}\n"
                             "    selectors: [{matchReturnArgs: [{index: 0, operator: Prefix, values: [x]}]}]\n"
                             "  - call: g\n    syscall: false\n    return: true\n    returnArg: {index: 0, type: int}\n"
                             "    selectors: [{matchReturnArgs: [{index: 0, operator: LT, values: [0]}]}]\n");
        const Policy *policy = p.policies[0];

        ASSERT_EQ(policy->rules[0].events[0].conditions[0].field, SCT_FIELD_RETVAL);
        ASSERT_FALSE(condition_number_matches(policy->rules[0].events[0].conditions, 0));
        ASSERT_TRUE(condition_number_matches(policy->rules[0].events[0].conditions, S(-13)));
        ASSERT_EQ(policy->rules[1].events[0].conditions[0].field, SCT_FIELD_ARG);
        ASSERT_TRUE(condition_string_matches(policy->rules[1].events[0].conditions, "xy", 2));
        ASSERT_TRUE(condition_number_matches(policy->rules[2].events[0].conditions, S(-1)));
        ASSERT_FALSE(condition_number_matches(policy->rules[2].events[0].conditions, 0xffffffffULL));
        parsed_done(&p);
}

/* A type that shows only when the hook is attached: the values say what is meant. */
TEST(automatic_types) {
        Parsed p = good_spec("  tracepoints:\n  - subsystem: syscalls\n    event: sys_enter_openat\n    args: [{index: "
                             "5}, {index: 6}, {index: 7}]\n"
                             "    selectors:\n    - matchArgs: [{index: 5, operator: Equal, values: [-100]}, {index: "
                             "6, operator: Equal, values: [/x]},\n"
                             "      {index: 7, operator: Prefix, values: [1]}]\n");
        const PolicyEvent *e = rule_of(&p)->events;

        ASSERT_EQ(p.policies[0]->hooks[0].args[0].type, SCT_ARG_NONE);
        ASSERT_EQ(e->conditions[0].class, CONDITION_NUMBER);
        ASSERT_TRUE(condition_number_matches(e->conditions, S(-100)));
        ASSERT_EQ(e->conditions[1].class, CONDITION_STRING);
        ASSERT_EQ(e->conditions[2].class, CONDITION_STRING);
        parsed_done(&p);
}

/* ---- Filters on the process ---- */

static Parsed parse_selector(const char *selector) {
        char text[2048];

        snprintf(text, sizeof(text), "  - call: sys_close\n    selectors:\n    - %s\n", selector);
        return good_hook(text);
}

TEST(pids) {
        Parsed p = parse_selector("matchPIDs: [{operator: In, values: [1, 2, 3, 4, 5, 6]}, {operator: NotIn, values: "
                                  "[5]}]");
        const Condition *c = rule_of(&p)->subject;

        /* The fifth value and the second entry count, too. */
        ASSERT_EQ(rule_of(&p)->n_subject, 2);
        ASSERT_EQ(c[0].field, SCT_FIELD_HOST_PID);
        ASSERT_TRUE(condition_number_matches(c, 6));
        ASSERT_FALSE(condition_number_matches(c + 1, 5));
        parsed_done(&p);

        p = parse_selector("matchPIDs: [{operator: In, followForks: true, values: [40, 41]}, {operator: NotIn, "
                           "followforks: true, values: [42]}]");
        c = rule_of(&p)->subject;
        ASSERT_EQ(c[0].field, SCT_FIELD_TREE);
        ASSERT_EQ(c[0].class, CONDITION_TREE);
        ASSERT_EQ(c[0].n_eq, 2);
        ASSERT_EQ(c[1].ne[0], 42);
        parsed_done(&p);

        p = parse_selector("matchPIDs: [{operator: NotIn, followForks: true, isNamespacePID: true, values: [0, 1]}]");
        c = rule_of(&p)->subject;
        ASSERT_EQ(c[0].field, SCT_FIELD_NS_TREE);
        ASSERT_FALSE(condition_number_matches(c, 1));
        ASSERT_TRUE(condition_number_matches(c, 2));
        parsed_done(&p);

        p = parse_selector("matchPIDs: [{operator: NotIn, isNamespacePID: true, followForks: false, values: [1]}]");
        ASSERT_EQ(rule_of(&p)->subject[0].field, SCT_FIELD_PID);
        parsed_done(&p);

        /* Everything descends from process 1. */
        p = parse_selector("matchPIDs: [{operator: NotIn, followForks: true, values: [0, 1, 7]}]");
        ASSERT_EQ(p.problems.n, 1);
        ASSERT_EQ(rule_of(&p)->n_subject, 2);
        ASSERT_EQ(rule_of(&p)->subject[0].field, SCT_FIELD_HOST_PID);
        ASSERT_EQ(rule_of(&p)->subject[1].field, SCT_FIELD_TREE);
        ASSERT_EQ(rule_of(&p)->subject[1].n_ne, 1);
        parsed_done(&p);
}

TEST(binaries) {
        Parsed p = parse_selector("matchBinaries: [{operator: In, values: [/q/a, /q/b]}]");

        ASSERT_EQ(rule_of(&p)->subject[0].field, SCT_FIELD_EXE_TREE);   /* children, too, unless told otherwise */
        parsed_done(&p);
        p = parse_selector("matchBinaries: [{operator: In, followChildren: false, values: [/q/a]}]");
        ASSERT_EQ(rule_of(&p)->subject[0].field, SCT_FIELD_EXE);
        ASSERT_TRUE(condition_string_matches(rule_of(&p)->subject, "/q/a", 4));
        ASSERT_FALSE(condition_string_matches(rule_of(&p)->subject, "/q/ab", 5));
        parsed_done(&p);
        p = parse_selector("matchBinaries: [{operator: NotIn, values: [/q/a]}, {operator: NotPostfix, values: [sh]}, "
                           "{operator: Prefix, values: [/q/]}]");
        ASSERT_EQ(rule_of(&p)->n_subject, 3);
        ASSERT_EQ(rule_of(&p)->subject[0].field, SCT_FIELD_EXE);
        ASSERT_FALSE(condition_string_matches(rule_of(&p)->subject, "/q/a", 4));
        ASSERT_TRUE(condition_string_matches(rule_of(&p)->subject, "", 0));
        ASSERT_FALSE(condition_string_matches(rule_of(&p)->subject + 1, "/bin/dash", 9));
        ASSERT_TRUE(condition_string_matches(rule_of(&p)->subject + 2, "/q/zz", 5));
        parsed_done(&p);
        p = parse_selector("matchParentBinaries: [{operator: In, values: [/q/a]}]");
        ASSERT_EQ(rule_of(&p)->subject[0].field, SCT_FIELD_PARENT_EXE);
        parsed_done(&p);
        p = parse_selector("matchBinarys: [{operator: In, values: [/q/a]}]");
        ASSERT_EQ(p.problems.n, 1);
        ASSERT_EQ(p.problems.items[0].severity, PROBLEM_WARNING);
        ASSERT_NOT_NULL(strstr(p.problems.items[0].message, "matchBinaries"));
        parsed_done(&p);
}

TEST(namespaces) {
        static const struct {
                const char *name;
                unsigned field, ns;
        } rows[] = {
                { "Uts", SCT_FIELD_UTS_NS, SCT_NS_UTS }, { "Ipc", SCT_FIELD_IPC_NS, SCT_NS_IPC },
                { "Mnt", SCT_FIELD_MNT_NS, SCT_NS_MNT },
                { "Pid", SCT_FIELD_PID_NS, SCT_NS_PID }, { "Net", SCT_FIELD_NET_NS, SCT_NS_NET },
                { "User", SCT_FIELD_USER_NS, SCT_NS_USER },
                { "PidForChildren", SCT_FIELD_PID_NS_FOR_CHILDREN, SCT_NS_PID_FOR_CHILDREN },
                { "Cgroup", SCT_FIELD_CGROUP_NS, SCT_NS_CGROUP },
                { "Time", SCT_FIELD_TIME_NS, SCT_NS_TIME }, { "TimeForChildren", SCT_FIELD_TIME_NS_FOR_CHILDREN,
                                                              SCT_NS_TIME_FOR_CHILDREN },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[512];
                struct stat st;
                Parsed p;

                snprintf(text, sizeof(text), "matchNamespaces: [{namespace: %s, operator: NotIn, values: [\"5\", 6, 7, "
                         "8, 9]}, "
                         "{namespace: %s, operator: In, values: [host_ns, 77]}]", rows[i].name, rows[i].name);
                p = parse_selector(text);
                ASSERT_EQ(rule_of(&p)->n_subject, 2);
                ASSERT_EQ(rule_of(&p)->subject[0].field, rows[i].field);
                ASSERT_FALSE(condition_number_matches(rule_of(&p)->subject, 9));
                ASSERT_TRUE(condition_number_matches(rule_of(&p)->subject, 10));
                ASSERT_EQ(rule_of(&p)->subject[1].n_eq, 2);
                if (rows[i].ns == SCT_NS_MNT && stat("/proc/1/ns/mnt", &st) >= 0)
                        ASSERT_TRUE(condition_number_matches(rule_of(&p)->subject + 1, st.st_ino));
                parsed_done(&p);

                snprintf(text, sizeof(text), "matchNamespaceChanges: [{operator: In, values: [%s]}]", rows[i].name);
                p = parse_selector(text);
                ASSERT_EQ(rule_of(&p)->subject[0].field, SCT_FIELD_NS_CHANGED);
                ASSERT_TRUE(condition_mask_matches(rule_of(&p)->subject, 1ULL << rows[i].ns));
                ASSERT_FALSE(condition_mask_matches(rule_of(&p)->subject, ~(1ULL << rows[i].ns)));
                parsed_done(&p);
        }

        /* NotIn: another one changed. */
        Parsed p = parse_selector("matchNamespaceChanges: [{operator: NotIn, values: [Mnt]}]");

        ASSERT_FALSE(condition_mask_matches(rule_of(&p)->subject, 1 << SCT_NS_MNT));
        ASSERT_FALSE(condition_mask_matches(rule_of(&p)->subject, 0));
        ASSERT_TRUE(condition_mask_matches(rule_of(&p)->subject, 1 << SCT_NS_MNT | 1 << SCT_NS_NET));
        parsed_done(&p);
}

TEST(capabilities) {
        Parsed p = parse_selector("matchCapabilities: [{type: Effective, operator: In, isNamespaceCapability: true, "
                                  "values: [CAP_CHOWN, CAP_NET_RAW]}, "
                                  "{type: Inheritable, operator: NotIn, values: [CAP_BPF]}, {operator: In, values: "
                                  "[CAP_KILL]}]");
        const Condition *c = rule_of(&p)->subject;

        ASSERT_EQ(rule_of(&p)->n_subject, 4);                           /* every entry */
        ASSERT_EQ(c[0].field, SCT_FIELD_USER_NS);
        ASSERT_EQ(c[0].n_ne, 1);
        ASSERT_EQ(c[1].field, SCT_FIELD_CAPS_EFFECTIVE);
        ASSERT_TRUE(condition_mask_matches(c + 1, 1 << 13));
        ASSERT_FALSE(condition_mask_matches(c + 1, 1 << 21));
        ASSERT_EQ(c[2].field, SCT_FIELD_CAPS_INHERITABLE);
        ASSERT_TRUE(condition_mask_matches(c + 2, 0));
        ASSERT_FALSE(condition_mask_matches(c + 2, UINT64_MAX));
        ASSERT_EQ(c[3].field, SCT_FIELD_CAPS_EFFECTIVE);
        parsed_done(&p);

        p = parse_selector("matchCapabilityChanges: [{type: Permitted, operator: In, values: [CAP_SETUID]}]");
        ASSERT_EQ(rule_of(&p)->subject[0].field, SCT_FIELD_CAPS_PERMITTED_CHANGED);
        ASSERT_TRUE(condition_mask_matches(rule_of(&p)->subject, 1 << 7));
        ASSERT_FALSE(condition_mask_matches(rule_of(&p)->subject, 1 << 8));
        parsed_done(&p);

        /* NotIn: others changed, these did not. */
        p = parse_selector("matchCapabilityChanges: [{operator: NotIn, values: [CAP_SETUID]}]");
        c = rule_of(&p)->subject;
        ASSERT_EQ(rule_of(&p)->n_subject, 2);
        ASSERT_TRUE(condition_mask_matches(c, 1) && condition_mask_matches(c + 1, 1));
        ASSERT_FALSE(condition_mask_matches(c, 1 << 7 | 1) && condition_mask_matches(c + 1, 1 << 7 | 1));
        ASSERT_FALSE(condition_mask_matches(c, 0) && condition_mask_matches(c + 1, 0));
        parsed_done(&p);
}

/* ---- Refused, with a sentence ---- */

static const struct {
        const char *type, *operator, *values, *fragment;
} refused_rows[] = {
        { "cred", "Prefix", "[x]", "is shown but cannot be compared" },
        { "nop", "Equal", "[1]", "is not read" },
        { "skb", "State", "[TCP_LISTEN]", "a packet has no state" },
        { "sockaddr", "DPort", "[1]", "cannot compare an argument of type sockaddr" },
        { "int", "SAddr", "[127.0.0.1]", "cannot compare an argument of type int" },
        { "int", "Prefix", "[x]", "cannot compare an argument of type int" },
        { "string", "GT", "[1]", "cannot compare an argument of type string" },
        { "string", "FileType", "[reg]", "cannot compare" },
        { "int", "CapabilitiesGained", NULL, "args: [OLD, NEW]" },
        { "int", "CelExpr", "[\"arg0 > 1\"]", "not available" },
        { "string", "SubStringIgnCase", "[x]", "SubString" },
        { "int", "Equall", "[1]", "did you mean Equal?" },
        { "int", "Equal", "[x]", "is no number" },
        { "int", "Equal", "[4294967296]", "32 bits, signed" },
        { "int8", "Equal", "[256]", "8 bits" },
        { "uint32", "GT", "[-1]", "unsigned" },
        { "int", "GT", "[2147483647]", "above" },
        { "int", "InRange", "[\"5:1\"]", "ends before it begins" },
        { "int", "InRange", "[\"a:b\"]", "min:max" },
        { "int", "Mask", "[0]", "no bit" },
        { "int", "Equal", "[]", "empty" },
        { "int", "Equal", "7", "list of values" },
        { "int", "Equal", NULL, "values is missing" },
        { "string", "Prefix", "[\"\"]", "empty" },
        { "sock", "SAddr", "[10.0.0.0/33]", "is no address" },
        { "sock", "SPort", "[65536]", "is no port" },
        { "sock", "Protocol", "[IPPROTO_TPC]", "did you mean IPPROTO_TCP?" },
        { "sock", "SPortPriv", "[1]", "takes no values" },
        { "file", "FileType", "[regg]", "did you mean reg?" },
        { "capability", "Equal", "[CAP_SYS_ADMN]", "did you mean CAP_SYS_ADMIN?" },
        { "kernel_cap_t", "Mask", "[CAP_X]", "is no mask" },
};

TEST(refused) {
        for (size_t i = 0; i < ELEMENTSOF(refused_rows); i++) {
                Parsed p = parse_filter(refused_rows[i].type, refused_rows[i].operator, refused_rows[i].values);

                if (p.n != 0 || p.problems.n == 0 || !strstr(p.problems.items[0].message, refused_rows[i].fragment)) {
                        print_problems(&p.problems);
                        TEST_FAIL("%s %s %s: wanted \"%s\"", refused_rows[i].type, refused_rows[i].operator,
                                  refused_rows[i].values ?: "", refused_rows[i].fragment);
                }
                ASSERT_GE(p.problems.items[0].line, 10);
                parsed_done(&p);
        }
}

TEST_MAIN()
