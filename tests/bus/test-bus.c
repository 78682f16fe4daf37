/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service on the bus, as its clients see it: lists, properties, errors, signals, ownership, streams, reload, and a bus
 * that goes away. The kernel layer is the fake one, so no test needs root or a particular kernel. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#define CLEANUP __attribute__((cleanup(fixture_stopp)))
#define MESSAGE __attribute__((cleanup(sd_bus_message_unrefp)))

#define DOCUMENT(name, scope, filters)                                                                       \
        "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: " name "\nspec:\n  scope: " #scope \
        "\n  filters: [" filters "]\n"
#define OPENS(name, scope) DOCUMENT(name, scope, "event=openat")
#define WRONG "apiVersion: scopetrace.org/v1\nkind: ScopePolicy\nmetadata:\n  name: wrong\nspec:\n  scope: 5\n  filters: [evnt=x]\n"

static const char *const two_policies[] = {
        "10-opens.yaml", OPENS("opens", 42),
        "20-wrong.yaml", WRONG,
        NULL
};

#define OPENS_PATH PATH "/policy/opens"
#define SCOPE_42 PATH "/scope/_342"

static const char *load(Fixture *f, sd_bus *bus, const char *text, uint64_t flags) {
        static char copy[256];
        MESSAGE sd_bus_message *m = call(bus, PATH, MANAGER, "LoadPolicy", "st", text, flags);
        const char *path;

        ASSERT_OK(sd_bus_message_read(m, "o", &path));
        snprintf(copy, sizeof copy, "%s", path);
        return copy;
}

TEST(manager_properties) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        char *status = get_string(f->bus, PATH, MANAGER, "Status"), *version = get_string(f->bus, PATH, MANAGER, "Version");

        ASSERT_CONTAINS(status, "2 policies in 1 scope, 1 failed");
        ASSERT_STREQ(version, PROJECT_VERSION);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NPolicies"), 2);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 1);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NFailed"), 1);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NScopes"), 1);
        ASSERT_GT(get_u32(f->bus, PATH, MANAGER, "NHooks"), 0);
        ASSERT_GT(get_u64(f->bus, PATH, MANAGER, "StartTimestamp"), 0);
        ASSERT_EQ(get_u64(f->bus, PATH, MANAGER, "NLost"), 0);
        free(status);
        free(version);
}

TEST(features_carry_the_reason) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        MESSAGE sd_bus_message *m = NULL;
        const char *name, *reason;
        bool refused_seen = false;
        unsigned n = 0;
        int granted;

        ASSERT_OK(sd_bus_get_property(f->bus, NAME, PATH, MANAGER, "Features", NULL, &m, "a(sbs)"));
        ASSERT_OK(sd_bus_message_enter_container(m, 'a', "(sbs)"));
        while (sd_bus_message_read(m, "(sbs)", &name, &granted, &reason) > 0) {
                n++;
                ASSERT_EQ(granted, reason[0] == 0);
                refused_seen = refused_seen || (strcmp(name, "kprobe") == 0 && strcmp(reason, "Operation not permitted") == 0);
        }
        ASSERT_GT(n, 5);
        ASSERT_TRUE(refused_seen);
}

TEST(lists_begin_with_the_key_and_end_with_the_object) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        MESSAGE sd_bus_message *policies = call(f->bus, PATH, MANAGER, "ListPolicies", NULL);
        MESSAGE sd_bus_message *scopes = call(f->bus, PATH, MANAGER, "ListScopes", NULL);
        const char *name, *kind, *state, *mode, *file, *object, *first;
        uint64_t n_events, n_lost;
        uint32_t n_problems;
        uint8_t number;
        int enabled;

        ASSERT_OK(sd_bus_message_enter_container(policies, 'a', "(ssssysuo)"));
        ASSERT_OK(sd_bus_message_read(policies, "(ssssysuo)", &name, &kind, &state, &mode, &number, &file, &n_problems, &object));
        ASSERT_STREQ(name, "opens");
        ASSERT_STREQ(kind, "ScopePolicy");
        ASSERT_STREQ(state, "active");
        ASSERT_STREQ(mode, "monitor");
        ASSERT_EQ(number, 42);
        ASSERT_CONTAINS(file, "/policies.d/10-opens.yaml");
        ASSERT_EQ(n_problems, 0);
        ASSERT_STREQ(object, OPENS_PATH);
        ASSERT_GT(sd_bus_message_read(policies, "(ssssysuo)", &name, &kind, &state, &mode, &number, &file, &n_problems, &object), 0);
        ASSERT_STREQ(state, "failed");
        ASSERT_GT(n_problems, 0);
        ASSERT_EQ(sd_bus_message_at_end(policies, false), 1);

        ASSERT_OK(sd_bus_message_enter_container(scopes, 'a', "(yasbtto)"));
        ASSERT_OK(sd_bus_message_read(scopes, "(yasbtto)", &number, 1, &first, &enabled, &n_events, &n_lost, &object));
        ASSERT_EQ(number, 42);
        ASSERT_STREQ(first, "opens");
        ASSERT_TRUE(enabled);
        ASSERT_STREQ(object, SCOPE_42);
}

/* ObjectManager, node enumeration and the lists name the same objects. */
TEST(managed_objects) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        MESSAGE sd_bus_message *m = call(f->bus, PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL);
        MESSAGE sd_bus_message *xml = call(f->bus, PATH "/policy", "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
        unsigned n_policies = 0, n_scopes = 0;
        const char *path, *text;

        ASSERT_OK(sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}"));
        while (sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}") > 0) {
                ASSERT_OK(sd_bus_message_read(m, "o", &path));
                n_policies += strncmp(path, PATH "/policy/", strlen(PATH "/policy/")) == 0;
                n_scopes += strncmp(path, PATH "/scope/", strlen(PATH "/scope/")) == 0;
                ASSERT_OK(sd_bus_message_skip(m, "a{sa{sv}}"));
                ASSERT_OK(sd_bus_message_exit_container(m));
        }
        ASSERT_EQ(n_policies, 2);
        ASSERT_EQ(n_scopes, 1);

        ASSERT_OK(sd_bus_message_read(xml, "s", &text));
        ASSERT_CONTAINS(text, "<node name=\"opens\"/>");
}

TEST(errors_have_names_of_their_own) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        static char long_text[1024 * 1024 + 16];

        refused(f->bus, PATH, MANAGER, "GetScope", ERROR("NoSuchScope"), "y", 7);
        ASSERT_CONTAINS(refused(f->bus, PATH, MANAGER, "GetScope", ERROR("NoSuchScope"), "y", 65), "1 to 64");
        refused(f->bus, PATH, MANAGER, "GetScope", ERROR("NoSuchScope"), "y", 0);
        ASSERT_CONTAINS(refused(f->bus, PATH, MANAGER, "GetPolicy", ERROR("NoSuchPolicy"), "s", "nope"), "'nope'");
        refused(f->bus, PATH, MANAGER, "EnablePolicy", ERROR("NoSuchPolicy"), "s", "nope");
        refused(f->bus, PATH, MANAGER, "DisablePolicy", ERROR("NoSuchPolicy"), "s", "nope");
        refused(f->bus, PATH, MANAGER, "UnloadPolicy", ERROR("NoSuchPolicy"), "s", "nope");
        refused(f->bus, PATH, MANAGER, "UnloadPolicy", ERROR("PolicyFromFile"), "s", "opens");
        refused(f->bus, PATH, MANAGER, "LoadPolicy", ERROR("PolicyExists"), "st", OPENS("opens", 3), UINT64_C(0));
        refused(f->bus, PATH, MANAGER, "LoadPolicy", ERROR("ScopeInUse"), "st", OPENS("other", 42), UINT64_C(2));
        refused(f->bus, PATH, MANAGER, "LoadPolicy", SD_BUS_ERROR_INVALID_ARGS, "st", OPENS("other", 4), UINT64_C(8));
        ASSERT_CONTAINS(refused(f->bus, PATH, MANAGER, "LoadPolicy", ERROR("BadPolicy"), "st", WRONG, UINT64_C(0)), "7:");
        refused(f->bus, PATH, MANAGER, "LoadPolicy", ERROR("BadPolicy"), "st", "", UINT64_C(0));
        refused(f->bus, PATH, MANAGER, "LoadPolicy", ERROR("BadPolicy"), "st", "- [", UINT64_C(0));

        memset(long_text, '#', sizeof long_text - 1);
        ASSERT_CONTAINS(refused(f->bus, PATH, MANAGER, "LoadPolicy", ERROR("BadPolicy"), "st", long_text, UINT64_C(0)),
                        "bytes");
        refused(f->bus, PATH "/policy/nope", POLICY, "Enable", SD_BUS_ERROR_UNKNOWN_OBJECT, NULL);
        refused(f->bus, PATH "/scope/_307", SCOPE, "Enable", SD_BUS_ERROR_UNKNOWN_OBJECT, NULL);

        /* Nothing of all that changed anything. */
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NPolicies"), 2);
}

/* What the bus carries of problems is what stands in the file. */
TEST(problems_name_the_place) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        MESSAGE sd_bus_message *m = call(f->bus, PATH, MANAGER, "CheckPolicy", "s", WRONG);
        MESSAGE sd_bus_message *good = call(f->bus, PATH, MANAGER, "CheckPolicy", "s", OPENS("new", 1));
        const char *severity, *sentence;
        uint32_t line, column;

        ASSERT_OK(sd_bus_message_enter_container(m, 'a', "(suus)"));
        ASSERT_GT(sd_bus_message_read(m, "(suus)", &severity, &line, &column, &sentence), 0);
        ASSERT_STREQ(severity, "error");
        ASSERT_EQ(line, 7);
        ASSERT_CONTAINS(sentence, "spec.filters[0]");

        ASSERT_OK(sd_bus_message_enter_container(good, 'a', "(suus)"));
        ASSERT_EQ(sd_bus_message_at_end(good, false), 1);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NPolicies"), 2);
}

TEST(load_and_unload_are_announced) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        const char *path;

        signals_watch(f->bus);
        path = load(f, f->bus, OPENS("mine-too", 7), 0);
        ASSERT_STREQ(path, PATH "/policy/mine_2dtoo");
        signals_expect(f->bus, "InterfacesAdded " PATH "/policy/mine_2dtoo");
        signals_expect(f->bus, "InterfacesAdded " PATH "/scope/_37");
        signals_expect(f->bus, "PropertiesChanged " PATH " " MANAGER);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NScopes"), 2);

        sd_bus_message_unref(call(f->bus, PATH, MANAGER, "UnloadPolicy", "s", "mine-too"));
        signals_expect(f->bus, "InterfacesRemoved " PATH "/policy/mine_2dtoo");
        signals_expect(f->bus, "InterfacesRemoved " PATH "/scope/_37");
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NScopes"), 1);

        path = load(f, f->bus, OPENS("by-object", 7), 0);
        sd_bus_message_unref(call(f->bus, path, POLICY, "Unload", NULL));
        refused(f->bus, PATH, MANAGER, "GetPolicy", ERROR("NoSuchPolicy"), "s", "by-object");
}

TEST(owned_policy_ends_with_its_caller) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        sd_bus *other = fixture_connect(f);

        signals_watch(f->bus);
        load(f, other, OPENS("owned", 9), 1);
        load(f, other, OPENS("free", 10), 0);
        signals_expect(f->bus, "InterfacesAdded " PATH "/policy/owned");
        sd_bus_flush_close_unref(other);
        signals_expect(f->bus, "InterfacesRemoved " PATH "/policy/owned");
        signals_expect(f->bus, "InterfacesRemoved " PATH "/scope/_39");
        sd_bus_message_unref(call(f->bus, PATH, MANAGER, "GetPolicy", "s", "free"));
}

TEST(disable_and_enable) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        char *state;

        signals_watch(f->bus);
        sd_bus_message_unref(call(f->bus, PATH, MANAGER, "DisablePolicy", "s", "opens"));
        signals_expect(f->bus, "PropertiesChanged " OPENS_PATH " " POLICY);
        state = get_string(f->bus, OPENS_PATH, POLICY, "State");
        ASSERT_STREQ(state, "disabled");
        free(state);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 0);

        /* It holds over a reload. */
        sd_bus_message_unref(call(f->bus, PATH, MANAGER, "Reload", NULL));
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 0);

        sd_bus_message_unref(call(f->bus, OPENS_PATH, POLICY, "Enable", NULL));
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 1);
        sd_bus_message_unref(call(f->bus, PATH, MANAGER, "EnablePolicy", "s", "opens"));

        sd_bus_message_unref(call(f->bus, SCOPE_42, SCOPE, "Disable", NULL));
        signals_expect(f->bus, "PropertiesChanged " SCOPE_42 " " SCOPE);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 0);
        sd_bus_message_unref(call(f->bus, SCOPE_42, SCOPE, "Enable", NULL));
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 1);
}

TEST(reload_returns_when_the_new_set_is_active) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        uint32_t generation = get_u32(f->bus, PATH, MANAGER, "Generation");
        int stale = 0;

        signals_watch(f->bus);
        fixture_write(f, "policies.d/30-new.yaml", OPENS("new", 3));
        fixture_write(f, "policies.d/10-opens.yaml", "apiVersion: scopetrace.org/v1\nkind: [\n");
        sd_bus_message_unref(call(f->bus, PATH, MANAGER, "Reload", NULL));
        ASSERT_GT(get_u32(f->bus, PATH, MANAGER, "Generation"), generation);
        sd_bus_message_unref(call(f->bus, PATH, MANAGER, "GetScope", "y", 3));
        signals_expect(f->bus, "InterfacesAdded " PATH "/policy/new");

        /* What turned bad goes on as it was. */
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 2);
        ASSERT_OK(sd_bus_get_property_trivial(f->bus, NAME, OPENS_PATH, POLICY, "Stale", NULL, 'b', &stale));
        ASSERT_TRUE(stale);
}

static int open_stream(Fixture *f, const char *key, const char *type, const char *value) {
        sd_bus_message *m = NULL, *reply = NULL;
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int fd, r;

        ASSERT_OK(sd_bus_message_new_method_call(f->bus, &m, NAME, PATH, MANAGER, "OpenEventStream"));
        ASSERT_OK(sd_bus_message_open_container(m, 'a', "{sv}"));
        ASSERT_OK(sd_bus_message_append(m, "{sv}", "scopes", "ay", 1, 42));
        if (key)
                ASSERT_OK(sd_bus_message_append(m, "{sv}", key, type, value));
        ASSERT_OK(sd_bus_message_close_container(m));
        r = sd_bus_call(f->bus, m, 0, &e, &reply);
        sd_bus_message_unref(m);
        if (r < 0)
                TEST_FAIL("OpenEventStream: %s: %s", e.name, e.message);
        ASSERT_OK(sd_bus_message_read(reply, "h", &fd));
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        ASSERT_OK(fd);
        sd_bus_message_unref(reply);
        return fd;
}

/* Reads until `text` has come. */
static void expect_text(int fd, const char *text) {
        char buf[8192] = "";
        size_t n = 0;

        while (!strstr(buf, text)) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                ssize_t k;

                if (poll(&p, 1, 20000) <= 0)
                        TEST_FAIL("The stream does not say %s, only\n%s", text, buf);
                k = read(fd, buf + n, sizeof buf - n - 1);
                if (k <= 0)
                        TEST_FAIL("The stream ended before it said %s, after\n%s", text, buf);
                n += (size_t) k;
                buf[n] = 0;
        }
}

TEST(stream_and_counters) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        int json = open_stream(f, NULL, NULL, NULL), table = open_stream(f, "format", "s", "table-verbose");
        MESSAGE sd_bus_message *m = NULL;
        const char *name;
        uint64_t n;

        expect_text(table, "SCOPES");
        fixture_event(f, "openat", "/etc/shadow");
        expect_text(json, "\"matchedScopes\":2199023255552");
        expect_text(table, "0000020000000000");

        ASSERT_EQ_U64(get_u64(f->bus, SCOPE_42, SCOPE, "NEvents"), 1);
        ASSERT_EQ_U64(get_u64(f->bus, OPENS_PATH, POLICY, "NEvents"), 1);
        ASSERT_EQ_U64(get_u64(f->bus, PATH, MANAGER, "NEvents"), 1);
        ASSERT_OK(sd_bus_get_property(f->bus, NAME, SCOPE_42, SCOPE, "EventCounts", NULL, &m, "a{st}"));
        ASSERT_OK(sd_bus_message_enter_container(m, 'a', "{st}"));
        ASSERT_GT(sd_bus_message_read(m, "{st}", &name, &n), 0);
        ASSERT_STREQ(name, "openat");
        ASSERT_EQ_U64(n, 1);
        close(json);
        close(table);
}

TEST(stream_options_are_checked) {
        CLEANUP Fixture *f = fixture_start(two_policies);

        ASSERT_CONTAINS(refused(f->bus, PATH, MANAGER, "OpenEventStream", SD_BUS_ERROR_INVALID_ARGS, "a{sv}", 1,
                                "colour", "s", "red"), "'colour'");
        ASSERT_CONTAINS(refused(f->bus, PATH, MANAGER, "OpenEventStream", SD_BUS_ERROR_INVALID_ARGS, "a{sv}", 1,
                                "format", "s", "gob"), "'gob'");
        refused(f->bus, PATH, MANAGER, "OpenEventStream", SD_BUS_ERROR_INVALID_ARGS, "a{sv}", 1, "format", "u", 1);
        refused(f->bus, PATH, MANAGER, "OpenEventStream", SD_BUS_ERROR_INVALID_ARGS, "a{sv}", 1, "scopes", "s", "1");
        refused(f->bus, PATH, MANAGER, "OpenEventStream", ERROR("NoSuchScope"), "a{sv}", 1, "scopes", "ay", 1, 65);
        refused(f->bus, PATH, MANAGER, "OpenEventStream", ERROR("NoSuchPolicy"), "a{sv}", 1, "policy", "s", "nope");
        refused(f->bus, PATH, MANAGER, "OpenEventStream", SD_BUS_ERROR_INVALID_ARGS, "a{sv}", 1, "buffer-bytes", "t",
                UINT64_MAX);
}

TEST(hooks_say_how_they_are_attached) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        MESSAGE sd_bus_message *m = NULL;
        const char *event, *hook;

        ASSERT_OK(sd_bus_get_property(f->bus, NAME, OPENS_PATH, POLICY, "Hooks", NULL, &m, "a(ss)"));
        ASSERT_OK(sd_bus_message_enter_container(m, 'a', "(ss)"));
        ASSERT_GT(sd_bus_message_read(m, "(ss)", &event, &hook), 0);
        ASSERT_STREQ(event, "openat");
        ASSERT_STREQ(hook, "raw_tp");
}

TEST(log_control) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        const char *path = "/org/freedesktop/LogControl1", *interface = "org.freedesktop.LogControl1";
        char *level;

        ASSERT_OK(sd_bus_set_property(f->bus, NAME, path, interface, "LogLevel", NULL, "s", "debug"));
        level = get_string(f->bus, path, interface, "LogLevel");
        ASSERT_STREQ(level, "debug");
        free(level);
        refused(f->bus, path, "org.freedesktop.DBus.Properties", "Set", SD_BUS_ERROR_INVALID_ARGS, "ssv", interface,
                "LogLevel", "s", "loud");
        refused(f->bus, path, "org.freedesktop.DBus.Properties", "Set", SD_BUS_ERROR_INVALID_ARGS, "ssv", interface,
                "LogTarget", "s", "moon");
}

/* In a child that is nobody: 0, or the line where it went otherwise. */
static int as_nobody(Fixture *f) {
        static const struct {
                const char *path, *interface, *member, *types, *argument;
        } rows[] = {
                { PATH, MANAGER, "Reload", NULL, NULL },
                { PATH, MANAGER, "UnloadPolicy", "s", "opens" },
                { PATH, MANAGER, "DisablePolicy", "s", "opens" },
                { PATH, MANAGER, "EnablePolicy", "s", "opens" },
                { PATH, MANAGER, "CheckPolicy", "s", "" },
                { SCOPE_42, SCOPE, "Disable", NULL, NULL },
                { OPENS_PATH, POLICY, "Disable", NULL, NULL },
        };
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus *bus;
        uint32_t n;

        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
                return __LINE__;
        bus = fixture_connect(f);

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                int r = rows[i].types
                        ? sd_bus_call_method(bus, NAME, rows[i].path, rows[i].interface, rows[i].member, &e, NULL,
                                             rows[i].types, rows[i].argument)
                        : sd_bus_call_method(bus, NAME, rows[i].path, rows[i].interface, rows[i].member, &e, NULL, NULL);

                if (r >= 0 || !sd_bus_error_has_name(&e, SD_BUS_ERROR_ACCESS_DENIED)) {
                        fprintf(stderr, "%s as nobody: %s\n", rows[i].member, r >= 0 ? "granted" : e.name);
                        return __LINE__;
                }
                sd_bus_error_free(&e);
        }
        if (sd_bus_call_method(bus, NAME, PATH, MANAGER, "OpenEventStream", &e, NULL, "a{sv}", 0) >= 0 ||
            !sd_bus_error_has_name(&e, SD_BUS_ERROR_ACCESS_DENIED))
                return __LINE__;
        sd_bus_error_free(&e);
        if (sd_bus_call_method(bus, NAME, PATH, MANAGER, "LoadPolicy", &e, NULL, "st", OPENS("evil", 1), UINT64_C(0)) >= 0 ||
            !sd_bus_error_has_name(&e, SD_BUS_ERROR_ACCESS_DENIED))
                return __LINE__;
        sd_bus_error_free(&e);
        if (sd_bus_set_property(bus, NAME, "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1", "LogLevel", &e,
                                "s", "debug") >= 0)
                return __LINE__;
        if (sd_bus_get_property_trivial(bus, NAME, PATH, MANAGER, "NPolicies", NULL, 'u', &n) < 0 || n != 2)
                return __LINE__;
        if (sd_bus_call_method(bus, NAME, PATH, MANAGER, "ListPolicies", NULL, NULL, NULL) < 0 ||
            sd_bus_call_method(bus, NAME, PATH, MANAGER, "ListScopes", NULL, NULL, NULL) < 0 ||
            sd_bus_call_method(bus, NAME, PATH, MANAGER, "GetPolicy", NULL, NULL, "s", "opens") < 0 ||
            sd_bus_call_method(bus, NAME, PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, NULL,
                               NULL) < 0 ||
            sd_bus_call_method(bus, NAME, OPENS_PATH, "org.freedesktop.DBus.Properties", "GetAll", NULL, NULL, "s",
                               POLICY) < 0)
                return __LINE__;
        return 0;
}

/* What the system bus allows by default, and our own policy for it. */
#define SYSTEM_BUS_POLICY                                                                                    \
        "<policy context=\"default\"><allow user=\"*\"/><deny own=\"*\"/><deny send_type=\"method_call\"/>"      \
        "<allow send_type=\"signal\"/><allow send_requested_reply=\"true\" send_type=\"method_return\"/>"        \
        "<allow send_requested_reply=\"true\" send_type=\"error\"/><allow receive_type=\"method_call\"/>"        \
        "<allow receive_type=\"method_return\"/><allow receive_type=\"error\"/><allow receive_type=\"signal\"/>"  \
        "<allow send_destination=\"org.freedesktop.DBus\"/></policy>"                                        \
        "<include>%s/dbus/" NAME ".conf</include>"

/* Behind the bus policy that is installed, so that it is tested, too. */
TEST(others_may_look_but_not_touch) {
        const char *source = getenv("SCOPETRACE_SOURCE"), *before = fixture_bus_policy;
        char bus_policy[2048];
        Fixture *f;
        int status;
        pid_t pid;

        if (geteuid() != 0)
                test_skip("only root can become somebody else");

        if (!source)
                test_skip("$SCOPETRACE_SOURCE is not set");

        snprintf(bus_policy, sizeof bus_policy, SYSTEM_BUS_POLICY, source);
        fixture_bus_policy = bus_policy;
        f = fixture_start(two_policies);
        fixture_bus_policy = before;

        pid = fork();
        if (pid == 0) {
                int line = as_nobody(f);

                if (line > 0)
                        fprintf(stderr, "line %d\n", line);
                _exit(line > 0);
        }
        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        ASSERT_EQ(status, 0);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 1);
        fixture_stop(f);
}

/* The service goes on without a bus, and comes back to the next one. */
TEST(bus_may_go_away) {
        CLEANUP Fixture *f = fixture_start(two_policies);
        sd_bus *other = fixture_connect(f);

        load(f, other, OPENS("owned", 9), 1);
        fixture_bus_stop(f);
        sd_bus_close_unref(other);
        sd_bus_close_unref(f->bus);

        fixture_bus_start(f);
        f->bus = fixture_connect(f);
        fixture_wait_for_name(f);
        ASSERT_EQ(waitpid(f->service_pid, NULL, WNOHANG), 0);
        ASSERT_EQ(get_u32(f->bus, PATH, MANAGER, "NActive"), 1);
        refused(f->bus, PATH, MANAGER, "GetPolicy", ERROR("NoSuchPolicy"), "s", "owned");
        sd_bus_message_unref(call(f->bus, PATH, MANAGER, "Reload", NULL));
}

TEST_MAIN()
