/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How scopectl writes: tables and their JSON, colour, legend and pager. */

#include <stdbool.h>
#include <stdint.h>

#include "../basic/buffer.h"
#include "scopectl.h"

typedef enum ColumnType {
        COLUMN_STRING,
        COLUMN_NUMBER,
        COLUMN_BOOLEAN,
        COLUMN_LIST,       /* cells hold one item a line; a JSON array of strings */
} ColumnType;

typedef struct Column {
        const char *title;
        const char *json_name;
        ColumnType type;
        bool elastic;      /* cut to fit the terminal unless --full */
} Column;

typedef struct Table Table;

/* `name` is the key of the JSON array: { "scopes": [ … ] }. Columns end with a row without a title. */
int table_new(const Options *o, const char *name, const Column *columns, Table **ret);
Table *table_free(Table *t);
static inline void table_freep(Table **t) {
        table_free(*t);
}

/* Cells of the row that was begun last, in the order of the columns. The first failure sticks and is reported by
 * table_print(). A NULL string is an empty cell. */
void table_row(Table *t);
void table_add(Table *t, const char *s);
void table_add_u64(Table *t, uint64_t v);
void table_add_bool(Table *t, bool b);
void table_color(Table *t, const char *color);   /* of the cell added last: a libsmartcols colour name */
/* `noun`: what the legend counts ("scopes"). Starts the pager where one is wanted. */
int table_print(Table *t, const char *noun);

bool colors_wanted(void);
const char *color_on(const char *sgr);           /* the escape sequence, or "" */
const char *color_off(void);
#define COLOR_GREEN "0;32"
#define COLOR_RED "0;1;31"
#define COLOR_YELLOW "0;1;33"
#define COLOR_BOLD "0;1;39"
#define COLOR_GREY "0;38;5;245"

/* stdout into $SYSTEMD_PAGER, $PAGER or less when it is a terminal. pager_close() waits for it to end. */
void pager_open(const Options *o);
void pager_close(void);

/* The value that a message stands at, as JSON; dictionaries of string keys become objects. */
int message_to_json(sd_bus_message *m, Buffer *b);
/* Writes JSON that stands in `b`, pretty or short as asked. */
int json_print(const Options *o, const Buffer *b);

/* The same for people: one "Name: value" a line, lists one item a line. */
int json_show(const Buffer *b);

/* "3h 12min ago", "2s ago"; for timestamps in microseconds since the epoch. */
void format_relative(char *buf, size_t size, uint64_t usec);
void format_timestamp(char *buf, size_t size, uint64_t usec);
void format_bytes(char *buf, size_t size, uint64_t bytes);
