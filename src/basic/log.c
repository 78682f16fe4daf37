/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structured logging for the programs. Invariant: a log call never blocks for long and never fails its caller: when
 * journald does not take a record within LOG_WAIT_MSEC it goes to stderr. Rate limits are journald's. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "buffer.h"
#include "fd-util.h"
#include "journal-native.h"
#include "log.h"
#include "string-util.h"

/* A restarting or busy journald answers well within this; the watchdog allows far more. */
#define LOG_WAIT_MSEC 100
#define LOG_ITEM_MAX 2048U

static const char *log_identifier;
static LogTarget log_target = LOG_TARGET_AUTO;
static int log_max_level = LOG_INFO;
static int log_journal_fd = -EBADF;
static LogSender log_sender;
static void *log_sender_userdata;

static const char *const log_target_table[_LOG_TARGET_MAX] = {
        [LOG_TARGET_AUTO] = "auto",
        [LOG_TARGET_JOURNAL] = "journal",
        [LOG_TARGET_CONSOLE] = "console",
        [LOG_TARGET_BOTH] = "journal-and-console",
        [LOG_TARGET_NULL] = "null",
};

static const char *const log_level_table[] = {
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
};

const char *log_target_to_string(LogTarget t) {
        return t >= 0 && t < _LOG_TARGET_MAX ? log_target_table[t] : NULL;
}

LogTarget log_target_from_string(const char *s) {
        for (LogTarget t = 0; t < _LOG_TARGET_MAX; t++)
                if (streq(log_target_table[t], s))
                        return t;
        return _LOG_TARGET_INVALID;
}

const char *log_level_to_string(int level) {
        return level >= 0 && (size_t) level < ELEMENTSOF(log_level_table) ? log_level_table[level] : NULL;
}

int log_level_from_string(const char *s) {
        uint64_t v;

        for (size_t i = 0; i < ELEMENTSOF(log_level_table); i++)
                if (streq(log_level_table[i], s))
                        return (int) i;
        return parse_u64(s, &v) >= 0 && v <= LOG_DEBUG ? (int) v : -EINVAL;
}

void log_set_identifier(const char *identifier) {
        log_identifier = identifier;
}

/* Whether stderr ends in the journal: the service manager says so by device and inode. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long dev, inode;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &dev, &inode) == 2 && fstat(STDERR_FILENO, &st) >= 0 &&
               st.st_dev == dev && st.st_ino == inode;
}

void log_set_target(LogTarget t) {
        log_target = t == LOG_TARGET_AUTO ? (stderr_is_journal() ? LOG_TARGET_JOURNAL : LOG_TARGET_CONSOLE) : t;
}

LogTarget log_get_target(void) {
        if (log_target == LOG_TARGET_AUTO)
                log_set_target(LOG_TARGET_AUTO);
        return log_target;
}

void log_set_max_level(int level) {
        log_max_level = level;
}

int log_get_max_level(void) {
        return log_max_level;
}

void log_set_journal_sender(LogSender sender, void *userdata) {
        log_sender = sender;
        log_sender_userdata = userdata;
}

static int journal_try(const Buffer *b) {
        if (log_journal_fd < 0) {
                log_journal_fd = journal_connect(NULL);
                if (log_journal_fd < 0)
                        return log_journal_fd;
        }
        if (send(log_journal_fd, b->data, b->size, MSG_NOSIGNAL) >= 0)
                return 0;
        if (errno == EMSGSIZE)
                return journal_send_memfd(log_journal_fd, b->data, b->size);
        return -errno;
}

static int send_to_journal(const Buffer *b) {
        int r;

        if (log_sender)
                return log_sender(b->data, b->size, log_sender_userdata);
        r = journal_try(b);
        if (IN_SET(r, -EAGAIN, -ENOBUFS)) {
                struct pollfd p = { .fd = log_journal_fd, .events = POLLOUT };

                (void) poll(&p, 1, LOG_WAIT_MSEC);
                r = journal_try(b);
        } else if (IN_SET(r, -ECONNREFUSED, -ECONNRESET, -ENOTCONN, -EPIPE)) {
                /* journald was restarted without keeping its socket. */
                log_journal_fd = safe_close(log_journal_fd);
                r = journal_try(b);
        }
        return r;
}

static void add_item(Buffer *b, const char *format, ...) _printf_(2, 3);
static void add_item(Buffer *b, const char *format, ...) {
        char item[LOG_ITEM_MAX];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(item, sizeof(item), format, ap);
        va_end(ap);
        if (n > 0)
                (void) journal_add_item(b, item, MIN((size_t) n, sizeof(item) - 1));
}

static void log_to_console(const char *message) {
        char line[LOG_ITEM_MAX + 1];
        int n;

        n = snprintf(line, sizeof(line), "%s\n", message);
        if (n > 0)
                (void) write_full(STDERR_FILENO, line, MIN((size_t) n, sizeof(line) - 1));
}

int log_internal(int level, int error, const char *file, int line, const char *func, const struct iovec *fields,
                 size_t n_fields, const char *format, ...) {
        _cleanup_(buffer_done) Buffer b = {};
        LogTarget target = log_get_target();
        char message[LOG_ITEM_MAX];
        int saved_errno = errno, r = 0;
        va_list ap;

        error = abs(error);
        errno = error; /* for %m */
        va_start(ap, format);
        (void) vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);

        if (IN_SET(target, LOG_TARGET_JOURNAL, LOG_TARGET_BOTH)) {
                (void) journal_add_field(&b, "MESSAGE", message, strlen(message));
                add_item(&b, "PRIORITY=%i", level);
                if (log_identifier)
                        add_item(&b, "SYSLOG_IDENTIFIER=%s", log_identifier);
                if (error > 0)
                        add_item(&b, "ERRNO=%i", error);
                add_item(&b, "CODE_FILE=%s", file);
                add_item(&b, "CODE_LINE=%i", line);
                add_item(&b, "CODE_FUNC=%s", func);
                for (size_t i = 0; i < n_fields; i++)
                        (void) journal_add_item(&b, fields[i].iov_base, fields[i].iov_len);
                r = b.failed ? -ENOMEM : send_to_journal(&b);
        }
        if (IN_SET(target, LOG_TARGET_CONSOLE, LOG_TARGET_BOTH) || r < 0)
                log_to_console(message);

        errno = saved_errno;
        return -error;
}
