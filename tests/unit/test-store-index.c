/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The index after a crash: whatever is cut off or damaged, every artifact that is on the disk is known, nothing that is not
 * is claimed, and what a crash cut short says so. */

#include <signal.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "store-fixture.h"

#define N 6

static char *read_index(size_t *ret_size) {
        char path[128], *text = NULL;

        (void) snprintf(path, sizeof(path), "%s/.index", fixture_dir);
        ASSERT_OK(read_full_file(path, 1 << 20, &text, ret_size));
        return text;
}

static void write_index(const char *text, size_t size) {
        char path[128];
        int fd;

        (void) snprintf(path, sizeof(path), "%s/.index", fixture_dir);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ASSERT_OK(fd);
        ASSERT_OK(write_full(fd, text, size));
        close(fd);
}

/* A closed store with N complete artifacts, one with a hole. */
static StoreConfig prepare(void) {
        StoreConfig config = fixture_new();
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < N; i++) {
                ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 1);
                char name[32];
                Artifact *a;

                (void) snprintf(name, sizeof(name), "write.%u", i);
                ASSERT_OK(store_artifact_begin(s, &origin, NULL, name, &a));
                ASSERT_OK(artifact_append(a, "abc", 3));
                if (i == 2)
                        ASSERT_OK(artifact_hole(a, 1000, 24));
                ASSERT_OK(artifact_complete(a));
                artifact_unref(a);
        }
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        store_close(s);
        return config;
}

/* Every file is known, by its line or, without it, as found. */
static void check_all_known(const StoreConfig *config) {
        Store *s;

        ASSERT_OK(store_open(config, &s));
        ASSERT_EQ(fixture_count(s), (size_t) N);
        for (unsigned i = 0; i < N; i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "write.%u", i);
                ASSERT_TRUE(fixture_exists(s, name));
        }
        fixture_put(s, "write.new", "abc", 3);
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        store_close(s);

        /* What was mended stays mended. */
        ASSERT_OK(store_open(config, &s));
        ASSERT_EQ(fixture_count(s), (size_t) N + 1);
        store_close(s);
}

static void remove_new(void) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/host/write.new", fixture_dir);
        (void) unlink(path);
}

TEST(index_torn_at_every_byte_of_its_tail) {
        StoreConfig config = prepare();
        size_t size = 0, tail;
        char *text = read_index(&size);

        /* The last two lines, byte by byte; further up, in steps. */
        for (tail = size; tail > 1; tail -= size - tail < 500 ? 1 : MIN(tail - 1, (size_t) 97)) {
                write_index(text, tail - 1);
                check_all_known(&config);
                remove_new();
        }
        free(text);
        fixture_remove();
}

TEST(index_damaged_anywhere) {
        StoreConfig config = prepare();
        size_t size = 0;
        char *text = read_index(&size);

        for (size_t at = 0; at < size; at += 31) {
                char kept = text[at];

                text[at] = (char) (kept ^ 0x21);
                write_index(text, size);
                text[at] = kept;
                check_all_known(&config);
                remove_new();
        }
        free(text);
        fixture_remove();
}

TEST(index_gone) {
        StoreConfig config = prepare();
        ArtifactInfo info;
        char path[128];
        Store *s;

        (void) snprintf(path, sizeof(path), "%s/.index", fixture_dir);
        ASSERT_OK(unlink(path));
        ASSERT_OK(store_open(&config, &s));
        info = fixture_get(s, "write.3");
        ASSERT_CONTAINS(info.note, "found");
        ASSERT_EQ(info.size_bytes, 3U);
        artifact_info_done(&info);
        store_close(s);
        fixture_remove();
}

/* Lines that name other places than ours are no artifacts, even with a right checksum. */
TEST(index_files_that_are_gone_or_changed) {
        StoreConfig config = prepare();
        ArtifactInfo info;
        char path[128];
        Store *s;

        (void) snprintf(path, sizeof(path), "%s/host/write.1", fixture_dir);
        ASSERT_OK(unlink(path));
        (void) snprintf(path, sizeof(path), "%s/host/write.4", fixture_dir);
        ASSERT_OK(truncate(path, 2));
        ASSERT_OK(store_open(&config, &s));
        ASSERT_EQ(fixture_count(s), (size_t) N - 1);
        ASSERT_FALSE(fixture_exists(s, "write.1"));
        info = fixture_get(s, "write.4");
        ASSERT_FALSE(info.complete);
        ASSERT_CONTAINS(info.note, "not what was captured");
        artifact_info_done(&info);
        info = fixture_get(s, "write.2");
        ASSERT_EQ(info.n_holes, 1U);
        ASSERT_EQ(info.holes[0].offset, 1000U);
        ASSERT_EQ(info.holes[0].size, 24U);
        artifact_info_done(&info);
        store_close(s);
        fixture_remove();
}

static unsigned n_told;
static char told_note[128];
static void on_told(const ArtifactInfo *info, bool again, void *userdata) {
        n_told++;
        (void) snprintf(told_note, sizeof(told_note), "%s", strempty(info->note));
}

/* Killed in the middle of everything: what was begun is there with what was written, its hole is known, it says that it was
 * cut off, and the next start tells of it. */
TEST(index_after_kill) {
        StoreConfig config = fixture_new();
        ArtifactInfo info;
        int status, fds[2];
        char byte;
        pid_t pid;
        Store *s;

        ASSERT_OK(pipe(fds));
        pid = fork();
        ASSERT_OK(pid);
        if (pid == 0) {
                ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 3);
                Artifact *a;

                if (store_open(&config, &s) < 0 || store_artifact_begin(s, &origin, NULL, "write.open", &a) < 0 ||
                    artifact_write(a, 0, "abcdef", 6) < 0 || artifact_hole(a, 2, 2) < 0)
                        _exit(EXIT_FAILURE);
                if (write(fds[1], "x", 1) == 1)
                        pause();
                _exit(EXIT_FAILURE);
        }
        ASSERT_EQ(read(fds[0], &byte, 1), 1);
        ASSERT_OK(kill(pid, SIGKILL));
        ASSERT_OK(waitpid(pid, &status, 0));

        n_told = 0;
        ASSERT_OK(store_open(&config, &s));
        info = fixture_get(s, "write.open");
        ASSERT_FALSE(info.complete);
        ASSERT_EQ(info.size_bytes, 6U);
        ASSERT_EQ(info.scopes, 3U);
        ASSERT_EQ(info.n_holes, 1U);
        ASSERT_EQ(info.holes[0].offset, 2U);
        artifact_info_done(&info);
        store_set_handler(s, on_told, NULL);
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        ASSERT_EQ(n_told, 1U);
        ASSERT_CONTAINS(told_note, "ended before it was complete");
        store_close(s);
        fixture_remove();
}

/* The index does not grow with every operation for ever. */
TEST(index_is_compacted) {
        StoreConfig config = fixture_new();
        size_t size = 0;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < 20000; i++) {
                ArtifactOrigin origin = { .kind = ARTIFACT_WRITE, .scopes = 1, .time_ns = 1000000 + i };
                Artifact *a;

                ASSERT_OK(store_artifact_begin(s, &origin, NULL, i % 2 ? "write.a" : "write.b", &a));
                ASSERT_OK(artifact_hole(a, 10 * (uint64_t) i, 5));
                ASSERT_OK(artifact_write(a, 10 * (uint64_t) i, "12345", 5));
                artifact_unref(a);
        }
        store_close(s);
        free(read_index(&size));
        ASSERT_LE(size, 1000000U);
        ASSERT_OK(store_open(&config, &s));
        ASSERT_EQ(fixture_count(s), 2U);
        store_close(s);
        fixture_remove();
}

TEST_MAIN()
