/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the command line says, and the row that describes a verb. scopectl.c fills and dispatches; each verbs-*.c ends
 * with its rows, so that a verb, its help and its limits stand together. */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#define SCOPE_NUMBER_MAX 64

/* LSB init script actions (status) and the general ones, as systemctl's. */
enum {
        EXIT_NOT_RUNNING = 3,        /* the service is not on the bus */
        EXIT_NO_SUCH_OBJECT = 4,     /* no such scope, policy or event */
        EXIT_NO_PERMISSION = 4,      /* LSB: the same number; the sentence tells them apart */
};

typedef enum JsonMode {
        JSON_OFF,
        JSON_PRETTY,
        JSON_SHORT,
        _JSON_MAX,
        _JSON_INVALID = -22,
} JsonMode;

/* Of artifacts and vacuum: as given, NULL: not. */
typedef struct ArtifactOptions {
        const char *scope, *pid, *kind, *container, *source, *comm, *policy, *since, *until;
        const char *max_use, *max_age;
        bool all;
} ArtifactOptions;

typedef struct Options {
        const char *host;            /* -H */
        const char *machine;         /* -M */
        const char *bus_address;     /* --bus-address */
        JsonMode json;
        bool pager;
        bool legend;
        bool full;
        bool quiet;
        bool share;                  /* trace: join a scope that is in use */
        bool follow;                 /* log */
        bool ask_password;
        long lines;                  /* -n, -1: not given */
        const char *output;          /* -o: what the verb says it is */
        const char **output_options; /* -o option:NAME */
        size_t n_output_options, n_output_options_allocated;
        const char **filters;        /* -t, -f */
        size_t n_filters, n_filters_allocated;
        const char **captures;       /* --capture */
        size_t n_captures, n_captures_allocated;
        ArtifactOptions artifacts;
} Options;

typedef struct Verb {
        const char *name;
        const char *args;            /* in the help: "FILE…" */
        const char *help;
        unsigned n_args_min, n_args_max;
        /* Returns the exit code, or a negative errno when it has said what is wrong. argv[0] is the verb. */
        int (*run)(const Options *o, int argc, char *argv[]);
} Verb;

#define VERB_ANY ((unsigned) -1)

typedef struct VerbGroup {
        const char *title;
        const Verb *verbs;           /* ends with a row without a name */
} VerbGroup;

extern const Verb verbs_scope[];
extern const Verb verbs_policy[];
extern const Verb verbs_capture[];
extern const Verb verbs_vocabulary[];

/* What is wrong with which policy, one sentence a line. 0 or an exit code. */
int print_problems(sd_bus *bus);
int verb_trace(const Options *o, int argc, char *argv[]);
int verb_artifacts(const Options *o, int argc, char *argv[]);
int verb_vacuum(const Options *o, int argc, char *argv[]);
