/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One Event as a line, a JSON object, or the MESSAGE= and TRACE_ARGS= texts of its journal entry. Everything is
 * appended to a Buffer by our own code; nothing allocates beyond the buffer's growth, nothing touches the locale. */

#include <stdbool.h>

#include "../basic/buffer.h"
#include "record.h"

typedef enum EventFormat {
        EVENT_FORMAT_TABLE,
        EVENT_FORMAT_TABLE_VERBOSE,
        EVENT_FORMAT_JSON,
        EVENT_FORMAT_EXPORT,         /* journal export format: journal.c's fields, see journal-entry.h */
        _EVENT_FORMAT_MAX,
        _EVENT_FORMAT_INVALID = -22,
} EventFormat;

typedef enum EventFormatFlags {
        EVENT_FORMAT_PARSE_ARGUMENTS = 1 << 0,  /* flags and modes as names (table implies it) */
        EVENT_FORMAT_RELATIVE_TIME = 1 << 1,    /* since the epoch that event_format_set_epoch() was told */
        EVENT_FORMAT_CONTAINERS = 1 << 2,       /* PID/host columns, CONTAINER_ID in the plain table */
} EventFormatFlags;

const char *event_format_to_string(EventFormat f);
EventFormat event_format_from_string(const char *s);   /* also accepts "format:table-verbose" */

/* Where relative time begins, on CLOCK_BOOTTIME; 0 (the default): at boot. */
void event_format_set_epoch(uint64_t boottime_ns);

/* The header line of a table (with newline); nothing for JSON and export. */
int event_format_header(Buffer *b, EventFormat f, EventFormatFlags flags);
/* One event with its newline. */
int event_format(Buffer *b, const Event *e, EventFormat f, EventFormatFlags flags);

/* `cat[1234] openat(dirfd: AT_FDCWD, pathname: /etc/passwd) = 3`: no newline, escaped. */
int event_format_message(Buffer *b, const Event *e);
/* `name: value, name: value`: decoded and escaped. */
int event_format_args(Buffer *b, const Event *e, bool decoded);

/* All fields of design.md §4 as `NAME=value` items, binary safe. The items stand one after the other in `data`;
 * offsets[i] .. offsets[i+1] is item i. Returns the number of items. */
typedef struct FieldList {
        Buffer data;
        uint32_t *offsets;     /* n + 1 entries */
        size_t n, n_allocated;
} FieldList;

void field_list_reset(FieldList *l);
void field_list_done(FieldList *l);
int field_list_add(FieldList *l, const char *name, const void *value, size_t size);
int field_list_add_string(FieldList *l, const char *name, const char *value);
int field_list_add_u64(FieldList *l, const char *name, uint64_t value);
int field_list_add_s64(FieldList *l, const char *name, int64_t value);
int event_format_fields(FieldList *l, const Event *e);
/* The same as one entry of the journal export format, with its empty line. */
int event_format_export(Buffer *b, const Event *e);
