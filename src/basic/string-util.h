/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strings, string lists, and the parsing of numbers, sizes, times and booleans. Nothing here logs. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "macro.h"

#define streq(a, b) (strcmp((a), (b)) == 0)
static inline bool streq_ptr(const char *a, const char *b) {
        return a == b || (a && b && streq(a, b));
}
static inline bool isempty(const char *s) {
        return !s || !*s;
}
static inline const char *strempty(const char *s) {
        return s ? s : "";
}
static inline const char *strna(const char *s) {
        return s ? s : "n/a";
}
/* The rest of `s` behind `prefix`, or NULL. */
const char *startswith(const char *s, const char *prefix);
/* Where `suffix` begins in `s`, or NULL. */
const char *endswith(const char *s, const char *suffix);

char *strjoin_internal(const char *first, ...) __attribute__((sentinel));
#define strjoin(...) strjoin_internal(__VA_ARGS__, NULL)
int free_and_strdup(char **p, const char *s);
/* Strips white space at both ends, in place. */
char *strstrip(char *s);

/* NULL-terminated lists. */
char **strv_free(char **l);
static inline void strv_freep(char ***l) {
        strv_free(*l);
}
#define _cleanup_strv_free_ _cleanup_(strv_freep)
size_t strv_length(char *const *l);
bool strv_contains(char *const *l, const char *s);
int strv_extend(char ***l, const char *s);
/* Splits at any of `separators`, drops empty items. */
int strv_split(const char *s, const char *separators, char ***ret);
char *strv_join(char *const *l, const char *separator);
char **strv_copy(char *const *l);
#define STRV_FOREACH(i, l) for (char *const *i = (l); i && *i; i++)

/* The whole string must be the number; no sign, no white space. 0, -EINVAL or -ERANGE. */
int parse_u64(const char *s, uint64_t *ret);
int parse_u32(const char *s, uint32_t *ret);
int parse_boolean(const char *s);               /* 1/0: yes y true t on 1 / no n false f off 0; -EINVAL */
int parse_size(const char *s, uint64_t *ret);   /* bytes; suffixes K M G T, base 1024 */
/* Microseconds; units us ms s min h d w, without a unit: seconds; "infinity" is UINT64_MAX. "1min 30s" adds up. */
int parse_usec(const char *s, uint64_t *ret);

/* Whether `s` may be a policy's name or a field: no control characters, valid UTF-8. */
bool utf8_is_valid(const char *s, size_t size);
