/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kinds of captures, a row each. A kind that is not here is captured by nobody. */

#include "capture.h"
#include "capture-pcap.h"
#include "capture-image.h"
#include "capture-write.h"

static const CaptureHandler *const handlers[_CAPTURE_KIND_MAX];

const CaptureHandler *capture_handler(CaptureKind kind) {
        return handlers[kind];
}

static const CaptureHandler *const handlers[_CAPTURE_KIND_MAX] = {
        [CAPTURE_WRITE] = &capture_write_handler,
        [CAPTURE_READ] = &capture_read_handler,
        [CAPTURE_EXEC] = &capture_exec_handler,
        [CAPTURE_MEM] = &capture_mem_handler,
        [CAPTURE_MODULE] = &capture_module_handler,
        [CAPTURE_NETWORK] = &capture_pcap_handler,
};
