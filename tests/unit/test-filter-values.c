/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values in the filter language: numbers, strings and flags, what expressions on them become and which values they then
 * match. The vectors of Tracee's own tests are here; where Tracee ignores or never matches silently, ours is tested. */

#include <sys/stat.h>
#include <unistd.h>

#include "policy-test.h"

static bool number_at(const Condition *c, int64_t v) {
        return condition_number_matches(c, (uint64_t) v);
}

static bool string_at(const Condition *c, const char *s) {
        return condition_string_matches(c, s, strlen(s));
}

/* ---- Numbers ---- */

TEST(numbers_signed) {
        Parsed p = GOOD_FILTERS("openat.retval=50,-2,8");
        const Condition *c = event_condition(&p, "openat", SCT_FIELD_RETVAL);

        ASSERT_TRUE(c->is_signed);
        ASSERT_TRUE(number_at(c, 50) && number_at(c, -2) && number_at(c, 8));
        ASSERT_FALSE(number_at(c, -4) || number_at(c, 51));
        ASSERT_EQ((int64_t) c->eq[0], -2);   /* sorted in the field's order */
        parsed_done(&p);

        p = GOOD_FILTERS("openat.retval=50,8", "openat.retval!=50");
        c = event_condition(&p, "openat", SCT_FIELD_RETVAL);
        ASSERT_TRUE(number_at(c, 50) && number_at(c, 8));
        ASSERT_FALSE(number_at(c, -2) || number_at(c, -4) || number_at(c, 51));
        parsed_done(&p);

        p = GOOD_FILTERS("openat.retval>50", "openat.retval<-2", "openat.retval=8");
        c = event_condition(&p, "openat", SCT_FIELD_RETVAL);
        ASSERT_FALSE(number_at(c, 50) || number_at(c, -2));
        ASSERT_TRUE(number_at(c, 8) && number_at(c, -4) && number_at(c, 51));
        ASSERT_EQ(c->n_ranges, 2);
        parsed_done(&p);
}

TEST(numbers_unsigned) {
        Parsed p = GOOD_FILTERS("uid=50,7,8");
        const Condition *c = subject_condition(&p, SCT_FIELD_UID);

        ASSERT_TRUE(number_at(c, 50) && number_at(c, 7) && number_at(c, 8));
        ASSERT_FALSE(number_at(c, 149));
        parsed_done(&p);

        p = GOOD_FILTERS("uid>50,51", "uid<4", "uid=8");
        c = subject_condition(&p, SCT_FIELD_UID);
        ASSERT_FALSE(number_at(c, 50) || number_at(c, 4));
        ASSERT_TRUE(number_at(c, 8) && number_at(c, 2) && number_at(c, 51) && number_at(c, 52));
        parsed_done(&p);

        p = GOOD_FILTERS("uid<=6");
        c = subject_condition(&p, SCT_FIELD_UID);
        ASSERT_TRUE(number_at(c, 6) && number_at(c, 5) && number_at(c, 4) && number_at(c, 0));
        ASSERT_FALSE(number_at(c, 7));
        parsed_done(&p);
}

TEST(numbers_ranges) {
        Parsed p = GOOD_FILTERS("uid>5", "uid<10", "uid!=7");
        const Condition *c = subject_condition(&p, SCT_FIELD_UID);

        ASSERT_EQ(c->n_ranges, 1);
        ASSERT_TRUE(number_at(c, 6) && number_at(c, 8) && number_at(c, 9));
        ASSERT_FALSE(number_at(c, 5) || number_at(c, 7) || number_at(c, 10));
        parsed_done(&p);

        p = GOOD_FILTERS("uid<5", "uid>10");
        c = subject_condition(&p, SCT_FIELD_UID);
        ASSERT_TRUE(number_at(c, 4) && number_at(c, 11) && number_at(c, 0) && number_at(c, UINT32_MAX));
        ASSERT_FALSE(number_at(c, 5) || number_at(c, 10) || number_at(c, 7));
        parsed_done(&p);

        /* Tracee never matches 5, and loses 1000. */
        p = GOOD_FILTERS("uid>=5");
        c = subject_condition(&p, SCT_FIELD_UID);
        ASSERT_TRUE(number_at(c, 5));
        ASSERT_FALSE(number_at(c, 4));
        parsed_done(&p);
        p = GOOD_FILTERS("uid=1000", "uid>2000");
        c = subject_condition(&p, SCT_FIELD_UID);
        ASSERT_TRUE(number_at(c, 1000) && number_at(c, 2001));
        ASSERT_FALSE(number_at(c, 2000) || number_at(c, 1001));
        parsed_done(&p);

        BAD_FILTERS("These bounds", "uid>5", "uid<6");
        BAD_FILTERS("These bounds", "uid>=6", "uid<=5");
}

TEST(numbers_only_excluded) {
        Parsed p = GOOD_FILTERS("openat.retval!=0");
        const Condition *c = event_condition(&p, "openat", SCT_FIELD_RETVAL);

        ASSERT_TRUE(number_at(c, -2) && number_at(c, 3));
        ASSERT_FALSE(number_at(c, 0));
        parsed_done(&p);

        p = GOOD_FILTERS("uid=5", "uid!=5");
        c = subject_condition(&p, SCT_FIELD_UID);
        ASSERT_TRUE(number_at(c, 5));
        ASSERT_FALSE(number_at(c, 6));
        parsed_done(&p);
}

TEST(pid_means_process_or_thread) {
        Parsed p = GOOD_FILTERS("pid!=10");
        const Condition *c = subject_condition(&p, SCT_FIELD_HOST_PID);

        ASSERT_EQ(c->or_field, SCT_FIELD_HOST_TID);
        parsed_done(&p);

        p = GOOD_FILTERS("pid>10");   /* a range is of processes alone */
        ASSERT_EQ(subject_condition(&p, SCT_FIELD_HOST_PID)->or_field, SCT_FIELD_NONE);
        parsed_done(&p);

        p = GOOD_FILTERS("openat.context.pid=10", "openat.context.hostPid=11", "openat.context.hostParentProcessId=12");
        ASSERT_TRUE(number_at(event_condition(&p, "openat", SCT_FIELD_PID), 10));
        ASSERT_TRUE(number_at(event_condition(&p, "openat", SCT_FIELD_HOST_PID), 11));
        ASSERT_TRUE(number_at(event_condition(&p, "openat", SCT_FIELD_HOST_PPID), 12));
        parsed_done(&p);
}

TEST(pid_new) {
        Parsed p = GOOD_FILTERS("pid=new");

        ASSERT_TRUE(rule_of(&p)->born_after_load);
        ASSERT_EQ(rule_of(&p)->n_subject, 0);
        parsed_done(&p);

        p = GOOD_FILTERS("pid!=new", "pid>100");
        ASSERT_TRUE(rule_of(&p)->not_born_after_load);
        ASSERT_EQ(rule_of(&p)->n_subject, 1);
        parsed_done(&p);

        BAD_FILTERS("two policies", "pid=new", "pid=5");
        BAD_FILTERS("is no number", "pid>new");
}

/* ---- Strings ---- */

TEST(strings) {
        Parsed p = GOOD_FILTERS("openat.args.pathname=abc,abcd");
        unsigned pathname = arg_field("openat", "pathname");
        const Condition *c = event_condition(&p, "openat", pathname);

        ASSERT_EQ(c->class, CONDITION_STRING);
        ASSERT_TRUE(string_at(c, "abc") && string_at(c, "abcd"));
        ASSERT_FALSE(string_at(c, "abcde") || string_at(c, "aaaaaa"));
        parsed_done(&p);

        p = GOOD_FILTERS("openat.data.pathname!=abc,abcd");
        c = event_condition(&p, "openat", pathname);
        ASSERT_FALSE(string_at(c, "abc") || string_at(c, "abcd"));
        ASSERT_TRUE(string_at(c, "abcde") && string_at(c, "aaaaaa"));
        parsed_done(&p);

        p = GOOD_FILTERS("openat.args.pathname!=abc,abcd", "openat.args.pathname=abc");
        c = event_condition(&p, "openat", pathname);
        ASSERT_TRUE(string_at(c, "abc") && string_at(c, "abcde") && string_at(c, "aaaaaa"));
        ASSERT_FALSE(string_at(c, "abcd"));
        parsed_done(&p);
}

TEST(strings_wildcards) {
        Parsed p = GOOD_FILTERS("openat.args.pathname=*/release_agent,/etc/kubernetes/pki/*,"
                                "*secrets/kubernetes.io/serviceaccount*,*token,/etc/ld.so.preload");
        const Condition *c = event_condition(&p, "openat", arg_field("openat", "pathname"));

        ASSERT_TRUE(string_at(c, "xd/bruh/release_agent"));
        ASSERT_TRUE(string_at(c, "/etc/kubernetes/pki/true"));
        ASSERT_FALSE(string_at(c, "/nottrue/etc/kubernetes/pki/"));
        ASSERT_TRUE(string_at(c, "anythingheresecrets/kubernetes.io/serviceaccountanythingthere"));
        ASSERT_TRUE(string_at(c, "secrets/kubernetes.io/serviceaccount"));
        ASSERT_FALSE(string_at(c, "secrets/notkubernetes.io/serviceaccount"));
        ASSERT_TRUE(string_at(c, "token"));
        ASSERT_TRUE(string_at(c, "something_token"));
        ASSERT_FALSE(string_at(c, "token_withsomething"));
        ASSERT_TRUE(string_at(c, "/etc/ld.so.preload"));
        ASSERT_FALSE(string_at(c, "/etc/ld.so..preload"));
        parsed_done(&p);
}

TEST(strings_mixed_lists) {
        Parsed p = GOOD_FILTERS("openat.args.pathname!=flanneld,kube-proxy,etcd,kube-apiserver,coredns,"
                                "kube-controller,kubectl",
                                "openat.args.pathname=kube-apiserver,kubelet,kube-controller,etcd");
        const Condition *c = event_condition(&p, "openat", arg_field("openat", "pathname"));

        ASSERT_FALSE(string_at(c, "flanneld") || string_at(c, "kube-proxy") || string_at(c, "coredns") ||
                     string_at(c, "kubectl"));
        ASSERT_TRUE(string_at(c, "etcd") && string_at(c, "kube-apiserver") && string_at(c, "kube-controller") &&
                    string_at(c, "kubelet") && string_at(c, "bruh"));
        parsed_done(&p);

        p = GOOD_FILTERS("comm=mysqld*,postgres*,runc:[2:INIT],nginx*", "comm!=runc*,containerd*,(kubelet)");
        c = subject_condition(&p, SCT_FIELD_COMM);
        ASSERT_TRUE(string_at(c, "reality") && string_at(c, "whatever") && string_at(c, "runc:[2:INIT]"));
        ASSERT_FALSE(string_at(c, "containerd-noth") || string_at(c, "(kubelet)") || string_at(c, "runc-else"));
        parsed_done(&p);
}

TEST(prefix_and_suffix_sets) {
        Parsed p = GOOD_FILTERS("openat.args.pathname=bruh*,ahi*,yallla*,/etc/*,/home/*,/tmp/*,/bin/x*,lib*,"
                                "xlib64*,/usr*");
        const Condition *c = event_condition(&p, "openat", arg_field("openat", "pathname"));

        ASSERT_TRUE(string_at(c, "xlib643") && string_at(c, "bruh5") && string_at(c, "yallla") &&
                    string_at(c, "/home/ubuntu"));
        ASSERT_FALSE(string_at(c, "/x/bin/x/a2") || string_at(c, "/bin/a3") || string_at(c, "abruh6") ||
                     string_at(c, "yalla") || string_at(c, "/dir/home/ubuntu"));
        parsed_done(&p);

        p = GOOD_FILTERS("openat.args.pathname=*bruh,*ahi,*/.ssh,*/kube.config,*/.git,*.git");
        c = event_condition(&p, "openat", arg_field("openat", "pathname"));
        ASSERT_TRUE(string_at(c, "abruh") && string_at(c, "bruh") && string_at(c, "/home/ubuntu/.ssh") &&
                    string_at(c, "/usr/kubernetes/kube.config") && string_at(c, "/path/to/repo/.git"));
        ASSERT_FALSE(string_at(c, "bruh5") || string_at(c, "k8s/kube.config.user") ||
                     string_at(c, "path/to/repo/.gitignore"));
        parsed_done(&p);
}

TEST(strings_escapes) {
        Parsed p = GOOD_FILTERS("openat.args.pathname=/a\\,b,/c\\*,/d\\\\,/e!/f=g,/x\\ ,\\=y,/dev\\x2d");
        const Condition *c = event_condition(&p, "openat", arg_field("openat", "pathname"));

        ASSERT_EQ(c->n_patterns, 7);
        ASSERT_TRUE(string_at(c, "/a,b") && string_at(c, "/c*") && string_at(c, "/d\\") && string_at(c, "/e!/f=g") &&
                    string_at(c, "/x ") && string_at(c, "=y") && string_at(c, "/dev\\x2d"));
        ASSERT_FALSE(string_at(c, "/cx") || string_at(c, "b"));
        parsed_done(&p);

        p = GOOD_FILTERS("openat.args.pathname!=/fo!der/*");
        ASSERT_FALSE(string_at(event_condition(&p, "openat", arg_field("openat", "pathname")), "/fo!der/x"));
        parsed_done(&p);

        BAD_FILTERS("begins with a space", "comm=a, b");
        BAD_FILTERS("ends in a space", "comm=a ");
}

TEST(strings_limits) {
        char long_path[5000] = "openat.args.pathname=/";
        size_t n = strlen("openat.args.pathname=");

        memset(long_path + n + 1, 'a', 4095 - 1);
        long_path[n + 4095] = '\0';
        Parsed p = GOOD_FILTERS(long_path);
        parsed_done(&p);
        strcat(long_path, "a");
        BAD_FILTERS("at most 4095 bytes", long_path);

        long_path[n + 252] = '*';
        long_path[n + 253] = '\0';
        p = GOOD_FILTERS(long_path);
        parsed_done(&p);
        long_path[n + 252] = 'a';
        long_path[n + 253] = '*';
        long_path[n + 254] = '\0';
        BAD_FILTERS("may have 252 bytes", long_path);

        BAD_FILTERS("has no order", "openat.args.pathname>5");
        p = GOOD_FILTERS("comm=exactly15bytes.");
        parsed_done(&p);
}

TEST(too_many_values) {
        char *text = malloc(3 * 65537 + 16), *e;

        ASSERT_NOT_NULL(text);
        e = stpcpy(text, "uid=1");
        for (size_t i = 1; i < 65536; i++)
                e = stpcpy(e, ",1");
        Parsed p = GOOD_FILTERS(text);
        ASSERT_EQ(subject_condition(&p, SCT_FIELD_UID)->n_eq, 1);
        parsed_done(&p);
        strcpy(e, ",1");
        BAD_FILTERS("more than 65536 values", text);
        free(text);

        /* Several expressions are one filter. */
        text = malloc(8 * 40000 + 16);
        ASSERT_NOT_NULL(text);
        e = stpcpy(text, "uid=0");
        for (unsigned i = 1; i < 40000; i++)
                e += sprintf(e, ",%u", i);
        char *second = malloc(8 * 40000 + 16);
        ASSERT_NOT_NULL(second);
        e = stpcpy(second, "uid!=50000");
        for (unsigned i = 50001; i < 90000; i++)
                e += sprintf(e, ",%u", i);
        BAD_FILTERS("more than 65536 values together", text, second);
        free(text);
        free(second);
}

TEST(binary) {
        struct stat st;
        Parsed p = GOOD_FILTERS("binary=/usr/bin/ls,/opt/*,*/id,*python*");
        const Condition *c = subject_condition(&p, SCT_FIELD_EXE);

        ASSERT_TRUE(string_at(c, "/usr/bin/ls") && string_at(c, "/opt/x") && string_at(c, "/usr/bin/id") &&
                    string_at(c, "/usr/bin/python3"));
        ASSERT_FALSE(string_at(c, "/usr/bin/lsof"));
        parsed_done(&p);

        p = GOOD_FILTERS("binary=4026531841:/usr/bin/ls");
        c = subject_condition(&p, SCT_FIELD_EXE);
        ASSERT_TRUE(c->patterns[0].has_mnt_ns);
        ASSERT_EQ(c->patterns[0].mnt_ns, 4026531841U);
        ASSERT_STREQ(c->patterns[0].text, "/usr/bin/ls");
        parsed_done(&p);

        /* A colon inside of a path is part of it. */
        p = GOOD_FILTERS("binary=/opt/a:b");
        ASSERT_FALSE(subject_condition(&p, SCT_FIELD_EXE)->patterns[0].has_mnt_ns);
        parsed_done(&p);

        if (readlink("/bin", (char[64]) {}, 64) > 0) {
                p = GOOD_FILTERS("binary=/bin/ls");
                ASSERT_EQ(p.problems.n, 1);
                ASSERT_CONTAINS(p.problems.items[0].message, "write /usr/bin/ls.");
                parsed_done(&p);
        }
        BAD_FILTERS("Behind a mount namespace", "binary=5:*ls");
        if (stat("/proc/1/ns/mnt", &st) < 0)
                test_skip("/proc/1/ns/mnt cannot be read here: %m");
        p = GOOD_FILTERS("2:binary=host:/usr/bin/ls");
        c = subject_condition(&p, SCT_FIELD_EXE);
        ASSERT_TRUE(c->patterns[0].has_mnt_ns);
        ASSERT_EQ(c->patterns[0].mnt_ns, (uint32_t) st.st_ino);
        parsed_done(&p);
}

/* ---- Arguments ---- */

TEST(flags_by_name) {
        Parsed p = GOOD_FILTERS("openat.args.flags=O_WRONLY,O_CREAT");
        const Condition *c = event_condition(&p, "openat", arg_field("openat", "flags"));

        ASSERT_EQ(c->class, CONDITION_MASK);
        ASSERT_EQ(c->n_masks, 2);
        ASSERT_EQ(c->masks[0].cmp & 3, 1);     /* O_WRONLY asks for the access mode as a whole */
        ASSERT_EQ(c->masks[0].and & 3, 3);
        ASSERT_EQ(c->masks[1].and, 0100);
        parsed_done(&p);

        p = GOOD_FILTERS("openat.args.flags!=O_RDONLY", "openat.args.flags=577");
        c = event_condition(&p, "openat", arg_field("openat", "flags"));
        ASSERT_EQ(c->class, CONDITION_MASK);
        ASSERT_EQ(c->n_masks, 2);
        ASSERT_TRUE(c->masks[0].negative);
        ASSERT_EQ_U64(c->masks[1].and, UINT64_MAX);
        ASSERT_EQ(c->masks[1].cmp, 577);
        parsed_done(&p);

        p = GOOD_FILTERS("openat.args.flags=0x241");
        c = event_condition(&p, "openat", arg_field("openat", "flags"));
        ASSERT_EQ(c->class, CONDITION_NUMBER);
        ASSERT_TRUE(number_at(c, 0x241));
        parsed_done(&p);

        BAD_FILTERS("did you mean O_WRONLY?", "openat.args.flags=O_WRONYL");
        BAD_FILTERS("is a name", "openat.args.flags>O_WRONLY");
        BAD_FILTERS("cannot be mixed", "openat.args.flags=O_WRONLY", "openat.args.flags>5");
}

TEST(arguments_by_type) {
        Parsed p = GOOD_FILTERS("ptrace.args.request=PTRACE_TRACEME", "ptrace.args.addr=0xffffffffffffffff");
        const Condition *c = event_condition(&p, "ptrace", arg_field("ptrace", "request"));

        ASSERT_TRUE(c->class == CONDITION_NUMBER ? number_at(c, 0) : c->n_masks == 1);
        ASSERT_TRUE(number_at(event_condition(&p, "ptrace", arg_field("ptrace", "addr")), -1));
        parsed_done(&p);

        p = GOOD_FILTERS("close.args.fd>=3");
        ASSERT_TRUE(event_condition(&p, "close", arg_field("close", "fd"))->is_signed);
        parsed_done(&p);

        p = GOOD_FILTERS("sys_enter.args.syscall=openat,close");
        c = event_condition(&p, "sys_enter", arg_field("sys_enter", "syscall"));
        ASSERT_TRUE(number_at(c, event_spec_by_name("openat")->id) && number_at(c, event_spec_by_name("close")->id));
        ASSERT_FALSE(number_at(c, event_spec_by_name("read")->id));
        parsed_done(&p);

        p = GOOD_FILTERS("sched_process_exit.args.process_group_exit=true");
        c = event_condition(&p, "sched_process_exit", arg_field("sched_process_exit", "process_group_exit"));
        ASSERT_TRUE(number_at(c, 1));
        ASSERT_FALSE(number_at(c, 0));
        parsed_done(&p);

        /* Ids are declared as int and meant as unsigned. */
        p = GOOD_FILTERS("setuid.args.uid=4294967295");
        ASSERT_TRUE(number_at(event_condition(&p, "setuid", arg_field("setuid", "uid")), -1));
        parsed_done(&p);

        p = GOOD_FILTERS("chmod.args.mode=04755");
        ASSERT_TRUE(number_at(event_condition(&p, "chmod", arg_field("chmod", "mode")), 04755));
        parsed_done(&p);

        p = GOOD_FILTERS("sethostname.args.name=web*");
        ASSERT_TRUE(string_at(event_condition(&p, "sethostname", arg_field("sethostname", "name")), "web-1"));
        parsed_done(&p);

        BAD_FILTERS("true or false", "sched_process_exit.args.process_group_exit=maybe");
        BAD_FILTERS("from -2147483648 to 2147483647", "close.args.fd=5000000000");
        BAD_FILTERS("is a number", "read.args.count=viel");
}

static bool list_at(const Condition *c, const char *block, size_t size) {
        return condition_string_matches(c, block, size);
}
#define LIST_AT(c, block) list_at((c), "\0" block, sizeof("\0" block))

/* What holds for one word of a list, and for one alone. */
TEST(lists_of_strings) {
        Parsed p = GOOD_FILTERS("execve.args.argv=ls,-l*,*.txt,*mid*");
        const Condition *c = event_condition(&p, "execve", arg_field("execve", "argv"));

        ASSERT_EQ(c->class, CONDITION_STRING);
        ASSERT_TRUE(LIST_AT(c, "ls") && LIST_AT(c, "cat\0ls") && LIST_AT(c, "cat\0ls\0x"));
        ASSERT_TRUE(LIST_AT(c, "x\0-la\0y") && LIST_AT(c, "x\0a.txt") && LIST_AT(c, "x\0amidst\0y"));
        ASSERT_FALSE(LIST_AT(c, "als") || LIST_AT(c, "ls2\0x") || LIST_AT(c, "x-l") || LIST_AT(c, "a.txt2") || LIST_AT(c, "m\0id"));
        ASSERT_FALSE(LIST_AT(c, ""));
        parsed_done(&p);

        p = GOOD_FILTERS("sched_process_exec.args.env!=PATH=*,*=secret");
        c = event_condition(&p, "sched_process_exec", arg_field("sched_process_exec", "env"));
        ASSERT_TRUE(LIST_AT(c, "HOME=/\0XPATH=/"));
        ASSERT_FALSE(LIST_AT(c, "HOME=/\0PATH=/") || LIST_AT(c, "KEY=secret"));
        parsed_done(&p);

        BAD_FILTERS("has no order", "execve.args.argv>x");
        BAD_FILTERS("at most 255 bytes", "execve.args.argv=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

TEST(retval) {
        Parsed p = GOOD_FILTERS("openat.retval=-ENOENT,EACCES");
        const Condition *c = event_condition(&p, "openat", SCT_FIELD_RETVAL);

        ASSERT_TRUE(number_at(c, -2) && number_at(c, -13));
        ASSERT_FALSE(number_at(c, 2) || number_at(c, 0));
        parsed_done(&p);

        p = GOOD_FILTERS("openat.retval=2", "openat.retval>1");
        c = event_condition(&p, "openat", SCT_FIELD_RETVAL);
        ASSERT_TRUE(number_at(c, 2) && number_at(c, 3));
        ASSERT_FALSE(number_at(c, 1) || number_at(c, -2));
        parsed_done(&p);

        p = GOOD_FILTERS("openat.retval>5", "openat.retval<10");
        c = event_condition(&p, "openat", SCT_FIELD_RETVAL);
        ASSERT_FALSE(number_at(c, 5) || number_at(c, 10));
        ASSERT_TRUE(number_at(c, 6));
        parsed_done(&p);

        BAD_FILTERS("did you mean ENOENT?", "openat.retval=ENOETN");
        BAD_FILTERS("never returns", "exit_group.retval=0");
        BAD_FILTERS("no call that returns", "sched_process_exec.retval=0");
}

TEST_MAIN()
