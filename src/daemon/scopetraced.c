/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service's program: reads the command line, makes a Manager and runs its loop. `--check` reads policies without a
 * kernel, a bus or root. Exit codes are those of LSB that systemd.exec(5) lists. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "../basic/log.h"
#include "../basic/string-util.h"
#include "../capture/pcap-packet.h"
#include "../policy/capture-spec.h"
#include "check.h"
#include "manager.h"

enum {
        EXIT_INVALID_ARGUMENT = 2,
        EXIT_NO_PERMISSION = 4,
};

typedef struct Arguments {
        ManagerOptions options;
        bool check;
        char **files;           /* of --check; borrowed from argv */
} Arguments;

static int help(void) {
        puts("scopetraced [OPTIONS...]\n"
             "scopetraced --check FILE|DIR...\n\n"
             "Trace processes by policies, into the journal.\n\n"
             "  -h --help              Show this help\n"
             "     --version           Show the version\n"
             "     --check             Only check the policies in these files\n"
             "     --console           Run in the foreground, print events to stdout and\n"
             "                         messages to stderr\n"
             "  -o --output=FORMAT     With --console: table, table-verbose, json, export\n"
             "     --policy=FILE|DIR   Read these policies instead of the installed ones;\n"
             "                         may be given several times\n"
             "     --bus-address=ADDR  Use this message bus\n"
             "     --no-bus            Use no message bus\n\n"
             "See scopetrace.service(8).");
        return 0;
}

/* 0: done; 1: go on; negative: an error that was told. */
static int parse_arguments(int argc, char *argv[], Arguments *a) {
        enum { ARG_VERSION = 0x100, ARG_CHECK, ARG_CONSOLE, ARG_POLICY, ARG_BUS_ADDRESS, ARG_NO_BUS };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "check", no_argument, NULL, ARG_CHECK },
                { "console", no_argument, NULL, ARG_CONSOLE },
                { "output", required_argument, NULL, 'o' },
                { "policy", required_argument, NULL, ARG_POLICY },
                { "bus-address", required_argument, NULL, ARG_BUS_ADDRESS },
                { "no-bus", no_argument, NULL, ARG_NO_BUS },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "ho:", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        return help();
                case ARG_VERSION:
                        puts("scopetrace " PROJECT_VERSION);
                        return 0;
                case ARG_CHECK:
                        a->check = true;
                        break;
                case ARG_CONSOLE:
                        a->options.console = true;
                        break;
                case 'o':
                        a->options.console_format = event_format_from_string(optarg);
                        if (a->options.console_format < 0)
                                return log_error_errno(-EINVAL, "Unknown format %s; write table, table-verbose, "
                                                       "json or export.", optarg);
                        break;
                case ARG_POLICY:
                        if (strv_extend(&a->options.policy_paths, optarg) < 0)
                                return log_oom();
                        break;
                case ARG_BUS_ADDRESS:
                        a->options.bus_address = optarg;
                        break;
                case ARG_NO_BUS:
                        a->options.no_bus = true;
                        break;
                default:        /* getopt has said what is wrong */
                        return -EINVAL;
                }
        a->files = argv + optind;
        if (!a->check && *a->files)
                return log_error_errno(-EINVAL, "Unexpected argument %s; write --policy=%s to read policies from "
                                       "there.", *a->files, *a->files);
        if (a->check && !*a->files)
                return log_error_errno(-EINVAL, "--check wants the files or directories to check.");
        return 1;
}

static int run(const ManagerOptions *options) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        r = manager_new(options, &m);
        if (r < 0)
                return log_error_errno(r, "Cannot start: %m");
        r = manager_startup(m);
        if (r >= 0)
                r = manager_loop(m);
        if (r < 0)
                (void) sd_notifyf(0, "STOPPING=1\nERRNO=%i", -r);
        return r;
}

static int exit_code(int r) {
        return r >= 0 ? EXIT_SUCCESS : IN_SET(r, -EPERM, -EACCES) ? EXIT_NO_PERMISSION : EXIT_FAILURE;
}

int main(int argc, char *argv[]) {
        Arguments a = { .options.console_format = EVENT_FORMAT_TABLE_VERBOSE };
        int r;

        capture_spec_set_filter_check(pcap_filter_check);
        log_set_identifier("scopetraced");
        log_set_target(LOG_TARGET_AUTO);
        r = parse_arguments(argc, argv, &a);
        if (r <= 0) {
                strv_free(a.options.policy_paths);
                return r < 0 ? EXIT_INVALID_ARGUMENT : EXIT_SUCCESS;
        }
        if (a.check) {
                r = check_policies(a.files);
                if (r == -ENOMEM)
                        log_oom();
                return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }

        /* By hand, people want to see what is said, and the journal is to have it all the same. */
        if (log_get_target() == LOG_TARGET_CONSOLE)
                log_set_target(LOG_TARGET_BOTH);
        r = run(&a.options);
        strv_free(a.options.policy_paths);
        return exit_code(r);
}
