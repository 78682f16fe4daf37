/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Random policies and random events: the Plan's tables, read by plan-eval.c, must say of every rule what its conditions
 * say. The seed is fixed; SCOPETRACE_SEED and SCOPETRACE_ROUNDS try others. */

#include "abi/glob.h"
#include "basic/macro.h"
#include "plan-eval.h"
#include "policy-build.h"
#include "test.h"

#define ARG(i) (SCT_FIELD_ARG + (i))

static uint64_t state;

static uint64_t next(void) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned below(unsigned n) {
        return (next() >> 33) % n;
}

static bool chance(unsigned percent) {
        return below(100) < percent;
}

/* ---- Values: few, so that they meet ---- */

static const uint64_t odd_numbers[] = {
        0, 1, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, (uint64_t) INT64_MIN, UINT64_MAX, UINT64_MAX - 1,
};

static uint64_t random_number(bool is_signed) {
        if (chance(15))
                return odd_numbers[below(ELEMENTSOF(odd_numbers))];
        return is_signed ? (uint64_t) ((int64_t) below(16) - 8) : below(16);
}

static char *random_text(unsigned max, size_t *ret_size) {
        static const char letters[] = "aab/";
        size_t n = below(max + 1);
        char *s = malloc(n + 1);

        if (!s)
                abort();
        for (size_t i = 0; i < n; i++)
                s[i] = letters[below(sizeof(letters) - 1)];
        s[n] = 0;
        *ret_size = n;
        return s;
}

static const char *const paths[] = {
        "/", "/system.slice", "/system.slice/a.service", "/system.slice/a.service/sub", "/system.slice/ab.service",
        "/user.slice", "/user.slice/user-1000.slice", "/user.slice/user-1000.slice/session-3.scope",
        "/user.slice/user-1000.slice/user@1000.service",
        "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
        "/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "/machine.slice/machine-web.scope/payload",
};

static const char *const cgroup_items[] = {
        "unit=a.service", "unit=a*", "unit=*.service", "unit=user@1000.service/app.slice/*", "slice=system.slice",
        "slice=user*", "session=3", "session=*", "cgroup=/system.slice", "cgroup=/user.slice/user-1000.slice",
        "cgroup=/system.slice/*", "cgroup=/", "container=*", "container=0123*", "container=web",
};

/* ---- Conditions ---- */

static Condition random_numbers(uint16_t field, bool is_signed) {
        Condition c = { .field = field, .class = CONDITION_NUMBER, .is_signed = is_signed };
        unsigned what = below(7) + 1;

        if (what & 1) {
                c.n_eq = 1 + below(4);
                c.eq = new(uint64_t, c.n_eq);
                for (size_t i = 0; i < c.n_eq; i++)
                        c.eq[i] = random_number(is_signed);
        }
        if (what & 2) {
                c.n_ne = 1 + below(4);
                c.ne = new(uint64_t, c.n_ne);
                for (size_t i = 0; i < c.n_ne; i++)
                        c.ne[i] = random_number(is_signed);
        }
        if (what & 4) {
                c.n_ranges = 1 + below(3);
                c.ranges = new0(NumberRange, c.n_ranges);
                for (size_t i = 0; i < c.n_ranges; i++) {
                        uint64_t a = random_number(is_signed), b = random_number(is_signed);
                        bool swap = is_signed ? (int64_t) a > (int64_t) b : a > b;

                        c.ranges[i] = (NumberRange) {
                                .low = swap ? b : a, .high = swap ? a : b, .negative = chance(25),
                        };
                }
        }
        return c;
}

static int compare_unsigned(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static int compare_signed(const void *a, const void *b) {
        const int64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

/* As policy.h promises: sorted and unique. */
static Condition sorted(Condition c) {
        for (unsigned k = 0; k < 2; k++) {
                uint64_t *v = k ? c.ne : c.eq;
                size_t *n = k ? &c.n_ne : &c.n_eq, m = 0;

                if (*n == 0)
                        continue;
                qsort(v, *n, sizeof(*v), c.is_signed ? compare_signed : compare_unsigned);
                for (size_t i = 1; i < *n; i++)
                        if (v[i] != v[m])
                                v[++m] = v[i];
                *n = m + 1;
        }
        return c;
}

static Condition random_strings(uint16_t field) {
        Condition c = { .field = field, .class = CONDITION_STRING, .n_patterns = 1 + below(6) };
        unsigned sign = below(3);

        c.patterns = new0(Pattern, c.n_patterns);
        for (size_t i = 0; i < c.n_patterns; i++) {
                Pattern *p = c.patterns + i;

                p->kind = below(PATTERN_SUBSTRING + 1);
                p->negative = sign == 0 ? false : sign == 1 ? true : chance(50);
                p->text = random_text(4, &p->size);
                if (field == SCT_FIELD_EXE && p->kind <= PATTERN_PREFIX && chance(40)) {
                        p->has_mnt_ns = true;
                        p->mnt_ns = below(3);
                }
        }
        return c;
}

static Condition random_masks(uint16_t field) {
        Condition c = { .field = field, .class = CONDITION_MASK, .n_masks = 1 + below(4) };

        c.masks = new0(MaskItem, c.n_masks);
        for (size_t i = 0; i < c.n_masks; i++) {
                MaskItem *m = c.masks + i;

                m->and = 1 + below(15);
                m->cmp = below(16) & m->and;
                m->nonzero = chance(40);
                m->negative = chance(30);
        }
        return c;
}

static Condition random_cgroups(void) {
        char items[512] = "";

        for (unsigned i = 0, n = 1 + below(4); i < n; i++)
                sprintf(items + strlen(items), "%s%s ", chance(30) ? "!" : "",
                        cgroup_items[below(ELEMENTSOF(cgroup_items))]);
        return cgroup_condition(items);
}

static Condition random_tree(void) {
        char items[64] = "";

        for (unsigned i = 0, n = 1 + below(3); i < n; i++)
                sprintf(items + strlen(items), "%s%u ", chance(40) ? "!" : "", 1 + below(8));
        return tree_condition(items);
}

static Condition random_subject(void) {
        static const uint16_t numbers[] = { SCT_FIELD_UID, SCT_FIELD_GID, SCT_FIELD_MNT_NS };
        Condition c;

        switch (below(8)) {
        case 0:
                return random_cgroups();
        case 1:
                return random_tree();
        case 2:
                return random_strings(SCT_FIELD_COMM);
        case 3:
        case 4:
                return random_strings(SCT_FIELD_EXE);
        case 5:
                c = sorted(random_numbers(SCT_FIELD_HOST_PID, false));
                c.or_field = chance(70) ? SCT_FIELD_HOST_TID : SCT_FIELD_NONE;
                return c;
        default:
                return sorted(random_numbers(numbers[below(ELEMENTSOF(numbers))], false));
        }
}

static Condition random_on_event(void) {
        switch (below(10)) {
        case 0:
        case 1:
                return sorted(random_numbers(ARG(0), false));
        case 2:
                return sorted(random_numbers(ARG(1), true));
        case 3:
        case 4:
                return random_strings(ARG(2));
        case 5:
                return random_strings(ARG(3));
        case 6:
                return random_masks(ARG(4));
        case 7:
                return present_condition(ARG(5));
        case 8:
                return sorted(random_numbers(SCT_FIELD_RETVAL, true));
        default:
                return random_subject();
        }
}

static Policy *random_policy(unsigned n_rules, unsigned conditions) {
        Policy *p = build_policy("random");

        for (unsigned i = 0; i < n_rules; i++) {
                PolicyRule *rule = build_rule(p);
                unsigned events = 1 + below(3);

                rule->born_after_load = chance(5);
                rule->not_born_after_load = chance(5);
                rule->cgroup_after_load = chance(5);
                rule->not_cgroup_after_load = chance(5);
                rule->follow = chance(10);
                for (unsigned k = 0; k < below(conditions + 1); k++)
                        build_subject(rule, random_subject());
                for (unsigned e = 0; e < 2; e++) {
                        PolicyEvent *event;

                        if (!(events >> e & 1))
                                continue;
                        event = build_event(rule, e == 0 ? &spec_a : &spec_b);
                        for (unsigned k = 0; k < below(conditions + 1); k++)
                                build_on_event(event, random_on_event());
                }
        }
        return p;
}

/* ---- One event, and the truth ---- */

typedef struct Happening {
        EvalInput in;
        const char *path;
        unsigned ancestors;         /* bit: pid */
} Happening;

static void random_event(Happening *h) {
        static const struct {
                uint16_t field;
                bool is_signed;
        } numbers[] = {
                { SCT_FIELD_UID }, { SCT_FIELD_GID }, { SCT_FIELD_HOST_PID }, { SCT_FIELD_HOST_TID }, { ARG(0) },
                { ARG(1), true }, { ARG(4) }, { SCT_FIELD_RETVAL, true },
        };
        static const uint16_t texts[] = { SCT_FIELD_COMM, SCT_FIELD_EXE, ARG(2), ARG(3) };

        *h = (Happening) { .path = paths[below(ELEMENTSOF(paths))], .ancestors = next() & 0x1fe };
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                h->in.fields[numbers[i].field] = (EvalField) {
                        .present = numbers[i].field < SCT_FIELD_ARG ? true : chance(90),
                        .number = random_number(numbers[i].is_signed),
                };
        h->in.fields[SCT_FIELD_MNT_NS] = (EvalField) { .present = true, .number = below(3) };
        h->in.fields[SCT_FIELD_BORN] = (EvalField) { .present = true, .number = 998 + below(4) };
        h->in.fields[SCT_FIELD_CGROUP_BORN] = (EvalField) {
                .present = true, .number = chance(50) ? 0 : 998 + below(4),
        };
        h->in.fields[ARG(5)].present = chance(50);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                EvalField *f = h->in.fields + texts[i];

                f->present = chance(95);
                f->text = random_text(7, &f->size);
        }
        h->in.follow = next() & next();
}

static void event_done(Happening *h) {
        for (size_t i = 0; i < EVAL_FIELDS; i++)
                free((char *) h->in.fields[i].text);
}

/* Whether a path or any cgroup above it matches. */
static bool path_matches(const char *path, uint8_t kind, const char *glob) {
        struct sct_cgroup_pattern p = { .kind = kind };
        struct sct_cgroup c = { .path_len = 1, .path = "/" }, parent;
        const char *end = path + 1;

        strcpy(p.glob, glob);
        sct_cgroup_parse(&c, NULL);
        for (;;) {
                if (sct_cgroup_match(&p, &c))
                        return true;
                if (!*end)
                        return false;

                end += strcspn(end, "/");
                parent = c;
                c = (struct sct_cgroup) { .path_len = end - path };
                memcpy(c.path, path, end - path);
                sct_cgroup_parse(&c, &parent);
                end += *end == '/';
        }
}

static void place(const Plan *p, Happening *h) {
        memset(h->in.cgroup, 0, sizeof(h->in.cgroup));
        for (size_t i = 0; i < p->n_cgroup_patterns; i++)
                if (path_matches(h->path, p->cgroup_patterns[i].kind, p->cgroup_patterns[i].glob))
                        h->in.cgroup[i / 64] |= UINT64_C(1) << (i % 64);
        h->in.tree = 0;
        for (size_t i = 0; i < p->config.n_tree_roots; i++)
                if (h->ancestors >> p->config.tree_root[i] & 1)
                        h->in.tree |= UINT64_C(1) << i;
}

static bool has(const uint64_t *values, size_t n, uint64_t v) {
        for (size_t i = 0; i < n; i++)
                if (values[i] == v)
                        return true;
        return false;
}

static bool numbers_truth(const Condition *c, const Happening *h) {
        const EvalField *f = h->in.fields + c->field, *other = h->in.fields + c->or_field;
        Condition ranges = *c;
        bool wanted;

        if (!f->present)
                return false;
        if (!c->or_field)
                return condition_number_matches(c, f->number);

        /* Either number may be a wanted or an excluded value; ranges ask the first. */
        if (has(c->eq, c->n_eq, f->number) || has(c->eq, c->n_eq, other->number))
                return true;
        if (has(c->ne, c->n_ne, f->number) || has(c->ne, c->n_ne, other->number))
                return false;
        ranges.n_ne = 0;
        wanted = condition_number_matches(&ranges, f->number);
        return wanted;
}

static bool strings_truth(const Condition *c, const Happening *h) {
        const EvalField *f = h->in.fields + c->field;
        bool any_negative = false, excluded = false;

        if (!f->present)
                return false;
        if (c->field != SCT_FIELD_EXE)
                return condition_string_matches(c, f->text, f->size);

        for (size_t i = 0; i < c->n_patterns; i++) {
                Pattern positive = c->patterns[i];
                Condition one = { .class = CONDITION_STRING, .patterns = &positive, .n_patterns = 1 };
                bool hit;

                positive.negative = false;
                hit = condition_string_matches(&one, f->text, f->size) &&
                      (!positive.has_mnt_ns || positive.mnt_ns == h->in.fields[SCT_FIELD_MNT_NS].number);
                if (c->patterns[i].negative) {
                        any_negative = true;
                        excluded = excluded || hit;
                } else if (hit)
                        return true;
        }
        return any_negative && !excluded;
}

static bool masks_truth(const Condition *c, const Happening *h) {
        const EvalField *f = h->in.fields + c->field;
        bool any_negative = false, excluded = false;

        if (!f->present)
                return false;
        for (size_t i = 0; i < c->n_masks; i++) {
                const MaskItem *m = c->masks + i;
                bool hit = m->nonzero ? (f->number & m->and) != 0 : (f->number & m->and) == m->cmp;

                any_negative = any_negative || m->negative;
                excluded = excluded || (hit && m->negative);
                if (hit && !m->negative)
                        return true;
        }
        return any_negative && !excluded;
}

static bool cgroups_truth(const Condition *c, const Happening *h) {
        bool any_positive = false, wanted = false;

        for (size_t i = 0; i < c->n_patterns; i++) {
                const Pattern *p = c->patterns + i;
                bool hit = path_matches(h->path, p->cgroup_kind, p->text), both = false;

                if (!p->negative) {
                        any_positive = true;
                        wanted = wanted || hit;
                        continue;
                }
                for (size_t k = 0; k < c->n_patterns; k++)
                        both = both || (!c->patterns[k].negative && c->patterns[k].cgroup_kind == p->cgroup_kind &&
                                        strcmp(c->patterns[k].text, p->text) == 0);
                if (hit && !both)
                        return false;
        }
        return wanted || !any_positive;
}

static bool tree_truth(const Condition *c, const Happening *h) {
        bool wanted = c->n_eq == 0;

        for (size_t i = 0; i < c->n_ne; i++)
                if ((h->ancestors >> c->ne[i] & 1) && !has(c->eq, c->n_eq, c->ne[i]))
                        return false;
        for (size_t i = 0; i < c->n_eq; i++)
                wanted = wanted || (h->ancestors >> c->eq[i] & 1);
        return wanted;
}

static bool conditions_truth(const Condition *c, size_t n, const Happening *h) {
        for (size_t i = 0; i < n; i++) {
                bool holds = c[i].class == CONDITION_NUMBER  ? numbers_truth(c + i, h) :
                             c[i].class == CONDITION_STRING  ? strings_truth(c + i, h) :
                             c[i].class == CONDITION_MASK    ? masks_truth(c + i, h) :
                             c[i].class == CONDITION_CGROUP  ? cgroups_truth(c + i, h) :
                             c[i].class == CONDITION_TREE    ? tree_truth(c + i, h) :
                                                               h->in.fields[c[i].field].present;

                if (!holds)
                        return false;
        }
        return true;
}

static bool rule_truth(const CompileInput *in, const PolicyRule *rule, const EventSpec *spec, const Happening *h) {
        bool born = h->in.fields[SCT_FIELD_BORN].number >= in->loaded_ns,
             cgroup_born = h->in.fields[SCT_FIELD_CGROUP_BORN].number >= in->loaded_ns,
             container = path_matches(h->path, SCT_CGROUP_CONTAINER, "*"), subject;

        subject = conditions_truth(rule->subject, rule->n_subject, h) && (!rule->born_after_load || born) &&
                  (!rule->not_born_after_load || !born) && (!rule->cgroup_after_load || (container && cgroup_born)) &&
                  (!rule->not_cgroup_after_load || (container && !cgroup_born));
        if (!subject && !(rule->follow && (h->in.follow >> in->follow_slot & 1)))
                return false;

        for (size_t i = 0; i < rule->n_events; i++)
                if (rule->events[i].spec == spec)
                        return conditions_truth(rule->events[i].conditions, rule->events[i].n_conditions, h);
        return false;
}

/* ---- Rounds ---- */

static size_t n_true, n_false;

static void compare(const CompileInput *inputs, const Plan *p, const EventSpec *spec, Happening *h, unsigned round) {
        uint16_t plan = p->events[spec->id];
        uint64_t active[SCT_BANKS_MAX];

        if (plan == 0)
                return;
        place(p, h);
        eval_event(p, p->plans + plan, &h->in, active);
        for (size_t i = 0; i < p->n_rules; i++) {
                const PlanRule *r = p->rules + i;
                const CompileInput *in = inputs;
                bool truth, answer = active[i / 64] >> (i % 64) & 1;

                while (in->policy != r->policy)
                        in++;
                truth = rule_truth(in, r->policy->rules + r->rule, spec, h);
                if (truth != answer)
                        TEST_FAIL("round %u, %s: rule %zu (policy %zu, rule %u) %s", round, spec->name, i,
                                  (size_t) (in - inputs), r->rule, answer ? "matches wrongly" : "should match");
                *(truth ? &n_true : &n_false) += 1;
        }
}

static void round_of(unsigned round, unsigned n_policies, unsigned n_rules, unsigned conditions, unsigned n_events) {
        static const FeatureSet features = {};
        CompileInput inputs[64];
        bool failed[64];
        ProblemList problems = {};
        Plan *plan = NULL;
        const char *wrong;

        for (unsigned i = 0; i < n_policies; i++)
                inputs[i] = (CompileInput) {
                        .policy = random_policy(n_rules, conditions),
                        .scope = i + 1,
                        .loaded_ns = 1000,
                        .follow_slot = i,
                };
        ASSERT_OK(policy_compile(inputs, n_policies, round, &features, &plan, failed, &problems));
        ASSERT_EQ(problems.n, 0);
        wrong = eval_check_plan(plan);
        if (wrong)
                TEST_FAIL("round %u: %s", round, wrong);
        ASSERT_EQ(plan->n_rules, n_policies * n_rules);

        for (unsigned i = 0; i < n_events; i++) {
                Happening h;

                random_event(&h);
                compare(inputs, plan, &spec_a, &h, round);
                compare(inputs, plan, &spec_b, &h, round);
                event_done(&h);
        }
        plan_free(plan);
        for (unsigned i = 0; i < n_policies; i++)
                policy_unref(inputs[i].policy);
        problem_list_done(&problems);
}

static void rounds(unsigned n, unsigned n_policies, unsigned n_rules, unsigned conditions, unsigned n_events) {
        const char *seed = getenv("SCOPETRACE_SEED"), *times = getenv("SCOPETRACE_ROUNDS");

        state = seed ? strtoull(seed, NULL, 0) : 88172645463325252;
        n_true = n_false = 0;
        if (times)
                n *= atoi(times);
        for (unsigned i = 0; i < n; i++)
                round_of(i, n_policies, n_rules, conditions, n_events);

        /* Agreement on rules that never match, or always do, says little. */
        ASSERT_GT(n_true, (n_true + n_false) / 100);
        ASSERT_GT(n_false, (n_true + n_false) / 100);
}

TEST(one_rule) {
        rounds(3000, 1, 1, 2, 20);
}

TEST(one_condition_each) {
        rounds(300, 8, 4, 1, 20);
}

TEST(one_bank) {
        rounds(100, 16, 4, 3, 10);
}

TEST(several_banks) {
        rounds(20, 40, 5, 3, 10);
}

TEST(eight_banks) {
        rounds(4, 64, 8, 2, 10);
}

TEST(many_conditions) {
        rounds(100, 4, 4, 8, 20);
}

TEST_MAIN()
