/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The items are a notation for tests, not the filter language: what is built is what the text says, unmerged. */

#include <inttypes.h>

#include "basic/macro.h"
#include "policy-build.h"

static const EventArgSpec spec_args[] = {
        { .name = "number", .type = SCT_ARG_U64, .source = 0, .size_source = 0xff },
        { .name = "signed", .type = SCT_ARG_S64, .source = 1, .size_source = 0xff },
        { .name = "path", .type = SCT_ARG_STR, .source = 2, .size_source = 0xff },
        { .name = "out", .type = SCT_ARG_STR_OUT, .source = 3, .size_source = 4, .flags = SCT_ARG_PLAN_EXIT },
        { .name = "flags", .type = SCT_ARG_S32, .source = 4, .size_source = 0xff },
        { .name = "any", .type = SCT_ARG_PTR, .source = 5, .size_source = 0xff },
};

#define SPEC(i, n) \
        { .id = (i), .name = (n), .family = EVENT_FAMILY_PROCESS, .args = spec_args, .n_args = ELEMENTSOF(spec_args) }

const EventSpec spec_a = SPEC(SPEC_A_ID, "test_a");
const EventSpec spec_b = SPEC(SPEC_B_ID, "test_b");

EventSpec spec_numbered(uint16_t id) {
        return (EventSpec) SPEC(id, "test_n");
}

static void *must(void *p) {
        if (!p)
                abort();
        return p;
}

#define APPEND(array, n, item)                                                              \
        do {                                                                                \
                (array) = must(reallocarray((array), (n) + 1, sizeof((array)[0])));         \
                (array)[(n)++] = (item);                                                    \
        } while (0)

Policy *build_policy(const char *name) {
        Policy *p = must(policy_new());

        p->name = must(strdup(name));
        return p;
}

PolicyRule *build_rule(Policy *p) {
        APPEND(p->rules, p->n_rules, (PolicyRule) {});
        return p->rules + p->n_rules - 1;
}

PolicyEvent *build_event(PolicyRule *r, const EventSpec *spec) {
        APPEND(r->events, r->n_events, (PolicyEvent) { .spec = spec });
        return r->events + r->n_events - 1;
}

void build_subject(PolicyRule *r, Condition c) {
        APPEND(r->subject, r->n_subject, c);
}

void build_on_event(PolicyEvent *e, Condition c) {
        APPEND(e->conditions, e->n_conditions, c);
}

/* Calls add for every word, with and without its leading '!'. */
static Condition each(Condition c, const char *items, void (*add)(Condition *c, const char *word, bool negative)) {
        char *copy = must(strdup(items)), *save = NULL;

        for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
                add(&c, w + (w[0] == '!'), w[0] == '!');
        free(copy);
        return c;
}

static uint64_t parse_number(const Condition *c, const char *s, const char **ret_end) {
        uint64_t v;
        char *end;

        *ret_end = s + 3;
        if (strncmp(s, "MIN", 3) == 0)
                return c->is_signed ? (uint64_t) INT64_MIN : 0;
        if (strncmp(s, "MAX", 3) == 0)
                return c->is_signed ? (uint64_t) INT64_MAX : UINT64_MAX;
        v = s[0] == '-' ? (uint64_t) strtoll(s, &end, 0) : strtoull(s, &end, 0);
        *ret_end = end;
        return v;
}

static int compare_unsigned(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static int compare_signed(const void *a, const void *b) {
        const int64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static void add_value(const Condition *c, uint64_t **values, size_t *n, uint64_t v) {
        for (size_t i = 0; i < *n; i++)
                if ((*values)[i] == v)
                        return;
        APPEND(*values, *n, v);
        qsort(*values, *n, sizeof(**values), c->is_signed ? compare_signed : compare_unsigned);
}

static void add_number(Condition *c, const char *word, bool negative) {
        const char *end;
        uint64_t low = parse_number(c, word, &end);

        if (strncmp(end, "..", 2) == 0) {
                NumberRange range = { .low = low, .high = parse_number(c, end + 2, &end), .negative = negative };

                APPEND(c->ranges, c->n_ranges, range);
        } else if (negative)
                add_value(c, &c->ne, &c->n_ne, low);
        else
                add_value(c, &c->eq, &c->n_eq, low);
        if (*end)
                abort();
}

Condition number_condition(uint16_t field, bool is_signed, const char *items) {
        return each((Condition) { .field = field, .class = CONDITION_NUMBER, .is_signed = is_signed }, items,
                    add_number);
}

static void add_string(Condition *c, const char *word, bool negative) {
        Pattern p = { .negative = negative };
        const char *colon = strchr(word, ':');
        size_t n;

        if (colon) {
                p.has_mnt_ns = true;
                p.mnt_ns = strtoul(word, NULL, 10);
                word = colon + 1;
        }
        if (strcmp(word, "\"\"") == 0)
                word = "";

        n = strlen(word);
        if (n > 1 && word[0] == '*' && word[n - 1] == '*') {
                p.kind = PATTERN_SUBSTRING;
                word++;
                n -= 2;
        } else if (n > 0 && word[n - 1] == '*') {
                p.kind = PATTERN_PREFIX;
                n--;
        } else if (n > 0 && word[0] == '*') {
                p.kind = PATTERN_SUFFIX;
                word++;
                n--;
        }
        p.text = must(strndup(word, n));
        p.size = n;
        APPEND(c->patterns, c->n_patterns, p);
}

Condition string_condition(uint16_t field, const char *items) {
        return each((Condition) { .field = field, .class = CONDITION_STRING }, items, add_string);
}

static void add_cgroup(Condition *c, const char *word, bool negative) {
        static const struct {
                const char *name;
                uint8_t kind;
        } kinds[] = {
                { "unit=", SCT_CGROUP_UNIT }, { "slice=", SCT_CGROUP_SLICE }, { "session=", SCT_CGROUP_SESSION },
                { "cgroup=", SCT_CGROUP_PATH }, { "container=", SCT_CGROUP_CONTAINER },
        };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                size_t n = strlen(kinds[i].name);
                Pattern p = { .kind = PATTERN_GLOB, .negative = negative, .cgroup_kind = kinds[i].kind };

                if (strncmp(word, kinds[i].name, n) != 0)
                        continue;
                p.text = must(strdup(word + n));
                p.size = strlen(p.text);
                APPEND(c->patterns, c->n_patterns, p);
                return;
        }
        abort();
}

Condition cgroup_condition(const char *items) {
        return each((Condition) { .field = SCT_FIELD_CGROUP, .class = CONDITION_CGROUP }, items, add_cgroup);
}

Condition tree_condition(const char *items) {
        return each((Condition) { .field = SCT_FIELD_TREE, .class = CONDITION_TREE }, items, add_number);
}

static void add_mask(Condition *c, const char *word, bool negative) {
        char *end;
        MaskItem m = { .and = strtoull(word, &end, 16), .negative = negative, .nonzero = true };

        if (*end == '/') {
                m.nonzero = false;
                m.cmp = strtoull(end + 1, &end, 16);
        }
        if (*end)
                abort();
        APPEND(c->masks, c->n_masks, m);
}

Condition mask_condition(uint16_t field, const char *items) {
        return each((Condition) { .field = field, .class = CONDITION_MASK }, items, add_mask);
}

Condition present_condition(uint16_t field) {
        return (Condition) { .field = field, .class = CONDITION_PRESENT };
}
