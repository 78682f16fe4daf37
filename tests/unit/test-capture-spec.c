/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be captured: Tracee's vectors in the spellings of all its versions, what is refused with which sentence, and
 * that a policy's captures become events of its rule. */

#include <sys/stat.h>

#include "basic/macro.h"
#include "policy-test.h"
#include "policy/capture-spec.h"

static CaptureSpecList good(const char *const *expressions) {
        CaptureSpecList l = {};
        char *error = NULL;
        size_t where;
        int r;

        r = capture_spec_parse((char *const *) expressions, &l, &where, &error);
        if (r < 0)
                TEST_FAIL("%s: %s", expressions[where], error);
        free(error);
        return l;
}
#define GOOD(...) good((const char *const[]) { __VA_ARGS__, NULL })

static void bad(const char *fragment, size_t where_wanted, const char *const *expressions) {
        CaptureSpecList l = {};
        char *error = NULL;
        size_t where = SIZE_MAX;

        ASSERT_EQ(capture_spec_parse((char *const *) expressions, &l, &where, &error), -EINVAL);
        ASSERT_EQ(where, where_wanted);
        ASSERT_CONTAINS(error, fragment);
        free(error);
}
#define BAD(fragment, ...) bad(fragment, 0, (const char *const[]) { __VA_ARGS__, NULL })

TEST(kinds_alone) {
        static const struct {
                const char *text;
                CaptureKind kind;
        } rows[] = {
                { "write", CAPTURE_WRITE },     { "artifact:write", CAPTURE_WRITE }, { "file-write", CAPTURE_WRITE },
                { "read", CAPTURE_READ },       { "file-read", CAPTURE_READ },       { "exec", CAPTURE_EXEC },
                { "artifact:exec", CAPTURE_EXEC }, { "executable", CAPTURE_EXEC },   { "mem", CAPTURE_MEM },
                { "memory-regions", CAPTURE_MEM }, { "module", CAPTURE_MODULE },     { "kernel-modules", CAPTURE_MODULE },
                { "network", CAPTURE_NETWORK }, { "net", CAPTURE_NETWORK },          { "pcap", CAPTURE_NETWORK },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CaptureSpecList l = GOOD(rows[i].text);

                ASSERT_EQ(l.n, 1);
                ASSERT_EQ(l.items[0].kind, rows[i].kind);
                capture_spec_list_done(&l);
        }
}

TEST(all_together) {
        CaptureSpecList l = GOOD("module", "mem", "exec", "write");

        ASSERT_EQ(l.n, 4);
        ASSERT_EQ(l.items[0].kind, CAPTURE_WRITE);      /* in order of kinds */
        ASSERT_EQ(l.items[0].n_conditions, 0);
        ASSERT_EQ(l.items[3].kind, CAPTURE_MODULE);
        capture_spec_list_done(&l);
}

static const Condition *condition_on(const CaptureSpec *s, const char *arg) {
        int field = SCT_FIELD_ARG + event_arg_index(capture_kind_event(s->kind), arg);

        for (size_t i = 0; i < s->n_conditions; i++)
                if (s->conditions[i].field == field)
                        return s->conditions + i;
        return NULL;
}

static bool path_at(const CaptureSpec *s, const char *path) {
        const Condition *c = condition_on(s, "pathname");

        ASSERT_TRUE(c != NULL);
        return condition_string_matches(c, path, strlen(path));
}

TEST(paths) {
        static const char *const spellings[] = { "write=/tmp*", "artifact:write=/tmp*", "write:path=/tmp*",
                                                 "file-write.filters=path=/tmp*" };
        CaptureSpecList l;

        for (size_t i = 0; i < ELEMENTSOF(spellings); i++) {
                l = GOOD(spellings[i]);
                ASSERT_EQ(l.items[0].kind, CAPTURE_WRITE);
                ASSERT_TRUE(path_at(l.items, "/tmp/x"));
                ASSERT_FALSE(path_at(l.items, "/var/tmp"));
                capture_spec_list_done(&l);
        }

        l = GOOD("write=/tmp/*", "write=/var/*", "write=*.log", "write=*secret*", "write");
        ASSERT_EQ(l.n, 1);
        ASSERT_TRUE(path_at(l.items, "/tmp/x"));
        ASSERT_TRUE(path_at(l.items, "/var/y"));
        ASSERT_TRUE(path_at(l.items, "/home/a.log"));
        ASSERT_TRUE(path_at(l.items, "/home/secrets/b"));
        ASSERT_FALSE(path_at(l.items, "/home/b"));
        capture_spec_list_done(&l);

        l = GOOD("read=/etc/*", "write");
        ASSERT_EQ(l.n, 2);
        ASSERT_EQ(l.items[0].n_conditions, 0);
        ASSERT_TRUE(path_at(l.items + 1, "/etc/shadow"));
        capture_spec_list_done(&l);
}

TEST(paths_refused) {
        BAD("is empty", "write=");
        BAD("write=/tmp*", "write=/tmp");
        BAD("write write alone", "write=*");
        BAD("write read alone", "read=**");
        BAD("in its middle", "write=/tmp/*/x*");
        BAD("is nothing that can be captured", "foo");
        BAD("did you mean write", "wirte");
        BAD("did you mean", "artifact:exce");
        BAD("not captured", "bpf-programs");
        bad("is nothing that", 1, (const char *const[]) { "exec", "foo", NULL });
}

TEST(types_and_descriptors) {
        CaptureSpecList l = GOOD("write=/x*", "write:type=regular,pipe", "write:fd=stdout,stderr,7");
        const Condition *type, *fd;

        ASSERT_EQ(l.items[0].n_conditions, 3);
        type = condition_on(l.items, "type");
        fd = condition_on(l.items, "fd");
        ASSERT_TRUE(condition_mask_matches(type, S_IFREG | 0644));
        ASSERT_TRUE(condition_mask_matches(type, S_IFIFO | 0600));
        ASSERT_FALSE(condition_mask_matches(type, S_IFCHR | 0600));
        ASSERT_FALSE(condition_mask_matches(type, S_IFSOCK | 0600));    /* has S_IFREG's bit */
        ASSERT_TRUE(condition_number_matches(fd, 1));
        ASSERT_TRUE(condition_number_matches(fd, 7));
        ASSERT_FALSE(condition_number_matches(fd, 0));
        ASSERT_FALSE(condition_number_matches(fd, (uint64_t) -1));
        capture_spec_list_done(&l);

        l = GOOD("file-read.filters=fd=stdin");
        ASSERT_TRUE(condition_number_matches(condition_on(l.items, "fd"), 0));
        capture_spec_list_done(&l);

        BAD("type of file", "write:type=directory");
        BAD("empty item", "write:type=regular,,pipe");
        BAD("has no value", "write:fd=");
        BAD("not a descriptor", "write:fd=stdlog");
        BAD("not a descriptor", "write:fd=-1");
}

TEST(memory) {
        CaptureSpecList l = GOOD("mem");

        ASSERT_EQ(l.items[0].mem_transitions, CAPTURE_MEM_UNPACKED);
        ASSERT_TRUE(condition_mask_matches(condition_on(l.items, "transition"), CAPTURE_MEM_UNPACKED));
        ASSERT_FALSE(condition_mask_matches(condition_on(l.items, "transition"), CAPTURE_MEM_TO_EXEC));
        capture_spec_list_done(&l);

        l = GOOD("mem=to-exec,mmap-wx");
        ASSERT_EQ(l.items[0].mem_transitions, CAPTURE_MEM_TO_EXEC | CAPTURE_MEM_MMAP_WX);
        capture_spec_list_done(&l);
        BAD("protection", "mem=rw");
}

TEST(packets) {
        static const struct {
                const char *snaplen;
                uint32_t bytes;
        } rows[] = {
                { "default", 96 }, { "headers", 0 }, { "max", 65535 }, { "120b", 120 }, { "2kb", 2048 }, { "1k", 1024 },
        };
        CaptureSpecList l = GOOD("network");
        char text[64];

        ASSERT_EQ(l.items[0].pcap_split, CAPTURE_PCAP_SINGLE);
        ASSERT_EQ(l.items[0].pcap_snaplen, 96);
        ASSERT_EQ(l.items[0].n_conditions, 0);
        capture_spec_list_done(&l);

        l = GOOD("network", "netpcap:process,command,container", "pcap-options:none", "pcap-filter:tcp port 80");
        ASSERT_EQ(l.items[0].pcap_split, CAPTURE_PCAP_PROCESS | CAPTURE_PCAP_COMMAND | CAPTURE_PCAP_CONTAINER);
        ASSERT_FALSE(l.items[0].pcap_filtered);
        ASSERT_STREQ(l.items[0].pcap_filter, "tcp port 80");
        capture_spec_list_done(&l);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                snprintf(text, sizeof(text), "pcap-snaplen:%s", rows[i].snaplen);
                l = GOOD("network", text);
                ASSERT_EQ(l.items[0].pcap_snaplen, rows[i].bytes);
                capture_spec_list_done(&l);
        }

        l = GOOD("net=lo", "net=eth0");
        ASSERT_EQ(l.items[0].pcap_split, 0);
        ASSERT_STREQ(l.items[0].interfaces[1], "eth0");
        ASSERT_TRUE(condition_string_matches(condition_on(l.items, "interface"), "lo", 2));
        ASSERT_FALSE(condition_string_matches(condition_on(l.items, "interface"), "docker0", 7));
        capture_spec_list_done(&l);

        l = GOOD("net=lo", "pcap:process");     /* all packets, and lo's in a file of its own */
        ASSERT_EQ(l.items[0].n_conditions, 0);
        capture_spec_list_done(&l);

        BAD("divide packets", "pcap:proces");
        BAD("no option", "pcap-options:some");
        l = GOOD("network", "pcap-options:filtered");
        ASSERT_TRUE(l.items[0].pcap_filtered);
        capture_spec_list_done(&l);
        BAD("unit", "pcap-snaplen:120");
        BAD("unit", "pcap-snaplen:b");
        BAD("1b to", "pcap-snaplen:64kb");
        BAD("1b to", "pcap-snaplen:99999999999999999999b");
        BAD("network interface", "net=");
        BAD("network interface", "net=a/b");
        bad("add network", 0, (const char *const[]) { "pcap-snaplen:max", NULL });
}

static int no_such_protocol(const char *expression, char **reterr) {
        if (strstr(expression, "tcp"))
                return 0;
        *reterr = strdup("That is no packet filter.");
        return -EINVAL;
}

TEST(packet_filters_are_asked_of_who_knows) {
        CaptureSpecList l = GOOD("network", "pcap-filter:prot 80");

        capture_spec_list_done(&l);
        capture_spec_set_filter_check(no_such_protocol);
        l = GOOD("network", "pcap-filter:tcp port 80");
        capture_spec_list_done(&l);
        bad("That is no packet filter.", 1, (const char *const[]) { "network", "pcap-filter:prot 80", NULL });
        capture_spec_set_filter_check(NULL);
}

TEST(directory) {
        CaptureSpecList l = GOOD("dir:/tmp/tracee", "clear-dir", "exec");

        ASSERT_STREQ(l.directory, "/tmp/tracee");
        ASSERT_TRUE(l.clear_dir);
        capture_spec_list_done(&l);
        BAD("is empty", "dir:");
}

#define HEAD "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: a\nspec:\n"

TEST(policy) {
        /* Also before the filters that make the rule. */
        Parsed p = parse_text(HEAD "  capture: [exec, \"write=/tmp/*\"]\n  filters: [comm=bash, event=openat]\n");
        const PolicyEvent *e;

        ASSERT_EQ(p.problems.n, 0);
        ASSERT_EQ(p.policies[0]->captures->n, 2);
        ASSERT_EQ(rule_of(&p)->n_subject, 1);
        ASSERT_EQ(rule_of(&p)->n_events, 3);
        e = event_of(rule_of(&p), "capture_write");
        ASSERT_EQ(e->n_conditions, 1);
        ASSERT_TRUE(condition_string_matches(e->conditions, "/tmp/x", 6));
        event_of(rule_of(&p), "capture_exec");
        parsed_done(&p);

        p = parse_text(HEAD "  capture: write\n");
        ASSERT_EQ(p.problems.n, 0);
        event_of(rule_of(&p), "capture_write");
        parsed_done(&p);
}

TEST(policy_problems) {
        Parsed p = parse_text(HEAD "  filters: [event=openat]\n  capture:\n    - exec\n    - write=/tmp\n");

        ASSERT_EQ(p.n, 0);
        ASSERT_EQ(p.problems.n, 1);
        ASSERT_STREQ(p.problems.items[0].key, "spec.capture[1]");
        ASSERT_EQ(p.problems.items[0].line, 9);
        ASSERT_EQ(p.problems.items[0].column, 7);
        parsed_done(&p);

        p = parse_text(HEAD "  capture: [\"dir:/x\", exec]\n");
        ASSERT_CONTAINS(p.problems.items[0].message, "CaptureDirectory=");
        parsed_done(&p);

        /* Nobody names the pseudo events. */
        p = parse_text(HEAD "  filters: [event=capture_write]\n");
        ASSERT_EQ(p.problems.n_errors, 1);
        parsed_done(&p);
}

TEST(tracee_policy) {
        Parsed p = parse_text("apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nmetadata:\n  name: a\nspec:\n"
                              "  scope: [comm=bash]\n  capture: [write]\n  rules:\n    - event: openat\n");

        ASSERT_EQ(p.problems.n, 0);
        ASSERT_EQ(rule_of(&p)->n_subject, 1);
        event_of(rule_of(&p), "capture_write");
        parsed_done(&p);
}

TEST_MAIN()
