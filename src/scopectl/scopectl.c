/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scopectl: options, help and dispatch. What a verb does, takes and says of itself stands in its own row, in the
 * verbs-*.c files; nothing here knows one but the default. */

#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "client.h"
#include "output.h"
#include "scopectl.h"

enum {
        ARG_VERSION = 0x100,
        ARG_BUS_ADDRESS,
        ARG_JSON,
        ARG_NO_PAGER,
        ARG_NO_LEGEND,
        ARG_NO_ASK_PASSWORD,
        ARG_SHARE,
        ARG_CAPTURE,
        ARG_FOLLOW,
        ARG_ALL,
        ARG_ARTIFACT_FIRST,     /* and the rows of artifact_options */
};

static const VerbGroup groups[] = {
        { "Scopes and events", verbs_scope },
        { "Policies", verbs_policy },
        { "Captures and artifacts", verbs_capture },
        { "What can be traced", verbs_vocabulary },
};

/* In the order of what getopt is told. */
static const size_t artifact_options[] = {
        offsetof(ArtifactOptions, scope),
        offsetof(ArtifactOptions, pid),
        offsetof(ArtifactOptions, kind),
        offsetof(ArtifactOptions, container),
        offsetof(ArtifactOptions, source),
        offsetof(ArtifactOptions, comm),
        offsetof(ArtifactOptions, policy),
        offsetof(ArtifactOptions, since),
        offsetof(ArtifactOptions, until),
        offsetof(ArtifactOptions, max_use),
        offsetof(ArtifactOptions, max_age),
};

static void help_verbs(const VerbGroup *g) {
        printf("\n%s%s:%s\n", color_on(COLOR_BOLD), g->title, color_off());

        for (const Verb *v = g->verbs; v->name; v++) {
                char left[64];

                snprintf(left, sizeof left, "%s%s%s", v->name, isempty(v->args) ? "" : " ", strempty(v->args));
                printf("  %-*s %s\n", 26 + (int) (strlen(left) - mbstowcs(NULL, left, 0)), left, v->help);
        }
}

static int help(const Options *o) {
        pager_open(o);
        printf("%sscopectl [OPTIONS…] VERB …%s\n\nFollow and control the scopetrace service.\n", color_on(COLOR_BOLD),
               color_off());

        for (size_t i = 0; i < ELEMENTSOF(groups); i++)
                help_verbs(&groups[i]);

        printf("\n%sOptions:%s\n"
               "  -h --help                  Show this help\n"
               "     --version               Show the version\n"
               "  -H --host=[USER@]HOST      Operate on a remote host\n"
               "  -M --machine=CONTAINER     Operate on a local container\n"
               "     --bus-address=ADDRESS   Operate on a service on this bus\n"
               "     --json=MODE             Tables as JSON: pretty, short or off\n"
               "  -j                         Same as --json=pretty on a terminal, else short\n"
               "     --no-pager              Do not pipe output into a pager\n"
               "     --no-legend             No headings and no totals\n"
               "     --no-ask-password       Do not ask to be authorized\n"
               "  -l --full                  Do not cut columns to the width of the terminal\n"
               "  -q --quiet                 Say only what was asked for\n"
               "  -n --lines=N               trace: end after N events; log, top: show N\n"
               "  -o --output=FORMAT         trace: table, table-verbose, json or export,\n"
               "                             option:NAME for an option; log: as journalctl\n"
               "  -t -f --filter=FILTER      trace: [SCOPE:]FILTER, may be repeated\n"
               "     --share                 trace: use a scope that a policy uses already\n"
               "     --capture=WHAT          trace: keep artifacts, as spec.capture of a policy\n"
               "     --follow                log: go on with new records\n"
               "     --scope= --kind= --container= --source= --comm= --pid= --policy= --since=\n"
               "     --until=                artifacts: only those that fit all of these\n"
               "     --all                   artifacts remove: every one\n"
               "     --max-use=SIZE          vacuum: until all together take so much\n"
               "     --max-age=TIME          vacuum: what is older than this\n"
               "\nSee the scopectl(1) man page for details.\n",
               color_on(COLOR_BOLD), color_off());
        pager_close();
        return EXIT_SUCCESS;
}

static int version(void) {
        puts("scopetrace " PROJECT_VERSION);
        return EXIT_SUCCESS;
}

static int add_string(const char ***l, size_t *n, size_t *n_allocated, const char *s) {
        if (!GREEDY_REALLOC(*l, *n_allocated, *n + 1))
                return -ENOMEM;

        (*l)[(*n)++] = s;
        return 0;
}

static int parse_output(Options *o, const char *s) {
        const char *name = startswith(s, "option:");

        if (name)
                return add_string(&o->output_options, &o->n_output_options, &o->n_output_options_allocated, name);

        o->output = startswith(s, "format:") ?: s;
        return 0;
}

static int parse_json(Options *o, const char *s) {
        static const char *const names[_JSON_MAX] = {
                [JSON_OFF] = "off",
                [JSON_PRETTY] = "pretty",
                [JSON_SHORT] = "short",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(s, names[i])) {
                        o->json = (JsonMode) i;
                        return 0;
                }

        fprintf(stderr, "Unknown argument to --json=: '%s'; use pretty, short or off.\n", s);
        return -EINVAL;
}

static int parse_lines(Options *o, const char *s) {
        uint64_t n;

        if (parse_u64(s, &n) < 0 || n > INT32_MAX) {
                fprintf(stderr, "'%s' is no number of lines.\n", s);
                return -EINVAL;
        }

        o->lines = (long) n;
        return 0;
}

/* 0, -errno with the reason said, or 1 when everything asked for is done. */
static int parse_option(Options *o, int c) {
        switch (c) {
        case 'h':
                help(o);
                return 1;
        case ARG_VERSION:
                version();
                return 1;
        case 'H':
                o->host = optarg;
                return 0;
        case 'M':
                o->machine = optarg;
                return 0;
        case ARG_BUS_ADDRESS:
                o->bus_address = optarg;
                return 0;
        case ARG_JSON:
                return parse_json(o, optarg);
        case 'j':
                o->json = isatty(STDOUT_FILENO) ? JSON_PRETTY : JSON_SHORT;
                return 0;
        case ARG_NO_PAGER:
                o->pager = false;
                return 0;
        case ARG_NO_LEGEND:
                o->legend = false;
                return 0;
        case ARG_NO_ASK_PASSWORD:
                o->ask_password = false;
                return 0;
        case 'l':
                o->full = true;
                return 0;
        case 'q':
                o->quiet = true;
                return 0;
        case 'n':
                return parse_lines(o, optarg);
        case 'o':
                return parse_output(o, optarg);
        case 't':
        case 'f':
                return add_string(&o->filters, &o->n_filters, &o->n_filters_allocated, optarg);
        case ARG_SHARE:
                o->share = true;
                return 0;
        case ARG_FOLLOW:
                o->follow = true;
                return 0;
        case ARG_ALL:
                o->artifacts.all = true;
                return 0;
        case ARG_ARTIFACT_FIRST ... ARG_ARTIFACT_FIRST + (int) ELEMENTSOF(artifact_options) - 1:
                *(const char **) ((char *) &o->artifacts + artifact_options[c - ARG_ARTIFACT_FIRST]) = optarg;
                return 0;
        case ARG_CAPTURE:
                return add_string(&o->captures, &o->n_captures, &o->n_captures_allocated, optarg);
        default:
                return -EINVAL;   /* getopt has said it */
        }
}

static int parse_argv(Options *o, int argc, char *argv[]) {
        static const struct option options[] = {
                { "help",            no_argument,       NULL, 'h' },
                { "version",         no_argument,       NULL, ARG_VERSION },
                { "host",            required_argument, NULL, 'H' },
                { "machine",         required_argument, NULL, 'M' },
                { "bus-address",     required_argument, NULL, ARG_BUS_ADDRESS },
                { "json",            required_argument, NULL, ARG_JSON },
                { "no-pager",        no_argument,       NULL, ARG_NO_PAGER },
                { "no-legend",       no_argument,       NULL, ARG_NO_LEGEND },
                { "no-ask-password", no_argument,       NULL, ARG_NO_ASK_PASSWORD },
                { "full",            no_argument,       NULL, 'l' },
                { "quiet",           no_argument,       NULL, 'q' },
                { "lines",           required_argument, NULL, 'n' },
                { "output",          required_argument, NULL, 'o' },
                { "filter",          required_argument, NULL, 'f' },
                { "trace",           required_argument, NULL, 'f' },
                { "share",           no_argument,       NULL, ARG_SHARE },
                { "capture",         required_argument, NULL, ARG_CAPTURE },
                { "follow",          no_argument,       NULL, ARG_FOLLOW },
                { "all",             no_argument,       NULL, ARG_ALL },
                { "scope",          required_argument, NULL, ARG_ARTIFACT_FIRST + 0 },
                { "pid",            required_argument, NULL, ARG_ARTIFACT_FIRST + 1 },
                { "kind",           required_argument, NULL, ARG_ARTIFACT_FIRST + 2 },
                { "container",      required_argument, NULL, ARG_ARTIFACT_FIRST + 3 },
                { "source",         required_argument, NULL, ARG_ARTIFACT_FIRST + 4 },
                { "comm",           required_argument, NULL, ARG_ARTIFACT_FIRST + 5 },
                { "policy",         required_argument, NULL, ARG_ARTIFACT_FIRST + 6 },
                { "since",          required_argument, NULL, ARG_ARTIFACT_FIRST + 7 },
                { "until",          required_argument, NULL, ARG_ARTIFACT_FIRST + 8 },
                { "max-use",        required_argument, NULL, ARG_ARTIFACT_FIRST + 9 },
                { "max-age",        required_argument, NULL, ARG_ARTIFACT_FIRST + 10 },
                {}
        };
        int c, r;

        while ((c = getopt_long(argc, argv, "hH:M:jlqn:o:t:f:", options, NULL)) >= 0) {
                r = parse_option(o, c);
                if (r != 0)
                        return r;
        }

        return 0;
}

static const Verb *find_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(groups); i++)
                for (const Verb *v = groups[i].verbs; v->name; v++)
                        if (streq(v->name, name))
                                return v;
        return NULL;
}

static int dispatch(const Options *o, int argc, char *argv[]) {
        char *fallback[] = { (char *) "status", NULL };
        const Verb *v;
        int r;

        if (argc == 0) {
                argv = fallback;
                argc = 1;
        }

        if (streq(argv[0], "help"))
                return help(o);

        v = find_verb(argv[0]);
        if (!v) {
                fprintf(stderr, "Unknown verb '%s', see scopectl --help.\n", argv[0]);
                return EXIT_FAILURE;
        }
        if ((unsigned) argc - 1 < v->n_args_min) {
                fprintf(stderr, "Too few arguments: scopectl %s %s\n", v->name, strempty(v->args));
                return EXIT_FAILURE;
        }
        if ((unsigned) argc - 1 > v->n_args_max) {
                fprintf(stderr, "Too many arguments: scopectl %s %s\n", v->name, strempty(v->args));
                return EXIT_FAILURE;
        }

        r = v->run(o, argc, argv);
        if (r == -ENOMEM)
                fprintf(stderr, "Out of memory.\n");
        return r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char *argv[]) {
        Options o = { .pager = true, .legend = true, .ask_password = true, .lines = -1 };
        int r;

        (void) setlocale(LC_ALL, "");

        r = parse_argv(&o, argc, argv);
        if (r == 0)
                r = dispatch(&o, argc - optind, argv + optind);
        else
                r = r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        pager_close();
        free(o.filters);
        free(o.output_options);
        free(o.captures);
        return r;
}
