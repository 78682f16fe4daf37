/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A queue for each kind of remote action. Invariants: taking an action never waits, for the network or for anything else;
 * at most QUEUE_MAX wait and RUNNING_MAX run at a time, and no more than RATE a second begin: a busy rule cannot turn the
 * host into a source of floods. What finds the queue full is dropped and counted; failures are counted and logged, the
 * log no more often than once a second. */

#include <inttypes.h>
#include <stdlib.h>

#include "../basic/log.h"
#include "../basic/macro.h"
#include "action-dns.h"
#include "action-url.h"
#include "manager.h"
#include "message.h"

#define QUEUE_MAX 256U
#define RUNNING_MAX 16U
#define RATE 50U                        /* a second, and as many at once after a quiet one */
#define REPORT_INTERVAL_USEC USEC_PER_SEC

typedef struct RemoteQueue {
        RemoteActions *actions;
        RemoteKind kind;
        char *targets[QUEUE_MAX];       /* a ring */
        size_t head, n;
        size_t n_running;
        RemoteCounters counters;
        uint64_t n_failed_reported, n_dropped_reported;
        char *last_failure;
} RemoteQueue;

struct RemoteActions {
        sd_event *event;
        char *dns_servers;
        UrlClient *url;                 /* made when first wanted */
        DnsClient *dns;
        RemoteQueue queues[_REMOTE_KIND_MAX];
        sd_event_source *pump_source, *report_source;
        uint64_t tokens_usec;           /* when the bucket was empty last, in time: see take_token() */
        bool report_armed;
};

static void pump(RemoteActions *a);

RemoteActions *remote_actions_free(RemoteActions *a) {
        if (!a)
                return NULL;
        url_client_free(a->url);
        dns_client_free(a->dns);
        for (size_t i = 0; i < _REMOTE_KIND_MAX; i++) {
                RemoteQueue *q = &a->queues[i];

                for (; q->n > 0; q->n--, q->head++)
                        free(q->targets[q->head % QUEUE_MAX]);
                free(q->last_failure);
        }
        sd_event_source_disable_unref(a->pump_source);
        sd_event_source_disable_unref(a->report_source);
        free(a->dns_servers);
        free(a);
        return NULL;
}

static const char *kind_name(RemoteKind kind) {
        return kind == REMOTE_URL ? "GetUrl" : "DnsLookup";
}

static int on_report(sd_event_source *source, uint64_t usec, void *userdata) {
        RemoteActions *a = userdata;

        a->report_armed = false;
        for (size_t i = 0; i < _REMOTE_KIND_MAX; i++) {
                RemoteQueue *q = &a->queues[i];
                uint64_t failed = q->counters.n_failed - q->n_failed_reported,
                         dropped = q->counters.n_dropped - q->n_dropped_reported;
                MessageFields f = {};

                if (failed == 0 && dropped == 0)
                        continue;
                q->n_failed_reported = q->counters.n_failed;
                q->n_dropped_reported = q->counters.n_dropped;
                message_add(&f, "REMOTE_ACTION=%s", kind_name(q->kind));
                message_add(&f, "REMOTE_FAILED=%" PRIu64, failed);
                message_add(&f, "REMOTE_DROPPED=%" PRIu64, dropped);
                message_send(MESSAGE_REMOTE_ACTION, LOG_WARNING, &f,
                             "%s: %" PRIu64 " failed, %" PRIu64 " dropped because too many waited%s%s.",
                             kind_name(q->kind), failed, dropped, q->last_failure ? "; the last failure: " : "",
                             q->last_failure ?: "");
                free(q->last_failure);
                q->last_failure = NULL;
        }
        return 0;
}

static void arm_report(RemoteActions *a) {
        if (a->report_armed)
                return;
        if (sd_event_source_set_time_relative(a->report_source, REPORT_INTERVAL_USEC) >= 0 &&
            sd_event_source_set_enabled(a->report_source, SD_EVENT_ONESHOT) >= 0)
                a->report_armed = true;
}

static void note_failure(RemoteQueue *q, const char *target, const char *why) {
        q->counters.n_failed++;
        free(q->last_failure);
        if (asprintf(&q->last_failure, "%s: %s", target, why) < 0)
                q->last_failure = NULL;
        arm_report(q->actions);
}

static void on_done(const char *target, const char *why, void *userdata) {
        RemoteQueue *q = userdata;

        q->n_running--;
        if (why)
                note_failure(q, target, why);
        log_debug("%s of %s: %s", kind_name(q->kind), target, why ?: "done");
        /* Not from here: the library that calls is in the middle of something. */
        (void) sd_event_source_set_time(q->actions->pump_source, 0);
        (void) sd_event_source_set_enabled(q->actions->pump_source, SD_EVENT_ONESHOT);
}

static int start(RemoteActions *a, RemoteQueue *q, const char *target) {
        int r = 0;

        if (q->kind == REMOTE_URL) {
                if (!a->url)
                        r = url_client_new(a->event, on_done, q, &a->url);
                return r < 0 ? r : url_client_start(a->url, target);
        }
        if (!a->dns)
                r = dns_client_new(a->event, a->dns_servers, on_done, q, &a->dns);
        return r < 0 ? r : dns_client_start(a->dns, target);
}

/* Time as tokens: one is worth a RATEth of a second, and what lies further back than one second is worth no more. */
static bool take_token(RemoteActions *a) {
        uint64_t now;

        if (sd_event_now(a->event, CLOCK_MONOTONIC, &now) < 0)
                return true;
        if (now > USEC_PER_SEC)
                a->tokens_usec = MAX(a->tokens_usec, now - USEC_PER_SEC);
        if (a->tokens_usec + USEC_PER_SEC / RATE > now)
                return false;
        a->tokens_usec += USEC_PER_SEC / RATE;
        return true;
}

static void pump(RemoteActions *a) {
        bool waiting = false;

        for (size_t i = 0; i < _REMOTE_KIND_MAX; i++) {
                RemoteQueue *q = &a->queues[i];

                while (q->n > 0 && q->n_running < RUNNING_MAX) {
                        _cleanup_free_ char *target = NULL;
                        int r;

                        if (!take_token(a)) {
                                waiting = true;
                                break;
                        }
                        target = q->targets[q->head % QUEUE_MAX];
                        q->head = (q->head + 1) % QUEUE_MAX;
                        q->n--;
                        q->n_running++;
                        q->counters.n_started++;
                        r = start(a, q, target);
                        if (r < 0) {
                                q->n_running--;
                                note_failure(q, target, strerror(-r));
                        }
                }
        }
        if (waiting && sd_event_source_set_time_relative(a->pump_source, USEC_PER_SEC / RATE) >= 0)
                (void) sd_event_source_set_enabled(a->pump_source, SD_EVENT_ONESHOT);
}

static int on_pump(sd_event_source *source, uint64_t usec, void *userdata) {
        pump(userdata);
        return 0;
}

int remote_actions_new(sd_event *event, const char *dns_servers, RemoteActions **ret) {
        RemoteActions *a = new0(RemoteActions, 1);
        int r;

        if (!a)
                return -ENOMEM;
        a->event = event;
        for (RemoteKind i = 0; i < _REMOTE_KIND_MAX; i++)
                a->queues[i] = (RemoteQueue) { .actions = a, .kind = i };
        a->dns_servers = strdup(dns_servers ?: "");
        r = a->dns_servers ? 0 : -ENOMEM;
        if (r >= 0)
                r = sd_event_add_time_relative(event, &a->pump_source, CLOCK_MONOTONIC, 0, 0, on_pump, a);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &a->report_source, CLOCK_MONOTONIC, 0, 0, on_report, a);
        if (r < 0) {
                remote_actions_free(a);
                return r;
        }
        (void) sd_event_source_set_enabled(a->pump_source, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(a->report_source, SD_EVENT_OFF);
        (void) sd_event_source_set_priority(a->pump_source, PRIORITY_STREAM);
        (void) sd_event_source_set_priority(a->report_source, PRIORITY_STREAM);
        *ret = a;
        return 0;
}

void remote_actions_take(RemoteActions *a, const RuleAction *action, RuleCounts *counts) {
        for (size_t i = 0; i < action->rule->n_actions && i < SCT_OPS_MAX; i++) {
                const HookAction *h = action->rule->actions + i;
                RemoteQueue *q;
                char *target;

                if (!IN_SET(h->kind, HOOK_ACTION_GET_URL, HOOK_ACTION_DNS_LOOKUP))
                        continue;
                q = &a->queues[h->kind == HOOK_ACTION_GET_URL ? REMOTE_URL : REMOTE_DNS];
                target = q->n < QUEUE_MAX ? strdup(h->url ?: h->fqdn) : NULL;
                if (!target) {
                        q->counters.n_dropped++;
                        if (counts)
                                counts->n_failed++;
                        arm_report(a);
                        continue;
                }
                q->targets[(q->head + q->n++) % QUEUE_MAX] = target;
                if (counts)
                        counts->n_done[i]++;
        }
        /* The loop begins it, behind the batch of events that this one came with. */
        if (sd_event_source_set_time(a->pump_source, 0) >= 0)
                (void) sd_event_source_set_enabled(a->pump_source, SD_EVENT_ONESHOT);
}

void remote_actions_counters(const RemoteActions *a, RemoteKind kind, RemoteCounters *ret) {
        *ret = a->queues[kind].counters;
}
