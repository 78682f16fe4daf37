/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Typed access to a tree of YAML nodes: problems with positions and key paths, mappings with known keys, lists,
 * scalars.
 *
 * Everything that a person may have written wrong is answered by a sentence; a negative return means lack of memory
 * alone. Knows no key of any policy language, and nothing of libyaml: that is yaml-load.c. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "wording.h"
#include "yaml-util.h"

void yaml_reader_done(YamlReader *r) {
        assert(r);

        buffer_done(&r->key);
}

unsigned yaml_count_characters(const char *p, const char *end) {
        unsigned n = 0;

        for (; p < end; p++)
                if (((unsigned char) *p & 0xc0) != 0x80)
                        n++;
        return n;
}

static const char *find_line(YamlReader *r, unsigned line) {
        const YamlDocument *d = r->document;
        const char *p = d->text, *end = d->text + d->size;
        unsigned i = d->first_line;

        if (r->seen && r->seen_line <= line) {
                p = r->seen;
                i = r->seen_line;
        }
        for (; i < line; i++) {
                p = memchr(p, '\n', (size_t) (end - p));
                if (!p)
                        return NULL;
                p++;
        }
        r->seen_line = line;
        r->seen = p;
        return p;
}

bool yaml_position(YamlReader *r, const YamlNode *n, size_t offset, unsigned *ret_line, unsigned *ret_column) {
        const char *p, *end;

        assert(r && r->document);
        assert(n);
        assert(ret_line && ret_column);

        *ret_line = n->line;
        *ret_column = n->column;

        if (n->kind != YAML_SCALAR || offset > n->size || !(p = find_line(r, n->line)))
                return false;
        end = r->document->text + r->document->size;
        for (unsigned column = 1; column < n->column && p < end; column++)
                do
                        p++;
                while (p < end && ((unsigned char) *p & 0xc0) == 0x80);
        if (!n->plain && p < end && (*p == '"' || *p == '\''))
                p++;

        /* Verbatim in the document? Then the offset holds there too. */
        if ((size_t) (end - p) < n->size || memcmp(p, n->text, n->size) != 0 || memchr(n->text, '\n', n->size))
                return false;
        *ret_column = n->column + (n->plain ? 0 : 1) + yaml_count_characters(p, p + offset);
        return true;
}

/* One sentence when there are too many, then silence: a megabyte of nonsense gets one page of answers. */
static int report(YamlReader *r, ProblemSeverity severity, const char *key, unsigned line, unsigned column,
                  const char *message) {
        if (severity == PROBLEM_ERROR)
                r->n_errors++;
        if (r->n_problems > YAML_PROBLEMS_MAX)
                return 0;
        if (r->n_problems++ == YAML_PROBLEMS_MAX)
                return problem_add(r->problems, severity, r->path, line, column, NULL,
                                   "More than %u problems in this document; correct those above first, the rest is not "
                                   "shown.", YAML_PROBLEMS_MAX);
        return problem_add(r->problems, severity, r->path, line, column, key, "%s", message);
}

_printf_(5, 0)
static int add_problem(YamlReader *r, ProblemSeverity severity, unsigned line, unsigned column, const char *format,
                       va_list ap) {
        _cleanup_free_ char *message = NULL;
        const char *key;

        if (vasprintf(&message, format, ap) < 0) {
                message = NULL; /* undefined after a failure */
                return -ENOMEM;
        }
        key = buffer_cstring(&r->key);
        if (!key)
                return -ENOMEM;
        return report(r, severity, key, line, column, message);
}

int yaml_report(void *userdata, ProblemSeverity severity, const char *key, unsigned line, unsigned column,
                const char *message) {
        return report(userdata, severity, key, line, column, message);
}

void yaml_filter_place(YamlReader *r, const YamlNode *n, FilterPlace *ret) {
        assert(r && n && ret);

        *ret = (FilterPlace) { .key = buffer_cstring(&r->key) };
        ret->exact = yaml_position(r, n, 0, &ret->line, &ret->column);
}

int yaml_problem(YamlReader *r, ProblemSeverity severity, const YamlNode *n, size_t offset, const char *format, ...) {
        unsigned line, column = 1;
        va_list ap;
        int q;

        assert(r);
        assert(format);

        line = r->document ? r->document->first_line : 0;
        if (n && offset > 0)
                (void) yaml_position(r, n, offset, &line, &column);
        else if (n) {
                line = n->line;
                column = n->column;
        }

        va_start(ap, format);
        q = add_problem(r, severity, line, column, format, ap);
        va_end(ap);
        return q;
}

int yaml_problem_at(YamlReader *r, unsigned line, unsigned column, const char *format, ...) {
        va_list ap;
        int q;

        va_start(ap, format);
        q = add_problem(r, PROBLEM_ERROR, line, column, format, ap);
        va_end(ap);
        return q;
}

size_t yaml_key_push(YamlReader *r, const char *name) {
        size_t mark = r->key.size;

        /* A key that cannot be kept for lack of memory shows when a problem is added: the buffer stays failed. */
        if (mark > 0)
                (void) buffer_add_char(&r->key, '.');
        (void) buffer_add_string(&r->key, QUOTE(name));
        return mark;
}

size_t yaml_key_push_index(YamlReader *r, size_t i) {
        size_t mark = r->key.size;

        (void) buffer_printf(&r->key, "[%zu]", i);
        return mark;
}

void yaml_key_pop(YamlReader *r, size_t mark) {
        assert(mark <= r->key.size);
        r->key.size = mark;
}

bool yaml_is_null(const YamlNode *n) {
        return n->kind == YAML_SCALAR && n->plain &&
               (n->size == 0 || streq(n->text, "~") || streq(n->text, "null") || streq(n->text, "Null") ||
                streq(n->text, "NULL"));
}

/* What a person sees in the file. */
static const char *node_noun(const YamlNode *n) {
        static const char *const nouns[] = {
                [YAML_SCALAR] = "a single value",
                [YAML_SEQUENCE] = "a list",
                [YAML_MAPPING] = "a mapping",
        };

        return yaml_is_null(n) ? "nothing" : nouns[n->kind];
}

const YamlNode *yaml_mapping_get(const YamlNode *n, const char *key) {
        if (!n || n->kind != YAML_MAPPING)
                return NULL;
        for (size_t i = 0; i + 1 < n->n_items; i += 2)
                if (n->items[i]->kind == YAML_SCALAR && streq(n->items[i]->text, key))
                        return n->items[i + 1];
        return NULL;
}

static int compare_keys(const void *a, const void *b) {
        const YamlNode *x = *(YamlNode *const *) a, *y = *(YamlNode *const *) b;
        int r = strcmp(x->text, y->text);

        if (r != 0)
                return r;
        return x->line != y->line ? (x->line < y->line ? -1 : 1) : x->column < y->column ? -1 : x->column > y->column;
}

/* Keys that are no scalars, and keys that stand twice. Returns 1 when there are none. */
static int check_keys(YamlReader *r, const YamlNode *n) {
        _cleanup_free_ YamlNode **keys = NULL;
        size_t n_keys = 0, n_bad = 0;
        int q;

        keys = new(YamlNode *, n->n_items / 2 + 1);
        if (!keys)
                return -ENOMEM;
        for (size_t i = 0; i + 1 < n->n_items; i += 2) {
                if (n->items[i]->kind == YAML_SCALAR && !n->items[i]->nul_tail) {
                        keys[n_keys++] = n->items[i];
                        continue;
                }
                n_bad++;
                q = yaml_error(r, n->items[i], "A key must be one word, but here stands %s.", node_noun(n->items[i]));
                if (q < 0)
                        return q;
        }

        qsort(keys, n_keys, sizeof(keys[0]), compare_keys);
        for (size_t i = 1; i < n_keys; i++) {
                if (!streq(keys[i - 1]->text, keys[i]->text))
                        continue;
                n_bad++;
                q = yaml_error(r, keys[i], "The key %s stands twice in one mapping, first in line %u; keep one of "
                               "them.",
                               QUOTE(keys[i]->text), keys[i - 1]->line);
                if (q < 0)
                        return q;
        }
        return n_bad == 0;
}

static int unknown_key(YamlReader *r, const YamlNode *key, const YamlField *fields, size_t n_fields) {
        char list[512] = "";
        size_t used = 0;
        Suggest s;

        suggest_begin(&s, key->text);
        for (size_t i = 0; i < n_fields; i++) {
                suggest_try(&s, fields[i].key);
                if (used < sizeof(list))
                        used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "",
                                                  fields[i].key);
        }
        if (s.best[0])
                return yaml_error(r, key, "The key %s is not known here%s", QUOTE(key->text), SUGGESTION(&s));
        return yaml_error(r, key, "The key %s is not known here; the keys are %s.", QUOTE(key->text), list);
}

/* A key that stands again was a problem already and is not read: readers may count on being called once. */
static bool is_first(const YamlNode *n, size_t i) {
        for (size_t j = 0; j < i; j += 2)
                if (n->items[j]->kind == YAML_SCALAR && streq(n->items[j]->text, n->items[i]->text))
                        return false;
        return true;
}

int yaml_read_mapping(YamlReader *r, const YamlNode *n, const YamlField *fields, size_t n_fields, void *target) {
        int q;

        assert(r && n);
        assert(fields);

        if (n->kind != YAML_MAPPING)
                return yaml_error(r, n, "A mapping (`key: value` lines) is wanted here, but it is %s; begin with "
                                  "`%s:`.",
                                  node_noun(n), fields[0].key);

        q = check_keys(r, n);
        if (q < 0)
                return q;

        for (size_t i = 0; i + 1 < n->n_items; i += 2) {
                const YamlNode *key = n->items[i];
                const YamlField *f = NULL;
                size_t mark;

                if (key->kind != YAML_SCALAR)
                        continue;
                for (size_t j = 0; j < n_fields && !f; j++)
                        if (streq(fields[j].key, key->text))
                                f = fields + j;

                mark = yaml_key_push(r, key->text);
                if (!f)
                        q = unknown_key(r, key, fields, n_fields);
                else
                        q = f->read && is_first(n, i) ? f->read(r, n->items[i + 1], target) : 0;
                yaml_key_pop(r, mark);
                if (q < 0)
                        return q;
        }

        for (size_t j = 0; j < n_fields; j++)
                if (fields[j].required && !yaml_mapping_get(n, fields[j].key)) {
                        q = yaml_error(r, n, "The key %s is missing here; add `%s:`.", fields[j].key, fields[j].key);
                        if (q < 0)
                                return q;
                }
        return 0;
}

int yaml_read_sequence(YamlReader *r, const YamlNode *n, YamlRead read, void *target) {
        int q;

        assert(r && n);
        assert(read);

        if (n->kind != YAML_SEQUENCE)
                return yaml_error(r, n, "A list (`- item` lines, or [a, b]) is wanted here, but it is %s.",
                                  node_noun(n));

        for (size_t i = 0; i < n->n_items; i++) {
                size_t mark = yaml_key_push_index(r, i);

                q = read(r, n->items[i], target);
                yaml_key_pop(r, mark);
                if (q < 0)
                        return q;
        }
        return 0;
}

int yaml_read_string_map(YamlReader *r, const YamlNode *n, YamlRead read, void *target) {
        int q;

        assert(r && n);

        if (n->kind != YAML_MAPPING)
                return yaml_error(r, n, "A mapping (`key: value` lines) is wanted here, but it is %s.", node_noun(n));
        q = check_keys(r, n);
        if (q < 0)
                return q;

        for (size_t i = 0; i + 1 < n->n_items; i += 2) {
                const char *text;
                size_t mark;

                if (n->items[i]->kind != YAML_SCALAR)
                        continue;
                mark = yaml_key_push(r, n->items[i]->text);
                q = yaml_get_string(r, n->items[i + 1], YAML_STRING_LENIENT | YAML_STRING_EMPTY_OK, &text);
                if (q > 0 && read)
                        q = read(r, n->items[i + 1], target);
                yaml_key_pop(r, mark);
                if (q < 0)
                        return q;
        }
        return 0;
}

/* Would another reader of YAML take this for something else than a string? */
static bool looks_typed(const YamlNode *n, const char **ret_noun) {
        static const char *const booleans[] = { "true", "True", "TRUE", "false", "False", "FALSE" };
        char *end;

        if (!n->plain)
                return false;
        if (yaml_is_null(n)) {
                *ret_noun = "empty";
                return true;
        }
        for (size_t i = 0; i < ELEMENTSOF(booleans); i++)
                if (streq(n->text, booleans[i])) {
                        *ret_noun = "a boolean";
                        return true;
                }
        if (strspn(n->text, "+-.0123456789") == 0)
                return false;
        errno = 0;
        (void) strtod(n->text, &end);
        if (*end != '\0' || end == n->text)
                return false;
        *ret_noun = "a number";
        return true;
}

int yaml_nul_problem(YamlReader *r, const YamlNode *n) {
        return yaml_problem_at(r, n->line, n->column,
                               "The value holds a NUL character (\\0); no name and no path can, so remove it.");
}

int yaml_get_string(YamlReader *r, const YamlNode *n, YamlStringFlags flags, const char **ret) {
        const char *noun;
        int q;

        assert(r && n && ret);

        if (n->kind != YAML_SCALAR) {
                q = yaml_error(r, n, "A string is wanted here, but it is %s.", node_noun(n));
                return q < 0 ? q : 0;
        }
        if (n->nul_tail && !FLAGS_SET(flags, YAML_STRING_NUL_TAIL_OK)) {
                q = yaml_nul_problem(r, n);
                return q < 0 ? q : 0;
        }
        if (!FLAGS_SET(flags, YAML_STRING_LENIENT) && looks_typed(n, &noun)) {
                if (n->size == 0)
                        q = yaml_error(r, n, "A string is wanted here, but there is nothing.");
                else
                        q = yaml_error(r, n, "A string is wanted here, but %s is %s; put it into quotes: \"%s\".",
                                       QUOTE(n->text), noun, QUOTE(n->text));
                return q < 0 ? q : 0;
        }
        if (n->size == 0 && !FLAGS_SET(flags, YAML_STRING_EMPTY_OK)) {
                q = yaml_error(r, n, "A string is wanted here, but it is empty.");
                return q < 0 ? q : 0;
        }
        *ret = n->text;
        return 1;
}

int yaml_get_u64(YamlReader *r, const YamlNode *n, uint64_t min, uint64_t max, uint64_t *ret) {
        uint64_t v = 0;
        int q;

        assert(r && n && ret);

        if (n->kind != YAML_SCALAR) {
                q = yaml_error(r, n, "A number is wanted here, but it is %s.", node_noun(n));
                return q < 0 ? q : 0;
        }
        if (!n->plain && n->size > 0 && strspn(n->text, "0123456789") == n->size) {
                q = yaml_error(r, n, "A number is wanted here, but this is a string; leave out the quotes: %s.",
                               QUOTE(n->text));
                return q < 0 ? q : 0;
        }
        q = n->plain ? parse_u64(n->text, &v) : -EINVAL;
        if (q < 0 || v < min || v > max) {
                q = yaml_error(r, n, "%s is not a number from %" PRIu64 " to %" PRIu64 "; write one of those.",
                               n->size > 0 ? QUOTE(n->text) : "Nothing", min, max);
                return q < 0 ? q : 0;
        }
        *ret = v;
        return 1;
}

int yaml_get_bool(YamlReader *r, const YamlNode *n, bool *ret) {
        int q;

        assert(r && n && ret);

        if (n->kind == YAML_SCALAR && n->plain) {
                if (strcasecmp(n->text, "true") == 0) {
                        *ret = true;
                        return 1;
                }
                if (strcasecmp(n->text, "false") == 0) {
                        *ret = false;
                        return 1;
                }
        }
        q = yaml_error(r, n, "A boolean is wanted here; write true or false.");
        return q < 0 ? q : 0;
}
