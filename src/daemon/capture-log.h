/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the journal is told of artifacts: one record for each that is complete, and what could not be kept. */

#include <systemd/sd-event.h>

#include "../capture/store.h"

typedef struct CaptureLog CaptureLog;

int capture_log_new(sd_event *event, CaptureLog **ret);
CaptureLog *capture_log_free(CaptureLog *l);
/* Listens to this store; NULL: it is closed, and what it told goes out. */
void capture_log_set_store(CaptureLog *l, Store *s);
/* What is due, now. */
void capture_log_flush(CaptureLog *l);
