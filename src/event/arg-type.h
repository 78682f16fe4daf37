/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How values of arguments are shown, and how a filter that names them is understood. A wire type
 * (bpf/abi/arg-types.def) says what the bytes are; a printer says what a number means. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../basic/buffer.h"
#include "record.h"

enum {
#define PRINTER(symbol, name) PRINTER_##symbol,
#include "printers.def"
#undef PRINTER
        _PRINTER_MAX,
};

typedef enum ArgStyle {
        ARG_STYLE_RAW,          /* numbers as numbers (JSON without parse-arguments) */
        ARG_STYLE_TRACEE,       /* decoded as the tables and parse-arguments do: flags by name, pointers as 0x... */
        ARG_STYLE_PEOPLE,       /* and AT_FDCWD, octal modes, readable addresses: MESSAGE, TRACE_ARGS */
} ArgStyle;

/* One value as text, safe for a terminal. */
int arg_print(Buffer *b, const EventArg *a, ArgStyle style);
/* One value as JSON, and whether its type has become "string" by decoding. */
int arg_print_json(Buffer *b, const EventArg *a, ArgStyle style);
bool arg_is_decoded(const EventArg *a, ArgStyle style);
/* One value as bytes of a journal field: decoded, nothing escaped. */
int arg_print_journal(Buffer *b, const EventArg *a);

/* The number of an argument whose wire form is one, else -EINVAL. */
int arg_get_u64(const EventArg *a, uint64_t *ret);

/* A number as a printer shows it. */
int printer_print(Buffer *b, ArgPrinter printer, uint64_t value, ArgStyle style);

/* A filter's names → which values it wants: (value & *ret_and) == *ret_cmp, on the wire form of the value. Takes one
 * name or several joined by "|" ("O_WRONLY|O_CREAT"), names and numbers mixed. A bit is asked for alone, a member of
 * a field (access mode, socket type) asks for the field, a member of an enumeration for the whole value.
 * -ENOENT: the printer does not know a name. -EINVAL: the names contradict each other, or the text is empty. */
int printer_parse(ArgPrinter printer, const char *text, uint64_t *ret_and, uint64_t *ret_cmp);

/* Names that the printer knows, for sentences and completion: i = 0, 1, ... until NULL. */
const char *printer_name(ArgPrinter printer, size_t i);
/* What the printer's values are called, e.g. "open flag"; NULL when it knows no names. */
const char *printer_to_string(ArgPrinter printer);
