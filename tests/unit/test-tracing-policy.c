/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TracingPolicy as others write it: every published file and every example of the guide is read, what is wrong is answered
 * at its place, and hooks, selectors and actions become what they say. What operators mean is in test-tracing-operator.c.
 *
 * tests/data/policies/tracing/good: `#! H hooks, R rules`. tests/data/policies/tracing/bad: `#! LINE:COLUMN FRAGMENT`. */

#include <dirent.h>

#include "basic/fd-util.h"
#include "tracing-test.h"

static char *read_file(const char *directory, const char *name, size_t *ret_size) {
        const char *source = getenv("SCOPETRACE_SOURCE");
        char path[4096], *text;

        snprintf(path, sizeof(path), "%s/tests/data/%s/%s", source ?: ".", directory, name);
        ASSERT_OK(read_full_file(path, POLICY_FILE_MAX, &text, ret_size));
        return text;
}

/* Some published files are templates: {{.Pid}} becomes a number. */
static void fill_template(char *text) {
        for (char *p = text; (p = strstr(p, "{{.Pid}}"));)
                memcpy(p, "    4242", 8);
}

static Parsed parse_file(const char *directory, const char *name) {
        size_t size;
        char *text = read_file(directory, name, &size);
        Parsed p = {};

        fill_template(text);
        ASSERT_OK(policy_parse(text, size, name, &p.policies, &p.n, &p.problems));
        free(text);
        return p;
}

typedef struct FileRow {
        const char *name;
        size_t hooks, rules, actions, warnings;
        const char *call;               /* of the last hook */
} FileRow;

static const FileRow published[] = {
        { "bpf.yaml", 3, 3, 0, 0, "security_bpf_map_alloc" },
        { "dev_queue_xmit.yaml", 1, 1, 0, 0, "dev_queue_xmit" },
        { "fd_install_cap_changes.yaml", 1, 1, 0, 0, "fd_install" },
        { "fd_install_caps.yaml", 1, 1, 0, 0, "fd_install" },
        { "fd_install_ns.yaml", 1, 1, 0, 0, "fd_install" },
        { "fd_install_ns_host.yaml", 1, 1, 0, 0, "fd_install" },
        { "fd_memfd_kill.yaml", 3, 3, 2, 0, "__x64_sys_execve" },
        { "hardlink-observe.yaml", 1, 1, 0, 0, "__x64_sys_linkat" },
        { "hardlink-override.yaml", 1, 1, 1, 0, "__x64_sys_linkat" },
        { "kill_unprivileged_user_namespace.yaml", 1, 1, 1, 0, "create_user_ns" },
        { "kill_unprivileged_user_namespace_in_pid_namespace.yaml", 1, 1, 1, 0, "create_user_ns" },
        { "kprobe_commit_creds.yaml", 1, 1, 0, 0, "commit_creds" },
        { "loader.yaml", 1, 1, 0, 0, "loader" },
        { "match_capability_changes.yaml", 2, 2, 1, 0, "__x64_sys_write" },
        { "match_namespace_changes.yaml", 2, 2, 1, 0, "__x64_sys_write" },
        { "names.yaml", 3, 3, 3, 0, "__x64_sys_write" },
        { "open_dnsrequest.yaml", 1, 1, 1, 0, "fd_install" },
        { "open_geturl.yaml", 1, 1, 1, 0, "fd_install" },
        { "open_kill.yaml", 3, 3, 3, 0, "__x64_sys_write" },
        { "raw_syscalls.yaml", 1, 1, 0, 1, "sys_enter" },
        { "symlink-observe.yaml", 1, 1, 0, 0, "__x64_sys_symlinkat" },
        { "symlink-override.yaml", 1, 1, 1, 0, "__x64_sys_symlinkat" },
        { "sys_clock_settime.yaml", 1, 1, 0, 0, "__x64_sys_clock_settime" },
        { "sys_mount.yaml", 1, 1, 0, 0, "__x64_sys_mount" },
        { "sys_pivot_root.yaml", 1, 1, 0, 0, "__x64_sys_pivot_root" },
        { "sys_ptrace.yaml", 1, 1, 0, 0, "__x64_sys_ptrace" },
        { "sys_setuid.yaml", 1, 1, 0, 0, "__x64_sys_setuid" },
        { "sys_write_follow_fd_etc_pwd.yaml", 2, 2, 1, 1, "__x64_sys_write" },
        { "sys_write_follow_fd_prefix.yaml", 4, 4, 2, 0, "__x64_sys_write" },
        { "sys_write_sigkill.yaml", 4, 4, 4, 0, "__x64_sys_write" },
        { "tcp-connect.yaml", 3, 3, 0, 0, "tcp_sendmsg" },
        { "uprobe-binaries.yaml", 1, 1, 0, 0, "malloc" },
        { "uprobe-host.yaml", 1, 1, 0, 0, "_start" },
        { "uprobe-pid.yaml", 1, 1, 0, 0, "readline" },
        { "uprobe.yaml", 1, 1, 0, 0, "readline" },
        { "write.yaml", 1, 1, 0, 0, "__x64_sys_write" },
};

static size_t count_actions(const Policy *p) {
        size_t n = 0;

        for (size_t i = 0; i < p->n_rules; i++)
                n += p->rules[i].n_actions;
        return n;
}

TEST(published_files) {
        for (size_t i = 0; i < ELEMENTSOF(published); i++) {
                const FileRow *row = published + i;
                Parsed p = parse_file("tetragon-v0.9", row->name);
                const Policy *policy;

                if (p.n != 1) {
                        print_problems(&p.problems);
                        TEST_FAIL("%s is not accepted", row->name);
                }
                policy = p.policies[0];
                ASSERT_EQ(policy->kind, POLICY_KIND_TRACING);
                if (policy->n_hooks != row->hooks || policy->n_rules != row->rules ||
                    count_actions(policy) != row->actions ||
                    p.problems.n != row->warnings) {
                        print_problems(&p.problems);
                        TEST_FAIL("%s: %zu hooks, %zu rules, %zu actions, %zu problems", row->name, policy->n_hooks,
                                  policy->n_rules,
                                  count_actions(policy), p.problems.n);
                }
                ASSERT_STREQ(policy->hooks[policy->n_hooks - 1].call, row->call);
                parsed_done(&p);
        }
}

/* None is left out of the table above. */
TEST(published_files_are_all) {
        const char *source = getenv("SCOPETRACE_SOURCE");
        char path[4096];
        size_t n = 0;
        DIR *d;

        snprintf(path, sizeof(path), "%s/tests/data/tetragon-v0.9", source ?: ".");
        d = opendir(path);
        ASSERT_NOT_NULL(d);
        for (struct dirent *e; (e = readdir(d));)
                n += strstr(e->d_name, ".yaml") != NULL;
        closedir(d);
        ASSERT_EQ(n, ELEMENTSOF(published));
}

static void check_good(const char *name, const char *text) {
        size_t hooks, rules;
        Parsed p;

        ASSERT_EQ(sscanf(text, "#! %zu hooks, %zu rules", &hooks, &rules), 2);
        p = parse_file("policies/tracing/good", name);
        if (p.n != 1 || p.policies[0]->n_hooks != hooks || p.policies[0]->n_rules != rules) {
                print_problems(&p.problems);
                TEST_FAIL("%s is not accepted, or has other numbers", name);
        }
        parsed_done(&p);
}

static void check_bad(const char *name, const char *text) {
        unsigned line, column;
        int offset = 0;
        char fragment[256];
        Parsed p;

        ASSERT_EQ(sscanf(text, "#! %u:%u %n", &line, &column, &offset), 2);
        ASSERT_GE(offset, 1);
        snprintf(fragment, sizeof(fragment), "%.*s", (int) strcspn(text + offset, "\n"), text + offset);
        p = parse_file("policies/tracing/bad", name);
        if (p.n != 0 || p.problems.n_errors == 0 || p.problems.items[0].line != line ||
            p.problems.items[0].column != column ||
            !strstr(p.problems.items[0].message, fragment)) {
                print_problems(&p.problems);
                TEST_FAIL("%s: wanted %u:%u %s", name, line, column, fragment);
        }
        parsed_done(&p);
}

static size_t each_file(const char *directory, void (*check)(const char *name, const char *text)) {
        const char *source = getenv("SCOPETRACE_SOURCE");
        char path[4096];
        size_t n = 0, size;
        DIR *d;

        snprintf(path, sizeof(path), "%s/tests/data/%s", source ?: ".", directory);
        d = opendir(path);
        ASSERT_NOT_NULL(d);
        for (struct dirent *e; (e = readdir(d));) {
                char *text;

                if (e->d_name[0] == '.')
                        continue;
                text = read_file(directory, e->d_name, &size);
                check(e->d_name, text);
                free(text);
                n++;
        }
        closedir(d);
        return n;
}

TEST(good_files) {
        ASSERT_GE(each_file("policies/tracing/good", check_good), 48);
}

TEST(bad_files) {
        ASSERT_GE(each_file("policies/tracing/bad", check_bad), 20);
}

/* ---- The document ---- */

TEST(scope_and_kinds) {
        Parsed p = parse_text("apiVersion: cilium.io/v1alpha1\nkind: TracingPolicyNamespaced\nmetadata:\n  name: "
                              "example_ns_1\n"
                              "  namespace: shop\n  annotations: {scopetrace.org/scope: \"7\"}\nspec:\n  kprobes:\n"
                              "  - {call: fd_install, syscall: false}\n");

        ASSERT_EQ(p.n, 1);
        ASSERT_EQ(p.problems.n, 1);
        ASSERT_EQ(p.problems.n_errors, 0);
        ASSERT_EQ(p.policies[0]->scope, 7);
        ASSERT_EQ(p.policies[0]->kind, POLICY_KIND_TRACING);
        ASSERT_FALSE(p.policies[0]->monitor);
        parsed_done(&p);
}

TEST(sections_together_and_functions_twice) {
        Parsed p = good_spec("  kprobes:\n  - {call: do_exit, syscall: false}\n  - {call: do_exit, syscall: false, "
                             "args: [{index: 0, type: long}]}\n"
                             "  tracepoints:\n  - {subsystem: sched, event: sched_switch}\n"
                             "  - {subsystem: sched, event: sched_switch, raw: true, args: [{index: 1, type: nop}]}\n"
                             "  uprobes:\n  - {path: /bin/sh, offsets: [0x10, \"32\"]}\n  - {path: /bin/sh, symbols: "
                             "[a, b+0x4]}\n"
                             "  lsmhooks:\n  - {hook: file_open, args: [{index: 0, type: file}]}\n  loader: true\n"
                             "  options: [{name: policy-mode, value: monitor}, {name: disable-kprobe-multi, value: "
                             "\"1\"}]\n");
        const Policy *policy = p.policies[0];
        static const HookKind kinds[] = { HOOK_KPROBE, HOOK_KPROBE, HOOK_TRACEPOINT, HOOK_RAW_TRACEPOINT, HOOK_UPROBE,
                                          HOOK_UPROBE,
                                          HOOK_LSM, HOOK_LOADER };

        ASSERT_EQ(policy->n_hooks, ELEMENTSOF(kinds));
        ASSERT_EQ(policy->n_rules, ELEMENTSOF(kinds));
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                ASSERT_EQ(policy->hooks[i].kind, kinds[i]);
                ASSERT_TRUE(policy->rules[i].hook == policy->hooks + i);
                ASSERT_TRUE(policy->rules[i].events[0].spec == &policy->hooks[i].spec);
                ASSERT_EQ(policy->rules[i].selector, 0);
        }
        ASSERT_TRUE(policy->monitor);
        ASSERT_EQ(policy->hooks[4].n_offsets, 2);
        ASSERT_EQ(policy->hooks[4].offsets[1], 32);
        ASSERT_STREQ(policy->hooks[4].call, "sh");
        ASSERT_STREQ(policy->hooks[5].symbols[1], "b+0x4");
        ASSERT_STREQ(policy->hooks[1].spec.args[0].name, "arg0");
        parsed_done(&p);
}

/* ---- Hooks ---- */

TEST(system_calls_by_any_name) {
        static const char *const names[] = { "write", "sys_write", "__x64_sys_write", "__arm64_sys_write" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char text[256];
                Parsed p;

                snprintf(text, sizeof(text), "  - call: %s\n    args: [{index: 0, type: fd}, {index: 2, type: size_t, "
                         "label: count!}]\n",
                         names[i]);
                p = good_hook(text);
                ASSERT_STREQ(p.policies[0]->hooks[0].syscall_spec->name, "write");
                ASSERT_TRUE(p.policies[0]->hooks[0].syscall);
                ASSERT_STREQ(p.policies[0]->hooks[0].call, names[i]);
                ASSERT_STREQ(p.policies[0]->hooks[0].spec.name, names[i]);
                ASSERT_STREQ(p.policies[0]->hooks[0].spec.args[0].name, "fd");
                ASSERT_STREQ(p.policies[0]->hooks[0].spec.args[1].name, "count!");
                ASSERT_STREQ(p.policies[0]->hooks[0].spec.args[1].ctype, "size_t");
                parsed_done(&p);
        }
        Parsed p = good_hook("  - {call: sys_newuname}\n  - {call: __x64_sys_newstat}\n");

        ASSERT_STREQ(p.policies[0]->hooks[0].syscall_spec->name, "uname");
        ASSERT_STREQ(p.policies[0]->hooks[1].syscall_spec->name, "stat");
        parsed_done(&p);
}

TEST(arguments_and_return_values) {
        Parsed p = good_hook("  - call: sys_read\n    return: true\n    returnArg: {index: 0, type: int}\n    args:\n"
                             "    - {index: 0, type: int}\n    - {index: 1, type: char_buf, returnCopy: true}\n    - "
                             "{index: 2, type: size_t}\n"
                             "  - call: sys_write\n    args: [{index: 1, type: char_buf, sizeArgIndex: 3, maxData: "
                             "true}]\n"
                             "  - call: getname\n    syscall: false\n    return: true\n    returnArg: {index: 0, type: "
                             "filename}\n"
                             "  - call: tcp_v4_connect\n    syscall: false\n    returnArg: {type: sock}\n    "
                             "returnArgAction: TrackSock\n"
                             "    args: [{index: 0, type: int, resolve: sk.sk_state}, {index: 0, type: int, resolve: "
                             "sk.sk_type}]\n"
                             "    data: [{type: uint32, source: current_task, resolve: cred.uid.val}]\n"
                             "    ignore: {callNotFound: true}\n    message: hello\n    tags: [ab, cd]\n");
        const Hook *h = p.policies[0]->hooks;

        ASSERT_EQ(h[0].spec.n_args, 3);                         /* an int is the record's return value */
        ASSERT_TRUE(h[0].has_return);
        ASSERT_EQ(h[0].spec.args[1].flags, SCT_ARG_PLAN_EXIT);
        ASSERT_EQ(h[0].spec.args[1].size_source, 0xff);
        ASSERT_EQ(h[1].spec.args[0].size_source, 2);            /* sizeArgIndex counts from 1 */
        ASSERT_EQ(h[1].spec.args[0].flags, 0);
        ASSERT_EQ(h[1].args[0].max_data, 327360);
        ASSERT_EQ(h[2].spec.n_args, 1);                         /* a name is an argument of its own */
        ASSERT_STREQ(h[2].spec.args[0].name, "return");
        ASSERT_EQ(h[2].spec.args[0].type, SCT_ARG_FILENAME);
        ASSERT_EQ(h[2].spec.args[0].flags, SCT_ARG_PLAN_EXIT);
        ASSERT_TRUE(h[3].has_return);
        ASSERT_EQ(h[3].return_action, HOOK_ACTION_TRACK_SOCK);
        ASSERT_EQ(h[3].n_args, 3);
        ASSERT_EQ(h[3].args[2].source, HOOK_ARG_CURRENT_TASK);
        ASSERT_STREQ(h[3].spec.args[0].name, "arg0");
        ASSERT_STREQ(h[3].spec.args[1].name, "arg0_1");
        ASSERT_STREQ(h[3].spec.args[2].name, "cred.uid.val");
        ASSERT_TRUE(h[3].ignore_not_found);
        ASSERT_STREQ(h[3].message, "hello");
        ASSERT_STREQ(h[3].tags[1], "cd");
        parsed_done(&p);
}

/* Fields stand in any order, and sections that hooks speak of, too. */
TEST(lists_and_enforcers) {
        Parsed p = good_spec("  kprobes:\n  - selectors:\n    - matchActions: [{action: NotifyEnforcer, argError: -1, "
                             "argSig: 9}]\n    call: list:dups\n"
                             "  - {call: \"list:all\"}\n  - {call: \"list:ksys\"}\n"
                             "  tracepoints:\n  - subsystem: raw_syscalls\n    event: sys_enter\n    args: [{index: 4, "
                             "type: syscall64}]\n"
                             "    selectors:\n    - matchArgs: [{index: 4, operator: InMap, values: [\"list:dups\", "
                             "1]}]\n"
                             "  enforcers:\n  - calls: [\"list:dups\", security_file_open]\n"
                             "  lists:\n  - {name: dups, type: syscalls, values: [sys_dup, i386/sys_dup2]}\n  - {name: "
                             "all, type: generated_syscalls}\n"
                             "  - {name: ksys, type: generated_ftrace, pattern: \"^ksys_\"}\n");
        const Policy *policy = p.policies[0];
        const Condition *c;

        ASSERT_EQ(strv_length(policy->hooks[0].symbols), 2);
        ASSERT_TRUE(policy->hooks[0].syscall);
        ASSERT_GE(strv_length(policy->hooks[1].symbols), 300);
        ASSERT_STREQ(policy->hooks[2].pattern, "^ksys_");
        ASSERT_FALSE(policy->hooks[2].syscall);
        ASSERT_EQ(strv_length(policy->enforcer_calls), 3);
        /* Every call of a list is an event of its own. */
        ASSERT_EQ(policy->hooks[0].n_members, 2);
        ASSERT_STREQ(policy->hooks[0].members[0].spec.name, "sys_dup");
        ASSERT_TRUE(policy->hooks[0].members[0].native && policy->hooks[0].members[0].compat);
        ASSERT_STREQ(policy->hooks[0].members[1].spec.name, "i386/sys_dup2");
        ASSERT_FALSE(policy->hooks[0].members[1].native);
        ASSERT_STREQ(policy->hooks[0].members[1].syscall->name, "dup2");
        ASSERT_EQ(policy->hooks[1].n_members, strv_length(policy->hooks[1].symbols));
        ASSERT_EQ(policy->hooks[2].n_members, 0);
        c = policy->rules[3].events[0].conditions;
        ASSERT_TRUE(condition_number_matches(c, 32));                   /* dup */
        ASSERT_TRUE(condition_number_matches(c, 0x80000000ULL | 63));   /* dup2 of the 32-bit table */
        ASSERT_TRUE(condition_number_matches(c, 1));
        ASSERT_FALSE(condition_number_matches(c, 33));                  /* dup2 of the other */
        parsed_done(&p);
}

TEST(places_of_uprobes) {
        Parsed p = good_spec("  uprobes:\n  - {path: /bin/sh, symbols: [one, two+0x10], refCtrOffsets: [0x20, 0]}\n"
                             "  - {path: /bin/sh, symbol: three}\n  - {path: /bin/sh, offsets: [0x30, 0x40]}\n");
        const Hook *h = p.policies[0]->hooks;

        ASSERT_EQ(h[0].n_members, 2);
        ASSERT_STREQ(h[0].members[1].spec.name, "two+0x10");
        ASSERT_EQ(h[0].ref_ctr_offsets[0], 0x20);
        ASSERT_EQ(h[1].n_members, 0);
        ASSERT_EQ(h[2].n_members, 2);
        ASSERT_STREQ(h[2].members[0].spec.name, "sh+0x30");
        parsed_done(&p);

        p = parse_spec("  uprobes:\n  - {path: /bin/sh, symbols: [one, two], refCtrOffsets: [0x20]}\n");
        ASSERT_EQ(p.problems.n_errors, 1);
        ASSERT_TRUE(strstr(p.problems.items[0].message, "1 refCtrOffsets for 2 places"));
        parsed_done(&p);
}

static Plan *compile_all(Parsed *p, bool *failed) {
        CompileInput inputs[80];
        ProblemList problems = {};
        FeatureSet features = {};
        Plan *plan;

        for (size_t i = 0; i < p->n; i++)
                inputs[i] = (CompileInput) { .policy = p->policies[i], .scope = 1 };
        ASSERT_OK(policy_compile(inputs, p->n, 1, &features, &plan, failed, &problems));
        problem_list_done(&problems);
        return plan;
}

/* Event numbers and enforcers of all policies are different ones; the 65th enforcer finds no number and is refused. */
TEST(numbers_of_hooks) {
        _cleanup_(buffer_done) Buffer b = {};
        bool failed[80], seen[1024] = {};
        Parsed p;
        Plan *plan;

        for (int i = 0; i < 66; i++)
                (void) buffer_printf(&b, "---\napiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: p%i}\nspec:\n"
                                     "  lists: [{name: l, type: syscalls, values: [sys_dup, sys_close]}]\n"
                                     "  enforcers: [{calls: [sys_acct]}]\n  kprobes:\n  - call: \"list:l\"\n    selectors:\n"
                                     "    - matchActions: [{action: NotifyEnforcer, argSig: 9}]\n", i);
        p = parse_text(buffer_cstring(&b));
        ASSERT_EQ(p.n, 66);
        plan = compile_all(&p, failed);
        for (size_t i = 0; i < p.n; i++) {
                const Hook *h = p.policies[i]->hooks;
                uint16_t ids[] = { h->spec.id, h->members[0].spec.id, h->members[1].spec.id };

                ASSERT_EQ(failed[i], i >= PLAN_ENFORCERS_MAX);
                for (size_t k = 0; k < ELEMENTSOF(ids); k++) {
                        ASSERT_GE(ids[k], SCT_EVENT_HOOK_FIRST);
                        ASSERT_FALSE(seen[ids[k] - SCT_EVENT_HOOK_FIRST]);
                        seen[ids[k] - SCT_EVENT_HOOK_FIRST] = true;
                }
                if (i < PLAN_ENFORCERS_MAX)
                        ASSERT_TRUE(plan->enforcers[p.policies[i]->enforcer_number] == p.policies[i]);
        }
        plan_free(plan);
        parsed_done(&p);
}

/* ---- Selectors and actions ---- */

TEST(no_selectors_match_everything) {
        Parsed p = good_hook("  - {call: sys_close}\n  - {call: sys_close, selectors: []}\n  - {call: sys_close, "
                             "selectors: [{}]}\n");

        ASSERT_EQ(p.policies[0]->n_rules, 3);
        for (size_t i = 0; i < 3; i++) {
                ASSERT_EQ(p.policies[0]->rules[i].n_subject, 0);
                ASSERT_EQ(p.policies[0]->rules[i].n_actions, 0);
                ASSERT_EQ(p.policies[0]->rules[i].events[0].n_conditions, 0);
        }
        parsed_done(&p);
}

TEST(macros) {
        Parsed p = good_spec("  kprobes:\n  - call: sys_close\n    args: [{index: 0, type: int}]\n    selectors:\n"
                             "    - macros: [init, one]\n      matchPIDs: [{operator: In, values: [9]}]\n      label: "
                             "both\n"
                             "  selectorsMacros:\n    init: {matchNamespaces: [{namespace: Uts, operator: NotIn, "
                             "values: [4026531838]}]}\n"
                             "    one: {matchArgs: [{index: 0, operator: Equal, values: [1]}], matchActions: [{action: "
                             "NoPost}]}\n");
        const PolicyRule *rule = rule_of(&p);

        ASSERT_EQ(rule->n_subject, 2);
        ASSERT_EQ(rule->events[0].n_conditions, 1);
        ASSERT_EQ(rule->n_actions, 1);
        ASSERT_STREQ(rule->label, "both");
        parsed_done(&p);
}

TEST(actions) {
        Parsed p = good_hook("  - call: do_dup2\n    syscall: false\n    args: [{index: 1, type: file}, {index: 2, "
                             "type: int}, {index: 0, type: sock}]\n"
                             "    return: true\n    returnArg: {index: 0, type: int}\n    selectors:\n    - "
                             "matchActions:\n"
                             "      - {action: FollowFD, argFd: 2, argName: 1}\n      - {action: copyfd, argFd: 2, "
                             "argName: 2}\n"
                             "      - {action: SIGKILL, argError: -1}\n      - {action: Signal, argSig: SIGTERM}\n"
                             "      - {action: Post, rateLimit: 5m, rateLimitScope: global, kernelStackTrace: true}\n"
                             "      - {action: GetUrl, argUrl: \"https://example.org/x\"}\n      - {action: DnsLookup, "
                             "argFqdn: example.org}\n"
                             "      - {action: TrackSock, argSock: 0}\n      - {action: Post, rateLimit: 7}\n"
                             "      matchReturnActions: [{action: NoPost}]\n");
        const HookAction *a = rule_of(&p)->actions;

        ASSERT_EQ(rule_of(&p)->n_actions, 10);
        ASSERT_EQ(a[0].kind, HOOK_ACTION_FOLLOW_FD);
        ASSERT_EQ(a[0].fd_arg, 1);                      /* positions, not indices */
        ASSERT_EQ(a[0].name_arg, 0);
        ASSERT_EQ(a[1].kind, HOOK_ACTION_COPY_FD);
        ASSERT_EQ(a[2].kind, HOOK_ACTION_SIGKILL);
        ASSERT_EQ(a[3].signal, 15);
        ASSERT_EQ(a[4].rate_limit_usec, 300 * USEC_PER_SEC);
        ASSERT_EQ(a[4].rate_scope, HOOK_RATE_GLOBAL);
        ASSERT_TRUE(a[4].kernel_stack);
        ASSERT_STREQ(a[5].url, "https://example.org/x");
        ASSERT_STREQ(a[6].fqdn, "example.org");
        ASSERT_EQ(a[7].sock_arg, 2);
        ASSERT_EQ(a[8].rate_limit_usec, 7 * USEC_PER_SEC);
        ASSERT_FALSE(a[8].at_return);
        ASSERT_TRUE(a[9].at_return);
        parsed_done(&p);
}

TEST(override_where_it_works) {
        Parsed p = good_spec("  kprobes:\n  - {call: sys_symlinkat, selectors: [{matchActions: [{action: Override, "
                             "argError: -13}]}]}\n"
                             "  - {call: security_file_open, syscall: false, selectors: [{matchActions: [{action: "
                             "Override, argError: -1}]}]}\n"
                             "  lsmhooks:\n  - {hook: file_open, selectors: [{matchActions: [{action: Override, "
                             "argError: EPERM}]}]}\n");

        ASSERT_EQ(p.policies[0]->rules[0].actions[0].error, -13);
        ASSERT_EQ(p.policies[0]->rules[1].actions[0].error, -1);
        ASSERT_EQ(p.policies[0]->rules[2].actions[0].error, -1);
        parsed_done(&p);
}

/* Limits of others (5 selectors, 5 arguments, 4 values) are not ours. */
TEST(many_selectors_and_values) {
        _cleanup_(buffer_done) Buffer b = {};
        Parsed p;

        (void) buffer_add_string(&b, "  - call: fd_install\n    syscall: false\n    args: [{index: 1, type: file}, "
                                 "{index: 2, type: int}, "
                                 "{index: 3, type: int}, {index: 4, type: int}, {index: 5, type: int}, {index: 6, "
                                 "type: int}, {index: 11, type: long}]\n"
                                 "    selectors:\n");
        for (unsigned i = 0; i < 64; i++) {
                (void) buffer_printf(&b, "    - matchPIDs: [{operator: NotIn, values: [");
                for (unsigned k = 0; k < 1024; k++)
                        (void) buffer_printf(&b, "%s%u", k > 0 ? "," : "", 2 + k * 64 + i);
                (void) buffer_printf(&b, "]}]\n      matchArgs: [{index: 1, operator: Prefix, values: [/etc/%u/]}]\n",
                                     i);
        }
        p = good_hook(buffer_cstring(&b));
        ASSERT_EQ(p.policies[0]->n_rules, 64);
        ASSERT_EQ(p.policies[0]->rules[63].selector, 63);
        ASSERT_EQ(p.policies[0]->rules[63].subject[0].n_ne, 1024);
        ASSERT_EQ(p.policies[0]->hooks[0].n_args, 7);
        parsed_done(&p);
}

/* What would make a short document large is refused at its place. */
TEST(limits) {
        static const struct {
                const char *before, *item, *after, *fragment;
                unsigned n;
        } rows[] = {
                { "  kprobes:\n", "  - {call: sys_close}\n", "", "split it into several policies", 1024 },
                { "  kprobes: [{call: sys_close}]\n  enforcers: [{calls: [", "\"list:a\",", "]}]\n"
                  "  lists: [{name: a, type: generated_syscalls}]\n", "more than 1024 calls", 10 },
                { "  lists: [{name: a, values: [", "f,", "]}]\n  kprobes: [{call: sys_close}]\n", "more than 1024 values", 1025 },
                { "  uprobes: [{path: /q, offsets: [", "1,", "]}]\n", "more than 1024 places", 1025 },
                { "  kprobes: [{call: f, syscall: false, args: [{index: 0, type: sock}], selectors: [{matchArgs: [{index: 0, "
                  "operator: SAddr, values: [", "1.0.0.0/1,", "]}]}]}]\n", "multiple of 8", 600 },
                { "  kprobes:\n  - call: sys_close\n    args: [", "{index: 0, type: int},", "]\n", "more than 15 arguments", 16 },
                { "  kprobes:\n  - call: sys_close\n    selectors: [", "{},", "]\n", "more than 1024", 1025 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(buffer_done) Buffer b = {};
                Parsed p;

                (void) buffer_add_string(&b, rows[i].before);
                for (unsigned k = 0; k < rows[i].n; k++)
                        (void) buffer_add_string(&b, rows[i].item);
                (void) buffer_add_string(&b, rows[i].after);
                p = parse_spec(buffer_cstring(&b));
                if (p.n != 0 || p.problems.n_errors != 1 || !strstr(p.problems.items[0].message, rows[i].fragment)) {
                        print_problems(&p.problems);
                        TEST_FAIL("wanted one problem: %s", rows[i].fragment);
                }
                parsed_done(&p);
        }
}

TEST(host_selector) {
        Parsed p = good_spec("  hostSelector: {}\n  podSelector:\n  kprobes:\n  - {call: sys_close}\n");
        const Condition *c = subject_condition(&p, SCT_FIELD_CGROUP);

        ASSERT_EQ(c->class, CONDITION_CGROUP);
        ASSERT_TRUE(c->patterns[0].negative);
        parsed_done(&p);
}

TEST_MAIN()
