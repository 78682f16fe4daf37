/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store: what is written is there, under the name that it was given and nowhere else, with digest, holes and times. */

#include "store-fixture.h"

#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

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

TEST_MAIN()
