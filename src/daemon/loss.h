/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was lost, until it is reported: at most one record a second for each reason, with the exact number. */

#include <stdint.h>
#include <systemd/sd-event.h>

typedef enum LossReason {
        LOSS_RING,
        LOSS_RATE_LIMIT,
        LOSS_JOURNAL,
        LOSS_DAMAGED,
        LOSS_CRASH,
        _LOSS_REASON_MAX,
} LossReason;

typedef struct LossLog LossLog;

/* `before_report`: adds what is known by then; may be NULL. */
int loss_log_new(sd_event *event, void (*before_report)(void *userdata), void *userdata, LossLog **ret);
LossLog *loss_log_free(LossLog *l);
static inline void loss_log_freep(LossLog **l) {
        loss_log_free(*l);
}

/* n events with numbers from `first` to `last`. scopes 0: not known. */
void loss_log_add(LossLog *l, LossReason reason, uint64_t n, uint64_t scopes, uint64_t first, uint64_t last);
/* Scopes that became known later. */
void loss_log_add_scopes(LossLog *l, LossReason reason, uint64_t scopes);
/* Something may have been lost: look a second from now. */
void loss_log_arm(LossLog *l);
/* Reports what is not reported yet, now. */
void loss_log_report(LossLog *l);
uint64_t loss_log_total(const LossLog *l, LossReason reason);
