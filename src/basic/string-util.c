/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strings, string lists, and the parsing of numbers, sizes, times and booleans. Every parser takes the whole string or
 * refuses it: no leading sign or white space, no rest. Nothing here depends on the locale. */

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "string-util.h"

typedef struct Unit {
        const char *name;
        uint64_t factor;
} Unit;

const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

const char *endswith(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && memcmp(s + n - m, suffix, m) == 0 ? s + n - m : NULL;
}

char *strjoin_internal(const char *first, ...) {
        size_t size = 0;
        va_list ap;
        char *joined, *p;

        va_start(ap, first);
        for (const char *s = first; s; s = va_arg(ap, const char *))
                size += strlen(s);
        va_end(ap);

        p = joined = malloc(size + 1);
        if (!joined)
                return NULL;

        va_start(ap, first);
        for (const char *s = first; s; s = va_arg(ap, const char *))
                p = stpcpy(p, s);
        va_end(ap);
        *p = '\0';
        return joined;
}

int free_and_strdup(char **p, const char *s) {
        char *copy = NULL;

        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }
        free(*p);
        *p = copy;
        return 0;
}

char *strstrip(char *s) {
        size_t n;

        s += strspn(s, " \t\r\n");
        n = strlen(s);
        while (n > 0 && strchr(" \t\r\n", s[n - 1]))
                n--;
        s[n] = '\0';
        return s;
}

char **strv_free(char **l) {
        for (char **i = l; i && *i; i++)
                free(*i);
        free(l);
        return NULL;
}

size_t strv_length(char *const *l) {
        size_t n = 0;

        STRV_FOREACH(i, l)
                n++;
        return n;
}

bool strv_contains(char *const *l, const char *s) {
        STRV_FOREACH(i, l)
                if (streq(*i, s))
                        return true;
        return false;
}

static int strv_extend_n(char ***l, const char *s, size_t size) {
        size_t n = strv_length(*l);
        char **grown, *copy;

        copy = strndup(s, size);
        if (!copy)
                return -ENOMEM;
        grown = reallocarray(*l, n + 2, sizeof(char *));
        if (!grown) {
                free(copy);
                return -ENOMEM;
        }
        grown[n] = copy;
        grown[n + 1] = NULL;
        *l = grown;
        return 0;
}

int strv_extend(char ***l, const char *s) {
        return strv_extend_n(l, s, strlen(s));
}

int strv_split(const char *s, const char *separators, char ***ret) {
        _cleanup_strv_free_ char **l = NULL;
        int r;

        l = new0(char *, 1);
        if (!l)
                return -ENOMEM;

        while (*(s += strspn(s, separators))) {
                size_t n = strcspn(s, separators);

                r = strv_extend_n(&l, s, n);
                if (r < 0)
                        return r;
                s += n;
        }
        *ret = TAKE_PTR(l);
        return 0;
}

char *strv_join(char *const *l, const char *separator) {
        size_t size = 0;
        char *joined, *p;

        STRV_FOREACH(i, l)
                size += strlen(*i) + strlen(separator);
        p = joined = malloc(size + 1);
        if (!joined)
                return NULL;
        STRV_FOREACH(i, l) {
                if (i != l)
                        p = stpcpy(p, separator);
                p = stpcpy(p, *i);
        }
        *p = '\0';
        return joined;
}

char **strv_copy(char *const *l) {
        _cleanup_strv_free_ char **copy = NULL;

        copy = new0(char *, 1);
        if (!copy)
                return NULL;
        STRV_FOREACH(i, l)
                if (strv_extend(&copy, *i) < 0)
                        return NULL;
        return TAKE_PTR(copy);
}

/* Digits at *s, which moves behind them. */
static int parse_digits(const char **s, uint64_t *ret) {
        const char *p = *s;
        uint64_t v = 0;

        if (!isdigit((unsigned char) *p))
                return -EINVAL;
        for (; isdigit((unsigned char) *p); p++) {
                if (__builtin_mul_overflow(v, 10U, &v) || __builtin_add_overflow(v, (unsigned) (*p - '0'), &v))
                        return -ERANGE;
        }
        *s = p;
        *ret = v;
        return 0;
}

int parse_u64(const char *s, uint64_t *ret) {
        uint64_t v;
        int r;

        r = parse_digits(&s, &v);
        if (r < 0)
                return r;
        if (*s)
                return -EINVAL;
        *ret = v;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret) {
        uint64_t v;
        int r;

        r = parse_u64(s, &v);
        if (r < 0)
                return r;
        if (v > UINT32_MAX)
                return -ERANGE;
        *ret = (uint32_t) v;
        return 0;
}

int parse_boolean(const char *s) {
        static const char *const yes[] = { "1", "yes", "y", "true", "t", "on" };
        static const char *const no[] = { "0", "no", "n", "false", "f", "off" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (strcasecmp(s, yes[i]) == 0)
                        return 1;
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                if (strcasecmp(s, no[i]) == 0)
                        return 0;
        return -EINVAL;
}

/* The unit at *s: all letters that follow. An empty one is the first row of the table. */
static const Unit *parse_unit(const char **s, const Unit *units, size_t n_units) {
        size_t n = 0;

        while (isalpha((unsigned char) (*s)[n]))
                n++;
        for (size_t i = 0; i < n_units; i++)
                if (strlen(units[i].name) == n && memcmp(units[i].name, *s, n) == 0) {
                        *s += n;
                        return &units[i];
                }
        return NULL;
}

enum { N_SIZE_UNITS = 6, N_TIME_UNITS = 15 };
static const Unit size_units[N_SIZE_UNITS], time_units[N_TIME_UNITS];

int parse_size(const char *s, uint64_t *ret) {
        const Unit *unit;
        uint64_t v;
        int r;

        r = parse_digits(&s, &v);
        if (r < 0)
                return r;
        unit = parse_unit(&s, size_units, N_SIZE_UNITS);
        if (!unit || *s)
                return -EINVAL;
        if (__builtin_mul_overflow(v, unit->factor, &v))
                return -ERANGE;
        *ret = v;
        return 0;
}

int parse_usec(const char *s, uint64_t *ret) {
        uint64_t total = 0;
        int r;

        if (streq(s, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        do {
                const Unit *unit;
                uint64_t v;

                r = parse_digits(&s, &v);
                if (r < 0)
                        return r;
                s += strspn(s, " ");
                unit = parse_unit(&s, time_units, N_TIME_UNITS);
                if (!unit)
                        return -EINVAL;
                if (__builtin_mul_overflow(v, unit->factor, &v) || __builtin_add_overflow(total, v, &total))
                        return -ERANGE;
                s += strspn(s, " ");
        } while (*s);
        *ret = total;
        return 0;
}

/* Bytes of the character at p, 0 when it is not valid UTF-8: overlong forms, surrogates, beyond U+10FFFF. */
static size_t utf8_length(const unsigned char *p, size_t size) {
        size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

        if (n == 0 || n > size)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
            (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
                return 0;
        return n;
}

bool utf8_is_valid(const char *s, size_t size) {
        const unsigned char *p = (const unsigned char *) s;

        while (size > 0) {
                size_t n = utf8_length(p, size);

                if (n == 0)
                        return false;
                p += n;
                size -= n;
        }
        return true;
}

static const Unit size_units[N_SIZE_UNITS] = {
        { "",  1 },
        { "B", 1 },
        { "K", UINT64_C(1) << 10 },
        { "M", UINT64_C(1) << 20 },
        { "G", UINT64_C(1) << 30 },
        { "T", UINT64_C(1) << 40 },
};

static const Unit time_units[N_TIME_UNITS] = {
        { "",    USEC_PER_SEC },
        { "us",  1 },            { "usec", 1 },
        { "ms",  USEC_PER_MSEC }, { "msec", USEC_PER_MSEC },
        { "s",   USEC_PER_SEC }, { "sec", USEC_PER_SEC },
        { "m",   60 * USEC_PER_SEC }, { "min", 60 * USEC_PER_SEC },
        { "h",   3600 * USEC_PER_SEC }, { "hr", 3600 * USEC_PER_SEC },
        { "d",   86400 * USEC_PER_SEC }, { "day", 86400 * USEC_PER_SEC },
        { "w",   7 * 86400 * USEC_PER_SEC }, { "week", 7 * 86400 * USEC_PER_SEC },
};
