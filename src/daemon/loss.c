/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was lost, until it is reported. Invariant: the sum of LOST_EVENTS= over all records of a reason is the number of
 * events that were lost for it, and no number of a lost event lies outside the ranges that were reported. */

#include <inttypes.h>
#include <stdlib.h>

#include "loss.h"
#include "manager.h"
#include "message.h"

#define REPORT_INTERVAL_USEC USEC_PER_SEC

typedef struct LossRow {
        uint64_t n, scopes, first, last;        /* not reported yet */
        uint64_t total;
} LossRow;

struct LossLog {
        LossRow rows[_LOSS_REASON_MAX];
        sd_event_source *timer;
        void (*before_report)(void *userdata);
        void *userdata;
        bool armed;
};

typedef struct LossReasonRow {
        const char *name, *sentence;
        int level;
} LossReasonRow;

static const LossReasonRow loss_reason_table[_LOSS_REASON_MAX]; /* below */

void loss_log_arm(LossLog *l) {
        if (l->armed)
                return;
        if (sd_event_source_set_time_relative(l->timer, REPORT_INTERVAL_USEC) >= 0 &&
            sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT) >= 0)
                l->armed = true;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        LossLog *l = userdata;

        l->armed = false;
        if (l->before_report)
                l->before_report(l->userdata);
        loss_log_report(l);
        return 0;
}

int loss_log_new(sd_event *event, void (*before_report)(void *userdata), void *userdata, LossLog **ret) {
        _cleanup_(loss_log_freep) LossLog *l = NULL;
        int r;

        l = new0(LossLog, 1);
        if (!l)
                return -ENOMEM;
        l->before_report = before_report;
        l->userdata = userdata;
        r = sd_event_add_time_relative(event, &l->timer, CLOCK_MONOTONIC, REPORT_INTERVAL_USEC, 0, on_timer, l);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        (void) sd_event_source_set_priority(l->timer, PRIORITY_STREAM);
        *ret = TAKE_PTR(l);
        return 0;
}

LossLog *loss_log_free(LossLog *l) {
        if (!l)
                return NULL;
        sd_event_source_disable_unref(l->timer);
        free(l);
        return NULL;
}

void loss_log_add(LossLog *l, LossReason reason, uint64_t n, uint64_t scopes, uint64_t first, uint64_t last) {
        LossRow *row = &l->rows[reason];

        if (n == 0)
                return;
        row->first = row->n == 0 ? first : MIN(row->first, first);
        row->last = row->n == 0 ? last : MAX(row->last, last);
        row->n += n;
        row->total += n;
        row->scopes |= scopes;
        loss_log_arm(l);
}

void loss_log_add_scopes(LossLog *l, LossReason reason, uint64_t scopes) {
        if (l->rows[reason].n > 0)
                l->rows[reason].scopes |= scopes;
}

void loss_log_report(LossLog *l) {
        for (LossReason i = 0; i < _LOSS_REASON_MAX; i++) {
                const LossReasonRow *reason = &loss_reason_table[i];
                LossRow row = l->rows[i];
                MessageFields f = {};

                if (row.n == 0)
                        continue;
                l->rows[i] = (LossRow) { .total = row.total };
                message_add(&f, "LOST_EVENTS=%" PRIu64, row.n);
                message_add(&f, "LOST_REASON=%s", reason->name);
                message_add(&f, "TRACE_SEQ_FIRST=%" PRIu64, row.first);
                message_add(&f, "TRACE_SEQ_LAST=%" PRIu64, row.last);
                if (row.scopes)
                        message_add_scopes(&f, row.scopes);
                message_send(MESSAGE_LOSS, reason->level, &f,
                             "%" PRIu64 " events lost between TRACE_SEQ %" PRIu64 " and %" PRIu64 ": %s.", row.n,
                             row.first, row.last, reason->sentence);
        }
}

uint64_t loss_log_total(const LossLog *l, LossReason reason) {
        return l->rows[reason].total;
}

static const LossReasonRow loss_reason_table[_LOSS_REASON_MAX] = {
        [LOSS_RING] = { "ring", "the ring buffer was full (see RingSize= in scopetraced.conf)", LOG_WARNING },
        [LOSS_RATE_LIMIT] = { "rate-limit", "over the rateLimit of their policies", LOG_NOTICE },
        [LOSS_JOURNAL] = { "journal", "journald did not take them in time", LOG_WARNING },
        [LOSS_DAMAGED] = { "damaged", "their records could not be read", LOG_ERR },
        [LOSS_CRASH] = { "crash", "the service died while it held them; some may have arrived", LOG_WARNING },
};
