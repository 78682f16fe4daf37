/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../src/basic/macro.h"
#include "../../src/basic/time-util.h"
#include "test.h"

TEST(units) {
        uint64_t before = now_nsec(CLOCK_MONOTONIC) / NSEC_PER_USEC, now = now_usec(CLOCK_MONOTONIC),
                 after = now_nsec(CLOCK_MONOTONIC) / NSEC_PER_USEC;

        ASSERT_TRUE(before <= now && now <= after);
}

/* What the offset makes of a moment lies between two looks at the wall clock around it. */
TEST(wall_offset) {
        int64_t offset = wall_offset_nsec(0);
        uint64_t before = now_nsec(CLOCK_REALTIME), boot = now_nsec(CLOCK_BOOTTIME), after = now_nsec(CLOCK_REALTIME);

        ASSERT_TRUE(boot + (uint64_t) offset + NSEC_PER_MSEC >= before);
        ASSERT_TRUE(boot + (uint64_t) offset <= after + NSEC_PER_MSEC);
}

TEST(wall_offset_of_another_time) {
        int64_t offset = wall_offset_nsec(0), later = wall_offset_nsec(offset + (int64_t) NSEC_PER_SEC);

        /* A previous one that is wrong is not kept, */
        ASSERT_TRUE(later < offset + (int64_t) NSEC_PER_SEC / 2);
        /* and one that is as right as can be asked is. */
        ASSERT_EQ(wall_offset_nsec(later + 1), later + 1);
}

TEST_MAIN()
