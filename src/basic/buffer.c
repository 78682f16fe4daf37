/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The byte buffer that every text of the event path is built in: growth, number formatting and the two escapings
 * (JSON, people). Growth doubles, so a reused buffer stops allocating; a failed growth sticks until buffer_reset().
 * Does not know what the bytes mean. */

#include <stdio.h>

#include "buffer.h"

#define BUFFER_SIZE_MIN 256U

void buffer_done(Buffer *b) {
        free(b->data);
        *b = (Buffer) {};
}

int buffer_grow(Buffer *b, size_t more) {
        size_t need, n;
        char *p;

        if (b->failed)
                return -ENOMEM;
        if (__builtin_add_overflow(b->size, more, &need) || need > SIZE_MAX / 2) {
                b->failed = true;
                return -ENOMEM;
        }

        n = MAX(MAX(need, b->allocated * 2), (size_t) BUFFER_SIZE_MIN);
        p = realloc(b->data, n);
        if (!p) {
                b->failed = true;
                return -ENOMEM;
        }
        b->data = p;
        b->allocated = n;
        return 0;
}

static const char decimal_pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";

static unsigned decimal_digits(uint64_t v) {
        static const uint64_t powers[] = {
                0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
                1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
                100000000000000000, 1000000000000000000, 10000000000000000000U,
        };
        /* log10 from log2: 1233 / 4096 is a little more than log10(2). */
        unsigned guess = (64 - (unsigned) __builtin_clzll(v | 1)) * 1233 >> 12;

        return guess + (v >= powers[guess]);
}

/* Below 10^8: 32-bit divisions, and the two halves of a long number do not wait for each other. */
static void put_eight_digits(char *p, uint32_t v) {
        for (int i = 6; i >= 0; i -= 2, v /= 100)
                memcpy(p + i, decimal_pairs + v % 100 * 2, 2);
}

int buffer_add_u64(Buffer *b, uint64_t v) {
        unsigned n;
        uint32_t rest;
        char *p;
        int r;

        r = buffer_reserve(b, 20);
        if (r < 0)
                return r;
        n = decimal_digits(v);
        p = b->data + b->size + n;
        b->size += n;
        for (; v >= 100000000; v /= 100000000) {
                p -= 8;
                put_eight_digits(p, (uint32_t) (v % 100000000));
        }
        for (rest = (uint32_t) v; rest >= 100; rest /= 100) {
                p -= 2;
                memcpy(p, decimal_pairs + rest % 100 * 2, 2);
        }
        if (rest >= 10)
                memcpy(p - 2, decimal_pairs + rest * 2, 2);
        else
                p[-1] = (char) ('0' + rest);
        return 0;
}

int buffer_add_s64(Buffer *b, int64_t v) {
        int r;

        if (v >= 0)
                return buffer_add_u64(b, (uint64_t) v);
        r = buffer_add_char(b, '-');
        if (r < 0)
                return r;
        return buffer_add_u64(b, -(uint64_t) v);
}

int buffer_add_hex(Buffer *b, uint64_t v, unsigned min_digits) {
        char text[16], *p = text + sizeof(text);

        do {
                *--p = "0123456789abcdef"[v & 15];
                v >>= 4;
        } while (v > 0);
        while (text + sizeof(text) - p < (ptrdiff_t) CONST_MIN(min_digits, sizeof(text)))
                *--p = '0';
        return buffer_add(b, p, (size_t) (text + sizeof(text) - p));
}

int buffer_add_octal(Buffer *b, uint64_t v) {
        char text[22], *p = text + sizeof(text);

        do {
                *--p = (char) ('0' + (v & 7));
                v >>= 3;
        } while (v > 0);
        return buffer_add(b, p, (size_t) (text + sizeof(text) - p));
}

int buffer_pad_to(Buffer *b, size_t start, size_t width) {
        size_t used = b->size - start, more;
        int r;

        if (used >= width)
                return b->failed ? -ENOMEM : 0;
        more = width - used;
        r = buffer_reserve(b, more);
        if (r < 0)
                return r;
        memset(b->data + b->size, ' ', more);
        b->size += more;
        return 0;
}

int buffer_vprintf(Buffer *b, const char *format, va_list ap) {
        va_list again;
        int n, r;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (n < 0) {
                b->failed = true;
                return -ENOMEM;
        }
        r = buffer_reserve(b, (size_t) n + 1);
        if (r < 0)
                return r;
        (void) vsnprintf(b->data + b->size, (size_t) n + 1, format, ap);
        b->size += (size_t) n;
        return 0;
}

int buffer_printf(Buffer *b, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = buffer_vprintf(b, format, ap);
        va_end(ap);
        return r;
}

/* Bytes of the valid UTF-8 sequence at s, 0 when there is none (overlong forms, surrogates, beyond U+10FFFF). */
static size_t utf8_length(const uint8_t *s, size_t size) {
        size_t n;

        if (s[0] < 0x80)
                return 1;
        if (s[0] >= 0xc2 && s[0] <= 0xdf)
                n = 2;
        else if (s[0] >= 0xe0 && s[0] <= 0xef)
                n = 3;
        else if (s[0] >= 0xf0 && s[0] <= 0xf4)
                n = 4;
        else
                return 0;
        if (n > size)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
        if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
            (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
                return 0;
        return n;
}

/* Bytes that need no thought: in JSON text all ASCII from the space on but the quote and the backslash, in text for
 * people all printable ASCII but the backslash. */
enum { PLAIN_JSON = 1, PLAIN_TEXT = 2 };
static const uint8_t plain[256] = {
        [' '] = PLAIN_JSON | PLAIN_TEXT,
        ['!'] = PLAIN_JSON | PLAIN_TEXT,
        ['"'] = PLAIN_TEXT,
        ['#' ... '['] = PLAIN_JSON | PLAIN_TEXT,
        [']' ... '~'] = PLAIN_JSON | PLAIN_TEXT,
        [0x7f] = PLAIN_JSON,
};

/* Any byte of the word below 0x20, above 0x7f, a quote or a backslash? May also say so of a byte that is none, never
 * the reverse. */
static bool word_is_special(uint64_t w) {
        const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
        uint64_t quote = w ^ ones * '"', backslash = w ^ ones * '\\';

        return ((w - ones * 0x20) | (quote - ones) | (backslash - ones) | w) & high;
}

static size_t plain_run(const uint8_t *s, size_t size, uint8_t kind) {
        size_t n = 0;

        if (kind == PLAIN_JSON)
                for (uint64_t w; size - n >= sizeof(w); n += sizeof(w)) {
                        memcpy(&w, s + n, sizeof(w));
                        if (word_is_special(w))
                                break;
                }
        while (n < size && (plain[s[n]] & kind))
                n++;
        return n;
}

int buffer_add_json_string(Buffer *b, const char *s, size_t size) {
        const uint8_t *p = (const uint8_t *) s, *end = p + size;

        (void) buffer_add_char(b, '"');
        while (p < end) {
                size_t n = plain_run(p, (size_t) (end - p), PLAIN_JSON);

                if (n > 0) {
                        (void) buffer_add(b, p, n);
                        p += n;
                        continue;
                }
                if (*p >= 0x80) {
                        n = utf8_length(p, (size_t) (end - p));
                        if (n > 0)
                                (void) buffer_add(b, p, n);
                        else
                                (void) buffer_add(b, "\\ufffd", 6);
                        p += n > 0 ? n : 1;
                        continue;
                }
                switch (*p) {
                case '"':
                        (void) buffer_add(b, "\\\"", 2);
                        break;
                case '\\':
                        (void) buffer_add(b, "\\\\", 2);
                        break;
                case '\n':
                        (void) buffer_add(b, "\\n", 2);
                        break;
                case '\r':
                        (void) buffer_add(b, "\\r", 2);
                        break;
                case '\t':
                        (void) buffer_add(b, "\\t", 2);
                        break;
                default:
                        (void) buffer_add(b, "\\u", 2);
                        (void) buffer_add_hex(b, *p, 4);
                }
                p++;
        }
        return buffer_add_char(b, '"');
}

/* C1 control characters (U+0080..U+009F) and the bidirectional overrides are valid UTF-8 that a terminal obeys. */
static bool utf8_is_hostile(const uint8_t *s, size_t n) {
        if (n == 2)
                return s[0] == 0xc2 && s[1] < 0xa0;
        if (n == 3 && s[0] == 0xe2)
                return (s[1] == 0x80 && ((s[2] >= 0xaa && s[2] <= 0xae) || s[2] == 0xa8 || s[2] == 0xa9)) ||
                       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
        return false;
}

int buffer_add_escaped(Buffer *b, const char *s, size_t size) {
        const uint8_t *p = (const uint8_t *) s, *end = p + size;

        while (p < end) {
                size_t n = plain_run(p, (size_t) (end - p), PLAIN_TEXT);

                if (n > 0) {
                        (void) buffer_add(b, p, n);
                        p += n;
                        continue;
                }
                n = *p >= 0x80 ? utf8_length(p, (size_t) (end - p)) : 0;
                if (n > 0 && !utf8_is_hostile(p, n)) {
                        (void) buffer_add(b, p, n);
                        p += n;
                        continue;
                }
                for (size_t i = 0; i < MAX(n, (size_t) 1); i++, p++)
                        if (*p == '\n')
                                (void) buffer_add(b, "\\n", 2);
                        else if (*p == '\t')
                                (void) buffer_add(b, "\\t", 2);
                        else if (*p == '\\')
                                (void) buffer_add(b, "\\\\", 2);
                        else {
                                (void) buffer_add(b, "\\x", 2);
                                (void) buffer_add_hex(b, *p, 2);
                        }
        }
        return b->failed ? -ENOMEM : 0;
}

const char *buffer_cstring(Buffer *b) {
        if (buffer_reserve(b, 1) < 0)
                return NULL;
        b->data[b->size] = '\0';
        return b->data;
}

char *buffer_steal(Buffer *b) {
        char *p;

        if (!buffer_cstring(b)) {
                buffer_done(b);
                return NULL;
        }
        p = b->data;
        *b = (Buffer) {};
        return p;
}
