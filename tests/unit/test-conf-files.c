/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "../../src/basic/conf-files.h"
#include "../../src/basic/fd-util.h"
#include "../../src/basic/string-util.h"
#include "test.h"

static const char *const dirs[] = { "/etc/x.d", "/run/x.d", "/usr/lib/x.d", NULL };
static const char *const suffixes[] = { ".yaml", ".yml", NULL };

static void put(const char *root, const char *dir, const char *name, const char *text) {
        char path[256];
        int fd;

        snprintf(path, sizeof(path), "mkdir -p %s%s", root, dir);
        ASSERT_EQ(system(path), 0);
        snprintf(path, sizeof(path), "%s%s/%s", root, dir, name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        ASSERT_OK(fd);
        ASSERT_OK(write_full(fd, text, strlen(text)));
        close(fd);
}

static void remove_tree(const char *root) {
        char command[128];

        snprintf(command, sizeof(command), "rm -rf %s", root);
        ASSERT_EQ(system(command), 0);
}

TEST(order_replacing_and_masking) {
        _cleanup_(conf_file_list_done) ConfFileList l = {};
        char root[] = "/tmp/test-conf-files-XXXXXX", path[256];

        ASSERT_NOT_NULL(mkdtemp(root));
        put(root, dirs[0], "20-b.yaml", "etc");
        put(root, dirs[1], "10-a.yml", "run");
        put(root, dirs[2], "20-b.yaml", "usr");
        put(root, dirs[2], "30-c.yaml", "usr");
        put(root, dirs[2], "40-d.yaml", "usr");
        put(root, dirs[2], "50-e.conf", "usr");
        put(root, dirs[2], ".60-f.yaml", "usr");
        put(root, dirs[0], "40-d.yaml", "");
        snprintf(path, sizeof(path), "%s%s/30-c.yaml", root, dirs[0]);
        ASSERT_OK(symlink("/dev/null", path));

        ASSERT_OK(conf_files_list(dirs, suffixes, root, &l));
        remove_tree(root);
        ASSERT_EQ(l.n, 4);
        ASSERT_STREQ(l.items[0].name, "10-a.yml");
        ASSERT_STREQ(l.items[1].name, "20-b.yaml");
        ASSERT_CONTAINS(l.items[1].path, "/etc/x.d/");
        ASSERT_FALSE(l.items[1].masked);
        ASSERT_STREQ(l.items[2].name, "30-c.yaml");
        ASSERT_TRUE(l.items[2].masked);
        ASSERT_TRUE(l.items[3].masked);
}

TEST(nothing_there) {
        _cleanup_(conf_file_list_done) ConfFileList l = {};

        ASSERT_OK(conf_files_list(dirs, suffixes, "/nonexistent", &l));
        ASSERT_EQ(l.n, 0);
}

/* A directory by such a name is listed: its reader says what is wrong with it. */
TEST(directory_by_that_name) {
        _cleanup_(conf_file_list_done) ConfFileList l = {};
        char root[] = "/tmp/test-conf-files-XXXXXX";

        ASSERT_NOT_NULL(mkdtemp(root));
        put(root, "/etc/x.d/x.yaml", "inner", "");
        ASSERT_OK(conf_files_list(dirs, suffixes, root, &l));
        remove_tree(root);
        ASSERT_EQ(l.n, 1);
        ASSERT_FALSE(l.items[0].masked);
}

TEST_MAIN()
