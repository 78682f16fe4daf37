/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../src/basic/log.h"
#include "../../src/daemon/config.h"
#include "test.h"

static int parse(Config *c, const char *text) {
        char copy[512];

        log_set_target(LOG_TARGET_NULL);
        snprintf(copy, sizeof(copy), "%s", text);
        return config_parse(c, "test.conf", copy);
}

TEST(settings) {
        Config c = CONFIG_DEFAULT;

        ASSERT_EQ(parse(&c, "# comment\n; comment\n\n[Scopetrace]\nRingSize=16M\n Journal = no \nJournalQueueSize=1M\n"
                            "StreamBufferSize=128K\nLogLevel=debug\n"), 0);
        ASSERT_EQ_U64(c.ring_bytes, 16U << 20);
        ASSERT_FALSE(c.journal);
        ASSERT_EQ_U64(c.journal_queue_bytes, 1U << 20);
        ASSERT_EQ_U64(c.stream_buffer_bytes, 128U << 10);
        ASSERT_EQ(c.log_level, LOG_DEBUG);
}

TEST(empty_is_the_default) {
        Config c = CONFIG_DEFAULT;

        ASSERT_EQ(parse(&c, "[Scopetrace]\nRingSize=16M\nJournal=no\nLogLevel=err\nRingSize=\nJournal=\n"
                            "LogLevel=\n"), 0);
        ASSERT_EQ_U64(c.ring_bytes, 0);
        ASSERT_TRUE(c.journal);
        ASSERT_EQ(c.log_level, LOG_INFO);
}

/* What is wrong is skipped, the rest holds. */
TEST(refused) {
        Config c = CONFIG_DEFAULT;

        ASSERT_EQ(parse(&c, "[Scopetrace]\nRingSize=1\nRingSize=99T\nRingSize=big\nJournal=perhaps\nNonsense=1\nword\n"
                            "LogLevel=loud\nStreamBufferSize=1M\n"), 7);
        ASSERT_EQ_U64(c.ring_bytes, 0);
        ASSERT_TRUE(c.journal);
        ASSERT_EQ_U64(c.stream_buffer_bytes, 1U << 20);
        ASSERT_EQ(parse(&c, "RingSize=1M\n[Scopetrace]\n"), 1);
        ASSERT_EQ(parse(&c, "[Other]\nRingSize=1M\n"), 1);
        ASSERT_EQ_U64(c.ring_bytes, 0);
}

TEST_MAIN()
