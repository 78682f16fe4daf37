/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bytes → documents → trees of nodes that know where they stand, through libyaml's events.
 *
 * Hostile input is bounded here once for all parsers: bytes that are not text, depth, number of nodes after expansion
 * of aliases (a shared node is stored once, but counts each time, so that no walk over a tree is long), cycles. What
 * the nodes mean is not known here. */

#include <stdio.h>
#include <yaml.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "wording.h"
#include "yaml-util.h"

typedef struct Anchor {
        char *name;
        YamlNode *node;
} Anchor;

/* One document while it is read. */
typedef struct Loader {
        YamlDocument *document;
        YamlReader *reader;
        yaml_parser_t parser;
        YamlNode *stack[YAML_DEPTH_MAX];
        size_t depth;
        Anchor *anchors;
        size_t n_anchors, n_anchors_allocated;
        size_t n_nodes;
} Loader;

void yaml_document_done(YamlDocument *d) {
        assert(d);

        for (YamlNode *n = d->nodes; n;) {
                YamlNode *next = n->next;

                free(n->text);
                free(n->items);
                free(n);
                n = next;
        }
        *d = (YamlDocument) {};
}

static void loader_done(Loader *l) {
        for (size_t i = 0; i < l->n_anchors; i++)
                free(l->anchors[i].name);
        free(l->anchors);
        yaml_parser_delete(&l->parser);
}

/* Whether the line at `p` is `---` or `...` with nothing or white space behind. YAML forbids both at the start of a
 * line inside a document, even in block scalars, so documents can be told apart without reading them. */
static bool is_marker(const char *p, const char *end, char c) {
        if (end - p < 3 || p[0] != c || p[1] != c || p[2] != c)
                return false;
        return end - p == 3 || strchr(" \t\r\n", p[3]) != NULL;
}

/* Only comments, blank lines and directives: belongs to the document that follows. */
static bool is_prologue_line(const char *p, const char *end) {
        if (*p == '%')
                return true;
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
                p++;
        return p == end || *p == '\n' || *p == '#';
}

int yaml_next_document(const char *text, size_t size, size_t *offset, unsigned *line, YamlDocument *ret) {
        const char *start, *end = text + size, *p;
        bool has_content = false, has_marker = false;
        unsigned n_lines = 0;

        assert(text || size == 0);
        assert(offset && line && ret);

        if (*offset == 0 && size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* byte order mark */
                *offset = 3;
        if (*offset >= size)
                return 0;

        for (p = start = text + *offset; p < end;) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                const char *next = newline ? newline + 1 : end;

                if (is_marker(p, end, '-')) {
                        if (has_content || has_marker)
                                break;
                        has_marker = true;
                } else if (is_marker(p, end, '.')) {
                        p = next;
                        n_lines++;
                        break;
                } else if (!is_prologue_line(p, end))
                        has_content = true;
                p = next;
                n_lines++;
        }

        *ret = (YamlDocument) {
                .text = start,
                .size = (size_t) (p - start),
                .first_line = *line,
        };
        *offset = (size_t) (p - text);
        *line += n_lines;
        return 1;
}

/* Returns 1 when all bytes are text, 0 after saying which is not. */
static int check_bytes(YamlReader *r, const YamlDocument *d) {
        const char *end = d->text + d->size, *line_start = d->text;
        unsigned line = d->first_line;

        for (const char *p = d->text; p < end;) {
                unsigned char c = (unsigned char) *p;
                size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
                const char *what = NULL, *advice = NULL;
                int q;

                if (c == '\n') {
                        line++;
                        line_start = ++p;
                        continue;
                }
                if (c == 0) {
                        what = "a NUL byte";
                        advice = "save the file as plain UTF-8 text";
                } else if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
                        what = "a control character";
                        advice = "remove it, or write it as an escape like \\x1b in double quotes";
                } else if (c >= 0x80 && ((size_t) (end - p) < n || !utf8_is_valid(p, n))) {
                        what = "a byte that is not UTF-8";
                        advice = "save the file with the encoding UTF-8";
                }
                if (!what) {
                        p += n;
                        continue;
                }
                q = yaml_problem_at(r, line, yaml_count_characters(line_start, p) + 1, "Here stands %s (0x%02x); %s.",
                                    what,
                               (unsigned) c, advice);
                return q < 0 ? q : 0;
        }
        return 1;
}

/* What to do about the mistakes that people make most. */
static const char *syntax_advice(const char *problem) {
        static const struct {
                const char *problem, *advice;
        } rows[] = {
                { "found character that cannot start any token",
                  "indent with spaces, never with tabs, and put a value that begins with @, ` or % into quotes" },
                { "found a tab character", "indent with spaces, never with tabs" },
                { "mapping values are not allowed in this context",
                  "put a value that contains a colon and a space into quotes, and check the indentation" },
                { "could not find expected ':'", "write `key: value`, and align the keys of one mapping" },
                { "did not find expected key", "align the keys of one mapping in the same column" },
                { "did not find expected '-' indicator", "align the items of one list, each with `- ` before it" },
                { "did not find expected <document start>", "write `---` on a line of its own between two documents" },
                { "did not find expected node content", "write a value there, or put it into quotes" },
                { "found unexpected end of stream", "close the quotes" },
                { "while scanning an alias", "put a value that begins with * into quotes" },
                { "did not find expected alphabetic or numeric character",
                  "put a value that begins with * or & into quotes" },
                { "did not find expected ',' or ']'", "close the list with ]" },
                { "did not find expected ',' or '}'", "close the mapping with }" },
                { "found unknown escape character", "write backslashes in single quotes, or double them" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strstr(problem, rows[i].problem))
                        return rows[i].advice;
        return "correct the line";
}

static int syntax_problem(Loader *l) {
        const char *problem = l->parser.problem ?: "not YAML";

        if (l->parser.error == YAML_MEMORY_ERROR)
                return -ENOMEM;
        return yaml_problem_at(l->reader, l->document->first_line + (unsigned) l->parser.problem_mark.line,
                          (unsigned) l->parser.problem_mark.column + 1, "This is not YAML (%s); %s.", problem,
                          syntax_advice(problem));
}

static YamlNode *loader_new_node(Loader *l, YamlNodeKind kind, const yaml_mark_t *mark) {
        YamlNode *n = new0(YamlNode, 1);

        if (!n)
                return NULL;
        n->kind = kind;
        n->weight = 1;
        n->line = l->document->first_line + (unsigned) mark->line;
        n->column = (unsigned) mark->column + 1;
        n->next = l->document->nodes;
        l->document->nodes = n;
        return n;
}

static int loader_add_anchor(Loader *l, const yaml_char_t *name, YamlNode *n) {
        char *copy;

        if (!name)
                return 0;
        if (!GREEDY_REALLOC(l->anchors, l->n_anchors_allocated, l->n_anchors + 1))
                return -ENOMEM;
        copy = strdup((const char *) name);
        if (!copy)
                return -ENOMEM;
        l->anchors[l->n_anchors++] = (Anchor) { .name = copy, .node = n };
        return 0;
}

/* Hangs a node under the innermost open one. Returns 0 after a problem. */
static int loader_attach(Loader *l, YamlNode *n) {
        YamlNode *parent = l->depth > 0 ? l->stack[l->depth - 1] : NULL;

        if (!parent) {
                l->document->root = n;
                return 1;
        }
        if (!GREEDY_REALLOC(parent->items, parent->n_allocated, parent->n_items + 1))
                return -ENOMEM;
        parent->items[parent->n_items++] = n;
        return 1;
}

static int loader_count(Loader *l, const YamlNode *at, size_t weight) {
        int r;

        l->n_nodes += weight;
        if (l->n_nodes <= YAML_NODES_MAX)
                return 1;
        r = yaml_problem_at(l->reader, at->line, at->column,
                       "The document has more than %u values, with aliases (*name) counted as what they stand for; "
                       "write fewer, or several documents.", YAML_NODES_MAX);
        return r < 0 ? r : 0;
}

static int loader_alias(Loader *l, const yaml_event_t *event) {
        const char *name = (const char *) event->data.alias.anchor;
        YamlNode at = {
                .line = l->document->first_line + (unsigned) event->start_mark.line,
                .column = (unsigned) event->start_mark.column + 1,
        };
        YamlNode *n = NULL;
        int r;

        for (size_t i = l->n_anchors; i > 0 && !n; i--)
                if (streq(l->anchors[i - 1].name, name))
                        n = l->anchors[i - 1].node;
        if (!n) {
                r = yaml_problem_at(l->reader, at.line, at.column,
                               "There is no anchor &%s before this alias; put a value that begins with * into quotes.",
                               QUOTE(name));
                return r < 0 ? r : 0;
        }
        if (n->open) {
                r = yaml_problem_at(l->reader, at.line, at.column,
                               "The alias *%s stands inside of what it names and would never end; write the value out.",
                               QUOTE(name));
                return r < 0 ? r : 0;
        }

        r = loader_count(l, &at, n->weight);
        if (r <= 0)
                return r;
        r = loader_attach(l, n);
        if (r > 0 && l->depth > 0)
                l->stack[l->depth - 1]->weight += n->weight;
        return r;
}

/* `!container` without quotes is a tag on nothing: the likeliest slip of all. Returns 1 when there is no such tag. */
static int loader_check_tag(Loader *l, const YamlNode *n, const yaml_char_t *tag) {
        int r;

        if (!tag || tag[0] != '!' || tag[1] == '\0')
                return 1;
        r = yaml_problem_at(l->reader, n->line, n->column,
                            "YAML takes %s for a tag, not for text; put it into quotes: \"%s\".",
                            QUOTE((const char *) tag), QUOTE((const char *) tag));
        return r < 0 ? r : 0;
}

static bool is_all_zero(const yaml_char_t *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (p[i] != '\0')
                        return false;
        return true;
}

static int loader_scalar(Loader *l, const yaml_event_t *event) {
        YamlNode *n = loader_new_node(l, YAML_SCALAR, &event->start_mark);
        size_t text_size;
        int r;

        if (!n)
                return -ENOMEM;
        r = loader_check_tag(l, n, event->data.scalar.tag);
        if (r <= 0)
                return r;
        n->size = event->data.scalar.length;
        n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        n->text = strndup((const char *) event->data.scalar.value, n->size);
        if (!n->text)
                return -ENOMEM;
        text_size = strlen(n->text);
        n->nul_tail = text_size != n->size;
        if (is_all_zero(event->data.scalar.value + text_size, n->size - text_size))
                n->size = text_size;
        else {
                r = yaml_nul_problem(l->reader, n);
                return r < 0 ? r : 0;
        }

        r = loader_add_anchor(l, event->data.scalar.anchor, n);
        if (r < 0)
                return r;
        r = loader_count(l, n, 1);
        if (r <= 0)
                return r;
        r = loader_attach(l, n);
        if (r > 0 && l->depth > 0)
                l->stack[l->depth - 1]->weight++;
        return r;
}

static int loader_begin(Loader *l, const yaml_event_t *event, YamlNodeKind kind, const yaml_char_t *anchor,
                        const yaml_char_t *tag) {
        YamlNode *n = loader_new_node(l, kind, &event->start_mark);
        int r;

        if (!n)
                return -ENOMEM;
        r = loader_check_tag(l, n, tag);
        if (r <= 0)
                return r;
        if (l->depth >= YAML_DEPTH_MAX) {
                r = yaml_problem_at(l->reader, n->line, n->column,
                               "Lists and mappings are nested more than %u deep; no policy needs that, so write fewer "
                               "levels.",
                               (unsigned) YAML_DEPTH_MAX);
                return r < 0 ? r : 0;
        }

        n->open = true;
        r = loader_add_anchor(l, anchor, n);
        if (r < 0)
                return r;
        r = loader_count(l, n, 1);
        if (r <= 0)
                return r;
        r = loader_attach(l, n);
        if (r > 0)
                l->stack[l->depth++] = n;
        return r;
}

static int loader_end(Loader *l) {
        YamlNode *n = l->stack[--l->depth];

        n->open = false;
        if (l->depth > 0)
                l->stack[l->depth - 1]->weight += n->weight;
        return 1;
}

static int loader_event(Loader *l, const yaml_event_t *event, bool *done) {
        switch (event->type) {
        case YAML_SCALAR_EVENT:
                return loader_scalar(l, event);
        case YAML_ALIAS_EVENT:
                return loader_alias(l, event);
        case YAML_SEQUENCE_START_EVENT:
                return loader_begin(l, event, YAML_SEQUENCE, event->data.sequence_start.anchor,
                                    event->data.sequence_start.tag);
        case YAML_MAPPING_START_EVENT:
                return loader_begin(l, event, YAML_MAPPING, event->data.mapping_start.anchor,
                                    event->data.mapping_start.tag);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                return loader_end(l);
        case YAML_STREAM_END_EVENT:
                *done = true;
                return 1;
        default:
                return 1;
        }
}

int yaml_document_load(YamlDocument *d, YamlReader *r) {
        _cleanup_(loader_done) Loader l = { .document = d, .reader = r };
        bool done = false;
        int q;

        assert(d && r);

        r->document = d;
        q = check_bytes(r, d);
        if (q <= 0)
                return q;
        if (!yaml_parser_initialize(&l.parser))
                return -ENOMEM;
        yaml_parser_set_input_string(&l.parser, (const unsigned char *) d->text, d->size);
        yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);

        while (!done) {
                yaml_event_t event;

                if (!yaml_parser_parse(&l.parser, &event)) {
                        q = syntax_problem(&l);
                        return q < 0 ? q : 0;
                }
                q = loader_event(&l, &event, &done);
                yaml_event_delete(&event);
                if (q <= 0)
                        return q;
        }
        return 1;
}
