/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Structured logging for the programs: the journal when its socket is there, stderr else (or both with --console).
 * Only daemon/ and scopectl/ log above debug; lower layers return errors. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <syslog.h>

#include "macro.h"

typedef enum LogTarget {
        LOG_TARGET_AUTO,        /* journal when stderr is connected to it or there is no terminal, else console */
        LOG_TARGET_JOURNAL,
        LOG_TARGET_CONSOLE,     /* stderr */
        LOG_TARGET_BOTH,
        LOG_TARGET_NULL,
        _LOG_TARGET_MAX,
        _LOG_TARGET_INVALID = -EINVAL,
} LogTarget;

const char *log_target_to_string(LogTarget t);
LogTarget log_target_from_string(const char *s);
const char *log_level_to_string(int level);
int log_level_from_string(const char *s);      /* -EINVAL */

void log_set_identifier(const char *identifier);  /* static string */
void log_set_target(LogTarget t);
LogTarget log_get_target(void);
void log_set_max_level(int level);
int log_get_max_level(void);

/* Hands encoded entries to `send` instead of the socket (so that they go out in order with others); NULL: to the socket
 * again. A negative result sends the message to stderr. */
typedef int (*LogSender)(const void *data, size_t size, void *userdata);
void log_set_journal_sender(LogSender sender, void *userdata);

/* `error` is a negative (or positive) errno or 0; returned as a negative errno, so that `return log_error_errno(r,
 * ...)` reads well. `fields`: further NAME=value items; may be NULL. %m is the error. */
int log_internal(int level, int error, const char *file, int line, const char *func, const struct iovec *fields,
                 size_t n_fields, const char *format, ...) _printf_(8, 9);

#define log_full_errno(level, error, ...)                                                              \
        ({                                                                                             \
                int _level = (level), _error = (error);                                                \
                _level <= log_get_max_level()                                                          \
                        ? log_internal(_level, _error, __FILE__, __LINE__, __func__, NULL, 0,          \
                                       __VA_ARGS__)                                                    \
                        : -abs(_error);                                                                \
        })
#define log_full(level, ...) ((void) log_full_errno((level), 0, __VA_ARGS__))
#define log_debug(...) log_full(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_full(LOG_ERR, __VA_ARGS__)
#define log_debug_errno(error, ...) log_full_errno(LOG_DEBUG, (error), __VA_ARGS__)
#define log_info_errno(error, ...) log_full_errno(LOG_INFO, (error), __VA_ARGS__)
#define log_notice_errno(error, ...) log_full_errno(LOG_NOTICE, (error), __VA_ARGS__)
#define log_warning_errno(error, ...) log_full_errno(LOG_WARNING, (error), __VA_ARGS__)
#define log_error_errno(error, ...) log_full_errno(LOG_ERR, (error), __VA_ARGS__)
#define log_oom() log_full_errno(LOG_ERR, -ENOMEM, "Out of memory.")

/* A record with fields of its own (MESSAGE_ID=... and what its catalog entry mentions): an array of iovecs. */
#define IOVEC_STRING(s) ((struct iovec) { .iov_base = (char *) (s), .iov_len = strlen(s) })
#define log_fields_errno(level, error, fields, n_fields, ...)                                          \
        ({                                                                                             \
                int _level = (level), _error = (error);                                                \
                _level <= log_get_max_level()                                                          \
                        ? log_internal(_level, _error, __FILE__, __LINE__, __func__, (fields),         \
                                       (n_fields), __VA_ARGS__)                                        \
                        : -abs(_error);                                                                \
        })
#define log_fields(level, fields, n_fields, ...)                                                       \
        ((void) log_fields_errno((level), 0, (fields), (n_fields), __VA_ARGS__))
