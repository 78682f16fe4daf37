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

TEST(captures) {
        Config c = CONFIG_DEFAULT;

        ASSERT_TRUE(c.capture_max_use == STORE_AUTO);
        ASSERT_EQ(parse(&c, "[Scopetrace]\nCaptureDirectory=/srv/captures\nCaptureMaxUse=2G\nCaptureMaxArtifactSize=infinity\n"
                            "CaptureMaxArtifacts=100\nCaptureMaxAge=4w\nCaptureKeepFree=0\nCaptureWhenFull=stop\n"
                            "CaptureClear=yes\n"), 0);
        ASSERT_STREQ(c.capture_directory, "/srv/captures");
        ASSERT_EQ_U64(c.capture_max_use, UINT64_C(2) << 30);
        ASSERT_EQ_U64(c.capture_max_artifact, 0);
        ASSERT_EQ_U64(c.capture_max_artifacts, 100);
        ASSERT_EQ_U64(c.capture_max_age_usec, UINT64_C(28) * 24 * 3600 * USEC_PER_SEC);
        ASSERT_EQ_U64(c.capture_keep_free, 0);
        ASSERT_EQ(c.capture_when_full, STORE_FULL_STOP);
        ASSERT_TRUE(c.capture_clear);

        ASSERT_EQ(parse(&c, "[Scopetrace]\nCaptureDirectory=\nCaptureMaxUse=\nCaptureWhenFull=\nCaptureClear=\n"), 0);
        ASSERT_TRUE(!c.capture_directory);
        ASSERT_TRUE(c.capture_max_use == STORE_AUTO);
        ASSERT_EQ(c.capture_when_full, STORE_FULL_EVICT);
        ASSERT_FALSE(c.capture_clear);

        /* Directories that clearing and evicting must never happen in, and what says nothing. */
        ASSERT_EQ(parse(&c, "[Scopetrace]\nCaptureDirectory=/\nCaptureDirectory=/etc\nCaptureDirectory=captures\n"
                            "CaptureDirectory=/srv/../etc\nCaptureMaxUse=1\nCaptureWhenFull=perhaps\nCaptureMaxAge=old\n"
                            "CaptureMaxArtifacts=0\n"), 8);
        ASSERT_TRUE(!c.capture_directory);
        config_done(&c);
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
