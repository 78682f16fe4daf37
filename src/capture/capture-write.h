/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files written and read. */

#include "capture.h"

extern const CaptureHandler capture_write_handler;
extern const CaptureHandler capture_read_handler;
