/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A growing byte buffer that the event path reuses: no allocation once it has reached its working size. All add
 * functions return 0 or -ENOMEM, and once one failed the rest fail too, so that a caller may check the last only. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macro.h"

typedef struct Buffer {
        char *data;        /* NOT NUL-terminated; see buffer_cstring() */
        size_t size;
        size_t allocated;
        bool failed;
} Buffer;

void buffer_done(Buffer *b);
static inline void buffer_reset(Buffer *b) {
        b->size = 0;
        b->failed = false;
}
int buffer_grow(Buffer *b, size_t more);        /* what buffer_reserve() does when there is no room */
static inline int buffer_reserve(Buffer *b, size_t more) {
        if (likely(more <= b->allocated - b->size && !b->failed))
                return 0;
        return buffer_grow(b, more);
}
static inline int buffer_add(Buffer *b, const void *data, size_t size) {
        int r;

        r = buffer_reserve(b, size);
        if (r < 0)
                return r;
        if (size > 0) {         /* data may be NULL, and so may b->data be */
                memcpy(b->data + b->size, data, size);
                b->size += size;
        }
        return 0;
}
static inline int buffer_add_char(Buffer *b, char c) {
        int r;

        r = buffer_reserve(b, 1);
        if (r < 0)
                return r;
        b->data[b->size++] = c;
        return 0;
}
static inline int buffer_add_string(Buffer *b, const char *s) {
        return buffer_add(b, s, s ? strlen(s) : 0);
}
int buffer_add_u64(Buffer *b, uint64_t v);
int buffer_add_s64(Buffer *b, int64_t v);
int buffer_add_hex(Buffer *b, uint64_t v, unsigned min_digits);     /* no 0x */
int buffer_add_octal(Buffer *b, uint64_t v);
int buffer_pad_to(Buffer *b, size_t start, size_t width);           /* spaces until size - start == width */
int buffer_printf(Buffer *b, const char *format, ...) _printf_(2, 3);
int buffer_vprintf(Buffer *b, const char *format, va_list ap) _printf_(2, 0);
/* JSON string with quotes; bytes that are not UTF-8 become \ufffd. */
int buffer_add_json_string(Buffer *b, const char *s, size_t size);
/* Text for people: control characters, invalid UTF-8 and backslashes as \xNN, \n, \t, \\. */
int buffer_add_escaped(Buffer *b, const char *s, size_t size);
/* NUL-terminates without counting the NUL; NULL on OOM. */
const char *buffer_cstring(Buffer *b);
char *buffer_steal(Buffer *b);                                       /* NUL-terminated, caller frees */
