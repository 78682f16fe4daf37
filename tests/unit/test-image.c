/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Images of files: what the kernel side sent and what the file has make one content; a file that is not the one that was
 * meant, or changes meanwhile, is never passed off as it. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/basic/macro.h"
#include "../../src/capture/image.h"
#include "../lib/test.h"

#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char path[64];

static int make_file(const void *data, size_t size, FileIdentity *ret) {
        struct stat st;
        int fd;

        snprintf(path, sizeof(path), "/tmp/test-image.XXXXXX");
        fd = mkstemp(path);
        ASSERT_OK(fd);
        ASSERT_EQ(write(fd, data, size), (ssize_t) size);
        ASSERT_OK(fstat(fd, &st));
        *ret = (FileIdentity) {
                .inode = st.st_ino,
                .ctime_ns = (uint64_t) st.st_ctim.tv_sec * NSEC_PER_SEC + st.st_ctim.tv_nsec,
                .size = st.st_size,
        };
        return fd;
}

TEST(identity) {
        FileIdentity identity, other;
        int fd = make_file("abc", 3, &identity), pipes[2];

        ASSERT_OK(file_identity_check(fd, &identity));
        other = identity;
        other.size++;
        ASSERT_ERROR(file_identity_check(fd, &other), ESTALE);
        other = identity;
        other.ctime_ns--;
        ASSERT_ERROR(file_identity_check(fd, &other), ESTALE);
        other = identity;
        other.inode++;
        ASSERT_ERROR(file_identity_check(fd, &other), ESTALE);
        ASSERT_OK(pipe(pipes));
        ASSERT_ERROR(file_identity_check(pipes[0], &identity), ESTALE);
        close(pipes[0]);
        close(pipes[1]);
        close(fd);
        unlink(path);
}

/* By the process's root, by another process of the same mounts when it is gone, and not at all when it is another file. */
TEST(source) {
        FileSources *sources = file_sources_new();
        FileIdentity identity;
        int fd = make_file("abc", 3, &identity), found;

        found = file_source_open(sources, 1, getpid(), path, &identity);
        ASSERT_OK(found);
        close(found);
        file_sources_add(sources, 7, getpid());
        found = file_source_open(sources, 7, INT32_MAX, path, &identity);
        ASSERT_OK(found);
        close(found);
        identity.size = 4;
        ASSERT_ERROR(file_source_open(sources, 7, getpid(), path, &identity), ENOENT);
        close(fd);
        unlink(path);

        /* A FIFO is looked at and not opened, which would wait for a writer. */
        ASSERT_OK(mkfifo(path, 0600));
        ASSERT_ERROR(file_source_open(sources, 7, getpid(), path, &identity), ENOENT);
        unlink(path);
        file_sources_free(sources);
}

TEST(from_file) {
        FileIdentity identity;
        int fd = make_file("abc", 3, &identity);
        char sha256[65];
        Image *i;

        ASSERT_OK(image_new(&identity, fd, &i));
        ASSERT_TRUE(!image_needs_file(i));
        ASSERT_OK(image_digest(i, sha256));
        ASSERT_STREQ(sha256, SHA256_ABC);
        image_free(i);
        unlink(path);
}

TEST(from_kernel) {
        FileIdentity identity = { .size = 3 };
        char sha256[65];
        Image *i;

        ASSERT_OK(image_new(&identity, -EBADF, &i));
        ASSERT_TRUE(image_needs_file(i));
        ASSERT_ERROR(image_digest(i, sha256), ENODATA);
        ASSERT_OK(image_add(i, 0, "abcxyz", 6));      /* what is behind the end does not count */
        ASSERT_TRUE(!image_needs_file(i));
        ASSERT_OK(image_digest(i, sha256));
        ASSERT_STREQ(sha256, SHA256_ABC);
        ASSERT_ERROR(image_add(i, 4096, "x", 1), EINVAL);
        ASSERT_ERROR(image_add(i, 1, "x", 1), EINVAL);
        image_free(i);
}

/* Blocks of the kernel side are what was there at the moment: the file's own do not replace them. A part of a block that is
 * not the last one is not taken. */
TEST(kernel_wins) {
        static uint8_t file[3 * 4096], blocks[3 * 4096];
        char of_file[65], mixed[65], expected[65];
        FileIdentity identity, whole = { .size = sizeof(blocks) };
        int fd;
        Image *i;

        memset(file, 'f', sizeof(file));
        memset(blocks, 'f', sizeof(blocks));
        memset(blocks + 4096, 'k', 4096);
        ASSERT_OK(image_new(&whole, -EBADF, &i));
        ASSERT_OK(image_add(i, 0, blocks, sizeof(blocks)));
        ASSERT_OK(image_digest(i, expected));
        image_free(i);

        fd = make_file(file, sizeof(file), &identity);
        ASSERT_OK(image_new(&identity, fd, &i));
        ASSERT_OK(image_digest(i, of_file));
        ASSERT_OK(image_add(i, 4096, blocks + 4096, 4096));
        ASSERT_OK(image_add(i, 8192, blocks + 4096, 100));
        ASSERT_OK(image_digest(i, mixed));
        ASSERT_STREQ(mixed, expected);
        ASSERT_TRUE(strcmp(of_file, mixed) != 0);
        image_free(i);
        unlink(path);
}

/* A file that changes after it was opened gives no bytes that count, unless none of it was needed. */
TEST(changed_meanwhile) {
        FileIdentity identity;
        int fd = make_file("abc", 3, &identity);
        char sha256[65];
        Image *i;

        ASSERT_OK(image_new(&identity, fd, &i));
        ASSERT_EQ(pwrite(fd, "xyzz", 4, 0), 4);
        ASSERT_ERROR(image_digest(i, sha256), ESTALE);
        ASSERT_OK(image_add(i, 0, "abc", 3));
        ASSERT_OK(image_digest(i, sha256));
        ASSERT_STREQ(sha256, SHA256_ABC);
        image_free(i);
        unlink(path);
}

TEST_MAIN()
