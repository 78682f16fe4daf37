/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DnsLookup through c-ares, whose sockets and timer are sources of the loop. Only name servers are asked, never
 * /etc/hosts, and names are taken as they stand: that a question arrives is what the action is for. */

#include "action-dns.h"
#include "../basic/macro.h"

#ifdef HAVE_CARES
#include <ares.h>
#include <netdb.h>
#include <sys/epoll.h>

#include "manager.h"

#define TIMEOUT_MSEC 2000               /* of the first try; each further one gets twice as long */
#define TRIES 3
#define SOCKETS_MAX 64U

struct DnsClient {
        sd_event *event;
        ares_channel channel;
        sd_event_source *timer;
        struct { int fd; sd_event_source *source; } sockets[SOCKETS_MAX];
        RemoteDone done;
        void *userdata;
};

typedef struct DnsRequest {
        DnsClient *client;
        char name[];
} DnsRequest;

static void arm_timer(DnsClient *c) {
        struct timeval tv, *next = ares_timeout(c->channel, NULL, &tv);

        if (!next) {
                (void) sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
                return;
        }
        if (sd_event_source_set_time_relative(c->timer, (uint64_t) next->tv_sec * USEC_PER_SEC +
                                                        (uint64_t) next->tv_usec) >= 0)
                (void) sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        DnsClient *c = userdata;

        ares_process_fd(c->channel, revents & (EPOLLIN | EPOLLERR | EPOLLHUP) ? fd : ARES_SOCKET_BAD,
                        revents & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? fd : ARES_SOCKET_BAD);
        arm_timer(c);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        DnsClient *c = userdata;

        ares_process_fd(c->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        arm_timer(c);
        return 0;
}

static void on_socket_state(void *userdata, ares_socket_t fd, int readable, int writable) {
        uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
        size_t unused = SOCKETS_MAX, i;
        DnsClient *c = userdata;

        for (i = 0; i < SOCKETS_MAX; i++) {
                if (c->sockets[i].source && c->sockets[i].fd == fd)
                        break;
                if (!c->sockets[i].source)
                        unused = i;
        }
        if (i < SOCKETS_MAX && events == 0) {
                c->sockets[i].source = sd_event_source_disable_unref(c->sockets[i].source);
                return;
        }
        if (i < SOCKETS_MAX) {
                (void) sd_event_source_set_io_events(c->sockets[i].source, events);
                return;
        }
        /* A socket that finds no place is not read: its question runs into its timeout and counts as failed. */
        if (events == 0 || unused == SOCKETS_MAX ||
            sd_event_add_io(c->event, &c->sockets[unused].source, fd, events, on_io, c) < 0)
                return;
        c->sockets[unused].fd = fd;
        (void) sd_event_source_set_priority(c->sockets[unused].source, PRIORITY_STREAM);
}

static void on_answer(void *userdata, int status, int timeouts, struct ares_addrinfo *answer) {
        DnsRequest *request = userdata;

        if (answer)
                ares_freeaddrinfo(answer);
        /* On destruction nobody is left to be told. */
        if (status != ARES_EDESTRUCTION)
                request->client->done(request->name, status == ARES_SUCCESS ? NULL : ares_strerror(status),
                                      request->client->userdata);
        free(request);
}

DnsClient *dns_client_free(DnsClient *c) {
        if (!c)
                return NULL;
        if (c->channel)
                ares_destroy(c->channel);
        for (size_t i = 0; i < SOCKETS_MAX; i++)
                sd_event_source_disable_unref(c->sockets[i].source);
        sd_event_source_disable_unref(c->timer);
        free(c);
        return NULL;
}

int dns_client_new(sd_event *event, const char *servers, RemoteDone done, void *userdata, DnsClient **ret) {
        struct ares_options options = {
                .flags = ARES_FLAG_NOSEARCH,
                .timeout = TIMEOUT_MSEC,
                .tries = TRIES,
                .lookups = (char *) "b",
                .sock_state_cb = on_socket_state,
        };
        DnsClient *c;
        int r;

        if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
                return -EIO;
        c = new0(DnsClient, 1);
        if (!c)
                return -ENOMEM;
        c->event = event;
        c->done = done;
        c->userdata = userdata;
        options.sock_state_cb_data = c;
        r = sd_event_add_time_relative(event, &c->timer, CLOCK_MONOTONIC, 0, 0, on_timer, c);
        if (r >= 0 && ares_init_options(&c->channel, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                                               ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
                r = -EIO;
        if (r >= 0 && *servers && ares_set_servers_ports_csv(c->channel, servers) != ARES_SUCCESS)
                r = -EINVAL;
        if (r < 0) {
                dns_client_free(c);
                return r;
        }
        (void) sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
        (void) sd_event_source_set_priority(c->timer, PRIORITY_STREAM);
        *ret = c;
        return 0;
}

int dns_client_start(DnsClient *c, const char *name) {
        struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT };
        size_t size = strlen(name) + 1;
        DnsRequest *request = malloc(sizeof(*request) + size);

        if (!request)
                return -ENOMEM;
        request->client = c;
        memcpy(request->name, name, size);
        ares_getaddrinfo(c->channel, name, NULL, &hints, on_answer, request);
        arm_timer(c);
        return 0;
}
#else
int dns_client_new(sd_event *event, const char *servers, RemoteDone done, void *userdata, DnsClient **ret) {
        return -ENOTSUP;
}

DnsClient *dns_client_free(DnsClient *c) {
        return NULL;
}

int dns_client_start(DnsClient *c, const char *name) {
        return -ENOTSUP;
}
#endif
