/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cleanup attributes, takes and the few macros that everything uses. */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_ __attribute__((unused))
#define _pure_ __attribute__((pure))
#define _const_ __attribute__((const))
#define _noreturn_ _Noreturn
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))
#define CONST_MIN(a, b) ((a) < (b) ? (a) : (b))
#define CONST_MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a < _b ? _a : _b; })
#define MAX(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a > _b ? _a : _b; })
#define CLAMP(x, lo, hi) MAX((lo), MIN((x), (hi)))
#define ALIGN8(x) (((x) + 7U) & ~(__typeof__(x)) 7U)
#define assert_cc(expr) _Static_assert(expr, #expr)
#define container_of(ptr, type, member) ((type *) ((char *) (ptr) - offsetof(type, member)))
#define IN_SET(x, ...)                                                                      \
        ({                                                                                  \
                const __typeof__(x) _set[] = { __VA_ARGS__ };                               \
                const __typeof__(x) _x = (x);                                               \
                int _found = 0;                                                             \
                for (size_t _i = 0; _i < ELEMENTSOF(_set); _i++)                            \
                        if (_set[_i] == _x)                                                 \
                                _found = 1;                                                 \
                _found;                                                                     \
        })

#define TAKE_PTR(p) ({ __typeof__(p) *_pp = &(p); __typeof__(p) _p = *_pp; *_pp = NULL; _p; })
#define TAKE_STRUCT(s) ({ __typeof__(s) *_sp = &(s); __typeof__(s) _s = *_sp; *_sp = (__typeof__(s)) {}; _s; })
#define TAKE_FD(fd) ({ int *_fdp = &(fd); int _fd = *_fdp; *_fdp = -EBADF; _fd; })

#define new(t, n) ((t *) reallocarray(NULL, (n), sizeof(t)))
#define new0(t, n) ((t *) calloc((n), sizeof(t)))
#define GREEDY_REALLOC(array, n_allocated, need)                                            \
        ({                                                                                  \
                int _ok = 1;                                                                \
                if ((n_allocated) < (size_t) (need)) {                                      \
                        size_t _n = MAX((size_t) (need), (size_t) (n_allocated) * 2);       \
                        _n = MAX(_n, (size_t) 8);                                           \
                        void *_q = reallocarray((array), _n, sizeof((array)[0]));           \
                        if (_q) {                                                           \
                                (array) = _q;                                               \
                                (n_allocated) = _n;                                         \
                        } else                                                              \
                                _ok = 0;                                                    \
                }                                                                           \
                _ok;                                                                        \
        })

static inline void freep(void *p) {
        free(*(void **) p);
}
#define _cleanup_free_ _cleanup_(freep)

static inline int safe_close(int fd) {
        if (fd >= 0) {
                int saved = errno;
                (void) close(fd);
                errno = saved;
        }
        return -EBADF;
}
static inline void closep(int *fd) {
        safe_close(*fd);
}
#define _cleanup_close_ _cleanup_(closep)

/* Defines x_freep() for use with _cleanup_(). */
#define DEFINE_TRIVIAL_CLEANUP_FUNC(type, func)                                             \
        static inline void func##p(type *p) {                                               \
                if (*p)                                                                     \
                        func(*p);                                                           \
        }

#define FLAGS_SET(v, f) (((v) & (f)) == (f))
#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL
#define USEC_PER_SEC 1000000ULL
#define USEC_PER_MSEC 1000ULL
