/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store: what is written is there, under the name that it was given and nowhere else, with digest, holes and times;
 * limits hold, and are counted; several threads may use it. */

#include <grp.h>

#include "store-fixture.h"

#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define BLOCK 4096

TEST(store_write_and_complete) {
        ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 5);
        StoreConfig config = fixture_new();
        char text[8] = "", *policies[] = { (char *) "one", (char *) "two words", NULL };
        ArtifactInfo info;
        Artifact *a;
        Store *s;
        int fd;

        origin.source_path = "/tmp/some file";
        origin.dev = 0x800001;
        origin.inode = 77;
        origin.policies = policies;
        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "write.dev-8388609.inode-77", &a));
        ASSERT_OK(artifact_write(a, 1, "bc", 2));
        ASSERT_OK(artifact_write(a, 0, "a", 1));
        ASSERT_OK(artifact_complete(a));
        artifact_unref(a);
        ASSERT_OK(store_flush(s, FLUSH_USEC));

        info = fixture_get(s, "write.dev-8388609.inode-77");
        ASSERT_STREQ(info.path, "host/write.dev-8388609.inode-77");
        ASSERT_TRUE(info.complete);
        ASSERT_STREQ(info.sha256, SHA256_ABC);
        ASSERT_EQ(info.size_bytes, 3U);
        ASSERT_EQ(info.scopes, 5U);
        ASSERT_STREQ(info.policies[1], "two words");
        ASSERT_STREQ(info.source_path, "/tmp/some file");
        ASSERT_EQ(info.n_holes, 0U);
        fd = store_open_artifact(s, info.id);
        ASSERT_OK(fd);
        ASSERT_EQ(read(fd, text, sizeof(text)), 3);
        ASSERT_STREQ(text, "abc");
        ASSERT_ERROR(write(fd, "x", 1) < 0 ? -errno : 0, EBADF);
        close(fd);
        artifact_info_done(&info);
        ASSERT_ERROR(store_open_artifact(s, "nothing"), ENOENT);
        store_close(s);
        fixture_remove();
}

/* Times, scopes and policies add up; the first subject stays; it is told again. */
static unsigned n_told, n_told_again;
static void count_told(const ArtifactInfo *info, bool again, void *userdata) {
        n_told++;
        n_told_again += again;
}

TEST(store_begin_again) {
        ArtifactOrigin first = fixture_origin(ARTIFACT_WRITE, 1), second = fixture_origin(ARTIFACT_WRITE, 2);
        StoreConfig config = fixture_new();
        Artifact *a, *b;
        ArtifactInfo info;
        Store *s;

        n_told = n_told_again = 0;
        second.comm = "other";
        ASSERT_OK(store_open(&config, &s));
        store_set_handler(s, count_told, NULL);
        ASSERT_OK(store_artifact_begin(s, &first, NULL, "write.x", &a));
        ASSERT_OK(artifact_append(a, "ab", 2));
        ASSERT_OK(artifact_complete(a));
        artifact_unref(a);
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        ASSERT_OK(store_artifact_begin(s, &second, NULL, "write.x", &a));
        ASSERT_OK(store_artifact_begin(s, &second, NULL, "write.x", &b));
        ASSERT_TRUE(a == b);
        ASSERT_OK(artifact_append(a, "c", 1));
        ASSERT_OK(artifact_complete(b));
        artifact_unref(a);
        artifact_unref(b);
        ASSERT_OK(store_flush(s, FLUSH_USEC));

        info = fixture_get(s, "write.x");
        ASSERT_STREQ(info.sha256, SHA256_ABC);
        ASSERT_EQ(info.scopes, 3U);
        ASSERT_STREQ(info.comm, "test");
        ASSERT_EQ(info.first_usec, first.time_ns / 1000);
        ASSERT_EQ(info.last_usec, second.time_ns / 1000);
        ASSERT_EQ(n_told, 2U);
        ASSERT_EQ(n_told_again, 1U);
        artifact_info_done(&info);
        store_close(s);
        fixture_remove();
}

TEST(store_survives_close) {
        StoreConfig config = fixture_new();
        ArtifactInfo before, after;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        fixture_put(s, "exec.1.ls", "abc", 3);
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        before = fixture_get(s, "exec.1.ls");
        store_close(s);

        ASSERT_OK(store_open(&config, &s));
        after = fixture_get(s, "exec.1.ls");
        ASSERT_STREQ(after.id, before.id);
        ASSERT_STREQ(after.sha256, SHA256_ABC);
        ASSERT_TRUE(after.complete);
        ASSERT_NULL(after.note);
        ASSERT_EQ(after.first_usec, before.first_usec);
        artifact_info_done(&before);
        artifact_info_done(&after);
        store_close(s);
        fixture_remove();
}

/* --- names --- */

static unsigned n_outside;
static int count_outside(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        if (type != FTW_D && !startswith(path, fixture_dir))
                n_outside++;
        return 0;
}

TEST(store_hostile_names) {
        static char long_name[4096], longer[4096];
        static const char *const names[] = {
                "../../x", "..", ".", "", "a/b", "/etc/passwd", "new\nline", "-rf", ".hidden", ".index", "\x1b[31m", "100%",
                "%2e%2e", "caf\xc3\xa9", "\xff\xfe", long_name, longer, "*?[]", "a b", "con", "x~1",
        };
        StoreConfig config = fixture_new();
        Store *s;

        memset(long_name, 'n', 255);
        memset(longer, '/', 3000);
        ASSERT_OK(store_open(&config, &s));
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                ArtifactOrigin origin = fixture_origin(ARTIFACT_PCAP, 1);
                Artifact *a = NULL;

                origin.comm = names[i];
                ASSERT_OK(store_artifact_begin(s, &origin, NULL, names[i], &a));
                ASSERT_OK(artifact_append(a, "x", 1));
                artifact_unref(a);
                origin.container = names[i];
                ASSERT_OK(store_artifact_begin(s, &origin, NULL, "exec.1.x", &a));
                artifact_unref(a);
                ASSERT_OK(store_artifact_begin(s, &origin, "pcap/../..", names[i], &a));
                artifact_unref(a);
        }
        /* "" is "host" as a container; every other name is its own. */
        ASSERT_EQ(fixture_count(s), 3 * ELEMENTSOF(names));
        n_outside = 0;
        (void) nftw(fixture_root, count_outside, 16, FTW_PHYS);
        ASSERT_EQ(n_outside, 0U);
        store_close(s);

        /* And they are found again. */
        ASSERT_OK(store_open(&config, &s));
        ASSERT_EQ(fixture_count(s), 3 * ELEMENTSOF(names));
        store_close(s);
        fixture_remove();
}

/* Long names that differ at their end only, and containers that are named as folders of ours. */
TEST(store_names_are_distinct) {
        ArtifactOrigin origin = fixture_origin(ARTIFACT_EXEC, 1);
        StoreConfig config = fixture_new();
        char a_name[512], b_name[512];
        Artifact *a, *b;
        ArtifactInfo info;
        Store *s;

        memset(a_name, '%', sizeof(a_name) - 1);
        memset(b_name, '%', sizeof(b_name) - 1);
        a_name[sizeof(a_name) - 1] = b_name[sizeof(b_name) - 1] = '\0';
        strcpy(a_name + 500, "1.pcap");
        strcpy(b_name + 500, "2.pcap");
        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, a_name, &a));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, b_name, &b));
        ASSERT_TRUE(a != b);
        artifact_unref(a);
        artifact_unref(b);
        info = fixture_get(s, ".pcap");
        artifact_info_done(&info);

        origin.container = "host";
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "exec.1.x", &a));
        origin.container = NULL;
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "exec.1.x", &b));
        ASSERT_TRUE(a != b);
        artifact_unref(a);
        artifact_unref(b);
        store_close(s);
        fixture_remove();
}

/* A link where a folder or an artifact should be is not followed. */
TEST(store_links_are_not_followed) {
        ArtifactOrigin origin = fixture_origin(ARTIFACT_EXEC, 1);
        StoreConfig config = fixture_new();
        char path[512], victim[256];
        struct stat st;
        Artifact *a;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        (void) snprintf(victim, sizeof(victim), "%s/victim", fixture_root);
        ASSERT_OK(mkdir(victim, 0700));
        (void) snprintf(path, sizeof(path), "%s/host", fixture_dir);
        ASSERT_OK(symlink(victim, path));
        ASSERT_TRUE(store_artifact_begin(s, &origin, NULL, "exec.1.x", &a) < 0);
        (void) snprintf(path, sizeof(path), "%s/exec.1.x", victim);
        ASSERT_TRUE(stat(path, &st) < 0);

        origin.container = "box";
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "exec.1.x", &a));
        artifact_unref(a);
        (void) snprintf(path, sizeof(path), "%s/box/exec.2.x", fixture_dir);
        ASSERT_OK(symlink(strcat(victim, "/new"), path));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "exec.2.x", &a));
        ASSERT_OK(artifact_append(a, "x", 1));
        artifact_unref(a);
        ASSERT_TRUE(stat(victim, &st) < 0);
        store_close(s);
        fixture_remove();
}

TEST(store_modes) {
        StoreConfig config = fixture_new();
        bool group = geteuid() == 0 && getgrnam("scopetrace");
        char path[256];
        struct stat st;
        Store *s;

        umask(0);
        ASSERT_OK(store_open(&config, &s));
        fixture_put(s, "exec.1.x", "abc", 3);
        umask(022);
        (void) snprintf(path, sizeof(path), "%s/host/exec.1.x", fixture_dir);
        ASSERT_OK(stat(fixture_dir, &st));
        ASSERT_EQ(st.st_mode & 07777, group ? 0750U : 0700U);
        ASSERT_OK(stat(path, &st));
        ASSERT_EQ(st.st_mode & 07777, group ? 0640U : 0600U);
        store_close(s);

        /* Where everybody may write, links and names would not be ours. */
        ASSERT_OK(chmod(fixture_dir, 0777));
        ASSERT_ERROR(store_open(&config, &s), EPERM);
        fixture_remove();
}

/* --- holes --- */

TEST(store_holes) {
        StoreConfig config = fixture_new();
        ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 1);
        ArtifactInfo info;
        Artifact *a;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "write.holes", &a));
        ASSERT_OK(artifact_hole(a, 100, 50));
        ASSERT_OK(artifact_hole(a, 300, 50));
        ASSERT_OK(artifact_hole(a, 150, 10));           /* touches the first */
        ASSERT_OK(artifact_hole(a, 120, 10));           /* inside it */
        ASSERT_OK(artifact_write(a, 110, "0123456789", 10));    /* comes after all */
        ASSERT_OK(artifact_hole(a, 90, 15));            /* overlaps its beginning */
        artifact_unref(a);
        info = fixture_get(s, "write.holes");
        ASSERT_EQ(info.n_holes, 3U);
        ASSERT_EQ(info.holes[0].offset, 90U);
        ASSERT_EQ(info.holes[0].size, 20U);
        ASSERT_EQ(info.holes[1].offset, 120U);
        ASSERT_EQ(info.holes[1].size, 40U);
        ASSERT_EQ(info.holes[2].offset, 300U);
        artifact_info_done(&info);
        store_close(s);

        ASSERT_OK(store_open(&config, &s));
        info = fixture_get(s, "write.holes");
        ASSERT_TRUE(info.n_holes > 0);
        artifact_info_done(&info);
        store_close(s);
        fixture_remove();
}

/* Against a table of bytes: random holes and writes. */
TEST(store_holes_random) {
        enum { SIZE = 2000 };
        static bool missing[SIZE];
        static char data[SIZE];
        StoreConfig config = fixture_new();
        ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 1);
        ArtifactInfo info;
        Artifact *a;
        Store *s;

        srand(4711);
        memset(missing, 0, sizeof(missing));
        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "write.random", &a));
        for (unsigned i = 0; i < 2000; i++) {
                unsigned offset = (unsigned) rand() % (SIZE - 60), size = 1 + (unsigned) rand() % 60;
                bool hole = rand() % 2;

                if (hole)
                        ASSERT_OK(artifact_hole(a, offset, size));
                else
                        ASSERT_OK(artifact_write(a, offset, data, size));
                memset(missing + offset, hole, size);
        }
        artifact_unref(a);
        info = fixture_get(s, "write.random");
        for (size_t i = 0, at = 0; i <= info.n_holes; i++) {
                size_t begin = i < info.n_holes ? info.holes[i].offset : SIZE;

                for (; at < begin; at++)
                        ASSERT_FALSE(missing[at]);
                for (; i < info.n_holes && at < begin + info.holes[i].size; at++)
                        ASSERT_TRUE(missing[at]);
        }
        artifact_info_done(&info);
        store_close(s);
        fixture_remove();
}

/* --- limits --- */

TEST(store_evicts_the_oldest) {
        StoreConfig config = fixture_new();
        static char data[2 * BLOCK];
        StoreCounters c;
        Store *s;

        config.max_bytes = 10 * BLOCK;
        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < 20; i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "write.%u", i);
                fixture_put(s, name, data, sizeof(data));
                ASSERT_OK(store_flush(s, FLUSH_USEC));
        }
        c = fixture_counters(s);
        ASSERT_LE(c.bytes, config.max_bytes);
        ASSERT_EQ(c.n_artifacts + c.n_evicted, 20U);
        ASSERT_GE(c.n_artifacts, 4U);
        ASSERT_EQ(c.n_dropped, 0U);
        ASSERT_FALSE(fixture_exists(s, "write.0"));
        ASSERT_TRUE(fixture_exists(s, "write.19"));
        store_close(s);
        fixture_remove();
}

TEST(store_stops_when_full) {
        StoreConfig config = fixture_new();
        ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 1);
        static char data[8 * BLOCK];
        ArtifactInfo info;
        StoreUsage usage;
        StoreCounters c;
        Artifact *a;
        Store *s;

        config.max_bytes = 10 * BLOCK;
        config.full = STORE_FULL_STOP;
        ASSERT_OK(store_open(&config, &s));
        fixture_put(s, "write.first", data, sizeof(data));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "write.second", &a));
        ASSERT_ERROR(artifact_write(a, 5, data, sizeof(data)), ENOSPC);
        artifact_unref(a);
        c = fixture_counters(s);
        ASSERT_EQ(c.n_evicted, 0U);
        ASSERT_EQ(c.dropped_bytes, sizeof(data));
        ASSERT_TRUE(c.full);
        store_usage(s, ARTIFACT_WRITE, 1, &usage);
        ASSERT_EQ(usage.n_artifacts, 2U);
        ASSERT_EQ(usage.n_dropped, 1U);
        info = fixture_get(s, "write.second");
        ASSERT_EQ(info.n_holes, 1U);
        ASSERT_EQ(info.holes[0].offset, 5U);
        ASSERT_EQ(info.holes[0].size, sizeof(data));
        artifact_info_done(&info);

        /* More room: goes on. */
        config.max_bytes = 100 * BLOCK;
        ASSERT_OK(store_configure(s, &config));
        fixture_put(s, "write.third", data, sizeof(data));
        ASSERT_FALSE(fixture_counters(s).full);
        store_close(s);
        fixture_remove();
}

TEST(store_limit_of_one_artifact) {
        StoreConfig config = fixture_new();
        ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 1);
        static char data[3 * BLOCK];
        ArtifactInfo info;
        Artifact *a;
        Store *s;

        config.max_artifact_bytes = 2 * BLOCK;
        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "write.large", &a));
        ASSERT_ERROR(artifact_write(a, 0, data, sizeof(data)), EFBIG);
        /* A byte far out would make a file of exabytes. */
        ASSERT_ERROR(artifact_write(a, UINT64_C(1) << 60, "x", 1), EFBIG);
        ASSERT_ERROR(artifact_write(a, UINT64_MAX - 1, "x", 1), EFBIG);
        ASSERT_OK(artifact_write(a, 0, "y", 1));        /* rewriting what is there is no growth */
        artifact_unref(a);
        info = fixture_get(s, "write.large");
        ASSERT_EQ(info.size_bytes, 2U * BLOCK);
        ASSERT_EQ(info.holes[0].offset, 2U * BLOCK);
        ASSERT_EQ(info.holes[0].size, 1U * BLOCK);
        artifact_info_done(&info);
        store_close(s);
        fixture_remove();
}

TEST(store_number_of_artifacts) {
        StoreConfig config = fixture_new();
        Store *s;

        config.max_artifacts = 5;
        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < 12; i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "write.%u", i);
                fixture_put(s, name, "x", 1);
                ASSERT_OK(store_flush(s, FLUSH_USEC));
        }
        ASSERT_EQ(fixture_count(s), 5U);
        ASSERT_EQ(fixture_counters(s).n_evicted, 7U);
        store_close(s);
        fixture_remove();
}

TEST(store_age) {
        StoreConfig config = fixture_new();
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        fixture_put(s, "write.old", "x", 1);            /* of 2023, as the fixture's clock is */
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        config.max_age_usec = UINT64_C(3600) * USEC_PER_SEC;
        ASSERT_OK(store_configure(s, &config));
        for (unsigned i = 0; i < 600 && fixture_count(s) > 0; i++)
                usleep(100000);
        ASSERT_EQ(fixture_count(s), 0U);
        store_close(s);
        fixture_remove();
}

/* Far more than descriptors that the store keeps open. */
TEST(store_many_at_once) {
        enum { N = 600 };
        StoreConfig config = fixture_new();
        static Artifact *held[N];
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < N; i++) {
                ArtifactOrigin origin = fixture_origin(ARTIFACT_PCAP, 1);
                char name[32];

                (void) snprintf(name, sizeof(name), "%u.pcap", i);
                ASSERT_OK(store_artifact_begin(s, &origin, "pcap/commands/host", name, &held[i]));
        }
        for (unsigned round = 0; round < 3; round++)
                for (unsigned i = 0; i < N; i++)
                        ASSERT_OK(artifact_append(held[i], "12345678", 8));
        for (unsigned i = 0; i < N; i++) {
                ASSERT_EQ(artifact_size(held[i]), 24U);
                artifact_unref(held[i]);
        }
        store_close(s);
        fixture_remove();
}

/* --- removal --- */

TEST(store_remove_and_vacuum) {
        ArtifactFilter filter = ARTIFACT_FILTER_ALL;
        StoreConfig config = fixture_new();
        ArtifactOrigin origin = fixture_origin(ARTIFACT_EXEC, 1 << 6);
        static char data[BLOCK];
        uint64_t n, bytes;
        Artifact *held;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < 10; i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "write.%u", i);
                fixture_put(s, name, data, sizeof(data));
        }
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "exec.1.x", &held));
        ASSERT_OK(artifact_append(held, data, sizeof(data)));
        ASSERT_OK(store_flush(s, FLUSH_USEC));

        filter.scope = 7;
        ASSERT_OK(store_remove(s, &filter, NULL, NULL, &n, &bytes));
        ASSERT_EQ(n, 1U);
        ASSERT_EQ(bytes, 1U * BLOCK);
        ASSERT_ERROR(artifact_append(held, "x", 1), ESTALE);
        ASSERT_OK(artifact_complete(held));
        artifact_unref(held);
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "exec.1.x", &held));       /* a new one */
        ASSERT_EQ(artifact_size(held), 0U);
        artifact_unref(held);

        ASSERT_OK(store_vacuum(s, 3 * BLOCK, UINT64_MAX, NULL, NULL, &n, &bytes));
        ASSERT_EQ(n, 8U);       /* the empty one is the oldest */
        ASSERT_LE(fixture_counters(s).bytes, 3U * BLOCK);
        ASSERT_TRUE(fixture_exists(s, "write.9"));
        ASSERT_OK(store_vacuum(s, UINT64_MAX, 1, NULL, NULL, &n, &bytes));
        ASSERT_EQ(fixture_count(s), 0U);
        store_close(s);
        fixture_remove();
}

TEST(store_filters) {
        StoreConfig config = fixture_new();
        ArtifactOrigin origin = fixture_origin(ARTIFACT_EXEC, UINT64_C(1) << 63);
        char *policies[] = { (char *) "p", NULL };
        const struct {
                ArtifactFilter filter;
                size_t n;
        } rows[] = {
                { ARTIFACT_FILTER_ALL, 2 },
                { { .kind = ARTIFACT_EXEC }, 1 },
                { { .kind = -1, .scope = 64 }, 1 },
                { { .kind = -1, .scope = 2 }, 0 },
                { { .kind = -1, .container = "host" }, 1 },
                { { .kind = -1, .container = "0123" }, 1 },
                { { .kind = -1, .container = "1123" }, 0 },
                { { .kind = -1, .source_path = "/usr/*" }, 1 },
                { { .kind = -1, .source_path = "*n/l*" }, 1 },
                { { .kind = -1, .source_path = "/usr/bin/l" }, 0 },
                { { .kind = -1, .comm = "*" }, 2 },
                { { .kind = -1, .comm = "l?" }, 0 },
                { { .kind = -1, .policy = "p" }, 1 },
                { { .kind = -1, .host_pid = 42 }, 1 },
                { { .kind = -1, .sha256 = SHA256_ABC }, 1 },
                { { .kind = -1, .path = "0123456789ab/exec.1.ls" }, 1 },
                { { .kind = -1, .since_usec = UINT64_MAX }, 0 },
                { { .kind = -1, .until_usec = 1 }, 0 },
        };
        Artifact *a;
        Store *s;

        origin.container = "0123456789ab";
        origin.source_path = "/usr/bin/ls";
        origin.comm = "ls";
        origin.host_pid = 42;
        origin.policies = policies;
        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(store_artifact_begin(s, &origin, NULL, "exec.1.ls", &a));
        artifact_unref(a);
        fixture_put(s, "write.x", "abc", 3);
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ArtifactInfo *list = NULL;
                size_t n = 0;

                ASSERT_OK(store_list(s, &rows[i].filter, &list, &n));
                for (size_t j = 0; j < n; j++)
                        artifact_info_done(&list[j]);
                free(list);
                if (n != rows[i].n)
                        TEST_FAIL("row %zu: %zu artifacts, not %zu", i, n, rows[i].n);
        }
        store_close(s);
        fixture_remove();
}

/* Two loads of one content under names of their own become one artifact of both scopes. */
TEST(store_rename_to_content) {
        ArtifactOrigin one = fixture_origin(ARTIFACT_MODULE, 1), two = fixture_origin(ARTIFACT_MODULE, 2);
        StoreConfig config = fixture_new();
        char sha256[65], name[128];
        ArtifactInfo info;
        Artifact *a, *b;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(store_artifact_begin(s, &one, NULL, "module.1", &a));
        ASSERT_OK(store_artifact_begin(s, &two, NULL, "module.2", &b));
        ASSERT_OK(artifact_append(a, "abc", 3));
        ASSERT_OK(artifact_append(b, "abc", 3));
        ASSERT_OK(artifact_sha256(a, sha256));
        ASSERT_STREQ(sha256, SHA256_ABC);
        (void) snprintf(name, sizeof(name), "module.%s", sha256);
        ASSERT_OK(artifact_rename(a, name));
        ASSERT_OK(artifact_complete(a));
        ASSERT_ERROR(artifact_rename(b, name), EEXIST);
        artifact_unref(a);
        artifact_unref(b);
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        ASSERT_EQ(fixture_count(s), 1U);
        info = fixture_get(s, name);
        ASSERT_EQ(info.scopes, 3U);
        ASSERT_TRUE(info.complete);
        artifact_info_done(&info);
        store_close(s);
        fixture_remove();
}

TEST(store_clear) {
        StoreConfig config = fixture_new();
        char path[128];
        Store *s;
        FILE *f;

        ASSERT_OK(store_open(&config, &s));
        fixture_put(s, "write.x", "abc", 3);
        store_close(s);
        (void) snprintf(path, sizeof(path), "%s/notes.txt", fixture_dir);
        f = fopen(path, "we");
        ASSERT_NOT_NULL(f);
        fclose(f);
        config.clear = true;
        ASSERT_OK(store_open(&config, &s));
        ASSERT_EQ(fixture_count(s), 0U);
        ASSERT_OK(access(path, F_OK));          /* somebody else's */
        store_close(s);
        fixture_remove();
}

/* --- threads --- */

typedef struct Writer {
        Store *s;
        unsigned number;
        int result;
} Writer;

static void *writer_main(void *userdata) {
        Writer *w = userdata;

        for (unsigned i = 0; i < 60 && w->result >= 0; i++) {
                ArtifactOrigin origin = { .kind = ARTIFACT_WRITE, .scopes = 1, .time_ns = 1000000 * (i + 1), .comm = "w" };
                Artifact *a = NULL;
                char name[32];

                (void) snprintf(name, sizeof(name), "write.%u", i % 20);
                w->result = store_artifact_begin(w->s, &origin, NULL, name, &a);
                if (w->result < 0)
                        break;
                for (unsigned j = 0; j < 10 && w->result >= 0; j++)
                        w->result = artifact_write(a, w->number * 100 + j * 10, "0123456789", 10);
                if (w->result == -ESTALE)       /* the remover was faster */
                        w->result = 0;
                (void) artifact_complete(a);
                artifact_unref(a);
        }
        return NULL;
}

TEST(store_threads) {
        ArtifactFilter half = { .kind = -1, .path = "host/write.7" };
        StoreConfig config = fixture_new();
        Writer writers[4] = {};
        pthread_t threads[4];
        uint64_t n, bytes;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < ELEMENTSOF(writers); i++) {
                writers[i] = (Writer) { .s = s, .number = i };
                ASSERT_EQ(pthread_create(&threads[i], NULL, writer_main, &writers[i]), 0);
        }
        for (unsigned i = 0; i < 100; i++) {
                (void) fixture_count(s);
                ASSERT_OK(store_remove(s, &half, NULL, NULL, &n, &bytes));
        }
        for (unsigned i = 0; i < ELEMENTSOF(writers); i++) {
                (void) pthread_join(threads[i], NULL);
                ASSERT_OK(writers[i].result);
        }
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        ASSERT_GE(fixture_count(s), 19U);
        store_close(s);
        fixture_remove();
}

TEST(store_one_writer_of_a_directory) {
        StoreConfig config = fixture_new();
        ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 1);
        Artifact *a;
        Store *s, *other;

        ASSERT_OK(store_open(&config, &s));
        fixture_put(s, "write.x", "abc", 3);
        ASSERT_OK(store_open(&config, &other));
        ASSERT_EQ(fixture_counters(other).last_errno, EBUSY);
        ASSERT_ERROR(store_artifact_begin(other, &origin, NULL, "write.y", &a), EBUSY);
        store_close(s);
        for (unsigned i = 0; i < 600; i++) {    /* takes over when the other is gone */
                if (store_artifact_begin(other, &origin, NULL, "write.y", &a) >= 0)
                        break;
                usleep(100000);
        }
        artifact_unref(a);
        ASSERT_TRUE(fixture_exists(other, "write.x"));
        ASSERT_TRUE(fixture_exists(other, "write.y"));
        store_close(other);
        fixture_remove();
}

TEST_MAIN()
