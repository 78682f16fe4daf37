/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text → policies: documents, the envelope (apiVersion, kind, metadata), and the spec of ScopePolicy. Specs of other
 * kinds are read by their own files, one row each in `document_kinds`.
 *
 * Invariant: every document gives either a Policy or at least one error with its place, and none hides what is wrong or
 * right with another. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>

#include "../basic/fd-util.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "policy-capture.h"
#include "policy-parse.h"
#include "tracee-policy.h"
#include "tracing-policy.h"
#include "wording.h"
#include "yaml-util.h"

#define FILE_PROBLEMS_MAX 1000U          /* documents of a file are not read any more then */
#define TRACEE_API_VERSIONS \
        "tracee.aquasec.com/v1beta1 tracee.aquasecurity.github.io/v1beta1 aquasecurity.github.io/v1beta1"
#define SCOPE_ANNOTATION "scopetrace.org/scope"

typedef struct DocumentKind {
        const char *kind;
        const char *api_versions;        /* with spaces between; the first is the one to write */
        PolicyKind policy_kind;
        bool scope_annotation;           /* the scope's number stands in the annotations */
        bool api_optional;               /* files without apiVersion are in use */
        YamlRead read_spec;              /* target: Policy */
} DocumentKind;

static const DocumentKind document_kinds[];
static const size_t n_document_kinds;

/* One document while it is read. */
typedef struct Envelope {
        Policy *policy;
        const DocumentKind *kind;
        const YamlNode *name;
} Envelope;

/* RFC 1123 subdomain: what Kubernetes wants, and what needs no quoting anywhere. Tetragon's own guide has underscores. */
static bool name_is_valid(const char *name, bool underscores) {
        size_t n = strlen(name);
        char before = '.';

        if (n == 0 || n > POLICY_NAME_MAX)
                return false;
        for (const char *p = name; *p; p++) {
                bool alnum = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || (underscores && *p == '_');

                if (!alnum && !strchr("-.", *p))
                        return false;
                if (*p == '.' && !((before >= 'a' && before <= 'z') || (before >= '0' && before <= '9')))
                        return false;
                if (*p == '-' && before == '.')
                        return false;
                before = *p;
        }
        return before != '-' && before != '.';
}

static int read_name(YamlReader *r, const YamlNode *n, void *target) {
        Envelope *e = target;
        const char *name;
        int q;

        q = yaml_get_string(r, n, 0, &name);
        if (q <= 0)
                return q;
        if (!name_is_valid(name, e->policy->kind == POLICY_KIND_TRACING))
                return yaml_error(r, n, "%s is not a policy's name; write lower-case letters, digits, - and ., with a "
                                  "letter or digit at both ends, at most %d characters.", QUOTE(name), POLICY_NAME_MAX);
        e->name = n;
        e->policy->line = n->line;
        e->policy->column = n->column;
        return free_and_strdup(&e->policy->name, name);
}

static int read_description(YamlReader *r, const YamlNode *n, void *target) {
        Envelope *e = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT | YAML_STRING_EMPTY_OK, &text);
        if (q <= 0)
                return q;
        return free_and_strdup(&e->policy->description, text);
}

static int read_labels(YamlReader *r, const YamlNode *n, void *target) {
        if (yaml_is_null(n))
                return 0;
        return yaml_read_string_map(r, n, NULL, NULL);
}

static int read_scope_annotation(YamlReader *r, const YamlNode *n, Envelope *e) {
        uint32_t scope;
        size_t mark;
        int q = 0;

        mark = yaml_key_push(r, SCOPE_ANNOTATION);
        if (!e->kind->scope_annotation)
                q = yaml_error(r, n, "The scope of a %s stands in spec.scope; write it there.", e->kind->kind);
        else if (n->kind != YAML_SCALAR || parse_u32(n->text, &scope) < 0 || scope < 1 || scope > POLICY_SCOPE_MAX)
                q = yaml_error(r, n, "A scope is a number from 1 to %d; write for example \"42\".", POLICY_SCOPE_MAX);
        else
                e->policy->scope = (uint8_t) scope;
        yaml_key_pop(r, mark);
        return q;
}

static int read_annotations(YamlReader *r, const YamlNode *n, void *target) {
        Envelope *e = target;
        const YamlNode *value;
        int q;

        if (yaml_is_null(n))
                return 0;
        q = yaml_read_string_map(r, n, NULL, NULL);
        if (q < 0)
                return q;
        value = yaml_mapping_get(n, "description");
        if (value && value->kind == YAML_SCALAR && !e->policy->description) {
                q = free_and_strdup(&e->policy->description, value->text);
                if (q < 0)
                        return q;
        }
        value = yaml_mapping_get(n, SCOPE_ANNOTATION);
        return value ? read_scope_annotation(r, value, e) : 0;
}

static int read_namespace(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_warning(r, n, "A namespace means nothing on a host without Kubernetes; the policy holds for the "
                            "whole host.");
}

static int read_metadata(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "name", true, read_name },
                { "description", false, read_description },
                { "labels", false, read_labels },
                { "annotations", false, read_annotations },
                { "namespace", false, read_namespace },
        };

        return yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), target);
}

static int read_spec(YamlReader *r, const YamlNode *n, void *target) {
        Envelope *e = target;

        return e->kind->read_spec(r, n, e->policy);
}

/* ---- ScopePolicy ---- */

static int spec_scope(YamlReader *r, const YamlNode *n, void *target) {
        Policy *p = target;
        uint64_t scope;
        int q;

        q = yaml_get_u64(r, n, 1, POLICY_SCOPE_MAX, &scope);
        if (q > 0)
                p->scope = (uint8_t) scope;
        return q < 0 ? q : 0;
}

static int add_filter(YamlReader *r, const YamlNode *n, void *target) {
        FilterPlace place;
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        yaml_filter_place(r, n, &place);
        return filter_set_add(target, &place, text);
}

/* NULL: no filters, which is a policy too. */
static int build_rule(YamlReader *r, const YamlNode *at, const YamlNode *filters, Policy *p) {
        _cleanup_(filter_set_freep) FilterSet *set = NULL;
        FilterPlace place;
        int q;

        set = filter_set_new(yaml_report, r);
        if (!set)
                return -ENOMEM;
        if (filters && !yaml_is_null(filters)) {
                if (filters->kind == YAML_SCALAR)
                        q = add_filter(r, filters, set);
                else
                        q = yaml_read_sequence(r, filters, add_filter, set);
                if (q < 0)
                        return q;
        }

        p->rules = new0(PolicyRule, 1);
        if (!p->rules)
                return -ENOMEM;
        yaml_filter_place(r, filters ?: at, &place);
        q = filter_set_finish(set, &place, p->rules);
        if (q < 0)
                return q;
        p->n_rules = (size_t) q;
        return 0;
}

static int spec_filters(YamlReader *r, const YamlNode *n, void *target) {
        return build_rule(r, n, n, target);
}

static int spec_priority(YamlReader *r, const YamlNode *n, void *target) {
        static const char *const names[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };
        Policy *p = target;
        const char *text;
        uint32_t number;
        Suggest s;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        if (parse_u32(text, &number) >= 0 && number <= LOG_DEBUG) {
                p->priority = (int) number;
                return 0;
        }
        suggest_begin(&s, text);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                suggest_try(&s, names[i]);
                if (streq(text, names[i])) {
                        p->priority = (int) i;
                        return 0;
                }
        }
        return yaml_error(r, n, "%s is not a priority%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                          "; write emerg, alert, crit, err, warning, notice, info or debug, or 0 to 7.");
}

/* N/TIME: 1000/s, 10/min, 5/10s, 100/h. */
static int parse_rate(const char *text, uint64_t *ret_n, uint64_t *ret_usec) {
        const char *slash = strchr(text, '/');
        _cleanup_free_ char *number = NULL, *time = NULL;
        uint64_t n, usec;

        if (!slash || slash[1] == '\0')
                return -EINVAL;
        number = strndup(text, (size_t) (slash - text));
        time = strjoin(slash[1] >= '0' && slash[1] <= '9' ? "" : "1", slash + 1);
        if (!number || !time)
                return -ENOMEM;
        if (parse_u64(number, &n) < 0 || parse_usec(time, &usec) < 0 || n == 0 || usec == 0 || usec == UINT64_MAX)
                return -EINVAL;
        *ret_n = n;
        *ret_usec = usec;
        return 0;
}

static int spec_rate_limit(YamlReader *r, const YamlNode *n, void *target) {
        Policy *p = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        q = parse_rate(text, &p->rate_limit_n, &p->rate_limit_usec);
        if (q == -EINVAL)
                return yaml_error(r, n, "%s is not a rate; write a number and a time, for example 1000/s, 10/min, "
                                  "5/10s or 100/h.", QUOTE(text));
        return q;
}

static int add_option(YamlReader *r, const YamlNode *n, void *target) {
        static const struct {
                const char *name;
                PolicyOption option;
        } options[] = {
                { "fd-paths", POLICY_OPTION_FD_PATHS },
                { "exec-env", POLICY_OPTION_EXEC_ENV },
        };
        Policy *p = target;
        const char *text;
        Suggest s;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        suggest_begin(&s, text);
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                suggest_try(&s, options[i].name);
                if (streq(text, options[i].name)) {
                        p->options |= options[i].option;
                        return 0;
                }
        }
        return yaml_error(r, n, "%s is not an option%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                          "; write fd-paths (descriptors with their paths) or exec-env (sched_process_exec with the "
                          "environment).");
}

static int spec_options(YamlReader *r, const YamlNode *n, void *target) {
        if (n->kind == YAML_SCALAR && !yaml_is_null(n))
                return add_option(r, n, target);
        return yaml_read_sequence(r, n, add_option, target);
}

static int read_scope_spec(YamlReader *r, const YamlNode *n, void *target) {
        static const YamlField fields[] = {
                { "scope", false, spec_scope },
                { "filters", false, spec_filters },
                { "capture", false, policy_capture_read },
                { "priority", false, spec_priority },
                { "rateLimit", false, spec_rate_limit },
                { "options", false, spec_options },
        };
        _cleanup_free_ char *error = NULL;
        int q;

        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), target);
        if (q < 0 || n->kind != YAML_MAPPING)
                return q;
        if (!yaml_mapping_get(n, "filters")) {
                q = build_rule(r, n, NULL, target);
                if (q < 0)
                        return q;
        }
        if (r->n_errors > 0)
                return 0;
        q = policy_capture_attach(target, &error);
        return q == -EINVAL ? yaml_error(r, yaml_mapping_get(n, "capture") ?: n, "%s", error) : q;
}

/* ---- Documents ---- */

static bool list_has(const char *list, const char *word) {
        size_t n = strlen(word);

        for (const char *p = list; (p = strstr(p, word)); p += n)
                if (n > 0 && (p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
                        return true;
        return false;
}

/* Which row a document is of: kind first, since a wrong apiVersion is the likelier slip. NULL after a problem. */
static int find_kind(YamlReader *r, const YamlNode *root, const DocumentKind **ret) {
        const YamlNode *kind = yaml_mapping_get(root, "kind"), *api = yaml_mapping_get(root, "apiVersion");
        const char *text;
        size_t mark;
        Suggest s;
        int q;

        *ret = NULL;
        if (!kind)
                return yaml_error(r, root, "The key kind is missing; write `apiVersion: scopetrace.org/v1` and `kind: "
                                  "ScopePolicy`.");
        mark = yaml_key_push(r, "kind");
        q = yaml_get_string(r, kind, 0, &text);
        if (q > 0) {
                suggest_begin(&s, text);
                for (size_t i = 0; i < n_document_kinds; i++) {
                        suggest_try(&s, document_kinds[i].kind);
                        if (streq(document_kinds[i].kind, text))
                                *ret = document_kinds + i;
                }
                if (!*ret)
                        q = yaml_error(r, kind, "%s is not a kind that is known here%s", QUOTE(text), s.best[0] ?
                                       SUGGESTION(&s) : "; write ScopePolicy.");
        }
        yaml_key_pop(r, mark);
        if (q < 0 || !*ret)
                return q;

        if (!api && (*ret)->api_optional)
                q = yaml_warning(r, root, "The key apiVersion is missing; write `apiVersion: %s`.", (*ret)->api_versions);
        else if (!api)
                q = yaml_error(r, root, "The key apiVersion is missing; write `apiVersion: %.*s`.",
                               (int) strcspn((*ret)->api_versions, " "), (*ret)->api_versions);
        else {
                mark = yaml_key_push(r, "apiVersion");
                q = yaml_get_string(r, api, 0, &text);
                if (q > 0 && !list_has((*ret)->api_versions, text))
                        q = yaml_error(r, api, "%s is not the apiVersion of a %s; write %.*s.", QUOTE(text),
                                       (*ret)->kind,
                                       (int) strcspn((*ret)->api_versions, " "), (*ret)->api_versions);
                yaml_key_pop(r, mark);
        }
        return q < 0 ? q : 0;
}

static int read_enveloped(YamlReader *r, const YamlNode *root, Envelope *e) {
        static const YamlField fields[] = {
                { "apiVersion", false, NULL },
                { "kind", false, NULL },
                { "metadata", true, read_metadata },
                { "spec", true, read_spec },
        };
        int q;

        if (root->kind != YAML_MAPPING)
                return yaml_error(r, root, "A policy is a mapping; begin with `apiVersion: scopetrace.org/v1`.");
        q = find_kind(r, root, &e->kind);
        if (q < 0 || !e->kind)
                return q;
        e->policy->kind = e->kind->policy_kind;
        return yaml_read_mapping(r, root, fields, ELEMENTSOF(fields), e);
}

static int read_plain(YamlReader *r, const YamlNode *root, Envelope *e) {
        const YamlNode *name = yaml_mapping_get(root, "name");
        int q;

        e->policy->kind = POLICY_KIND_TRACEE;
        if (name) {
                size_t mark = yaml_key_push(r, "name");

                q = read_name(r, name, e);
                yaml_key_pop(r, mark);
                if (q < 0)
                        return q;
        }
        return tracee_policy_read_plain(r, root, e->policy);
}

typedef struct ParseState {
        const char *path;
        ProblemList *problems;
        Policy **policies;
        size_t n, n_allocated;
        unsigned index;                  /* of the document */
} ParseState;

static void parse_state_done(ParseState *s) {
        for (size_t i = 0; i < s->n; i++)
                policy_unref(s->policies[i]);
        free(s->policies);
}

static int check_unique_name(YamlReader *r, ParseState *s, const Envelope *e) {
        for (size_t i = 0; i < s->n; i++)
                if (e->policy->name && streq(s->policies[i]->name, e->policy->name)) {
                        size_t mark = yaml_key_push(r, "metadata.name");
                        int q;

                        q = yaml_error(r, e->name, "Document %u of this file is named %s too; give each policy a name "
                                       "of its own.",
                                       s->policies[i]->document + 1, QUOTE(e->policy->name));
                        yaml_key_pop(r, mark);
                        return q;
                }
        return 0;
}

static int keep_policy(ParseState *s, const YamlDocument *d, Policy **p) {
        Policy *policy = *p;

        policy->document = s->index;
        policy->text = strndup(d->text, d->size);
        if (!policy->text || free_and_strdup(&policy->path, s->path) < 0)
                return -ENOMEM;
        if (!GREEDY_REALLOC(s->policies, s->n_allocated, s->n + 1))
                return -ENOMEM;
        s->policies[s->n++] = TAKE_PTR(*p);
        return 0;
}

/* `---` alone, as between documents that were taken out. */
static bool is_blank(const YamlDocument *d) {
        for (size_t i = 0; i < d->size; i++)
                if (!strchr("- \t\r\n", d->text[i]) || d->text[i] == '\0')
                        return false;
        return d->size < 8;
}

static int parse_document(ParseState *s, YamlDocument *d) {
        _cleanup_(yaml_reader_done) YamlReader r = { .document = d, .path = s->path, .problems = s->problems };
        _cleanup_(policy_unrefp) Policy *p = NULL;
        Envelope e;
        int q;

        if (is_blank(d))
                return 0;
        q = yaml_document_load(d, &r);
        if (q < 0)
                return q;
        if (q == 0) {
                s->index++;
                return 0;
        }
        if (!d->root || yaml_is_null(d->root))
                return 0;

        p = policy_new();
        if (!p)
                return -ENOMEM;
        e = (Envelope) { .policy = p };
        q = tracee_policy_is_plain(d->root) ? read_plain(&r, d->root, &e) : read_enveloped(&r, d->root, &e);
        if (q < 0)
                return q;
        q = check_unique_name(&r, s, &e);
        if (q < 0)
                return q;
        if (r.n_errors == 0) {
                q = keep_policy(s, d, &p);
                if (q < 0)
                        return q;
        }
        s->index++;
        return 0;
}

int policy_parse(const char *text, size_t size, const char *path, Policy ***ret, size_t *ret_n, ProblemList *problems) {
        _cleanup_(parse_state_done) ParseState s = { .path = path, .problems = problems };
        size_t offset = 0, n_before = problems->n;
        unsigned line = 1;
        YamlDocument d;
        int r;

        assert(text || size == 0);
        assert(ret && ret_n);

        if (size > POLICY_FILE_MAX) {
                r = problem_add(problems, PROBLEM_ERROR, path, 0, 0, NULL, "The text has %zu bytes, more than %u; "
                                "split it into several files.", size, POLICY_FILE_MAX);
                if (r < 0)
                        return r;
                size = 0;
        }

        while (yaml_next_document(text, size, &offset, &line, &d)) {
                r = parse_document(&s, &d);
                yaml_document_done(&d);
                if (r < 0)
                        return r;
                if (problems->n - n_before > FILE_PROBLEMS_MAX) {
                        r = problem_add(problems, PROBLEM_ERROR, path, line, 1, NULL, "More than %u problems in this "
                                        "file; correct those above first, the documents from here on are not read.",
                                        FILE_PROBLEMS_MAX);
                        if (r < 0)
                                return r;
                        break;
                }
        }

        *ret = TAKE_PTR(s.policies);
        *ret_n = s.n;
        s.n = 0;
        return 0;
}

/* Why a file is not to be trusted with what root's service does; NULL when it may. */
static const char *refuse_file(const struct stat *st, unsigned flags) {
        if (S_ISDIR(st->st_mode))
                return "This is a directory; put policies into files of their own in policies.d itself.";
        if (!S_ISREG(st->st_mode))
                return "This is no regular file; write the policy into one.";
        if (flags & POLICY_LOAD_ANY_OWNER)
                return NULL;
        if (st->st_uid != 0)
                return "The file does not belong to root, so anybody else decides what is traced; run chown root on "
                       "it.";
        if (st->st_mode & 022)
                return "Group or others may write to the file, so they decide what is traced; run chmod go-w on it.";
        return NULL;
}

int policy_load_file(const char *path, unsigned flags, Policy ***ret, size_t *ret_n, ProblemList *problems) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *refusal;
        struct stat st;
        size_t size;
        int r;

        assert(path);
        assert(ret && ret_n);

        *ret = NULL;
        *ret_n = 0;

        /* A FIFO or a device must not hold up the service. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return problem_add(problems, PROBLEM_ERROR, path, 0, 0, NULL, "The file cannot be opened (%s).",
                                   strerror(errno));
        refusal = refuse_file(&st, flags);
        if (refusal)
                return problem_add(problems, PROBLEM_ERROR, path, 0, 0, NULL, "%s", refusal);

        r = read_full_fd(fd, POLICY_FILE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r == -EFBIG)
                return problem_add(problems, PROBLEM_ERROR, path, 0, 0, NULL, "The file has more than %u bytes; split "
                                   "it into several files.", POLICY_FILE_MAX);
        if (r < 0)
                return problem_add(problems, PROBLEM_ERROR, path, 0, 0, NULL, "The file cannot be read (%s).",
                                   strerror(-r));
        return policy_parse(text, size, path, ret, ret_n, problems);
}

static const DocumentKind document_kinds[] = {
        { "ScopePolicy", "scopetrace.org/v1", POLICY_KIND_SCOPE, false, false, read_scope_spec },
        { "Policy", TRACEE_API_VERSIONS, POLICY_KIND_TRACEE, true, false, tracee_policy_read_spec },
        { "TraceePolicy", TRACEE_API_VERSIONS, POLICY_KIND_TRACEE, true, false, tracee_policy_read_spec },
        { "TracingPolicy", "cilium.io/v1alpha1", POLICY_KIND_TRACING, true, true, tracing_policy_read_spec },
        { "TracingPolicyNamespaced", "cilium.io/v1alpha1", POLICY_KIND_TRACING, true, true, tracing_policy_read_spec },
};
static const size_t n_document_kinds = ELEMENTSOF(document_kinds);
