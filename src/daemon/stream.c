/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live streams. An event is formatted once for each format that any reader asked for, into one buffer a format (a
 * channel); at the end of a batch each reader gets what it wants of it, in the common case (every line, nothing
 * waiting) straight from there. Invariants: nothing here waits; a reader sees whole lines only; what it does not take
 * is kept up to its bound, and beyond that whole lines are dropped, counted, and announced in its stream before the
 * next line. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../basic/fd-util.h"
#include "../basic/string-util.h"
#include "manager.h"
#include "stream-set.h"

/* A batch is handed out when it has grown to this: what was formatted is then still in the second-level cache. */
#define BATCH_BYTES (192U * 1024U)
/* Of a reader's socket: what is on its way to a reader that keeps up. */
#define SOCKET_SNDBUF (1024 * 1024)
/* What an empty buffer may keep allocated. */
#define IDLE_BYTES (256U * 1024U)

typedef struct Line {
        uint32_t size;
        uint64_t readers;               /* bit i: streams[i] wants it */
} Line;

/* One format that somebody reads. */
typedef struct Channel {
        EventFormat format;
        EventFormatFlags flags;
        unsigned n_readers;
        uint64_t wanted;                /* readers of the event at hand */
        uint64_t common;                /* readers that want every line of the batch */
        Buffer data;
        Line *lines;
        size_t n_lines, n_lines_allocated;
} Channel;

struct Stream {
        StreamSet *set;
        Channel *channel;
        StreamOptions options;
        unsigned index;
        int fd;
        bool console, is_socket, dead;
        bool blocked;                   /* on_io() goes on */
        sd_event_source *io;            /* NULL: a regular file, which is never full */
        Buffer pending;
        size_t pending_head;
        uint64_t n_events, n_lost, n_untold;
};

struct StreamSet {
        sd_event *event;
        StreamHandlers handlers;
        void *userdata;
        Stream *streams[STREAMS_MAX];
        uint64_t occupied;              /* bit i: streams[i] */
        Channel *channels[STREAMS_MAX];
        size_t n_channels;
        uint64_t scopes;
        uint64_t n_lost_closed;         /* of streams that are gone */
};

/* --- one reader --- */

static Stream *stream_free(Stream *s) {
        if (!s)
                return NULL;
        sd_event_source_disable_unref(s->io);
        safe_close(s->fd);
        buffer_done(&s->pending);
        free(s->options.policy);
        free(s);
        return NULL;
}
DEFINE_TRIVIAL_CLEANUP_FUNC(Stream *, stream_free)

static size_t stream_n_pending(const Stream *s) {
        return s->pending.size - s->pending_head;
}

static void stream_set_blocked(Stream *s, bool blocked) {
        if (s->blocked == blocked || !s->io)
                return;
        s->blocked = blocked;
        (void) sd_event_source_set_io_events(s->io, blocked ? EPOLLOUT : 0);
}

/* Returns the bytes written, 0 when the reader takes no more now or is gone. */
static size_t stream_write(Stream *s, const char *data, size_t size) {
        size_t written = 0;

        while (written < size && !s->dead && !s->blocked) {
                ssize_t n = s->is_socket
                        ? send(s->fd, data + written, size - written, MSG_DONTWAIT | MSG_NOSIGNAL)
                        : write(s->fd, data + written, size - written);

                if (n >= 0)
                        written += (size_t) n;
                else if (IN_SET(errno, EAGAIN, ENOBUFS) && s->io)
                        stream_set_blocked(s, true);
                else if (errno != EINTR)
                        s->dead = true;
        }
        return written;
}

static void stream_add_lost(Stream *s) {
        static const char *const notes[_EVENT_FORMAT_MAX] = {
                [EVENT_FORMAT_TABLE] = "# %llu events lost: this reader is too slow\n",
                [EVENT_FORMAT_TABLE_VERBOSE] = "# %llu events lost: this reader is too slow\n",
                [EVENT_FORMAT_JSON] = "{\"lost\":%llu}\n",
                [EVENT_FORMAT_EXPORT] = "PRIORITY=4\nMESSAGE=Events lost: this reader is too slow.\n"
                                        "LOST_EVENTS=%llu\n\n",
        };
        char note[128];
        int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        n = snprintf(note, sizeof(note), notes[s->options.format], (unsigned long long) s->n_untold);
#pragma GCC diagnostic pop
        if (buffer_add(&s->pending, note, (size_t) n) >= 0)
                s->n_untold = 0;
        s->pending.failed = false;
}

/* Keeps one line for later, or counts it as lost. `rest`: the bytes of it that are not written yet. */
static void stream_keep(Stream *s, const char *rest, size_t size, bool begun) {
        if (!begun && stream_n_pending(s) + size > s->options.buffer_bytes)
                goto lost;
        if (!begun && s->n_untold > 0)
                stream_add_lost(s);
        if (buffer_add(&s->pending, rest, size) < 0)
                goto lost;
        s->n_events++;
        return;
lost:
        s->pending.failed = false;
        s->n_lost++;
        s->n_untold++;
}

static void stream_write_pending(Stream *s) {
        for (;;) {
                s->pending_head += stream_write(s, s->pending.data + s->pending_head, stream_n_pending(s));
                if (stream_n_pending(s) > 0 || s->dead)
                        break;
                s->pending_head = 0;
                if (s->pending.allocated > IDLE_BYTES)
                        buffer_done(&s->pending);
                buffer_reset(&s->pending);
                if (s->n_untold == 0)
                        break;
                stream_add_lost(s);
        }
        if (s->pending_head > s->pending.size / 2) {
                memmove(s->pending.data, s->pending.data + s->pending_head, stream_n_pending(s));
                s->pending.size -= s->pending_head;
                s->pending_head = 0;
        }
}

/* Every line of the batch is wanted and nothing waits: from the channel's buffer to the descriptor. */
static void stream_pass_batch(Stream *s) {
        const Channel *c = s->channel;
        size_t written, at = 0;

        written = stream_write(s, c->data.data, c->data.size);
        for (size_t i = 0; i < c->n_lines; i++) {
                size_t end = at + c->lines[i].size;

                if (end <= written)
                        s->n_events++;
                else if (at < written)
                        stream_keep(s, c->data.data + written, end - written, true);
                else
                        stream_keep(s, c->data.data + at, end - at, false);
                at = end;
        }
}

static void stream_flush(Stream *s) {
        const Channel *c = s->channel;
        uint64_t bit = UINT64_C(1) << s->index;
        size_t at = 0;

        if (c->n_lines == 0)
                return;
        if ((c->common & bit) && !s->blocked && stream_n_pending(s) == 0 && s->n_untold == 0)
                return stream_pass_batch(s);

        for (size_t i = 0; i < c->n_lines; i++) {
                if (c->lines[i].readers & bit)
                        stream_keep(s, c->data.data + at, c->lines[i].size, false);
                at += c->lines[i].size;
        }
        if (!s->blocked)
                stream_write_pending(s);
}

/* --- the set --- */

int stream_set_new(sd_event *event, const StreamHandlers *handlers, void *userdata, StreamSet **ret) {
        StreamSet *s = new0(StreamSet, 1);

        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(event);
        s->handlers = *handlers;
        s->userdata = userdata;
        *ret = s;
        return 0;
}

static void channel_unref(StreamSet *set, Channel *c) {
        if (--c->n_readers > 0)
                return;
        for (size_t i = 0; i < set->n_channels; i++)
                if (set->channels[i] == c) {
                        set->channels[i] = set->channels[--set->n_channels];
                        break;
                }
        buffer_done(&c->data);
        free(c->lines);
        free(c);
}

static Channel *channel_get(StreamSet *set, EventFormat format, EventFormatFlags flags) {
        Channel *c;

        for (size_t i = 0; i < set->n_channels; i++) {
                c = set->channels[i];
                if (c->format == format && c->flags == flags) {
                        c->n_readers++;
                        return c;
                }
        }
        c = new0(Channel, 1);
        if (!c)
                return NULL;
        c->format = format;
        c->flags = flags;
        c->n_readers = 1;
        set->channels[set->n_channels++] = c;
        return c;
}

static void update_scopes(StreamSet *set) {
        set->scopes = set->occupied = 0;
        for (size_t i = 0; i < STREAMS_MAX; i++)
                if (set->streams[i]) {
                        set->scopes |= set->streams[i]->options.scopes;
                        set->occupied |= UINT64_C(1) << i;
                }
}

static void remove_dead(StreamSet *set) {
        for (size_t i = 0; i < STREAMS_MAX; i++) {
                Stream *s = set->streams[i];
                bool console;
                pid_t pid;

                if (!s || !s->dead)
                        continue;
                set->streams[i] = NULL;
                set->n_lost_closed += s->n_lost;
                pid = s->options.pid;
                console = s->console;
                channel_unref(set, s->channel);
                stream_free(s);
                update_scopes(set);
                if (set->handlers.on_closed)
                        set->handlers.on_closed(pid, console, set->userdata);
        }
}

StreamSet *stream_set_free(StreamSet *set) {
        if (!set)
                return NULL;
        for (size_t i = 0; i < STREAMS_MAX; i++)
                if (set->streams[i]) {
                        channel_unref(set, set->streams[i]->channel);
                        stream_free(set->streams[i]);
                }
        sd_event_unref(set->event);
        free(set);
        return NULL;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Stream *s = userdata;
        StreamSet *set = s->set;

        if (revents & (EPOLLHUP | EPOLLERR))
                s->dead = true;
        else if (revents & EPOLLOUT) {
                stream_set_blocked(s, false);
                stream_write_pending(s);
        }
        remove_dead(set);
        return 0;
}

/* Takes `fd`. */
static int add(StreamSet *set, const StreamOptions *options, int fd, bool console) {
        _cleanup_(stream_freep) Stream *s = NULL;
        struct stat st;
        unsigned index = 0;
        int r;

        while (index < STREAMS_MAX && set->streams[index])
                index++;
        s = new0(Stream, 1);
        if (!s) {
                safe_close(fd);
                return -ENOMEM;
        }
        s->fd = fd;
        if (index == STREAMS_MAX)
                return -EUSERS;
        s->set = set;
        s->index = index;
        s->console = console;
        s->options = *options;
        s->options.policy = NULL;
        if (s->options.scopes == 0)
                s->options.scopes = UINT64_MAX;
        if (s->options.buffer_bytes == 0)
                s->options.buffer_bytes = STREAM_BUFFER_DEFAULT;
        s->options.buffer_bytes = MIN(s->options.buffer_bytes, (size_t) STREAM_BUFFER_MAX);
        r = free_and_strdup(&s->options.policy, options->policy);
        if (r < 0)
                return r;
        s->is_socket = fstat(fd, &st) >= 0 && S_ISSOCK(st.st_mode);

        r = sd_event_add_io(set->event, &s->io, fd, 0, on_io, s);
        if (r < 0 && r != -EPERM)       /* regular files cannot be waited for, and need not be */
                return r;
        if (s->io) {
                (void) sd_event_source_set_priority(s->io, PRIORITY_STREAM);
                (void) sd_event_source_set_description(s->io, "stream");
        }
        if (!options->no_header) {
                r = event_format_header(&s->pending, options->format, options->flags);
                if (r < 0)
                        return r;
        }
        /* What is in the batch already is not for the new one. */
        stream_set_flush(set);
        s->channel = channel_get(set, options->format, options->flags);
        if (!s->channel)
                return -ENOMEM;
        stream_write_pending(s);
        set->streams[index] = TAKE_PTR(s);
        update_scopes(set);
        return 0;
}

int stream_set_add(StreamSet *set, const StreamOptions *options, int *ret_fd) {
        int size = SOCKET_SNDBUF, pair[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
                (void) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        (void) shutdown(pair[0], SHUT_RD);

        r = add(set, options, pair[0], false);
        if (r < 0) {
                safe_close(pair[1]);
                return r;
        }
        *ret_fd = pair[1];
        return 0;
}

int stream_set_add_fd(StreamSet *set, const StreamOptions *options, int fd) {
        char path[sizeof("/proc/self/fd/") + 11];
        struct stat st;
        int own = -EBADF;

        if (fstat(fd, &st) < 0)
                return -errno;
        /* Terminals and pipes are opened anew: not to wait is then our own choice and not that of everybody who shares
         * the description. */
        if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)) {
                (void) snprintf(path, sizeof(path), "/proc/self/fd/%i", fd);
                own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        }
        if (own < 0)
                own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return own < 0 ? -errno : add(set, options, own, true);
}

uint64_t stream_set_scopes(const StreamSet *set) {
        return set->scopes;
}

static bool stream_wants(const Stream *s, const Event *e) {
        if (!(s->options.scopes & e->scopes))
                return false;
        if (!s->options.policy)
                return true;
        for (size_t i = 0; i < e->n_policies; i++)
                if (streq(e->policies[i], s->options.policy))
                        return true;
        return false;
}

static void channel_write(Channel *c, const Event *e) {
        size_t start = c->data.size;

        if (!GREEDY_REALLOC(c->lines, c->n_lines_allocated, c->n_lines + 1) ||
            event_format(&c->data, e, c->format, c->flags) < 0) {
                c->data.failed = false;
                c->data.size = start;
                return;
        }
        c->common = c->n_lines == 0 ? c->wanted : c->common & c->wanted;
        c->lines[c->n_lines++] = (Line) { .size = (uint32_t) (c->data.size - start), .readers = c->wanted };
}

void stream_set_write_event(StreamSet *set, const Event *e) {
        bool full = false;

        if (!(set->scopes & e->scopes))
                return;
        for (uint64_t left = set->occupied; left; left &= left - 1) {
                Stream *s = set->streams[__builtin_ctzll(left)];

                if (stream_wants(s, e))
                        s->channel->wanted |= UINT64_C(1) << s->index;
        }
        for (size_t i = 0; i < set->n_channels; i++) {
                Channel *c = set->channels[i];

                if (c->wanted)
                        channel_write(c, e);
                c->wanted = 0;
                full = full || c->data.size >= BATCH_BYTES;
        }
        if (full)
                stream_set_flush(set);
}

void stream_set_flush(StreamSet *set) {
        if (set->n_channels == 0)
                return;
        for (size_t i = 0; i < STREAMS_MAX; i++)
                if (set->streams[i])
                        stream_flush(set->streams[i]);
        for (size_t i = 0; i < set->n_channels; i++) {
                set->channels[i]->n_lines = 0;
                buffer_reset(&set->channels[i]->data);
        }
        remove_dead(set);
}

size_t stream_set_list(const StreamSet *set, StreamInfo *ret, size_t max) {
        size_t n = 0;

        for (size_t i = 0; i < STREAMS_MAX; i++) {
                const Stream *s = set->streams[i];

                if (!s)
                        continue;
                if (n < max)
                        ret[n] = (StreamInfo) {
                                .scopes = s->options.scopes,
                                .format = s->options.format,
                                .pid = s->options.pid,
                                .n_events = s->n_events,
                                .n_lost = s->n_lost,
                                .buffered_bytes = stream_n_pending(s),
                        };
                n++;
        }
        return n;
}

uint64_t stream_set_n_lost(const StreamSet *set) {
        uint64_t n = set->n_lost_closed;

        for (size_t i = 0; i < STREAMS_MAX; i++)
                if (set->streams[i])
                        n += set->streams[i]->n_lost;
        return n;
}
