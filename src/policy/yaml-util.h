/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading YAML documents as trees with positions, for parsers of policies. Every problem that a person caused goes
 * into a ProblemList with file, line, column and key path; a negative return value always means lack of memory. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../basic/buffer.h"
#include "filter.h"
#include "policy.h"

#define YAML_DEPTH_MAX 32          /* nested mappings and sequences */
#define YAML_NODES_MAX 200000U     /* of one document, aliases counted as what they stand for */
#define YAML_PROBLEMS_MAX 100U     /* reported of one document */

typedef enum YamlNodeKind {
        YAML_SCALAR,
        YAML_SEQUENCE,
        YAML_MAPPING,
} YamlNodeKind;

typedef struct YamlNode YamlNode;
struct YamlNode {
        YamlNodeKind kind;
        bool plain;                /* scalar without quotes: may be a number, a boolean or null */
        unsigned line, column;     /* in the file, from 1 */
        bool nul_tail;             /* scalar that ends with \0, which `text` and `size` leave out */
        char *text;                /* scalar; NUL-terminated, no NUL inside */
        size_t size;
        YamlNode **items;          /* sequence: its items; mapping: key, value, key, value, ... */
        size_t n_items, n_allocated;
        size_t weight;             /* nodes below and including this one, aliases expanded */
        bool open;                 /* while it is being read: an alias to it would be a cycle */
        YamlNode *next;            /* all nodes of a document, for freeing them */
};

typedef struct YamlDocument {
        const char *text;          /* borrowed */
        size_t size;
        unsigned first_line;       /* of text, in its file */
        YamlNode *root;            /* NULL: empty document */
        YamlNode *nodes;
} YamlDocument;

void yaml_document_done(YamlDocument *d);

/* What a parser of one document carries along. */
typedef struct YamlReader {
        const YamlDocument *document;
        const char *path;
        ProblemList *problems;
        Buffer key;                /* spec.filters[2] */
        unsigned n_errors, n_problems;
        unsigned seen_line;        /* the last line looked for, and where it begins: the next is mostly behind it */
        const char *seen;
} YamlReader;

void yaml_reader_done(YamlReader *r);

/* The next document of a file with several: its bytes, `---` line included; *offset and *line move on (they start at 0
 * and 1). Returns 0 at the end. A syntax error in one document thus never hides the next. */
int yaml_next_document(const char *text, size_t size, size_t *offset, unsigned *line, YamlDocument *ret);
/* Fills d->root. Returns 0 when the document cannot be read (a problem says why), 1 when it can. */
int yaml_document_load(YamlDocument *d, YamlReader *r);

/* A problem at a node (NULL: at the document). `offset`: byte in a scalar's text that is meant, 0 the whole. */
int yaml_problem(YamlReader *r, ProblemSeverity severity, const YamlNode *n, size_t offset, const char *format, ...)
                __attribute__((format(printf, 5, 6)));
#define yaml_error(r, n, ...) yaml_problem((r), PROBLEM_ERROR, (n), 0, __VA_ARGS__)
#define yaml_warning(r, n, ...) yaml_problem((r), PROBLEM_WARNING, (n), 0, __VA_ARGS__)
int yaml_problem_at(YamlReader *r, unsigned line, unsigned column, const char *format, ...)
                __attribute__((format(printf, 4, 5)));
/* A scalar with a NUL character where none may be. */
int yaml_nul_problem(YamlReader *r, const YamlNode *n);
/* Characters between two places of one line: continuation bytes of UTF-8 do not count. */
unsigned yaml_count_characters(const char *p, const char *end);
/* Where byte `offset` of a scalar's text stands in the file; its beginning when that cannot be told (escapes, folded
 * lines). Returns whether it can. */
bool yaml_position(YamlReader *r, const YamlNode *n, size_t offset, unsigned *ret_line, unsigned *ret_column);

/* The same for parsers that keep key and position themselves: a FilterReport, userdata is the reader. */
int yaml_report(void *userdata, ProblemSeverity severity, const char *key, unsigned line, unsigned column,
                const char *message);
/* Where a scalar that is a filter expression stands; valid until the key path changes. */
void yaml_filter_place(YamlReader *r, const YamlNode *n, FilterPlace *ret);

/* The key path that problems carry. push returns what pop wants back. */
size_t yaml_key_push(YamlReader *r, const char *name);
size_t yaml_key_push_index(YamlReader *r, size_t i);
void yaml_key_pop(YamlReader *r, size_t mark);

/* The keys that a mapping may have. `read` is called with the key already pushed; it reports problems itself. */
typedef int (*YamlRead)(YamlReader *r, const YamlNode *value, void *target);
typedef struct YamlField {
        const char *key;
        bool required;
        YamlRead read;             /* NULL: any value, not looked at */
} YamlField;

/* Calls `read` of every key in the order of the document. Unknown, doubled and missing keys, and a node that is no
 * mapping, are problems. */
int yaml_read_mapping(YamlReader *r, const YamlNode *n, const YamlField *fields, size_t n_fields, void *target);
/* Calls `read` for each item of a sequence with [i] pushed. A node that is no sequence is a problem. */
int yaml_read_sequence(YamlReader *r, const YamlNode *n, YamlRead read, void *target);
/* A mapping with free keys, each value a string; `read` gets the value with its key pushed (NULL: only checked). */
int yaml_read_string_map(YamlReader *r, const YamlNode *n, YamlRead read, void *target);

/* The value of a key without any checks, NULL when there is none or `n` is no mapping. */
const YamlNode *yaml_mapping_get(const YamlNode *n, const char *key);
bool yaml_is_null(const YamlNode *n);

/* Typed values: 1 with *ret, 0 after a problem was reported. A string that is not quoted and looks like a number, a
 * boolean or null is refused unless LENIENT. Strings are borrowed from the node. */
typedef enum YamlStringFlags {
        YAML_STRING_LENIENT = 1 << 0,
        YAML_STRING_EMPTY_OK = 1 << 1,
        YAML_STRING_NUL_TAIL_OK = 1 << 2,   /* the caller looks at nul_tail */
} YamlStringFlags;
int yaml_get_string(YamlReader *r, const YamlNode *n, YamlStringFlags flags, const char **ret);
int yaml_get_u64(YamlReader *r, const YamlNode *n, uint64_t min, uint64_t max, uint64_t *ret);
int yaml_get_bool(YamlReader *r, const YamlNode *n, bool *ret);
