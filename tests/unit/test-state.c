/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a restarted daemon learns from its predecessor: nothing is lost on the way, and nothing damaged is believed. */
#include "../../src/basic/string-util.h"
#include "../../src/daemon/scope.h"
#include "../../src/daemon/state.h"
#include "test.h"

/* The version of this build. */
#define ABI_STRING_(x) #x
#define ABI_STRING(x) ABI_STRING_(x)
#define ABI ABI_STRING(SCT_ABI_VERSION)
#define STATE(version, abi) "scopetrace-state " version " abi " abi "\ndisabled-scopes 0\nend\n"

static const char text_a[] = "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: a}\n"
                             "spec: {scope: 7, priority: notice, filters: [event=openat]}\n";
static const char text_b[] = "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata: {name: b}\n"
                             "spec: {filters: [event=close, follow]}\n";

static LoadedPolicy *load(PolicySet *set, const char *text, uint64_t flags) {
        ProblemList problems = {};
        LoadedPolicy *p;

        ASSERT_OK(policy_set_add_transient(set, text, flags, NULL, &p, &problems));
        return p;
}

static RuleMap *compile(PolicySet *set, uint32_t generation) {
        CompileInput inputs[8];
        ProblemList problems = {};
        FeatureSet features = {};
        bool failed[8];
        RuleMap *map;
        Plan *plan;

        for (size_t i = 0; i < set->n; i++)
                inputs[i] = (CompileInput) { .policy = set->items[i]->policy, .scope = set->items[i]->scope,
                                             .follow_slot = set->items[i]->follow_slot };
        ASSERT_OK(policy_compile(inputs, set->n, generation, &features, &plan, failed, &problems));
        ASSERT_EQ(problems.n_errors, 0);
        ASSERT_OK(rule_map_new(plan, set->items, set->n, &map));
        plan_free(plan);
        return map;
}

TEST(captures) {
        char *writes[] = { (char *) "write=/tmp/a b\n*", (char *) "write:fd=stdout", NULL }, *mem[] = { (char *) "mem", NULL };
        const SavedCapture captures[] = {
                { .scope = 42, .kind = CAPTURE_WRITE, .expressions = writes },
                { .scope = 7, .kind = CAPTURE_MEM, .expressions = mem },
        };
        PolicySet set = {};
        RuleMapRing ring = {};
        SavedState state;
        Buffer b = {};

        ASSERT_OK(state_save(&set, &ring, captures, 2, &b));
        ASSERT_OK(state_load(buffer_cstring(&b), b.size, &state));
        ASSERT_EQ(state.n_captures, 2);
        ASSERT_EQ(state.captures[0].scope, 42);
        ASSERT_EQ(state.captures[0].kind, CAPTURE_WRITE);
        ASSERT_EQ(strv_length(state.captures[0].expressions), 2);
        ASSERT_STREQ(state.captures[0].expressions[0], writes[0]);
        ASSERT_STREQ(state.captures[0].expressions[1], writes[1]);
        ASSERT_EQ(state.captures[1].kind, CAPTURE_MEM);
        ASSERT_STREQ(state.captures[1].expressions[0], "mem");
        saved_state_done(&state);
        buffer_done(&b);
}

TEST(round_trip) {
        PolicySet set = {}, successor = {};
        RuleMapRing ring = {};
        SavedState state;
        Buffer b = {};
        LoadedPolicy *p;

        load(&set, text_a, 0)->disabled = true;
        p = load(&set, text_b, 0);
        ASSERT_OK(policy_set_number(&set));
        ASSERT_EQ(p->scope, 1);
        p->loaded_ns = 4711;
        set.disabled_scopes = SCOPE_BIT(3);
        rule_map_ring_push(&ring, compile(&set, 5));
        rule_map_ring_push(&ring, compile(&set, 6));
        ASSERT_OK(state_save(&set, &ring, NULL, 0, &b));

        ASSERT_OK(state_load(buffer_cstring(&b), b.size, &state));
        ASSERT_EQ(state.n_maps, 2);
        ASSERT_EQ(rule_map_generation(state.maps[0]), 6);
        ASSERT_EQ(rule_map_generation(state.maps[1]), 5);
        ASSERT_EQ(rule_map_n_rules(state.maps[0]), rule_map_n_rules(ring.maps[0]));
        for (size_t i = 0; i < rule_map_n_rules(ring.maps[0]); i++) {
                const RulePolicy *x = rule_map_policy(ring.maps[0], i), *y = rule_map_policy(state.maps[0], i);

                ASSERT_STREQ(x->name, y->name);
                ASSERT_EQ(x->scope, y->scope);
                ASSERT_EQ(x->priority, y->priority);
        }

        /* The successor has a policy of its own in the way: numbers that were given out stay. */
        ASSERT_OK(state_restore(&state, &successor));
        ASSERT_OK(policy_set_number(&successor));
        ASSERT_EQ(successor.n, 2);
        ASSERT_EQ(successor.disabled_scopes, SCOPE_BIT(3));
        p = policy_set_find(&successor, "a");
        ASSERT_TRUE(p->disabled);
        ASSERT_EQ(p->scope, 7);
        p = policy_set_find(&successor, "b");
        ASSERT_FALSE(p->disabled);
        ASSERT_EQ(p->scope, 1);
        ASSERT_EQ(p->loaded_ns, 4711);
        ASSERT_EQ(p->follow_slot, policy_set_find(&set, "b")->follow_slot);
        ASSERT_STREQ(p->policy->text, policy_set_find(&set, "b")->policy->text);

        saved_state_done(&state);
        policy_set_done(&successor);
        policy_set_done(&set);
        rule_map_ring_done(&ring);
        buffer_done(&b);
}

static const char text_hooks[] =
        "apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: hooked}\nspec:\n"
        "  lists: [{name: two, type: syscalls, values: [sys_dup, sys_close]}]\n"
        "  kprobes:\n"
        "  - call: sys_openat\n    message: \"a file\\nis opened\"\n    tags: [one tag, other]\n"
        "    args: [{index: 1, type: string, label: the path}, {index: 2, type: int}]\n"
        "    selectors: [{matchActions: [{action: Sigkill}]}, {matchActions: [{action: Post}]}]\n"
        "  - {call: \"list:two\", args: [{index: 0, type: int}]}\n";

static void assert_same_hook(const EventSpec *x, const EventSpec *y) {
        ASSERT_TRUE(x && y);
        ASSERT_STREQ(x->name, y->name);
        ASSERT_EQ(x->family, y->family);
        ASSERT_STREQ(x->hook, y->hook);
        ASSERT_STREQ(strempty(x->message), strempty(y->message));
        for (size_t i = 0; x->tags && x->tags[i]; i++)
                ASSERT_STREQ(x->tags[i], y->tags[i]);
        ASSERT_EQ(x->n_args, y->n_args);
        for (size_t i = 0; i < x->n_args; i++) {
                ASSERT_STREQ(x->args[i].name, y->args[i].name);
                ASSERT_STREQ(x->args[i].ctype, y->args[i].ctype);
                ASSERT_EQ(x->args[i].type, y->args[i].type);
                ASSERT_EQ(x->args[i].printer, y->args[i].printer);
                ASSERT_EQ(x->args[i].flags, y->args[i].flags);
        }
}

/* Records of hooks that wait in the ring are described by the state alone: the policy may be another one by then. */
TEST(hooks_outlive) {
        RuleMapRing ring = {};
        PolicySet set = {};
        SavedState state;
        Buffer b = {};

        load(&set, text_hooks, 0);
        ASSERT_OK(policy_set_number(&set));
        rule_map_ring_push(&ring, compile(&set, 5));
        ASSERT_OK(state_save(&set, &ring, NULL, 0, &b));
        ASSERT_OK(state_load(buffer_cstring(&b), b.size, &state));
        ASSERT_EQ(state.n_maps, 1);
        /* One for the call, one for the list, one for each call of the list. */
        for (uint16_t i = 0; i < 4; i++)
                assert_same_hook(rule_map_hook(ring.maps[0], SCT_EVENT_HOOK_FIRST + i),
                                 rule_map_hook(state.maps[0], SCT_EVENT_HOOK_FIRST + i));
        ASSERT_STREQ(rule_map_hook(state.maps[0], SCT_EVENT_HOOK_FIRST)->message, "a file\nis opened");
        ASSERT_NULL(rule_map_hook(state.maps[0], SCT_EVENT_HOOK_FIRST + 4));
        ASSERT_NULL(rule_map_action(state.maps[0], 0)->rule);
        ASSERT_STREQ(rule_map_action(state.maps[0], 0)->names[0], "sigkill");
        ASSERT_EQ(rule_map_action(state.maps[0], 0)->n_names, rule_map_action(ring.maps[0], 0)->n_names);

        saved_state_done(&state);
        policy_set_done(&set);
        rule_map_ring_done(&ring);
        buffer_done(&b);
}

/* Who loaded it has lost its connection to the service, and with it the right to the policy. */
TEST(owned_policies_end) {
        RuleMapRing ring = {};
        PolicySet set = {};
        SavedState state;
        Buffer b = {};

        load(&set, text_a, POLICY_LOAD_TRACK_OWNER);
        ASSERT_OK(state_save(&set, &ring, NULL, 0, &b));
        ASSERT_OK(state_load(buffer_cstring(&b), b.size, &state));
        ASSERT_EQ(state.n_policies, 0);
        saved_state_done(&state);
        policy_set_done(&set);
        buffer_done(&b);
}

TEST(refused) {
        static const char *const rows[] = {
                "", "end\n", "scopetrace-state 1 abi " ABI "\n", "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\nend\nmore\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\nnonsense\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ncapture 65 write 1 x\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ncapture 1 nothing 1 x\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ncapture 1 write 99 x\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\nrow 0 65 255 0 0 0 x\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\nrow 0 1 255 0 0 4096 x\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ngeneration 1 1 1\npolicy 1 6 x\n1\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ngeneration 1 1 1\npolicy 0 6 x\n0\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ngeneration 1 1 99999999\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\nhook 8192 0 0 0 kprobe\ntext 1\na\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ngeneration 1 0 0\nhook 8192 1 0 0 kprobe\ntext 1\na\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ngeneration 1 0 0\nhook 1 0 0 0 kprobe\ntext 1\na\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ngeneration 1 0 0\nhook 8192 0 0 0 kprobe\ntext 99\na\nend\n",
                "scopetrace-state 1 abi " ABI "\ndisabled-scopes 0\ngeneration 1 0 0\naction 0 0 0 0\nend\n",
        };
        SavedState state;

        ASSERT_OK(state_load(STATE("1", ABI), strlen(STATE("1", ABI)), &state));
        saved_state_done(&state);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                ASSERT_ERROR(state_load(rows[i], strlen(rows[i]), &state), EBADMSG);
        ASSERT_ERROR(state_load(STATE("2", ABI), strlen(STATE("2", ABI)), &state), EPROTONOSUPPORT);
        ASSERT_ERROR(state_load(STATE("1", "999"), strlen(STATE("1", "999")), &state), EPROTONOSUPPORT);
}

TEST_MAIN()
