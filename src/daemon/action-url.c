/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetUrl through libcurl's multi interface, whose sockets and timer are sources of the loop. What comes back is thrown
 * away: the request is the message. Names are resolved by a thread of the library, so that the loop never waits. */

#include "action-url.h"
#include "../basic/macro.h"

#ifdef HAVE_LIBCURL
#include <curl/curl.h>
#include <sys/epoll.h>

#include "manager.h"

#define CONNECT_TIMEOUT_MSEC 5000L
#define TIMEOUT_MSEC 10000L
#define ANSWER_MAX (1024U * 1024U)      /* bytes that are read of an answer before it counts as one */
#define REDIRECTS_MAX 5L

struct UrlClient {
        sd_event *event;
        CURLM *multi;
        sd_event_source *timer;
        struct UrlRequest *running;
        RemoteDone done;
        void *userdata;
};

/* One request. */
typedef struct UrlRequest {
        struct UrlRequest *next, **prev;
        CURL *easy;
        char *url;
        size_t n_read;
        char error[CURL_ERROR_SIZE];
} UrlRequest;

static void request_free(UrlClient *c, UrlRequest *r) {
        if (r->prev) {
                *r->prev = r->next;
                if (r->next)
                        r->next->prev = r->prev;
                (void) curl_multi_remove_handle(c->multi, r->easy);
        }
        curl_easy_cleanup(r->easy);
        free(r->url);
        free(r);
}

/* Requests that have ended. */
static void collect(UrlClient *c) {
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(c->multi, &left))) {
                CURLcode code = m->data.result;
                CURL *easy = m->easy_handle;
                UrlRequest *request = NULL;

                if (m->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &request);
                /* A long answer was stopped by us. */
                if (code == CURLE_WRITE_ERROR && request->n_read > ANSWER_MAX)
                        code = CURLE_OK;
                c->done(request->url, code == CURLE_OK ? NULL : request->error[0] ? request->error
                                                                                  : curl_easy_strerror(code),
                        c->userdata);
                request_free(c, request);
        }
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        UrlClient *c = userdata;
        int action = 0, running;

        if (revents & (EPOLLIN | EPOLLHUP))
                action |= CURL_CSELECT_IN;
        if (revents & EPOLLOUT)
                action |= CURL_CSELECT_OUT;
        if (revents & EPOLLERR)
                action |= CURL_CSELECT_ERR;
        (void) curl_multi_socket_action(c->multi, fd, action, &running);
        collect(c);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        UrlClient *c = userdata;
        int running;

        (void) curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        collect(c);
        return 0;
}

static int socket_callback(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp) {
        sd_event_source *source = socketp;
        UrlClient *c = userdata;
        uint32_t events = 0;

        if (what == CURL_POLL_REMOVE) {
                sd_event_source_disable_unref(source);
                (void) curl_multi_assign(c->multi, fd, NULL);
                return 0;
        }
        if (what & CURL_POLL_IN)
                events |= EPOLLIN;
        if (what & CURL_POLL_OUT)
                events |= EPOLLOUT;
        if (source)
                return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
        if (sd_event_add_io(c->event, &source, fd, events, on_io, c) < 0)
                return -1;
        (void) sd_event_source_set_priority(source, PRIORITY_STREAM);
        return curl_multi_assign(c->multi, fd, source) == CURLM_OK ? 0 : -1;
}

static int timer_callback(CURLM *multi, long msec, void *userdata) {
        UrlClient *c = userdata;

        if (msec < 0)
                return sd_event_source_set_enabled(c->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        if (sd_event_source_set_time_relative(c->timer, (uint64_t) msec * 1000U) < 0)
                return -1;
        return sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

/* Returning another number than was offered ends the request. */
static size_t on_data(char *data, size_t size, size_t n, void *userdata) {
        UrlRequest *request = userdata;

        request->n_read += size * n;
        return request->n_read > ANSWER_MAX ? 0 : size * n;
}

UrlClient *url_client_free(UrlClient *c) {
        if (!c)
                return NULL;
        while (c->running)
                request_free(c, c->running);
        if (c->multi)
                (void) curl_multi_cleanup(c->multi);
        sd_event_source_disable_unref(c->timer);
        free(c);
        return NULL;
}

int url_client_new(sd_event *event, RemoteDone done, void *userdata, UrlClient **ret) {
        UrlClient *c;
        int r;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return -EIO;
        c = new0(UrlClient, 1);
        if (!c)
                return -ENOMEM;
        c->event = event;
        c->done = done;
        c->userdata = userdata;
        c->multi = curl_multi_init();
        r = c->multi ? sd_event_add_time_relative(event, &c->timer, CLOCK_MONOTONIC, 0, 0, on_timer, c) : -ENOMEM;
        if (r < 0) {
                url_client_free(c);
                return r;
        }
        (void) sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
        (void) sd_event_source_set_priority(c->timer, PRIORITY_STREAM);
        (void) curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, socket_callback);
        (void) curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
        (void) curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, timer_callback);
        (void) curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
        *ret = c;
        return 0;
}

int url_client_start(UrlClient *c, const char *url) {
        UrlRequest *request = new0(UrlRequest, 1);
        CURLcode code = CURLE_OK;
        CURL *easy;

        if (!request)
                return -ENOMEM;
        request->url = strdup(url);
        request->easy = easy = curl_easy_init();
        if (!request->url || !easy) {
                request_free(c, request);
                return -ENOMEM;
        }
#define SET(option, value)                                              \
        if (code == CURLE_OK)                                           \
                code = curl_easy_setopt(easy, option, value)
        SET(CURLOPT_URL, url);
        SET(CURLOPT_PRIVATE, request);
        SET(CURLOPT_ERRORBUFFER, request->error);
        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_FOLLOWLOCATION, 1L);
        SET(CURLOPT_MAXREDIRS, REDIRECTS_MAX);
        SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MSEC);
        SET(CURLOPT_TIMEOUT_MS, TIMEOUT_MSEC);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_FAILONERROR, 1L);
        SET(CURLOPT_USERAGENT, "scopetrace/" PROJECT_VERSION);
        SET(CURLOPT_WRITEFUNCTION, on_data);
        SET(CURLOPT_WRITEDATA, request);
#undef SET
        if (code != CURLE_OK || curl_multi_add_handle(c->multi, easy) != CURLM_OK) {
                request_free(c, request);
                return -EIO;
        }
        request->next = c->running;
        request->prev = &c->running;
        if (request->next)
                request->next->prev = &request->next;
        c->running = request;
        return 0;
}
#else
int url_client_new(sd_event *event, RemoteDone done, void *userdata, UrlClient **ret) {
        return -ENOTSUP;
}

UrlClient *url_client_free(UrlClient *c) {
        return NULL;
}

int url_client_start(UrlClient *c, const char *url) {
        return -ENOTSUP;
}
#endif
