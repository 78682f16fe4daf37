/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cgroup patterns and paths (bpf/abi/glob.h): the same text that the kernel side runs at cgroup_mkdir. */

#include "abi/glob.h"
#include "test.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int glob(const char *pattern, const char *text) {
        char p[SCT_CGROUP_PATTERN_LEN] = {}, t[SCT_CGROUP_PATH_MAX] = {};

        strncpy(p, pattern, sizeof(p) - 1);
        memcpy(t + 3, text, strlen(text));      /* never at 0: offsets count */
        return sct_glob(p, t, 3, 3 + strlen(text));
}

TEST(glob_rows) {
        static const struct {
                const char *pattern, *text;
                int matches;
        } rows[] = {
                { "", "", 1 },
                { "", "a", 0 },
                { "a", "", 0 },
                { "*", "", 1 },
                { "*", "abc", 1 },
                { "*", "a/b", 0 },
                { "**", "abc", 1 },
                { "nginx.service", "nginx.service", 1 },
                { "nginx.service", "nginx.service/sub", 0 },
                { "nginx.service", "nginx.servicE", 0 },
                { "nginx*", "nginx.service", 1 },
                { "nginx*", "nginx", 1 },
                { "nginx*", "xnginx", 0 },
                { "*.service", "a.service", 1 },
                { "*.service", "a.service.service", 1 },
                { "*.service", "a.service.d", 0 },
                { "*.service", "x/a.service", 0 },
                { "user@*.service/app.slice/*.service", "user@1000.service/app.slice/foo.service", 1 },
                { "user@*.service/app.slice/*.service", "user@1000.service/session.slice/foo.service", 0 },
                { "user@*.service/*/*", "user@1000.service/app.slice/foo.service", 1 },
                { "user@*.service/*", "user@1000.service/app.slice/foo.service", 0 },
                { "/a/*/c", "/a/b/c", 1 },
                { "/a/*/c", "/a//c", 1 },
                { "/a/*/c", "/a/b/b/c", 0 },
                { "*a*b*c", "xxaxxbxxc", 1 },
                { "*a*b*c", "xxaxxcxxb", 0 },
                { "a*a", "a", 0 },
                { "a*a", "aa", 1 },
                { "*aab", "aaaab", 1 },
                { "*ab*", "aaab", 1 },
                { "a?c", "abc", 0 },          /* only * is special */
                { "[a]", "[a]", 1 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (glob(rows[i].pattern, rows[i].text) != rows[i].matches)
                        TEST_FAIL("\"%s\" on \"%s\"", rows[i].pattern, rows[i].text);
}

TEST(glob_at_the_limits) {
        char pattern[SCT_CGROUP_PATTERN_LEN] = {}, text[SCT_CGROUP_PATH_MAX];

        /* The longest text, and the worst pattern: it fits everywhere but at the end. */
        memset(text, 'a', sizeof(text));
        ASSERT_TRUE(sct_glob("*", text, 0, sizeof(text)) == 1);
        memset(pattern, 'a', sizeof(pattern) - 1);
        pattern[0] = '*';
        ASSERT_EQ(sct_glob(pattern, text, 0, sizeof(text)), 1);
        pattern[sizeof(pattern) - 2] = 'b';
        ASSERT_EQ(sct_glob(pattern, text, 0, sizeof(text)), 0);
        text[sizeof(text) - 1] = 'b';
        ASSERT_EQ(sct_glob(pattern, text, 0, sizeof(text)), 1);
}

static bool slow_glob(const char *p, const char *t) {
        if (*p == 0)
                return *t == 0;
        if (*p == '*')
                return slow_glob(p + 1, t) || (*t && *t != '/' && slow_glob(p, t + 1));
        return *t == *p && slow_glob(p + 1, t + 1);
}

TEST(glob_like_the_definition) {
        uint32_t seed = 1;

        for (unsigned i = 0; i < 200000; i++) {
                char pattern[10] = {}, text[12] = {};

                for (unsigned k = 0; k < 8; k++) {
                        seed = seed * 1103515245 + 12345;
                        pattern[k] = "ab/**\0ab"[seed >> 16 & 7];
                }
                for (unsigned k = 0; k < 10; k++) {
                        seed = seed * 1103515245 + 12345;
                        text[k] = "abab/\0ab"[seed >> 16 & 7];
                }
                if (glob(pattern, text) != slow_glob(pattern, text))
                        TEST_FAIL("\"%s\" on \"%s\"", pattern, text);
        }
}

/* The cgroup at the end of the path, made from the root down as both sides do. */
static struct sct_cgroup cgroup(const char *path) {
        struct sct_cgroup c = { .path_len = 1, .path = "/" };

        sct_cgroup_parse(&c, NULL);
        for (const char *end = path + 1; strlen(path) > 1;) {
                struct sct_cgroup parent = c;

                end += strcspn(end, "/");
                memset(&c, 0xee, sizeof(c));
                memset(c.path, 0, sizeof(c.path));
                memcpy(c.path, path, end - path);
                c.path_len = end - path;
                sct_cgroup_parse(&c, &parent);
                if (!*end++)
                        break;
        }
        return c;
}

TEST(parse_units_and_containers) {
        static const struct {
                const char *path, *unit, *container;
                unsigned flags;
        } rows[] = {
                { "/", NULL, NULL, SCT_CGROUP_IS_SLICE },
                { "/system.slice", NULL, NULL, SCT_CGROUP_IS_SLICE },
                { "/init.scope", "init.scope", NULL, 0 },
                { "/system.slice/nginx.service", "nginx.service", NULL, 0 },
                { "/system.slice/nginx.service/sub", "nginx.service/sub", NULL, 0 },
                { "/system.slice/system-getty.slice", NULL, NULL, SCT_CGROUP_IS_SLICE },
                { "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", NULL, 0 },
                { "/system.slice/_cpu.service", "cpu.service", NULL, 0 },
                { "/system.slice/dbus.socket", "dbus.socket", NULL, 0 },
                { "/system.slice/var-swap.swap", "var-swap.swap", NULL, 0 },
                { "/system.slice/.service", NULL, NULL, 0 },
                { "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", NULL, SCT_CGROUP_IS_SESSION },
                { "/user.slice/user-1000.slice/session-3.scope/x", "session-3.scope/x", NULL, 0 },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice",
                  "user@1000.service/app.slice", NULL, 0 },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
                  "user@1000.service/app.slice/x.service", NULL, 0 },
                { "/foo/bar.service", NULL, NULL, 0 },
                { "/foo/bar.slice", NULL, NULL, 0 },
                { "/docker/" ID, NULL, ID, 0 },
                { "/docker/" ID "/system.slice/x.service", NULL, ID, 0 },
                { "/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID, 0 },
                { "/system.slice/docker-" ID ".scope/inner", "docker-" ID ".scope/inner", ID, 0 },
                { "/kubepods.slice/kubepods-burstable.slice/cri-containerd-" ID ".scope",
                  "cri-containerd-" ID ".scope", ID, 0 },
                { "/kubepods/burstable/pod12/" ID, NULL, ID, 0 },
                { "/kubepods.slice/crio-" ID ".scope", "crio-" ID ".scope", ID, 0 },
                { "/kubepods.slice/crio-conmon-" ID ".scope", "crio-conmon-" ID ".scope", NULL, 0 },
                { "/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope/container", ID, 0 },
                { "/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", NULL, 0 },
                { "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
                  "user@1000.service/user.slice/libpod-" ID ".scope", ID, 0 },
                { "/system.slice/kubepods.slice:cri-containerd:" ID, NULL, ID, 0 },
                { "/docker/x" ID, NULL, NULL, 0 },
                { "/docker/g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", NULL, NULL, 0 },
                { "/machine.slice/machine-web.scope", "machine-web.scope", "web", 0 },
                { "/machine.slice/machine-my\\x2dweb.scope/payload", "machine-my\\x2dweb.scope/payload", "my\\x2dweb", 0 },
                { "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "machine-qemu\\x2d1\\x2dvm.scope", NULL, 0 },
                { "/machine.slice/systemd-nspawn@web.service", "systemd-nspawn@web.service", "web", 0 },
                { "/system.slice/systemd-nspawn@web.service", "systemd-nspawn@web.service", NULL, 0 },
                { "/machine.slice/machine-.scope", "machine-.scope", NULL, 0 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct sct_cgroup c = cgroup(rows[i].path);
                const char *unit = c.flags & SCT_CGROUP_IN_UNIT ? c.path + c.unit_offset : NULL;
                char container[128] = {};

                if (strcmp(unit ?: "-", rows[i].unit ?: "-") != 0)
                        TEST_FAIL("%s: unit %s", rows[i].path, unit ?: "-");
                if (c.flags & SCT_CGROUP_IN_CONTAINER)
                        memcpy(container, c.path + c.container_offset, c.container_len);
                if (strcmp(container, rows[i].container ?: "") != 0)
                        TEST_FAIL("%s: container %s", rows[i].path, container);
                if ((c.flags & ~(SCT_CGROUP_IN_UNIT | SCT_CGROUP_IN_CONTAINER)) != rows[i].flags)
                        TEST_FAIL("%s: flags %#x", rows[i].path, c.flags);
        }
}

TEST(match_kinds) {
        static const struct {
                unsigned kind;
                const char *glob, *path;
                int matches;
        } rows[] = {
                { SCT_CGROUP_UNIT, "nginx.service", "/system.slice/nginx.service", 1 },
                { SCT_CGROUP_UNIT, "nginx.service", "/system.slice/nginx.service/sub", 0 },  /* by its parent's bits */
                { SCT_CGROUP_UNIT, "nginx.service", "/foo/nginx.service", 0 },
                { SCT_CGROUP_UNIT, "user@1000.service/app.slice/x.service",
                  "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", 1 },
                { SCT_CGROUP_UNIT, "*", "/system.slice", 0 },
                { SCT_CGROUP_SLICE, "system.slice", "/system.slice", 1 },
                { SCT_CGROUP_SLICE, "user-*.slice", "/user.slice/user-1000.slice", 1 },
                { SCT_CGROUP_SLICE, "app.slice", "/user.slice/user-1000.slice/user@1000.service/app.slice", 0 },
                { SCT_CGROUP_SLICE, "system.slice", "/docker/" ID "/system.slice", 0 },
                { SCT_CGROUP_SLICE, "nginx.service", "/system.slice/nginx.service", 0 },
                { SCT_CGROUP_SESSION, "3", "/user.slice/user-1000.slice/session-3.scope", 1 },
                { SCT_CGROUP_SESSION, "c*", "/user.slice/user-1000.slice/session-c12.scope", 1 },
                { SCT_CGROUP_SESSION, "3", "/user.slice/user-1000.slice/session-33.scope", 0 },
                { SCT_CGROUP_SESSION, "*", "/system.slice/session.service", 0 },
                { SCT_CGROUP_PATH, "/system.slice", "/system.slice", 1 },
                { SCT_CGROUP_PATH, "/system.slice/*", "/system.slice/nginx.service", 1 },
                { SCT_CGROUP_PATH, "/system.slice/*", "/system.slice/nginx.service/sub", 0 },
                { SCT_CGROUP_PATH, "/", "/", 1 },
                { SCT_CGROUP_PATH, "/", "/a", 0 },
                { SCT_CGROUP_CONTAINER, "*", "/docker/" ID, 1 },
                { SCT_CGROUP_CONTAINER, "0123456789ab*", "/docker/" ID, 1 },
                { SCT_CGROUP_CONTAINER, "0123456789ab", "/docker/" ID, 0 },
                { SCT_CGROUP_CONTAINER, "*", "/system.slice/nginx.service", 0 },
                { SCT_CGROUP_CONTAINER, "web", "/machine.slice/machine-web.scope", 1 },
                { 0, "*", "/docker/" ID, 0 },
                { 6, "*", "/docker/" ID, 0 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct sct_cgroup_pattern p = { .kind = rows[i].kind };
                struct sct_cgroup c = cgroup(rows[i].path);

                strcpy(p.glob, rows[i].glob);
                if (sct_cgroup_match(&p, &c) != rows[i].matches)
                        TEST_FAIL("kind %u \"%s\" on %s", rows[i].kind, rows[i].glob, rows[i].path);
        }
}

TEST(longest_path) {
        char path[SCT_CGROUP_PATH_MAX + 1] = "/system.slice/";
        struct sct_cgroup_pattern p = { .kind = SCT_CGROUP_UNIT, .glob = "*.service" };
        struct sct_cgroup c;

        memset(path + strlen(path), 'x', SCT_CGROUP_PATH_MAX - 1 - strlen(path));
        memcpy(path + SCT_CGROUP_PATH_MAX - 9, ".service", 8);
        ASSERT_EQ(strlen(path), SCT_CGROUP_PATH_MAX - 1);
        c = cgroup(path);
        ASSERT_EQ(sct_cgroup_match(&p, &c), 1);

        c = cgroup("/docker/" ID);
        c.path_len = 0xffff;     /* damaged: wrong, but inside the array */
        sct_cgroup_parse(&c, NULL);
        sct_cgroup_match(&p, &c);
}

TEST_MAIN()
