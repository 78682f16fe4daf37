/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events → journal entries. All entries stand one behind the other in one buffer, in order; a batch is sent with
 * sendmmsg() from its head. When journald does not keep up the rest waits there until the socket takes more, up to a
 * bound; beyond it new events are dropped and reported one by one to on_lost. Invariants: never blocks; an entry is
 * sent whole, once, in order, or reported as lost. Which fields an entry has is event-format.c's business. */

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../basic/fd-util.h"
#include "../basic/journal-native.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "../event/event-format.h"
#include "journal.h"
#include "manager.h"

/* Entries of one sendmmsg(): the gain per entry is gone at some dozens, and the arrays stay in the cache. */
#define BATCH_MAX 64U
/* Room beyond the bound that only the service's own messages may use: the report of a loss must not be lost with it. */
#define RESERVE_BYTES (256U * 1024U)
/* What the buffer may keep allocated when it is empty. */
#define IDLE_BYTES (1024U * 1024U)
#define RECONNECT_USEC (200 * USEC_PER_MSEC)

typedef struct Entry {
        uint32_t size;
        bool is_event;
        uint64_t seq, scopes;
} Entry;

struct Journal {
        int fd;
        bool absent;                    /* optional, and not there */
        bool blocked;                   /* the socket was full; on_writable() goes on */
        size_t queue_bytes;
        char *socket;
        JournalLossHandler on_lost;
        void *userdata;

        sd_event *event;
        sd_event_source *io, *timer;

        FieldList fields;               /* scratch of the event that is being encoded */
        Buffer data;
        size_t data_head;               /* bytes of `data` that are sent */
        Entry *entries;
        size_t n_entries, n_entries_allocated, entry_head;

        uint64_t n_sent, n_lost;
};

static int on_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata);
static int on_reconnect(sd_event_source *source, uint64_t usec, void *userdata);

Journal *journal_free(Journal *j) {
        if (!j)
                return NULL;
        sd_event_source_disable_unref(j->io);
        sd_event_source_disable_unref(j->timer);
        sd_event_unref(j->event);
        safe_close(j->fd);
        field_list_done(&j->fields);
        buffer_done(&j->data);
        free(j->entries);
        free(j->socket);
        free(j);
        return NULL;
}

static int journal_open(Journal *j) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = journal_connect(j->socket);
        if (fd < 0)
                return fd;
        r = sd_event_add_io(j->event, &j->io, fd, EPOLLOUT, on_writable, j);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(j->io, SD_EVENT_OFF);
        (void) sd_event_source_set_priority(j->io, PRIORITY_STREAM);
        (void) sd_event_source_set_description(j->io, "journal");
        j->fd = TAKE_FD(fd);
        j->blocked = false;
        return 0;
}

/* journald went away without keeping its socket: what waits is kept, and a timer tries again. */
static void journal_disconnect(Journal *j) {
        j->io = sd_event_source_disable_unref(j->io);
        j->fd = safe_close(j->fd);
        (void) sd_event_source_set_time_relative(j->timer, RECONNECT_USEC);
        (void) sd_event_source_set_enabled(j->timer, SD_EVENT_ONESHOT);
}

int journal_new(sd_event *event, const JournalOptions *options, Journal **ret) {
        _cleanup_(journal_freep) Journal *j = NULL;
        int r;

        j = new0(Journal, 1);
        if (!j)
                return -ENOMEM;
        j->fd = -EBADF;
        j->event = sd_event_ref(event);
        j->queue_bytes = options->queue_bytes;
        j->on_lost = options->on_lost;
        j->userdata = options->userdata;
        r = free_and_strdup(&j->socket, options->socket);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(event, &j->timer, CLOCK_MONOTONIC, RECONNECT_USEC, 0, on_reconnect, j);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(j->timer, SD_EVENT_OFF);

        r = journal_open(j);
        if (r < 0 && options->optional)
                j->absent = true;
        else if (r < 0)
                journal_disconnect(j);
        *ret = TAKE_PTR(j);
        return 0;
}

bool journal_is_present(const Journal *j) {
        return !j->absent;
}

/* --- the queue --- */

static void drop(Journal *j, const Entry *e) {
        if (!e->is_event)
                return;
        j->n_lost++;
        if (j->on_lost)
                j->on_lost(e->seq, e->scopes, j->userdata);
}

static bool queue_has_room(Journal *j, size_t limit) {
        return j->data.size - j->data_head < limit;
}

/* Everything from `start` in the buffer is a new entry. */
static int queue_add(Journal *j, size_t start, Entry entry) {
        size_t size = j->data.size - start;

        if (j->data.failed || size > UINT32_MAX ||
            !GREEDY_REALLOC(j->entries, j->n_entries_allocated, j->n_entries + 1)) {
                j->data.failed = false;
                j->data.size = start;
                return -ENOMEM;
        }
        entry.size = (uint32_t) size;
        j->entries[j->n_entries++] = entry;
        return 0;
}

static void queue_pop(Journal *j, size_t n) {
        for (size_t i = 0; i < n; i++)
                j->data_head += j->entries[j->entry_head++].size;

        if (j->entry_head == j->n_entries) {
                j->entry_head = j->n_entries = j->data_head = 0;
                if (j->data.allocated > IDLE_BYTES)
                        buffer_done(&j->data);
                else
                        buffer_reset(&j->data);
        } else if (j->data_head > j->data.size / 2) {
                memmove(j->data.data, j->data.data + j->data_head, j->data.size - j->data_head);
                j->data.size -= j->data_head;
                j->data_head = 0;
                memmove(j->entries, j->entries + j->entry_head, (j->n_entries - j->entry_head) * sizeof(Entry));
                j->n_entries -= j->entry_head;
                j->entry_head = 0;
        }
}

/* Sends up to BATCH_MAX entries. Returns how many went out, or a negative errno for the first one. */
static int send_batch(Journal *j) {
        struct mmsghdr messages[BATCH_MAX] = {};
        struct iovec iov[BATCH_MAX];
        size_t n = MIN(j->n_entries - j->entry_head, (size_t) BATCH_MAX), at = j->data_head;
        int r;

        for (size_t i = 0; i < n; i++) {
                iov[i].iov_base = j->data.data + at;
                iov[i].iov_len = j->entries[j->entry_head + i].size;
                at += iov[i].iov_len;
                messages[i].msg_hdr.msg_iov = &iov[i];
                messages[i].msg_hdr.msg_iovlen = 1;
        }
        r = sendmmsg(j->fd, messages, (unsigned) n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (r >= 0)
                return r;
        if (errno != EMSGSIZE)
                return -errno;
        r = journal_send_memfd(j->fd, iov[0].iov_base, iov[0].iov_len);
        return r < 0 ? r : 1;
}

static void set_blocked(Journal *j, bool blocked) {
        j->blocked = blocked;
        (void) sd_event_source_set_enabled(j->io, blocked ? SD_EVENT_ON : SD_EVENT_OFF);
}

void journal_flush(Journal *j) {
        while (j->fd >= 0 && j->entry_head < j->n_entries) {
                int r = send_batch(j);

                if (r > 0) {
                        for (size_t i = 0; i < (size_t) r; i++)
                                j->n_sent += j->entries[j->entry_head + i].is_event;
                        queue_pop(j, (size_t) r);
                        continue;
                }
                if (IN_SET(r, -EAGAIN, -ENOBUFS, -EINTR)) {
                        if (!j->blocked)
                                set_blocked(j, true);
                        return;
                }
                if (IN_SET(r, -ECONNREFUSED, -ECONNRESET, -ENOTCONN, -EPIPE, -ENOENT)) {
                        journal_disconnect(j);
                        return;
                }
                /* This one entry cannot be sent at all (no memory file, no descriptor left). */
                drop(j, &j->entries[j->entry_head]);
                queue_pop(j, 1);
        }
        if (j->blocked && j->fd >= 0)
                set_blocked(j, false);
}

static int on_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        journal_flush(userdata);
        return 0;
}

static int on_reconnect(sd_event_source *source, uint64_t usec, void *userdata) {
        Journal *j = userdata;

        if (journal_open(j) < 0) {
                (void) sd_event_source_set_time_relative(j->timer, RECONNECT_USEC);
                (void) sd_event_source_set_enabled(j->timer, SD_EVENT_ONESHOT);
                return 0;
        }
        journal_flush(j);
        return 0;
}

/* --- what comes in --- */

static void add_fields(Buffer *b, const FieldList *l) {
        const char *data = l->data.data;

        /* One look for newlines at all of it: nearly no event has any, and then every item is a line as it stands. */
        if (memchr(data, '\n', l->data.size) || buffer_reserve(b, l->data.size + l->n) < 0) {
                for (size_t i = 0; i < l->n; i++)
                        (void) journal_add_item(b, data + l->offsets[i], l->offsets[i + 1] - l->offsets[i]);
                return;
        }
        char *p = b->data + b->size;
        for (size_t i = 0; i < l->n; i++) {
                size_t n = l->offsets[i + 1] - l->offsets[i];

                memcpy(p, data + l->offsets[i], n);
                p += n;
                *p++ = '\n';
        }
        b->size = (size_t) (p - b->data);
}

void journal_write_event(Journal *j, const Event *e) {
        Entry entry = { .is_event = true, .seq = e->seq, .scopes = e->scopes };
        size_t start = j->data.size;

        if (j->absent)
                return;
        if (unlikely(!queue_has_room(j, j->queue_bytes)))
                return drop(j, &entry);

        field_list_reset(&j->fields);
        if (event_format_fields(&j->fields, e) < 0)
                return drop(j, &entry);
        add_fields(&j->data, &j->fields);
        if (queue_add(j, start, entry) < 0)
                return drop(j, &entry);

        if (!j->blocked && j->n_entries - j->entry_head >= BATCH_MAX)
                journal_flush(j);
}

int journal_write_entry(Journal *j, const void *data, size_t size) {
        size_t start = j->data.size;
        int r;

        if (j->absent)
                return -ENOENT;
        if (!queue_has_room(j, j->queue_bytes + RESERVE_BYTES))
                return -ENOBUFS;
        (void) buffer_add(&j->data, data, size);
        r = queue_add(j, start, (Entry) {});
        if (r < 0)
                return r;
        if (!j->blocked)
                journal_flush(j);
        return 0;
}

void journal_drain(Journal *j, uint64_t timeout_usec) {
        uint64_t begin = now_usec(CLOCK_MONOTONIC);

        for (;;) {
                struct pollfd p = { .fd = j->fd, .events = POLLOUT };
                uint64_t passed;

                journal_flush(j);
                if (j->fd < 0 || j->entry_head == j->n_entries)
                        return;
                passed = now_usec(CLOCK_MONOTONIC) - begin;
                if (passed >= timeout_usec)
                        return;
                (void) poll(&p, 1, (int) ((timeout_usec - passed) / USEC_PER_MSEC) + 1);
        }
}

uint64_t journal_n_sent(const Journal *j) {
        return j->n_sent;
}

uint64_t journal_n_lost(const Journal *j) {
        return j->n_lost;
}
