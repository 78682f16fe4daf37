/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kinds of filters: one row each, made of its line in filter-kinds.def (name, operators, example) and of how its
 * values are read, checked and lowered to conditions. A new kind is a line there and a row in `behaviours`.
 *
 * Whatever a kind cannot answer is refused here with a sentence that names what to write; no filter is ever accepted
 * and then ignored. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "filter-set.h"
#include "wording.h"

#define SUBSTRING_MAX 255
#define COMM_MAX (SCT_COMM_LEN - 1)
#define INTERFACE_MAX 15       /* IFNAMSIZ without NUL */
#define GLOB_MAX (SCT_CGROUP_PATTERN_LEN - 1)

typedef struct Behaviour {
        int (*apply)(FilterRun *x, const struct Behaviour *b);
        uint16_t field, or_field;
        uint64_t min, max;               /* numbers */
        size_t text_max;                 /* strings: bytes */
        const char *noun;                /* "a host name" */
        uint8_t cgroup_kind;
        const char *suffix;              /* of a unit's name that has none */
} Behaviour;

static const FilterKind kinds[];
static const Behaviour behaviours[];

static bool is_negative(const FilterRun *x) {
        return x->expression->op == FILTER_OP_NE;
}

/* The next word of a list with spaces; its length in *ret_size, 0 at the end. */
static const char *next_word(const char *list, size_t *ret_size) {
        list += strspn(list, " ");
        *ret_size = strcspn(list, " ");
        return list;
}

static bool list_has(const char *list, const char *word) {
        size_t n = strlen(word), size;

        for (const char *p = next_word(list, &size); size > 0; p = next_word(p + size, &size))
                if (size == n && memcmp(p, word, n) == 0)
                        return true;
        return false;
}

static int apply_number(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;
        ConditionBuilder *builder;
        int r;

        r = filter_run_builder(x, x->kind, b->field, CONDITION_NUMBER, &builder);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_values; i++) {
                ExpressionError error;
                uint64_t v;

                r = filter_value_to_number(e->values + i, 0, b->min, b->max, &v, &error);
                if (r == 0)
                        r = filter_run_value_error(x, &error);
                else if (r > 0) {
                        r = condition_builder_add_number(builder, e->op, v, b->min, b->max);
                        if (r == 0)
                                r = filter_run_error(x, e->values[i].offset,
                                                     "No value is %s %" PRIu64 "; write another bound.",
                                                     e->op == FILTER_OP_LT ? "below" : "above", v);
                }
                if (r < 0)
                        return r;
        }
        if (b->or_field && IN_SET(e->op, FILTER_OP_EQ, FILTER_OP_NE))
                builder->condition.or_field = b->or_field;
        return 0;
}

static bool has_word(const Expression *e, const char *word) {
        for (size_t i = 0; i < e->n_values; i++)
                if (e->values[i].size == strlen(word) && memcmp(e->values[i].raw, word, e->values[i].size) == 0)
                        return true;
        return false;
}

/* Where `word` stands among other values, it cannot be ORed with them. */
static int refuse_word_in_list(FilterRun *x, const char *word) {
        return filter_run_error(x, x->expression->values[0].offset, "\"%s\" stands alone, not in a list; write %s%s%s "
                                "in a policy of its own.", word, x->expression->name,
                                filter_operator_to_string(x->expression->op), word);
}

static int apply_pid(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;

        if (!has_word(e, "new"))
                return apply_number(x, b);
        if (e->n_values > 1)
                return refuse_word_in_list(x, "new");
        if (!IN_SET(e->op, FILTER_OP_EQ, FILTER_OP_NE))
                return filter_run_error(x, e->op_offset, "\"new\" is no number; write pid=new or pid!=new.");
        return filter_run_switch(x, is_negative(x) ? SWITCH_NOT_BORN_AFTER_LOAD : SWITCH_BORN_AFTER_LOAD);
}

static int apply_tree(FilterRun *x, const Behaviour *b) {
        ConditionBuilder *builder;
        int r;

        r = apply_number(x, b);
        if (r < 0)
                return r;
        return filter_run_builder(x, x->kind, b->field, CONDITION_TREE, &builder);
}

/* The wall clock is read here, once, so that nothing behind the parser needs to know of it. */
static int apply_timestamp(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;
        int64_t offset = wall_offset_nsec(0);
        ConditionBuilder *builder;
        int r;

        r = filter_run_builder(x, x->kind, b->field, CONDITION_NUMBER, &builder);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_values; i++) {
                ExpressionError error;
                uint64_t v;

                r = filter_value_to_number(e->values + i, 0, 0, INT64_MAX, &v, &error);
                if (r == 0)
                        r = filter_run_value_error(x, &error);
                else if (r > 0 && (int64_t) v < offset && e->op != FILTER_OP_NE) {
                        if (IN_SET(e->op, FILTER_OP_GT, FILTER_OP_GE))
                                r = condition_builder_add_number(builder, FILTER_OP_GE, 0, 0, UINT64_MAX);
                        else
                                r = filter_run_error(x, e->values[i].offset, "This time (nanoseconds since 1970) lies "
                                                     "before the start of this machine, so no event has it; write a "
                                                     "later one.");
                } else if (r > 0 && (int64_t) v >= offset)
                        r = condition_builder_add_number(builder, e->op, v - (uint64_t) offset, 0, UINT64_MAX);
                if (r < 0)
                        return r;
        }
        if (e->op == FILTER_OP_NE && builder->condition.n_ne == 0)   /* before the start: excludes nothing */
                return condition_builder_add_number(builder, FILTER_OP_GE, 0, 0, UINT64_MAX);
        return 0;
}

/* Limits of one pattern; 1 when it keeps them. */
static int check_pattern_size(FilterRun *x, const FilterValue *v, const Pattern *p, size_t max, const char *noun) {
        size_t limit = p->kind == PATTERN_EQUAL ? max :
                       MIN(max, (size_t) (p->kind == PATTERN_SUBSTRING ? SUBSTRING_MAX : SCT_AFFIX_MAX));
        int r;

        if (p->size <= limit)
                return 1;
        if (limit == max)
                r = filter_run_error(x, v->offset, "%s has at most %zu bytes, but %s has %zu and could never match; "
                                     "write its first %zu bytes.", noun, limit, QUOTE_N(v->raw, v->size), p->size,
                                     limit);
        else
                r = filter_run_error(x, v->offset, "Text with a wildcard may have %zu bytes besides it, but this has "
                                     "%zu; write less.", limit, p->size);
        return r < 0 ? r : 0;
}

/* A list of strings is one block, NUL before, between and behind them: what holds for one of them is a part of that. */
static int make_part_of_list(Pattern *p) {
        bool begins = IN_SET(p->kind, PATTERN_EQUAL, PATTERN_PREFIX), ends = IN_SET(p->kind, PATTERN_EQUAL, PATTERN_SUFFIX);
        char *text = malloc(p->size + 3);

        if (!text)
                return -ENOMEM;
        text[0] = '\0';
        memcpy(text + begins, p->text, p->size);
        p->size += begins;
        text[p->size] = '\0';
        p->size += ends;
        free(p->text);
        p->text = text;
        p->kind = PATTERN_SUBSTRING;
        return 1;
}

static int add_strings(FilterRun *x, const void *id, uint16_t field, size_t max, const char *noun, bool list) {
        const Expression *e = x->expression;
        ConditionBuilder *builder;
        int r;

        r = filter_run_builder(x, id, field, CONDITION_STRING, &builder);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_values; i++) {
                ExpressionError error;
                Pattern p = {};

                r = filter_value_to_pattern(e->values + i, &p, &error);
                if (r == 0)
                        r = filter_run_value_error(x, &error);
                else if (r > 0) {
                        p.negative = is_negative(x);
                        r = check_pattern_size(x, e->values + i, &p, max, noun);
                        if (r > 0 && list)
                                r = make_part_of_list(&p);
                        if (r > 0)
                                r = condition_builder_add_pattern(builder, &p);
                        free(p.text);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

int filter_add_strings(FilterRun *x, const void *id, uint16_t field, size_t max, const char *noun) {
        return add_strings(x, id, field, max, noun, /* list= */ false);
}

int filter_add_list(FilterRun *x, const void *id, uint16_t field) {
        return add_strings(x, id, field, SUBSTRING_MAX, "A word of a list", /* list= */ true);
}

static int apply_string(FilterRun *x, const Behaviour *b) {
        return filter_add_strings(x, x->kind, b->field, b->text_max, b->noun);
}

static bool read_host_mnt_ns(uint32_t *ret) {
        struct stat st;

        if (stat("/proc/1/ns/mnt", &st) < 0)
                return false;
        *ret = (uint32_t) st.st_ino;
        return true;
}

/* host: and MNTNS: in front of a path. Moves *v behind it. Returns 1, or 0 after a problem. */
static int parse_mnt_ns(FilterRun *x, FilterValue *v, Pattern *p) {
        size_t n = 0;
        FilterValue prefix;
        ExpressionError error;
        uint64_t ns;
        int r;

        while (n < v->size && !strchr("/*:", v->raw[n]))
                n++;
        if (n == v->size || v->raw[n] != ':')
                return 1;

        prefix = (FilterValue) { .raw = v->raw, .size = n, .offset = v->offset };
        if (n == 4 && memcmp(v->raw, "host", 4) == 0) {
                if (!read_host_mnt_ns(&p->mnt_ns)) {
                        const char *why = strerror(errno);

                        /* Root would load a filter that matches nothing; others only check. */
                        if (geteuid() == 0)
                                return filter_run_error(x, v->offset, "The mount namespace of process 1, which host: "
                                                        "means, cannot be read here (%s); write its inode number in "
                                                        "place of host.",
                                                        why) < 0 ? -ENOMEM : 0;
                        r = filter_run_warning(x, v->offset, "The mount namespace of process 1, which host: means, can "
                                               "be read by root alone (%s); the filter was checked without it.", why);
                        if (r < 0)
                                return r;
                }
        } else {
                r = filter_value_is_numeric(&prefix) ? filter_value_to_number(&prefix, 0, 1, UINT32_MAX, &ns, &error) :
                        expression_error(&error, v->offset, "In front of the colon stands %s; write host:/path, or the "
                                         "inode number of a mount namespace and :/path.",
                                         QUOTE_N(prefix.raw, prefix.size));
                if (r == 0)
                        r = filter_run_value_error(x, &error) < 0 ? -ENOMEM : 0;
                if (r <= 0)
                        return r;
                p->mnt_ns = (uint32_t) ns;
        }
        p->has_mnt_ns = true;
        v->raw += n + 1;
        v->size -= n + 1;
        v->offset += n + 1;
        return 1;
}

/* /bin/ls on a host where /bin is a link: never matches, since executables are known by the path behind links. Only the
 * directories that hosts merge are looked at: no path of a policy may make the service touch a network mount. */
static int warn_of_link(FilterRun *x, const FilterValue *v, const Pattern *p) {
        static const char *const directories[] = { "/bin", "/sbin", "/lib", "/lib64" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                const char *rest = startswith(p->text, directories[i]);
                char target[64];
                ssize_t n;

                if (!rest || *rest != '/')
                        continue;
                n = readlink(directories[i], target, sizeof(target) - 1);
                if (n <= 0)
                        return 0;
                target[n] = '\0';
                return filter_run_warning(x, v->offset, "%s is a link on this host, and executables are known by the "
                                          "path behind links; write %s%s%s.", directories[i],
                                          target[0] == '/' ? "" : "/", target, QUOTE(rest));
        }
        return 0;
}

/* Returns 1 with the pattern, or 0 after a problem. */
static int parse_binary(FilterRun *x, FilterValue v, Pattern *ret) {
        Pattern p = {}, path = {};
        ExpressionError error;
        int r;

        r = parse_mnt_ns(x, &v, &p);
        if (r <= 0)
                return r;
        r = filter_value_to_pattern(&v, &path, &error);
        if (r == 0)
                return filter_run_value_error(x, &error) < 0 ? -ENOMEM : 0;
        if (r < 0)
                return r;

        if (IN_SET(path.kind, PATTERN_EQUAL, PATTERN_PREFIX) && path.text[0] != '/')
                r = filter_run_error(x, v.offset, "A path is compared whole, so %s matches nothing; begin with / or "
                                     "write */%s.", QUOTE_N(v.raw, v.size), QUOTE_N(v.raw, v.size));
        else if (p.has_mnt_ns && IN_SET(path.kind, PATTERN_SUFFIX, PATTERN_SUBSTRING))
                r = filter_run_error(x, v.offset, "Behind a mount namespace only /path and /path* are possible; write "
                                     "one of them, or add mntns= and leave out the prefix.");
        else {
                r = check_pattern_size(x, &v, &path, SCT_EXE_MAX - 1, "The path of an executable");
                if (r > 0 && IN_SET(path.kind, PATTERN_EQUAL, PATTERN_PREFIX) && !p.has_mnt_ns)
                        r = warn_of_link(x, &v, &path) < 0 ? -ENOMEM : 1;
                if (r > 0) {
                        path.has_mnt_ns = p.has_mnt_ns;
                        path.mnt_ns = p.mnt_ns;
                        path.negative = is_negative(x);
                        *ret = path;
                        return 1;
                }
        }
        free(path.text);
        return r < 0 ? r : 0;
}

static int apply_binary(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;
        ConditionBuilder *builder;
        int r;

        r = filter_run_builder(x, x->kind, b->field, CONDITION_STRING, &builder);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_values; i++) {
                Pattern p = {};

                r = parse_binary(x, e->values[i], &p);
                if (r > 0)
                        r = condition_builder_add_pattern(builder, &p);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_follow(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;

        if (e->op != FILTER_OP_NONE && !(e->n_values == 1 && has_word(e, "true")))
                return filter_run_error(x, e->op_offset, "follow has no value; write follow alone, or leave it out.");
        return filter_run_switch(x, SWITCH_FOLLOW);
}

static int apply_boolean(FilterRun *x, bool inverted) {
        const Expression *e = x->expression;
        bool value;

        if (e->op == FILTER_OP_NONE)
                value = !e->negated;
        else if (e->n_values == 1 && (has_word(e, "true") || has_word(e, "false")))
                value = has_word(e, "true") != is_negative(x);
        else
                return filter_run_error(x, e->values[0].offset, "%s is true or false; write %s, !%s or %s=true.",
                                        QUOTE(e->name), e->name, e->name, e->name);
        return filter_run_container(x, value != inverted);
}

static int apply_host(FilterRun *x, const Behaviour *b) {
        return apply_boolean(x, /* inverted= */ true);
}

static int add_glob(FilterRun *x, ConditionBuilder *builder, uint8_t cgroup_kind, char *glob) {
        Pattern p = {
                .kind = PATTERN_GLOB,
                .negative = is_negative(x),
                .cgroup_kind = cgroup_kind,
                .text = glob,
                .size = strlen(glob),
        };

        return condition_builder_add_pattern(builder, &p);
}

/* The beginning of an id, so that the 12 characters that people see are enough. Machines of systemd are known by the
 * names of their units: machine-NAME.scope, where `-` stands as \x2d in the name, and systemd-nspawn@NAME.service, where
 * it does not. So a name with `-` becomes two patterns, *ret_scope and *ret; one without has *ret_scope NULL. */
static int parse_container_id(FilterRun *x, const FilterValue *v, char **ret, char **ret_scope) {
        _cleanup_free_ char *id = NULL, *glob = NULL, *plain = NULL;
        ExpressionError error;
        char *p;
        int r;

        r = filter_value_to_glob(v, &id, &error);
        if (r == 0)
                return filter_run_value_error(x, &error) < 0 ? -ENOMEM : 0;
        if (r < 0)
                return r;
        for (const char *p = id; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("*-_.:\\", *p))
                        return filter_run_error(x, v->offset, "%s is no container's id; write its first characters, "
                                                "for example container=abcd123.", QUOTE(id)) < 0 ? -ENOMEM : 0;

        glob = p = malloc(strlen(id) * 4 + 2);
        plain = strjoin(id, endswith(id, "*") ? "" : "*");
        if (!glob || !plain)
                return -ENOMEM;
        for (const char *q = id; *q; q++)
                p = *q == '-' ? stpcpy(p, "\\x2d") : (*p = *q, p + 1);
        strcpy(p, endswith(id, "*") ? "" : "*");
        if (strlen(glob) > GLOB_MAX)
                return filter_run_error(x, v->offset, "A container's id has fewer bytes than that; write its first "
                                        "characters.") < 0 ? -ENOMEM : 0;
        *ret_scope = strchr(id, '-') ? TAKE_PTR(glob) : NULL;
        *ret = TAKE_PTR(plain);
        return 1;
}

static int apply_container_id(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;
        ConditionBuilder *builder;
        int r;

        r = filter_run_builder(x, x->kind, SCT_FIELD_CGROUP, CONDITION_CGROUP, &builder);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_values; i++) {
                _cleanup_free_ char *scope = NULL;
                char *glob;

                r = parse_container_id(x, e->values + i, &glob, &scope);
                if (r > 0)
                        r = add_glob(x, builder, SCT_CGROUP_CONTAINER, glob);
                if (r >= 0 && scope)
                        r = add_glob(x, builder, SCT_CGROUP_CONTAINER, TAKE_PTR(scope));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_container(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;

        if (e->op == FILTER_OP_NONE || has_word(e, "true") || has_word(e, "false"))
                return apply_boolean(x, /* inverted= */ false);
        if (!has_word(e, "new"))
                return apply_container_id(x, b);
        if (e->n_values > 1)
                return refuse_word_in_list(x, "new");
        if (x->spec)
                return filter_run_error(x, e->values[0].offset, "Whether a container is new is asked for a whole "
                                        "policy; write container%snew among its filters.", is_negative(x) ? "!=" : "=");
        return filter_run_switch(x, is_negative(x) ? SWITCH_NOT_CGROUP_AFTER_LOAD : SWITCH_CGROUP_AFTER_LOAD);
}

/* EVENT.context.container: a boolean; Tracee's later "started" is every container, since we know of none before. */
static int apply_context_container(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;

        if (e->op == FILTER_OP_EQ && e->n_values == 1 && has_word(e, "started"))
                return filter_run_container(x, true);
        return apply_boolean(x, /* inverted= */ false);
}

static bool has_unit_suffix(const char *name, const char *wanted) {
        static const char *const suffixes[] = {
                ".service", ".socket", ".mount", ".swap", ".scope", ".slice", ".target", ".device", ".automount",
                ".timer", ".path",
        };

        if (wanted && !streq(wanted, ".service"))
                return endswith(name, wanted);
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (endswith(name, suffixes[i]))
                        return true;
        return false;
}

/* As systemctl does: "nginx" is nginx.service. Returns 1 with the glob, 0 after a problem. */
static int parse_cgroup_glob(FilterRun *x, const FilterValue *v, const Behaviour *b, char **ret) {
        _cleanup_free_ char *glob = NULL;
        ExpressionError error;
        int r;

        r = filter_value_to_glob(v, &glob, &error);
        if (r == 0)
                return filter_run_value_error(x, &error) < 0 ? -ENOMEM : 0;
        if (r < 0)
                return r;

        if (b->cgroup_kind == SCT_CGROUP_PATH) {
                size_t n = strlen(glob);

                if (glob[0] != '/')
                        return filter_run_error(x, v->offset, "A cgroup's path begins with /; write %s=/%s.",
                                                x->expression->name, QUOTE(glob)) < 0 ? -ENOMEM : 0;
                while (n > 1 && glob[n - 1] == '/')
                        glob[--n] = '\0';
        } else if (b->cgroup_kind == SCT_CGROUP_UNIT ? glob[0] == '/' : strchr(glob, '/') != NULL)
                return filter_run_error(x, v->offset, "%s is a path; write the name alone, or cgroup=/PATH.",
                                        QUOTE(glob)) < 0 ? -ENOMEM : 0;

        if (b->suffix && !strchr(glob, '*') && !has_unit_suffix(glob, b->suffix)) {
                char *longer = strjoin(glob, b->suffix);

                if (!longer)
                        return -ENOMEM;
                free(glob);
                glob = longer;
        }
        if (strlen(glob) > GLOB_MAX)
                return filter_run_error(x, v->offset, "The name has %zu bytes and at most %d are possible here; write "
                                        "its beginning and a *.", strlen(glob), GLOB_MAX) < 0 ? -ENOMEM : 0;
        *ret = TAKE_PTR(glob);
        return 1;
}

static int apply_cgroup(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;
        ConditionBuilder *builder;
        int r;

        r = filter_run_builder(x, x->kind, SCT_FIELD_CGROUP, CONDITION_CGROUP, &builder);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_values; i++) {
                char *glob;

                r = parse_cgroup_glob(x, e->values + i, b, &glob);
                if (r > 0 && b->cgroup_kind == SCT_CGROUP_SLICE && streq(glob, "-.slice"))
                        /* The root slice is the root itself. */
                        r = add_glob(x, builder, SCT_CGROUP_PATH, strcpy(glob, "/"));
                else if (r > 0)
                        r = add_glob(x, builder, b->cgroup_kind, glob);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_syscall(FilterRun *x, const Behaviour *b) {
        const Expression *e = x->expression;
        ConditionBuilder *builder;
        int r;

        r = filter_run_builder(x, x->kind, b->field, CONDITION_NUMBER, &builder);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_values; i++) {
                _cleanup_free_ char *name = NULL;
                ExpressionError error;
                const EventSpec *spec;

                r = filter_value_to_text(e->values + i, &name, &error);
                if (r == 0)
                        r = filter_run_value_error(x, &error);
                else if (r > 0) {
                        spec = event_spec_by_name(name);
                        if (!spec || spec->family != EVENT_FAMILY_SYSCALL) {
                                Suggest s;

                                suggest_begin(&s, name);
                                for (spec = event_spec_next(NULL); spec; spec = event_spec_next(spec))
                                        if (spec->family == EVENT_FAMILY_SYSCALL)
                                                suggest_try(&s, spec->name);
                                r = filter_run_error(x, e->values[i].offset, "%s is no system call%s", QUOTE(name),
                                                     s.best[0] ? SUGGESTION(&s) : "; write a name like openat.");
                        } else
                                r = condition_builder_add_number(builder, e->op, spec->id, 0, UINT64_MAX);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_events(FilterRun *x, const Behaviour *b) {
        return filter_apply_event(x);
}

static int apply_sets(FilterRun *x, const Behaviour *b) {
        return filter_apply_set(x);
}

static int apply_argument(FilterRun *x, const Behaviour *b) {
        return filter_apply_arg(x);
}

static int apply_return_value(FilterRun *x, const Behaviour *b) {
        return filter_apply_retval(x);
}

static int refuse_runtime(FilterRun *x, const Behaviour *b) {
        return filter_run_error(x, x->expression->name_offset, "Names, images and pods are known to container managers "
                                "alone, not to the kernel; filter by containerId or unit instead.");
}

/* Whether the row takes this operator; 1 when it does. */
static int check_operator(FilterRun *x) {
        const Expression *e = x->expression;
        const FilterKind *k = x->kind;
        int r;

        if (e->op == FILTER_OP_NONE) {
                if (e->negated ? list_has(k->operators, "!") : list_has(k->operators, "bare"))
                        return 1;
                if (e->negated)
                        r = filter_run_error(x, 0, "%s cannot be negated by !; write %s.", QUOTE(e->name),
                                             list_has(k->operators, "!=") ? "NAME!=VALUE" :
                                             "it without, or leave it out");
                else
                        r = filter_run_error(x, e->op_offset, "%s lacks an operator and a value; write for example %s.",
                                             QUOTE(e->name), k->example);
                return r < 0 ? r : 0;
        }
        if (list_has(k->operators, filter_operator_to_string(e->op)))
                return 1;
        r = filter_run_error(x, e->op_offset, "%s has no operator %s; write %s, for example %s.", QUOTE(e->name),
                             filter_operator_to_string(e->op),
                             list_has(k->operators, "!=") ? "= or !=" : "=", k->example);
        return r < 0 ? r : 0;
}

int filter_kind_apply(FilterRun *x) {
        int r;

        assert(x && x->kind);

        r = check_operator(x);
        if (r <= 0)
                return r;
        r = behaviours[x->kind->id].apply(x, behaviours + x->kind->id);
        return r < 0 ? r : 0;
}

static const FilterKind kinds[] = {
#define SCT_FILTER_KIND(id, sym, where, names, operators, example, doc) \
        { FILTER_##sym, FILTER_WHERE_##where, names, operators, example, doc },
#include "../../bpf/abi/filter-kinds.def"
#undef SCT_FILTER_KIND
};

const FilterKind *filter_kind_find(FilterWhere where, const char *name) {
        if (strchr(name, ' '))
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].where == where && *name && list_has(kinds[i].names, name))
                        return kinds + i;
        return NULL;
}

void filter_kind_suggest(FilterWhere where, Suggest *s) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                size_t size;

                if (kinds[i].where != where || kinds[i].id == FILTER_CTX_RUNTIME)
                        continue;
                for (const char *p = next_word(kinds[i].names, &size); size > 0; p = next_word(p + size, &size)) {
                        char name[SUGGEST_WORD_MAX + 1];

                        (void) snprintf(name, sizeof(name), "%.*s", (int) size, p);
                        suggest_try(s, name);
                }
        }
}

#define NUMBER_ROW(f, low, high) { apply_number, .field = SCT_FIELD_##f, .min = (low), .max = (high) }
#define CGROUP_ROW(k, s) { apply_cgroup, .field = SCT_FIELD_CGROUP, .cgroup_kind = SCT_CGROUP_##k, .suffix = (s) }
#define COMM_ROW { apply_string, .field = SCT_FIELD_COMM, .text_max = COMM_MAX, .noun = "A thread's name" }
#define UTS_ROW { apply_string, .field = SCT_FIELD_UTS, .text_max = SCT_UTS_LEN, .noun = "A host name" }

static const Behaviour behaviours[] = {
        [FILTER_EVENT] = { apply_events },
        [FILTER_SET] = { apply_sets },
        [FILTER_COMM] = COMM_ROW,
        [FILTER_BINARY] = { apply_binary, .field = SCT_FIELD_EXE },
        [FILTER_UID] = NUMBER_ROW(UID, 0, UINT32_MAX),
        [FILTER_GID] = NUMBER_ROW(GID, 0, UINT32_MAX),
        [FILTER_AUID] = NUMBER_ROW(AUID, 0, UINT32_MAX),
        [FILTER_PID] = { apply_pid, .field = SCT_FIELD_HOST_PID, .or_field = SCT_FIELD_HOST_TID, .max = UINT32_MAX },
        [FILTER_TID] = NUMBER_ROW(HOST_TID, 0, UINT32_MAX),
        [FILTER_PPID] = NUMBER_ROW(HOST_PPID, 0, UINT32_MAX),
        [FILTER_MNTNS] = NUMBER_ROW(MNT_NS, 0, UINT32_MAX),
        [FILTER_PIDNS] = NUMBER_ROW(PID_NS, 0, UINT32_MAX),
        [FILTER_UTS] = UTS_ROW,
        [FILTER_TREE] = { apply_tree, .field = SCT_FIELD_TREE, .min = 1, .max = UINT32_MAX },
        [FILTER_FOLLOW] = { apply_follow },
        [FILTER_CONTAINER] = { apply_container },
        [FILTER_UNIT] = CGROUP_ROW(UNIT, ".service"),
        [FILTER_SLICE] = CGROUP_ROW(SLICE, ".slice"),
        [FILTER_SESSION] = CGROUP_ROW(SESSION, NULL),
        [FILTER_CGROUP] = CGROUP_ROW(PATH, NULL),
        [FILTER_NET] = { apply_string, .field = SCT_FIELD_INTERFACE, .text_max = INTERFACE_MAX,
                         .noun = "The name of an interface" },
        [FILTER_ARG] = { apply_argument },
        [FILTER_RETVAL] = { apply_return_value },
        [FILTER_TIMESTAMP] = { apply_timestamp, .field = SCT_FIELD_TIMESTAMP },
        [FILTER_CPU] = NUMBER_ROW(CPU, 0, UINT32_MAX),
        [FILTER_CTX_PID] = NUMBER_ROW(PID, 0, UINT32_MAX),
        [FILTER_CTX_TID] = NUMBER_ROW(TID, 0, UINT32_MAX),
        [FILTER_CTX_PPID] = NUMBER_ROW(PPID, 0, UINT32_MAX),
        [FILTER_HOST_PID] = NUMBER_ROW(HOST_PID, 0, UINT32_MAX),
        [FILTER_HOST_TID] = NUMBER_ROW(HOST_TID, 0, UINT32_MAX),
        [FILTER_HOST_PPID] = NUMBER_ROW(HOST_PPID, 0, UINT32_MAX),
        [FILTER_CTX_UID] = NUMBER_ROW(UID, 0, UINT32_MAX),
        [FILTER_CTX_GID] = NUMBER_ROW(GID, 0, UINT32_MAX),
        [FILTER_CTX_AUID] = NUMBER_ROW(AUID, 0, UINT32_MAX),
        [FILTER_CTX_MNTNS] = NUMBER_ROW(MNT_NS, 0, UINT32_MAX),
        [FILTER_CTX_PIDNS] = NUMBER_ROW(PID_NS, 0, UINT32_MAX),
        [FILTER_CGROUP_ID] = NUMBER_ROW(CGROUP_ID, 0, UINT64_MAX),
        [FILTER_CTX_COMM] = COMM_ROW,
        [FILTER_CTX_UTS] = UTS_ROW,
        [FILTER_CTX_BINARY] = { apply_binary, .field = SCT_FIELD_EXE },
        [FILTER_SYSCALL] = { apply_syscall, .field = SCT_FIELD_SYSCALL },
        [FILTER_CONTAINER_ID] = { apply_container_id },
        [FILTER_CTX_CONTAINER] = { apply_context_container },
        [FILTER_CTX_HOST] = { apply_host },
        [FILTER_CTX_UNIT] = CGROUP_ROW(UNIT, ".service"),
        [FILTER_CTX_SLICE] = CGROUP_ROW(SLICE, ".slice"),
        [FILTER_CTX_SESSION] = CGROUP_ROW(SESSION, NULL),
        [FILTER_CTX_CGROUP] = CGROUP_ROW(PATH, NULL),
        [FILTER_CTX_RUNTIME] = { refuse_runtime },
};

/* The last kind has a row, and no kind but the sections lacks one (check in test-filter). */
assert_cc(ELEMENTSOF(behaviours) == FILTER_CTX_RUNTIME + 1);
