/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Captures and artifacts on the bus: lists, objects, starting and stopping at run time, reading and removing artifacts. The
 * kernel layer is the fake one: what is in the store was put there by the test before the service started. */

#include "capture/store.h"
#include "fixture.h"

#define CLEANUP __attribute__((cleanup(captures_stopp)))
#define MESSAGE __attribute__((cleanup(sd_bus_message_unrefp)))
#define CAPTURE NAME ".Capture"
#define SCOPE_42 PATH "/scope/_342"
#define SCOPE_7 PATH "/scope/_37"

static const char *const policies[] = {
        "10-exec.yaml",
        "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: execs\nspec:\n  scope: 42\n"
        "  filters: [event=openat]\n  capture: [exec]\n",
        "20-plain.yaml",
        "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: plain\nspec:\n  scope: 7\n"
        "  filters: [event=openat]\n",
        NULL
};

static char state[64];

static void put(Store *s, ArtifactKind kind, const char *name, uint64_t scopes, const char *data, uint64_t sec) {
        ArtifactOrigin origin = {
                .kind = kind, .scopes = scopes, .time_ns = sec * 1000000000, .comm = "tester", .host_pid = 77,
                .source_path = "/some/file",
        };
        Artifact *a;

        ASSERT_OK(store_artifact_begin(s, &origin, NULL, name, &a));
        ASSERT_OK(artifact_append(a, data, strlen(data)));
        ASSERT_OK(artifact_complete(a));
        artifact_unref(a);
}

/* With three artifacts: exec of scope 42, write of scopes 7 and 42, mem of scope 7. */
static Fixture *captures_start_fixture(void) {
        StoreConfig config = {};
        char directory[80];
        Store *s;

        strcpy(state, "/tmp/test-captures.XXXXXX");
        ASSERT_NOT_NULL(mkdtemp(state));
        snprintf(directory, sizeof directory, "%s/captures", state);
        config.directory = directory;
        ASSERT_OK(store_open(&config, &s));
        put(s, ARTIFACT_EXEC, "exec.1.ls", UINT64_C(1) << 41, "abc", 1700000000);
        put(s, ARTIFACT_WRITE, "write.dev-1.inode-2", UINT64_C(1) << 41 | 1 << 6, "0123456789", 1700000001);
        put(s, ARTIFACT_MEM, "bin.pid-3.ts-4", 1 << 6, "xx", 1700000002);
        ASSERT_OK(store_flush(s, 60 * USEC_PER_SEC));
        store_close(s);
        setenv("TEST_STATE_DIRECTORY", state, 1);
        return fixture_start(policies);
}

static void captures_stopp(Fixture **f) {
        char command[128];

        if (!*f)
                return;
        fixture_stop(*f);
        snprintf(command, sizeof command, "rm -rf %s", state);
        ASSERT_EQ(system(command), 0);
}

static unsigned count_artifacts(Fixture *f, const char *key, const char *type, ...) {
        MESSAGE sd_bus_message *m = NULL, *reply = NULL;
        unsigned n = 0;
        va_list ap;
        int r;

        ASSERT_OK(sd_bus_message_new_method_call(f->bus, &m, NAME, PATH, MANAGER, "ListArtifacts"));
        ASSERT_OK(sd_bus_message_open_container(m, 'a', "{sv}"));
        if (key) {
                ASSERT_OK(sd_bus_message_open_container(m, 'e', "sv"));
                ASSERT_OK(sd_bus_message_append(m, "s", key));
                ASSERT_OK(sd_bus_message_open_container(m, 'v', type));
                va_start(ap, type);
                ASSERT_OK(sd_bus_message_appendv(m, type, ap));
                va_end(ap);
                ASSERT_OK(sd_bus_message_close_container(m));
                ASSERT_OK(sd_bus_message_close_container(m));
        }
        ASSERT_OK(sd_bus_message_close_container(m));
        ASSERT_OK(sd_bus_call(f->bus, m, PATIENCE_USEC, NULL, &reply));
        ASSERT_OK(sd_bus_message_enter_container(reply, 'a', "(sssttbsttta{sv})"));
        while ((r = sd_bus_message_skip(reply, "(sssttbsttta{sv})")) > 0 && sd_bus_message_at_end(reply, 0) == 0)
                n++;
        return r < 0 ? n : n + (r > 0);
}

/* The rows of ListCaptures as "42-exec:policy+run 7-write:run " and so on. */
static const char *captures(Fixture *f) {
        MESSAGE sd_bus_message *m = call(f->bus, PATH, MANAGER, "ListCaptures", NULL);
        static char text[512];

        text[0] = '\0';
        ASSERT_OK(sd_bus_message_enter_container(m, 'a', "(sysasbttto)"));
        while (sd_bus_message_enter_container(m, 'r', "sysasbttto") > 0) {
                const char *id, *kind;
                char **names = NULL;
                uint8_t scope;
                int run_time;

                ASSERT_OK(sd_bus_message_read(m, "sys", &id, &scope, &kind));
                ASSERT_OK(sd_bus_message_read_strv(m, &names));
                ASSERT_OK(sd_bus_message_read(m, "bttto", &run_time, NULL, NULL, NULL, NULL));
                ASSERT_OK(sd_bus_message_exit_container(m));
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s:%s%s ", id, names && names[0] ? names[0] : "",
                         run_time ? "+run" : "");
                for (char **i = names; i && *i; i++)
                        free(*i);
                free(names);
        }
        return text;
}

static int start_capture(Fixture *f, const char *path, const char *kind, const char *expression, sd_bus_error *error) {
        MESSAGE sd_bus_message *m = NULL;

        ASSERT_OK(sd_bus_message_new_method_call(f->bus, &m, NAME, path, SCOPE, "StartCapture"));
        if (expression)
                ASSERT_OK(sd_bus_message_append(m, "sa{sv}", kind, 1, "expressions", "as", 1, expression));
        else
                ASSERT_OK(sd_bus_message_append(m, "sa{sv}", kind, 0));
        return sd_bus_call(f->bus, m, PATIENCE_USEC, error, NULL);
}

static int stop_capture(Fixture *f, const char *path, const char *kind, sd_bus_error *error) {
        return sd_bus_call_method(f->bus, NAME, path, SCOPE, "StopCapture", error, NULL, "s", kind);
}

#define ASSERT_BUS_ERROR(expr, wanted)                                                        \
        do {                                                                                  \
                sd_bus_error e_ = SD_BUS_ERROR_NULL, *error = &e_;                            \
                ASSERT_TRUE((expr) < 0);                                                      \
                ASSERT_STREQ(e_.name, wanted);                                                \
                ASSERT_NOT_NULL(e_.message);                                                  \
                sd_bus_error_free(&e_);                                                       \
        } while (0)

TEST(captures_of_policies) {
        CLEANUP Fixture *f = captures_start_fixture();
        char *kind;

        ASSERT_STREQ(captures(f), "42-exec:execs ");
        kind = get_string(f->bus, PATH "/capture/_342_2dexec", CAPTURE, "Kind");
        ASSERT_STREQ(kind, "exec");
        free(kind);
        ASSERT_EQ(get_u64(f->bus, PATH "/capture/_342_2dexec", CAPTURE, "NArtifacts"), 1U);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NCaptures"), 1U);
        ASSERT_EQ(get_u64(f->bus, PATH, MANAGER, "NArtifacts"), 3U);
        ASSERT_BUS_ERROR(stop_capture(f, SCOPE_42, "exec", error), ERROR("CaptureFromPolicy"));
        ASSERT_BUS_ERROR(stop_capture(f, SCOPE_42, "write", error), ERROR("NoSuchCapture"));
        ASSERT_BUS_ERROR(sd_bus_call_method(f->bus, NAME, PATH "/capture/_342_2dexec", CAPTURE, "Stop", error, NULL, NULL),
                         ERROR("CaptureFromPolicy"));
}

TEST(captures_at_run_time) {
        CLEANUP Fixture *f = captures_start_fixture();

        ASSERT_OK(start_capture(f, SCOPE_7, "write", "write=/tmp/*", NULL));
        ASSERT_STREQ(captures(f), "7-write:+run 42-exec:execs ");
        ASSERT_OK(start_capture(f, SCOPE_42, "exec", NULL, NULL));
        ASSERT_OK(start_capture(f, SCOPE_42, "", "pcap:process", NULL));
        ASSERT_STREQ(captures(f), "7-write:+run 42-exec:execs+run 42-network:+run ");

        /* Over a reload, and without losing what the policies say themselves. */
        ASSERT_OK(sd_bus_call_method(f->bus, NAME, PATH, MANAGER, "Reload", NULL, NULL, NULL));
        ASSERT_STREQ(captures(f), "7-write:+run 42-exec:execs+run 42-network:+run ");
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 2U);

        ASSERT_OK(stop_capture(f, SCOPE_42, "exec", NULL));
        ASSERT_OK(sd_bus_call_method(f->bus, NAME, PATH "/capture/_342_2dnetwork", CAPTURE, "Stop", NULL, NULL, NULL));
        ASSERT_OK(stop_capture(f, SCOPE_7, "write", NULL));
        ASSERT_STREQ(captures(f), "42-exec:execs ");

        /* A scope that is disabled captures nothing meanwhile. */
        ASSERT_OK(start_capture(f, SCOPE_7, "mem", NULL, NULL));
        ASSERT_OK(sd_bus_call_method(f->bus, NAME, SCOPE_7, SCOPE, "Disable", NULL, NULL, NULL));
        ASSERT_STREQ(captures(f), "42-exec:execs ");
        ASSERT_OK(sd_bus_call_method(f->bus, NAME, SCOPE_7, SCOPE, "Enable", NULL, NULL, NULL));
        ASSERT_STREQ(captures(f), "7-mem:+run 42-exec:execs ");
}

TEST(captures_refused) {
        CLEANUP Fixture *f = captures_start_fixture();

        ASSERT_BUS_ERROR(start_capture(f, SCOPE_7, "nonsense", NULL, error), SD_BUS_ERROR_INVALID_ARGS);
        ASSERT_BUS_ERROR(start_capture(f, SCOPE_7, "write", "write=*", error), ERROR("BadCapture"));
        ASSERT_BUS_ERROR(start_capture(f, SCOPE_7, "write", "exec", error), ERROR("BadCapture"));
        ASSERT_BUS_ERROR(start_capture(f, SCOPE_7, "write", "dir:/tmp", error), ERROR("BadCapture"));
        ASSERT_BUS_ERROR(start_capture(f, SCOPE_7, "", NULL, error), ERROR("BadCapture"));
        ASSERT_BUS_ERROR(start_capture(f, PATH "/scope/_38", "write", NULL, error), SD_BUS_ERROR_UNKNOWN_OBJECT);
        ASSERT_STREQ(captures(f), "42-exec:execs ");
}

TEST(artifacts_are_listed_and_read) {
        CLEANUP Fixture *f = captures_start_fixture();
        MESSAGE sd_bus_message *list = NULL, *m = NULL;
        const char *id, *kind, *file, *sha256;
        uint64_t bytes, scopes;
        char text[16] = "";
        int complete, fd;

        ASSERT_EQ(count_artifacts(f, NULL, NULL), 3U);
        ASSERT_EQ(count_artifacts(f, "scope", "u", 7), 2U);
        ASSERT_EQ(count_artifacts(f, "scope", "u", 42), 2U);
        ASSERT_EQ(count_artifacts(f, "kind", "s", "mem"), 1U);
        ASSERT_EQ(count_artifacts(f, "comm", "s", "test*"), 3U);
        ASSERT_EQ(count_artifacts(f, "pid", "u", 78), 0U);
        ASSERT_BUS_ERROR(sd_bus_call_method(f->bus, NAME, PATH, MANAGER, "ListArtifacts", error, NULL, "a{sv}", 1, "nonsense",
                                            "s", "x"), SD_BUS_ERROR_INVALID_ARGS);
        ASSERT_BUS_ERROR(sd_bus_call_method(f->bus, NAME, PATH, MANAGER, "ListArtifacts", error, NULL, "a{sv}", 1, "scope",
                                            "s", "7"), SD_BUS_ERROR_INVALID_ARGS);

        ASSERT_OK(sd_bus_call_method(f->bus, NAME, PATH, MANAGER, "ListArtifacts", NULL, &list, "a{sv}", 1, "kind", "s",
                                     "exec"));
        ASSERT_OK(sd_bus_message_enter_container(list, 'a', "(sssttbsttta{sv})"));
        ASSERT_OK(sd_bus_message_enter_container(list, 'r', "sssttbsttta{sv}"));
        ASSERT_OK(sd_bus_message_read(list, "sssttbsttt", &id, &kind, &file, &bytes, NULL, &complete, &sha256, NULL, NULL,
                                      &scopes));
        ASSERT_STREQ(file, "host/exec.1.ls");
        ASSERT_EQ(bytes, 3U);
        ASSERT_TRUE(complete);
        ASSERT_STREQ(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        ASSERT_TRUE(scopes == UINT64_C(1) << 41);
        ASSERT_OK(sd_bus_call_method(f->bus, NAME, PATH, MANAGER, "OpenArtifact", NULL, &m, "s", id));
        ASSERT_OK(sd_bus_message_read(m, "h", &fd));
        ASSERT_EQ(pread(fd, text, sizeof text, 0), 3);
        ASSERT_STREQ(text, "abc");
        ASSERT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        ASSERT_BUS_ERROR(sd_bus_call_method(f->bus, NAME, PATH, MANAGER, "OpenArtifact", error, NULL, "s", "../../x"),
                         ERROR("NoSuchArtifact"));
}

TEST(artifacts_are_removed) {
        CLEANUP Fixture *f = captures_start_fixture();
        MESSAGE sd_bus_message *m = NULL, *v = NULL;
        uint64_t n, bytes;

        ASSERT_OK(sd_bus_call_method(f->bus, NAME, PATH, MANAGER, "RemoveArtifacts", NULL, &m, "a{sv}", 1, "kind", "s",
                                     "exec"));
        ASSERT_OK(sd_bus_message_read(m, "tt", &n, &bytes));
        ASSERT_EQ(n, 1U);
        ASSERT_GT(bytes, 0U);
        ASSERT_EQ(count_artifacts(f, NULL, NULL), 2U);

        /* Older than a second, and they are of 2023. */
        ASSERT_OK(sd_bus_call_method(f->bus, NAME, PATH, MANAGER, "Vacuum", NULL, &v, "tt", UINT64_MAX, UINT64_C(1000000)));
        ASSERT_OK(sd_bus_message_read(v, "tt", &n, &bytes));
        ASSERT_EQ(n, 2U);
        ASSERT_EQ(count_artifacts(f, NULL, NULL), 0U);
        ASSERT_EQ(get_u64(f->bus, PATH, MANAGER, "NArtifacts"), 0U);
}

TEST_MAIN()
