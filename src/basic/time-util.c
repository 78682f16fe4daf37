/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "macro.h"
#include "time-util.h"

/* Two clocks are not read at once: between them the thread may even lose its processor. The closest of some readings counts,
 * and none needs to be closer than this. */
#define OFFSET_PRECISION_NSEC 1000U
#define OFFSET_READINGS 4U

uint64_t now_nsec(clockid_t clock) {
        struct timespec ts;

        (void) clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * NSEC_PER_SEC + (uint64_t) ts.tv_nsec;
}

uint64_t now_usec(clockid_t clock) {
        return now_nsec(clock) / NSEC_PER_USEC;
}

int64_t wall_offset_nsec(int64_t previous) {
        uint64_t apart = UINT64_MAX;
        int64_t offset = 0;

        for (unsigned i = 0; i < OFFSET_READINGS && apart > OFFSET_PRECISION_NSEC; i++) {
                uint64_t before = now_nsec(CLOCK_BOOTTIME), wall = now_nsec(CLOCK_REALTIME), after = now_nsec(CLOCK_BOOTTIME);

                if (after - before >= apart)
                        continue;
                apart = after - before;
                offset = (int64_t) (wall - before - apart / 2);
        }
        if (previous != 0 && (uint64_t) llabs(offset - previous) <= MAX(apart, OFFSET_PRECISION_NSEC))
                return previous;
        return offset;
}
