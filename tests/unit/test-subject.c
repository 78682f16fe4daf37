/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../src/basic/macro.h"
#include "../../src/daemon/subject.h"
#include "test.h"

/* systemd's rules for cgroup paths: what `systemctl status PID` and journald say of the same path. */
TEST(paths) {
        static const struct {
                const char *path, *slice, *unit, *user_slice, *user_unit, *session;
        } rows[] = {
                { "/", "-.slice" },
                { "/init.scope", "-.slice", "init.scope" },
                { "/system.slice/nginx.service", "system.slice", "nginx.service" },
                { "/system.slice/system-getty.slice/getty@tty1.service", "system-getty.slice", "getty@tty1.service" },
                { "/system.slice/nginx.service/sub/group", "system.slice", "nginx.service" },
                { "/system.slice/docker-0123.scope", "system.slice", "docker-0123.scope" },
                { "/system.slice", "system.slice" },
                { "/user.slice/user-1000.slice/session-3.scope", "user-1000.slice", "session-3.scope",
                  NULL, NULL, "3" },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "user-1000.slice",
                  "user@1000.service", "app.slice", "x.service" },
                { "/user.slice/user-1000.slice/user@1000.service/init.scope", "user-1000.slice", "user@1000.service",
                  "-.slice", "init.scope" },
                { "/user.slice/user-1000.slice/user@1000.service", "user-1000.slice", "user@1000.service" },
                { "/machine.slice/systemd-nspawn@m.service/payload/system.slice/sshd.service", "machine.slice",
                  "systemd-nspawn@m.service" },
                { "/system.slice/dev-hugepages.mount", "system.slice", "dev-hugepages.mount" },
                /* escaped because a controller has the name */
                { "/system.slice/_cpu.service", "system.slice", "cpu.service" },
                { "/system.slice/foo\\x2dbar.service", "system.slice", "foo\\x2dbar.service" },
                /* not made by systemd */
                { "/docker/0123456789ab", "-.slice" },
                { "/kubepods.slice/kubepods-pod1.slice/cri-containerd-abc.scope", "kubepods-pod1.slice",
                  "cri-containerd-abc.scope" },
                { "/lxc/.service", "-.slice" },
                { "/@x.service", "-.slice" },
                { "/a b.service", "-.slice" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(cgroup_identity_freep) CgroupIdentity *c = NULL;

                ASSERT_OK(cgroup_identity_new(1, rows[i].path, NULL, &c));
                ASSERT_STREQ(c->slice, rows[i].slice);
                ASSERT_STREQ(c->unit ?: "none", rows[i].unit ?: "none");
                ASSERT_STREQ(c->user_slice ?: "none", rows[i].user_slice ?: "none");
                ASSERT_STREQ(c->user_unit ?: "none", rows[i].user_unit ?: "none");
                ASSERT_STREQ(c->session ?: "none", rows[i].session ?: "none");
        }
}

static unsigned n_lookups;

static int lookup(uint64_t id, struct sct_cgroup *ret, void *userdata) {
        n_lookups++;
        if (id == 99)
                return -ENOENT;
        *ret = (struct sct_cgroup) { .flags = SCT_CGROUP_IN_CONTAINER, .container_offset = 8, .container_len = 4 };
        if (id == 98) {
                static const char path[] = "/machine.slice/machine-my\\x2d1st\\x.scope";

                ret->path_len = strlen(path);
                memcpy(ret->path, path, sizeof(path));
                ret->container_offset = strlen("/machine.slice/machine-");
                ret->container_len = strlen("my\\x2d1st\\x");
                return 0;
        }
        ret->path_len = (uint16_t) snprintf(ret->path, sizeof(ret->path), "/docker/%04u/x", (unsigned) id);
        return 0;
}

TEST(cache) {
        _cleanup_(subject_freep) Subject *s = NULL;
        struct sct_record header = { .cgroup_id = 7, .time_ns = 1000 };
        Event e = { .header = &header };

        ASSERT_OK(subject_new(lookup, NULL, &s));
        subject_fill(s, &e);
        subject_fill(s, &e);
        ASSERT_EQ(n_lookups, 1);
        ASSERT_STREQ(e.container_id, "0007");
        ASSERT_STREQ(e.cgroup_path, "/docker/0007/x");

        subject_forget_cgroup(s, 7);
        subject_fill(s, &e);
        ASSERT_EQ(n_lookups, 2);

        /* Bounded: the first is pushed out some time, and read again. */
        for (unsigned i = 100; i < 9000; i++) {
                header.cgroup_id = i;
                subject_fill(s, &e);
        }
        ASSERT_EQ(subject_n_unresolved(s), 0);
        header.cgroup_id = 99;
        subject_fill(s, &e);
        ASSERT_EQ(subject_n_unresolved(s), 1);
        ASSERT_STREQ(e.cgroup_path, "");
        ASSERT_NULL(e.unit);
}

/* As machinectl names it; what is no escape stays. */
TEST(name_of_a_machine) {
        _cleanup_(subject_freep) Subject *s = NULL;
        struct sct_record header = { .cgroup_id = 98 };
        Event e = { .header = &header };

        ASSERT_OK(subject_new(lookup, NULL, &s));
        subject_fill(s, &e);
        ASSERT_STREQ(e.container_id, "my-1st\\x");
}

TEST(clock) {
        _cleanup_(subject_freep) Subject *s = NULL;
        struct sct_record header = { .cgroup_id = 1 };
        Event e = { .header = &header };
        struct timespec boot, real;
        int64_t off;

        ASSERT_OK(subject_new(lookup, NULL, &s));
        clock_gettime(CLOCK_BOOTTIME, &boot);
        clock_gettime(CLOCK_REALTIME, &real);
        header.time_ns = (uint64_t) boot.tv_sec * NSEC_PER_SEC + (uint64_t) boot.tv_nsec;
        subject_fill(s, &e);
        off = (int64_t) (e.time_ns - ((uint64_t) real.tv_sec * NSEC_PER_SEC + (uint64_t) real.tv_nsec));
        ASSERT_LT(off < 0 ? -off : off, 100 * NSEC_PER_MSEC);
}

TEST_MAIN()
