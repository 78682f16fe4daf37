/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <time.h>

/* What a clock says. */
uint64_t now_nsec(clockid_t clock);
uint64_t now_usec(clockid_t clock);

/* CLOCK_REALTIME minus CLOCK_BOOTTIME in nanoseconds: turns the time of an event into that of the wall. `previous` (0: none)
 * is returned again while it is as right as what can be asked now, so that times of later events do not go back. */
int64_t wall_offset_nsec(int64_t previous);
