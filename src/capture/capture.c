/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kinds of captures, a row each. A kind that is not here is captured by nobody. */

#include "capture.h"
#include "capture-write.h"

static const CaptureHandler *const handlers[_CAPTURE_KIND_MAX];

const CaptureHandler *capture_handler(CaptureKind kind) {
        return handlers[kind];
}

static const CaptureHandler *const handlers[_CAPTURE_KIND_MAX] = {
        [CAPTURE_WRITE] = &capture_write_handler,
        [CAPTURE_READ] = &capture_read_handler,
};
