/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading the arguments of a capture's event by their names. */

#include <stdint.h>
#include <string.h>

#include "../basic/string-util.h"
#include "../event/record.h"

static inline const EventArg *capture_arg(const Event *e, const char *name) {
        for (size_t i = 0; i < e->n_args; i++)
                if (e->args[i].spec && streq(e->args[i].spec->name, name))
                        return e->args + i;
        return NULL;
}

/* Numbers travel as u64 whatever their type; 0 when absent. */
static inline uint64_t capture_arg_u64(const Event *e, const char *name) {
        const EventArg *a = capture_arg(e, name);
        uint64_t v = 0;

        if (a && a->size >= sizeof(v))
                memcpy(&v, a->data, sizeof(v));
        return v;
}

/* Paths and strings are NUL-terminated in the record; NULL when absent, empty or not so. */
static inline const char *capture_arg_str(const Event *e, const char *name) {
        const EventArg *a = capture_arg(e, name);

        return a && a->size > 1 && a->data[a->size - 1] == 0 ? (const char *) a->data : NULL;
}
