/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A service on the fake kernel layer, with a dbus-daemon, a folder of policies and a FIFO of records of its own, and small
 * conveniences of a client. What it starts dies with the test program. $SCOPETRACED_FAKE is the program. A header, as
 * test.h is: assertions leave the test from here, too. */

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "basic/macro.h"
#include "fake-kernel.h"
#include "test.h"

#define NAME "org.scopetrace.Scopetrace1"
#define PATH "/org/scopetrace/Scopetrace1"
#define MANAGER NAME ".Manager"
#define SCOPE NAME ".Scope"
#define POLICY NAME ".Policy"
#define ERROR(n) NAME ".Error." n

typedef struct Fixture {
        char dir[64];
        char address[128];
        pid_t bus_pid, service_pid;
        sd_bus *bus;            /* a client */
        int records;
} Fixture;

#define PATIENCE_USEC (20ULL * 1000 * 1000)

static void fail(const char *what, int r) {
        fprintf(stderr, "%s: %s\n", what, strerror(r < 0 ? -r : errno));
        exit(EXIT_FAILURE);
}

static uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

/* Ready when it has written a line to what is its descriptor 3 (dbus-daemon's --print-address). */
static pid_t spawn(char *const argv[], int ready_fd) {
        pid_t pid = fork();

        if (pid < 0)
                fail("fork", 0);
        if (pid > 0)
                return pid;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ready_fd >= 0)
                (void) dup2(ready_fd, 3);
        (void) execvp(argv[0], argv);
        _exit(127);
}

/* Returns the wait status. */
static int end(pid_t pid) {
        int status = 0;

        if (pid > 0) {
                (void) kill(pid, SIGTERM);
                (void) waitpid(pid, &status, 0);
        }
        return status;
}

static _unused_ void fixture_write(Fixture *f, const char *name, const char *text) {
        char path[256];
        FILE *file;

        snprintf(path, sizeof path, "%s/%s", f->dir, name);
        file = fopen(path, "we");
        if (!file || fputs(text, file) < 0 || fclose(file) < 0)
                fail(path, 0);
}

static _unused_ void fixture_bus_start(Fixture *f) {
        char config[128], line[256];
        char *argv[] = { (char *) "dbus-daemon", (char *) "--nofork", (char *) "--nopidfile", config,
                         (char *) "--print-address=3", NULL };
        int fds[2];

        snprintf(config, sizeof config, "--config-file=%s/bus.conf", f->dir);
        if (pipe(fds) < 0)
                fail("pipe", 0);
        f->bus_pid = spawn(argv, fds[1]);
        close(fds[1]);
        if (read(fds[0], line, sizeof line) <= 0) {
                (void) waitpid(f->bus_pid, NULL, 0);
                test_skip("dbus-daemon does not run here");
        }
        close(fds[0]);
}

static _unused_ void fixture_bus_stop(Fixture *f) {
        end(f->bus_pid);
        f->bus_pid = 0;
}

static _unused_ sd_bus *fixture_connect(Fixture *f) {
        sd_bus *bus;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, f->address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, 1);
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, 1);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                fail("Cannot connect to the bus", r);
        return bus;
}

/* Until the name has an owner. */
static _unused_ void fixture_wait_for_name(Fixture *f) {
        uint64_t until = now_usec() + PATIENCE_USEC;
        sd_bus_creds *creds = NULL;

        while (sd_bus_get_name_creds(f->bus, NAME, 0, &creds) < 0) {
                const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

                if (now_usec() > until)
                        TEST_FAIL("The service does not take its name");
                if (waitpid(f->service_pid, NULL, WNOHANG) > 0)
                        TEST_FAIL("The service ended");
                nanosleep(&pause, NULL);
        }
        sd_bus_creds_unref(creds);
}

/* Everything is allowed, unless a test wants it otherwise. */
static const char *fixture_bus_policy =
        "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
        "<allow own=\"*\"/><allow user=\"*\"/></policy>";

/* policies: name, text, name, text, ..., NULL: files of the folder. Skips the test when there is no dbus-daemon. */
static _unused_ Fixture *fixture_start(const char *const *policies) {
        const char *program = getenv("SCOPETRACED_FAKE");
        Fixture *f = calloc(1, sizeof *f);
        char text[4096], policy_dir[80], fifo[80], policy_arg[96], address_arg[160];
        char *argv[] = { (char *) program, (char *) "--console", (char *) "--output=json", policy_arg, address_arg, NULL };

        if (!program)
                test_skip("$SCOPETRACED_FAKE is not set");
        if (!f)
                abort();

        strcpy(f->dir, "/tmp/scopetrace-bus.XXXXXX");
        if (!mkdtemp(f->dir) || chmod(f->dir, 0755) < 0)
                fail("mkdtemp", 0);
        snprintf(f->address, sizeof f->address, "unix:path=%s/bus", f->dir);
        snprintf(text, sizeof text, "<busconfig><type>session</type><listen>%s</listen><auth>EXTERNAL</auth>%s</busconfig>",
                 f->address, fixture_bus_policy);
        fixture_write(f, "bus.conf", text);
        fixture_bus_start(f);

        snprintf(policy_dir, sizeof policy_dir, "%s/policies.d", f->dir);
        if (mkdir(policy_dir, 0755) < 0)
                fail(policy_dir, 0);
        for (size_t i = 0; policies && policies[i]; i += 2) {
                char name[128];

                snprintf(name, sizeof name, "policies.d/%s", policies[i]);
                fixture_write(f, name, policies[i + 1]);
        }

        snprintf(fifo, sizeof fifo, "%s/records", f->dir);
        if (mkfifo(fifo, 0600) < 0 || (f->records = open(fifo, O_RDWR | O_CLOEXEC)) < 0)
                fail(fifo, 0);
        setenv("SCOPETRACE_FAKE_RECORDS", fifo, 1);
        /* Nothing of the machine's own captures, unless the test brings some. */
        snprintf(text, sizeof text, "%s/state", f->dir);
        setenv("STATE_DIRECTORY", getenv("TEST_STATE_DIRECTORY") ?: text, 1);

        snprintf(policy_arg, sizeof policy_arg, "--policy=%s", policy_dir);
        snprintf(address_arg, sizeof address_arg, "--bus-address=%s", f->address);
        f->service_pid = spawn(argv, -1);
        f->bus = fixture_connect(f);
        fixture_wait_for_name(f);
        return f;
}

static _unused_ void fixture_stop(Fixture *f) {
        char command[128];
        int status;

        sd_bus_close_unref(f->bus);
        /* A sanitizer's complaint is an exit code, too. */
        status = end(f->service_pid);
        end(f->bus_pid);
        close(f->records);
        snprintf(command, sizeof command, "rm -rf %s", f->dir);
        if (system(command) != 0)
                fail(command, 0);
        free(f);
        ASSERT_EQ(status, 0);
}

static _unused_ void fixture_stopp(Fixture **f) {
        if (*f)
                fixture_stop(*f);
}

/* One event through the ring: every rule that wants it matches. */
static _unused_ void fixture_event(Fixture *f, const char *event, const char *path) {
        char frame[2048];
        size_t n = fake_frame_event(&(FakeEvent) { .event = event, .comm = "cat", .path = path, .retval = 3 }, frame,
                                    sizeof frame);

        if (write(f->records, frame, n) != (ssize_t) n)
                fail("records", 0);
}

static int call_v(sd_bus *bus, const char *path, const char *interface, const char *member, sd_bus_error *e,
                  sd_bus_message **ret, const char *types, va_list ap) {
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, NAME, path, interface, member);
        if (r >= 0 && types)
                r = sd_bus_message_appendv(m, types, ap);
        if (r >= 0)
                r = sd_bus_call(bus, m, PATIENCE_USEC, e, ret);
        sd_bus_message_unref(m);
        return r;
}

/* A call that must succeed. */
static _unused_ sd_bus_message *call(sd_bus *bus, const char *path, const char *interface, const char *member, const char *types, ...) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        va_list ap;
        int r;

        va_start(ap, types);
        r = call_v(bus, path, interface, member, &e, &reply, types, ap);
        va_end(ap);
        if (r < 0)
                TEST_FAIL("%s: %s: %s", member, e.name ?: "", e.message ?: strerror(-r));
        return reply;
}

/* A call that must fail with this error; returns the message. Static buffer. */
static _unused_ const char *refused(sd_bus *bus, const char *path, const char *interface, const char *member, const char *error,
                    const char *types, ...) {
        static char message[1024];
        sd_bus_error e = SD_BUS_ERROR_NULL;
        va_list ap;
        int r;

        va_start(ap, types);
        r = call_v(bus, path, interface, member, &e, NULL, types, ap);
        va_end(ap);
        if (r >= 0)
                TEST_FAIL("%s succeeded, expected %s", member, error);
        if (!e.name || strcmp(e.name, error) != 0)
                TEST_FAIL("%s: %s: %s, expected %s", member, e.name ?: "", e.message ?: "", error);
        snprintf(message, sizeof message, "%s", e.message ?: "");
        sd_bus_error_free(&e);
        return message;
}

static _unused_ uint64_t get_u64(sd_bus *bus, const char *path, const char *interface, const char *property) {
        uint64_t v = 0;

        ASSERT_OK(sd_bus_get_property_trivial(bus, NAME, path, interface, property, NULL, 't', &v));
        return v;
}

static _unused_ uint32_t get_u32(sd_bus *bus, const char *path, const char *interface, const char *property) {
        uint32_t v = 0;

        ASSERT_OK(sd_bus_get_property_trivial(bus, NAME, path, interface, property, NULL, 'u', &v));
        return v;
}

static _unused_ char *get_string(sd_bus *bus, const char *path, const char *interface, const char *property) {
        char *s = NULL;

        ASSERT_OK(sd_bus_get_property_string(bus, NAME, path, interface, property, NULL, &s));
        return s;
}

/* Signals that came since signals_watch(), as lines "Member path interface". */
static char signals[65536];

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *object = "", *interface = "";
        size_t n = strlen(signals);

        if (strcmp(sd_bus_message_get_member(m), "PropertiesChanged") == 0) {
                object = sd_bus_message_get_path(m);
                (void) sd_bus_message_read(m, "s", &interface);
        } else
                (void) sd_bus_message_read(m, "o", &object);

        snprintf(signals + n, sizeof signals - n, "%s %s %s\n", sd_bus_message_get_member(m), object, interface);
        return 0;
}

static _unused_ void signals_watch(sd_bus *bus) {
        signals[0] = 0;
        ASSERT_OK(sd_bus_match_signal(bus, NULL, NAME, NULL, "org.freedesktop.DBus.Properties", NULL, on_signal, NULL));
        ASSERT_OK(sd_bus_match_signal(bus, NULL, NAME, NULL, "org.freedesktop.DBus.ObjectManager", NULL, on_signal, NULL));
}

static _unused_ bool signals_seen(const char *line) {
        for (const char *p = signals; *p; p = strchr(p, '\n') + 1)
                if (strncmp(p, line, strlen(line)) == 0)
                        return true;
        return false;
}

/* Waits until one that begins with `line` is there. */
static _unused_ void signals_expect(sd_bus *bus, const char *line) {
        uint64_t until = now_usec() + PATIENCE_USEC;

        while (!signals_seen(line)) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, 100 * 1000);
                ASSERT_OK(r);
                if (now_usec() > until)
                        TEST_FAIL("No signal '%s' among\n%s", line, signals);
        }
}
