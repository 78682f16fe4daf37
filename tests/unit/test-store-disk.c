/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk that fails: full, read-only, gone. The store says so, counts what it cannot keep, and goes on by itself when it
 * works again. Needs to mount a small file system in a mount namespace of its own. */

#include <sched.h>
#include <sys/mount.h>

#include "store-fixture.h"

#define BLOCK 4096

static unsigned n_trouble;
static void on_trouble(void *userdata) {
        n_trouble++;
}

/* 256K of tmpfs; the mount ends with the process. */
static StoreConfig fixture_mounted(void) {
        static bool unshared;
        StoreConfig config = fixture_new();

        if (!unshared && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
                test_skip("mount namespaces are not allowed here: %s", strerror(errno));
        unshared = true;
        if (mount("tmpfs", fixture_root, "tmpfs", 0, "size=256k") < 0)
                test_skip("mounting a tmpfs is not allowed here: %s", strerror(errno));
        return config;
}

static void fixture_unmount(void) {
        (void) umount2(fixture_root, MNT_DETACH);
        (void) rmdir(fixture_root);
}

static int put(Store *s, const char *name, const void *data, size_t size) {
        ArtifactOrigin origin = fixture_origin(ARTIFACT_WRITE, 1);
        Artifact *a = NULL;
        int r;

        r = store_artifact_begin(s, &origin, NULL, name, &a);
        if (r >= 0)
                r = artifact_write(a, 0, data, size);
        if (a)
                (void) artifact_complete(a);
        artifact_unref(a);
        return r;
}

static void put_until_it_works(Store *s, const char *name) {
        for (unsigned i = 0; i < 600; i++) {
                if (put(s, name, "abc", 3) >= 0)
                        return;
                usleep(100000);
        }
        TEST_FAIL("the store does not come back");
}

/* Somebody else fills the disk: nothing of ours is left to evict. */
TEST(disk_full) {
        StoreConfig config = fixture_mounted();
        static char data[64 * BLOCK];
        char path[128];
        StoreCounters c;
        ArtifactInfo info;
        Store *s;
        int fd;

        n_trouble = 0;
        config.full = STORE_FULL_STOP;
        ASSERT_OK(store_open(&config, &s));
        store_set_trouble_handler(s, on_trouble, NULL);
        ASSERT_OK(put(s, "write.before", "abc", 3));
        (void) snprintf(path, sizeof(path), "%s/filler", fixture_root);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_OK(fd);
        while (write(fd, data, BLOCK) == BLOCK)
                ;
        close(fd);

        ASSERT_TRUE(put(s, "write.during", data, sizeof(data)) < 0);
        ASSERT_TRUE(put(s, "write.during2", data, sizeof(data)) < 0);
        c = fixture_counters(s);
        ASSERT_EQ(c.last_errno, ENOSPC);
        ASSERT_GT(c.n_dropped, 0U);
        ASSERT_EQ(n_trouble, 1U);       /* once, until somebody looked */
        store_ack_trouble(s, &c);
        ASSERT_EQ(c.lost_scopes, 1U);
        store_ack_trouble(s, &c);
        ASSERT_EQ(c.lost_scopes, 0U);
        ASSERT_TRUE(fixture_exists(s, "write.before"));

        ASSERT_OK(unlink(path));
        put_until_it_works(s, "write.after");
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        ASSERT_EQ(fixture_counters(s).last_errno, 0);
        store_close(s);

        ASSERT_OK(store_open(&config, &s));
        ASSERT_TRUE(fixture_exists(s, "write.before"));
        ASSERT_TRUE(fixture_exists(s, "write.after"));
        if (fixture_find(s, "write.during", &info)) {           /* begun, and then there was no room */
                ASSERT_GT(info.n_holes, 0U);
                artifact_info_done(&info);
        }
        store_close(s);
        fixture_unmount();
}

/* Ours fill it: the oldest make room, without an error. */
TEST(disk_full_evicts) {
        StoreConfig config = fixture_mounted();
        static char data[10 * BLOCK];
        StoreCounters c;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < 20; i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "write.%u", i);
                ASSERT_OK(put(s, name, data, sizeof(data)));
                ASSERT_OK(store_flush(s, FLUSH_USEC));
        }
        c = fixture_counters(s);
        ASSERT_GT(c.n_evicted, 0U);
        ASSERT_EQ(c.dropped_bytes, 0U);
        ASSERT_TRUE(fixture_exists(s, "write.19"));
        store_close(s);
        fixture_unmount();
}

TEST(disk_keep_free) {
        StoreConfig config = fixture_mounted();
        static char data[10 * BLOCK];
        StoreCounters c;
        Store *s;

        config.keep_free_bytes = 30 * BLOCK;
        ASSERT_OK(store_open(&config, &s));
        for (unsigned i = 0; i < 20; i++) {
                char name[32];

                (void) snprintf(name, sizeof(name), "write.%u", i);
                ASSERT_OK(put(s, name, data, sizeof(data)));
                ASSERT_OK(store_flush(s, FLUSH_USEC));
        }
        c = fixture_counters(s);
        ASSERT_GT(c.n_evicted, 10U);
        ASSERT_LE(c.bytes, (64U - 30U) * BLOCK);
        store_close(s);
        fixture_unmount();
}

TEST(disk_read_only) {
        StoreConfig config = fixture_mounted();
        ArtifactFilter all = ARTIFACT_FILTER_ALL;
        uint64_t n, bytes;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(put(s, "write.before", "abc", 3));
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        store_close(s);
        ASSERT_OK(mount(NULL, fixture_root, NULL, MS_REMOUNT | MS_RDONLY | MS_BIND, NULL));
        ASSERT_OK(store_open(&config, &s));
        ASSERT_ERROR(put(s, "write.during", "abc", 3), EROFS);
        ASSERT_EQ(fixture_counters(s).last_errno, EROFS);
        ASSERT_ERROR(store_remove(s, &all, NULL, NULL, &n, &bytes), EROFS);
        ASSERT_EQ(n, 0U);
        ASSERT_TRUE(fixture_exists(s, "write.before"));
        ASSERT_OK(mount(NULL, fixture_root, NULL, MS_REMOUNT | MS_BIND, NULL));
        put_until_it_works(s, "write.after");
        ASSERT_EQ(fixture_counters(s).last_errno, 0);
        store_close(s);
        ASSERT_OK(store_open(&config, &s));
        ASSERT_EQ(fixture_count(s), 2U);
        store_close(s);
        fixture_unmount();
}

/* rm -rf below a running store, with an artifact that is being written. */
TEST(disk_directory_removed) {
        StoreConfig config = fixture_new();
        ArtifactOrigin origin = fixture_origin(ARTIFACT_PCAP, 1);
        Artifact *held;
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        ASSERT_OK(put(s, "write.before", "abc", 3));
        ASSERT_OK(store_artifact_begin(s, &origin, "pcap", "single.pcap", &held));
        ASSERT_OK(artifact_append(held, "abc", 3));
        ASSERT_OK(store_flush(s, FLUSH_USEC));
        (void) nftw(fixture_dir, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);

        ASSERT_ERROR(artifact_append(held, "def", 3), ESTALE);
        ASSERT_EQ(fixture_counters(s).last_errno, ENOENT);
        artifact_unref(held);
        ASSERT_OK(store_artifact_begin(s, &origin, "pcap", "single.pcap", &held));
        ASSERT_OK(artifact_append(held, "def", 3));
        artifact_unref(held);
        ASSERT_EQ(fixture_counters(s).last_errno, 0);
        ASSERT_EQ(fixture_count(s), 1U);
        store_close(s);

        ASSERT_OK(store_open(&config, &s));
        ASSERT_EQ(fixture_count(s), 1U);
        store_close(s);
        fixture_remove();
}

/* It cannot even be made at first. */
TEST(disk_directory_cannot_be_made) {
        StoreConfig config = fixture_new();
        char path[128];
        int fd;
        Store *s;

        (void) snprintf(path, sizeof(path), "%s/captures", fixture_root);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ASSERT_OK(fd);
        close(fd);
        ASSERT_OK(store_open(&config, &s));
        ASSERT_ERROR(put(s, "write.x", "abc", 3), ENOTDIR);
        ASSERT_EQ(fixture_count(s), 0U);
        ASSERT_OK(unlink(path));
        put_until_it_works(s, "write.x");
        ASSERT_EQ(fixture_count(s), 1U);
        store_close(s);
        fixture_remove();
}

TEST_MAIN()
