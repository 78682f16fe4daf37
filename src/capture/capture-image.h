/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kinds whose data are images: of executed files, of memory, of modules. */

#include "capture.h"

extern const CaptureHandler capture_exec_handler;
extern const CaptureHandler capture_mem_handler;
extern const CaptureHandler capture_module_handler;
