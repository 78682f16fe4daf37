/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Argument values → text: one row per wire type of bpf/abi/arg-types.def. Values come from record_parse(), so fixed
 * sizes hold; contents are whatever a process or the kernel put there. Text of processes is escaped for people, for
 * terminals (the tables) and for JSON, and left as it is in journal fields. Never allocates. */

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../basic/macro.h"
#include "arg-struct.h"
#include "inet-print.h"
#include "printer.h"

/* Elements of argv that one line shows. */
#define STRV_SHOWN_MAX 1024

typedef enum TextMode {
        TEXT_PLAIN,     /* bytes as they are */
        TEXT_ESCAPED,
} TextMode;

typedef struct ArgTypeRow {
        bool number;            /* wire form u64 or s64 */
        bool is_signed;
        int (*text)(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode);
        int (*json)(Buffer *b, const EventArg *a, ArgStyle style);
} ArgTypeRow;

static const ArgTypeRow arg_type_rows[_SCT_ARG_TYPE_MAX];

static uint64_t get_u64(const uint8_t *p) {
        uint64_t v;

        memcpy(&v, p, sizeof(v));
        return v;
}

static uint16_t get_be16(const uint8_t *p) {
        return (uint16_t) (p[0] << 8 | p[1]);
}

static int add_text(Buffer *b, const void *s, size_t size, TextMode mode) {
        return mode == TEXT_ESCAPED ? buffer_add_escaped(b, s, size) : buffer_add(b, s, size);
}

static uint8_t printer_of(const EventArg *a) {
        return a->spec ? a->spec->printer : PRINTER_DEFAULT;
}

/* --- numbers --- */

static bool number_is_decoded(const EventArg *a, ArgStyle style) {
        const PrinterRow *row = printer_row(printer_of(a));

        return style != ARG_STYLE_RAW && row->kind != PRINTER_KIND_NUMBER && row->kind != PRINTER_KIND_BYTES &&
               (style == ARG_STYLE_PEOPLE || !row->people);
}

static int add_number(Buffer *b, const EventArg *a, ArgStyle style) {
        uint64_t v = get_u64(a->data);

        if (number_is_decoded(a, style))
                return printer_print(b, printer_of(a), v, style);
        return arg_type_rows[a->type].is_signed ? buffer_add_s64(b, (int64_t) v) : buffer_add_u64(b, v);
}

static int text_number(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return add_number(b, a, style);
}

static int json_number(Buffer *b, const EventArg *a, ArgStyle style) {
        int r;

        if (!number_is_decoded(a, style))
                return add_number(b, a, style);
        (void) buffer_add_char(b, '"');
        r = add_number(b, a, style);            /* names need no escaping */
        return r < 0 ? r : buffer_add_char(b, '"');
}

static int text_bool(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return buffer_add_string(b, get_u64(a->data) ? "true" : "false");
}

static int json_bool(Buffer *b, const EventArg *a, ArgStyle style) {
        return text_bool(b, a, style, TEXT_PLAIN);
}

static int text_ptr(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        if (style == ARG_STYLE_RAW)
                return buffer_add_u64(b, get_u64(a->data));
        (void) buffer_add(b, "0x", 2);
        return buffer_add_hex(b, get_u64(a->data), 1);
}

static int json_ptr(Buffer *b, const EventArg *a, ArgStyle style) {
        if (style == ARG_STYLE_RAW)
                return text_ptr(b, a, style, TEXT_PLAIN);
        (void) buffer_add_char(b, '"');
        (void) text_ptr(b, a, style, TEXT_PLAIN);
        return buffer_add_char(b, '"');
}

/* The path that stands behind the number when descriptors are shown as paths. */
static size_t fd_path(const EventArg *a, const char **ret) {
        *ret = (const char *) a->data + sizeof(uint64_t);
        return strnlen(*ret, a->size - sizeof(uint64_t));
}

static int text_fd(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        const char *path;
        size_t n = fd_path(a, &path);
        int r;

        r = add_number(b, a, style);
        if (n == 0 || style == ARG_STYLE_RAW)
                return r;
        (void) buffer_add_char(b, '=');
        return add_text(b, path, n, mode);
}

static int json_fd(Buffer *b, const EventArg *a, ArgStyle style) {
        const char *path;
        size_t n = fd_path(a, &path), start;
        int r;

        if (n == 0 || style == ARG_STYLE_RAW)
                return json_number(b, a, style);

        (void) buffer_add_char(b, '"');
        (void) add_number(b, a, style);
        /* The path as a JSON string of its own, whose opening quote becomes the equals sign. */
        start = b->size;
        r = buffer_add_json_string(b, path, n);
        if (r < 0)
                return r;
        b->data[start] = '=';
        return 0;
}

/* --- strings --- */

static size_t string_size(const EventArg *a) {
        return a->size > 0 && a->data[a->size - 1] == '\0' ? a->size - 1 : a->size;
}

static int text_string(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return add_text(b, a->data, string_size(a), mode);
}

static int json_string(Buffer *b, const EventArg *a, ArgStyle style) {
        return buffer_add_json_string(b, (const char *) a->data, string_size(a));
}

/* Steps through NUL-terminated strings; a last one without NUL was cut. */
static bool strv_next(const EventArg *a, size_t *offset, const char **ret, size_t *ret_size) {
        if (*offset >= a->size)
                return false;
        *ret = (const char *) a->data + *offset;
        *ret_size = strnlen(*ret, a->size - *offset);
        *offset += *ret_size + 1;
        return true;
}

/* Would a reader see where the word begins and ends? */
static bool word_is_plain(const char *s, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (s[i] == ' ' || s[i] == '"' || s[i] == '[' || s[i] == ']')
                        return false;
        return n > 0;
}

static int text_strv(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        size_t offset = 0, n;
        const char *s;
        unsigned i = 0;

        (void) buffer_add_char(b, '[');
        while (i < STRV_SHOWN_MAX && strv_next(a, &offset, &s, &n)) {
                bool quote = style == ARG_STYLE_PEOPLE && !word_is_plain(s, n);

                if (i++ > 0)
                        (void) buffer_add_char(b, ' ');
                if (quote)
                        (void) buffer_add_char(b, '"');
                (void) add_text(b, s, n, mode);
                if (quote)
                        (void) buffer_add_char(b, '"');
        }
        return buffer_add_char(b, ']');
}

static int json_strv(Buffer *b, const EventArg *a, ArgStyle style) {
        size_t offset = 0, n;
        const char *s;
        unsigned i = 0;

        (void) buffer_add_char(b, '[');
        while (strv_next(a, &offset, &s, &n)) {
                if (i++ > 0)
                        (void) buffer_add_char(b, ',');
                (void) buffer_add_json_string(b, s, n);
        }
        return buffer_add_char(b, ']');
}

/* --- structures --- */

static uint16_t sockaddr_family(const EventArg *a) {
        uint16_t family = AF_UNSPEC;

        if (a->size >= sizeof(family))
                memcpy(&family, a->data, sizeof(family));
        return family;
}

/* Bytes of a unix address's path; an abstract one begins with NUL and may hold anything. */
static size_t unix_path(const EventArg *a, const char **ret) {
        size_t n = MIN((size_t) a->size, sizeof(struct sockaddr_un)) - sizeof(sa_family_t);

        *ret = (const char *) a->data + sizeof(sa_family_t);
        if (n == 0 || **ret != '\0')
                return strnlen(*ret, n);
        while (n > 0 && (*ret)[n - 1] == '\0')  /* the length of what the kernel fills is not always known */
                n--;
        return n;
}

static int people_sockaddr(Buffer *b, const EventArg *a, TextMode mode) {
        const char *path;
        size_t n;

        switch (sockaddr_family(a)) {
        case AF_INET:
                if (a->size < 8)
                        break;
                (void) inet_print4(b, a->data + 4);
                (void) buffer_add_char(b, ':');
                return buffer_add_u64(b, get_be16(a->data + 2));
        case AF_INET6:
                if (a->size < 24)
                        break;
                (void) buffer_add_char(b, '[');
                (void) inet_print6(b, a->data + 8);
                (void) buffer_add(b, "]:", 2);
                return buffer_add_u64(b, get_be16(a->data + 2));
        case AF_UNIX:
                n = unix_path(a, &path);
                if (n == 0)
                        return buffer_add_string(b, "(unnamed)");
                if (path[0] != '\0')
                        return add_text(b, path, n, mode);
                (void) buffer_add_char(b, '@');
                return add_text(b, path + 1, n - 1, mode);
        }
        return printer_print(b, PRINTER_SOCKET_DOMAIN, sockaddr_family(a), ARG_STYLE_TRACEE);
}

/* A pair of the map that Tracee shows an address as; its text form is Go's. */
typedef struct MapWriter {
        Buffer *b;
        bool json;
        unsigned n;
} MapWriter;

static void map_key(MapWriter *w, const char *key) {
        if (w->n++ > 0)
                (void) buffer_add_char(w->b, w->json ? ',' : ' ');
        if (w->json)
                (void) buffer_add_char(w->b, '"');
        (void) buffer_add_string(w->b, key);
        (void) buffer_add_string(w->b, w->json ? "\":\"" : ":");
}

static void map_value_end(MapWriter *w) {
        if (w->json)
                (void) buffer_add_char(w->b, '"');
}

static void map_u64(MapWriter *w, const char *key, uint64_t v) {
        map_key(w, key);
        (void) buffer_add_u64(w->b, v);
        map_value_end(w);
}

/* Keys in order of the alphabet, every value a string: so are Tracee's. */
static int map_sockaddr(Buffer *b, const EventArg *a, bool json, TextMode mode) {
        uint16_t family = sockaddr_family(a);
        MapWriter w = { .b = b, .json = json };
        uint32_t v;

        (void) buffer_add_string(b, json ? "{" : "map[");
        map_key(&w, "sa_family");
        (void) printer_print(b, PRINTER_SOCKET_DOMAIN, family, ARG_STYLE_TRACEE);
        map_value_end(&w);
        if (family == AF_INET && a->size >= 8) {
                map_key(&w, "sin_addr");
                (void) inet_print4(b, a->data + 4);
                map_value_end(&w);
                map_u64(&w, "sin_port", get_be16(a->data + 2));
        } else if (family == AF_INET6 && a->size >= 28) {
                map_key(&w, "sin6_addr");
                (void) inet_print6(b, a->data + 8);
                map_value_end(&w);
                memcpy(&v, a->data + 4, sizeof(v));
                map_u64(&w, "sin6_flowinfo", be32toh(v));
                map_u64(&w, "sin6_port", get_be16(a->data + 2));
                memcpy(&v, a->data + 24, sizeof(v));
                map_u64(&w, "sin6_scopeid", v);
        } else if (family == AF_UNIX) {
                const char *path;
                size_t n = unix_path(a, &path);

                map_key(&w, "sun_path");
                if (b->failed)
                        return -ENOMEM;
                if (json) {
                        b->size--;              /* the JSON string brings its own quotes */
                        (void) buffer_add_json_string(b, path, n);
                } else
                        (void) add_text(b, path, n, mode);
        }
        return buffer_add_char(b, json ? '}' : ']');
}

static int text_sockaddr(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return style == ARG_STYLE_PEOPLE ? people_sockaddr(b, a, mode) : map_sockaddr(b, a, false, mode);
}

static int json_sockaddr(Buffer *b, const EventArg *a, ArgStyle style) {
        return map_sockaddr(b, a, true, TEXT_PLAIN);
}

static int text_timespec(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        int64_t sec = (int64_t) get_u64(a->data), nsec = (int64_t) get_u64(a->data + 8);
        char digits[9];
        size_t n = sizeof(digits);

        (void) buffer_add_s64(b, sec);
        if (nsec > 0 && nsec < (int64_t) NSEC_PER_SEC) {
                for (size_t i = sizeof(digits); i > 0; i--, nsec /= 10)
                        digits[i - 1] = (char) ('0' + nsec % 10);
                while (digits[n - 1] == '0')
                        n--;
                (void) buffer_add_char(b, '.');
                (void) buffer_add(b, digits, n);
        }
        return style == ARG_STYLE_PEOPLE ? buffer_add_char(b, 's') : b->failed ? -ENOMEM : 0;
}

static int json_timespec(Buffer *b, const EventArg *a, ArgStyle style) {
        return text_timespec(b, a, ARG_STYLE_RAW, TEXT_PLAIN);
}

static int add_int2(Buffer *b, const EventArg *a, char separator) {
        int32_t v[2];

        memcpy(v, a->data, sizeof(v));
        (void) buffer_add_char(b, '[');
        (void) buffer_add_s64(b, v[0]);
        (void) buffer_add_char(b, separator);
        (void) buffer_add_s64(b, v[1]);
        return buffer_add_char(b, ']');
}

static int text_int2(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return add_int2(b, a, ' ');
}

static int json_int2(Buffer *b, const EventArg *a, ArgStyle style) {
        return add_int2(b, a, ',');
}

/* The members of an extensible argument structure, all of them u64. */
typedef struct StructMember {
        const char *name;
        ArgPrinter printer;
        bool always;            /* shown when 0, too */
} StructMember;

static const StructMember open_how_members[] = {
        { "flags", PRINTER_OPEN_FLAGS, true },
        { "mode", PRINTER_MODE, false },
        { "resolve", PRINTER_RESOLVE_FLAGS, false },
        {}
};

static const StructMember clone_args_members[] = {
        { "flags", PRINTER_CLONE3_FLAGS, true },
        { "pidfd", PRINTER_HEX, false },
        { "child_tid", PRINTER_HEX, false },
        { "parent_tid", PRINTER_HEX, false },
        { "exit_signal", PRINTER_SIGNAL, false },
        { "stack", PRINTER_HEX, false },
        { "stack_size", PRINTER_HEX, false },
        { "tls", PRINTER_HEX, false },
        { "set_tid", PRINTER_HEX, false },
        { "set_tid_size", PRINTER_DEFAULT, false },
        { "cgroup", PRINTER_DEFAULT, false },
        {}
};

static int add_struct(Buffer *b, const EventArg *a, const StructMember *members) {
        bool some = false;

        (void) buffer_add_char(b, '{');
        for (size_t i = 0; members[i].name && (i + 1) * sizeof(uint64_t) <= a->size; i++) {
                uint64_t v = get_u64(a->data + i * sizeof(uint64_t));

                if (v == 0 && !members[i].always)
                        continue;
                if (some)
                        (void) buffer_add(b, ", ", 2);
                (void) buffer_add_string(b, members[i].name);
                (void) buffer_add(b, ": ", 2);
                (void) printer_print(b, members[i].printer, v, ARG_STYLE_PEOPLE);
                some = true;
        }
        return buffer_add_char(b, '}');
}

static int text_bytes(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        switch (printer_of(a)) {
        case PRINTER_TEXT:
                return text_string(b, a, style, mode);
        case PRINTER_OPEN_HOW:
                return add_struct(b, a, open_how_members);
        case PRINTER_CLONE_ARGS:
                return add_struct(b, a, clone_args_members);
        }
        if (buffer_reserve(b, (size_t) a->size * 2) < 0)
                return -ENOMEM;
        for (uint32_t i = 0; i < a->size; i++)
                (void) buffer_add_hex(b, a->data[i], 2);
        return b->failed ? -ENOMEM : 0;
}

static int json_bytes(Buffer *b, const EventArg *a, ArgStyle style) {
        if (printer_of(a) == PRINTER_TEXT)
                return json_string(b, a, style);
        (void) buffer_add_char(b, '"');
        (void) text_bytes(b, a, style, TEXT_PLAIN);
        return buffer_add_char(b, '"');
}

/* --- kernel objects: arg-struct.c --- */

static int text_struct(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return arg_struct_text(b, a, style, mode == TEXT_ESCAPED);
}

static int json_struct(Buffer *b, const EventArg *a, ArgStyle style) {
        return arg_struct_json(b, a);
}

/* An address of a packet: 4 or 6, then its bytes. */
static int text_inet(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return a->size < 17 ? inet_print4(b, a->data + 1) : inet_print6(b, a->data + 1);
}

static int json_inet(Buffer *b, const EventArg *a, ArgStyle style) {
        (void) buffer_add_char(b, '"');
        (void) text_inet(b, a, style, TEXT_PLAIN);
        return buffer_add_char(b, '"');
}

static int text_file(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return arg_file_text(b, a, mode == TEXT_ESCAPED);
}

static int json_file(Buffer *b, const EventArg *a, ArgStyle style) {
        return arg_file_json(b, a);
}

static int text_syscall64(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return style == ARG_STYLE_RAW ? buffer_add_u64(b, get_u64(a->data)) : arg_syscall64_text(b, a);
}

static int json_syscall64(Buffer *b, const EventArg *a, ArgStyle style) {
        if (style == ARG_STYLE_RAW)
                return buffer_add_u64(b, get_u64(a->data));
        (void) buffer_add_char(b, '"');
        (void) arg_syscall64_text(b, a);
        return buffer_add_char(b, '"');
}

static int text_nop(Buffer *b, const EventArg *a, ArgStyle style, TextMode mode) {
        return buffer_add_char(b, '-');
}

static int json_nop(Buffer *b, const EventArg *a, ArgStyle style) {
        return buffer_add(b, "null", 4);
}

/* --- public --- */

static bool arg_is_there(const EventArg *a) {
        return !(a->flags & SCT_ARG_FAULT) && a->type < _SCT_ARG_TYPE_MAX && arg_type_rows[a->type].text;
}

int arg_print(Buffer *b, const EventArg *a, ArgStyle style) {
        int r;

        if (!arg_is_there(a))
                return buffer_add_char(b, '?');
        r = arg_type_rows[a->type].text(b, a, style, TEXT_ESCAPED);
        if (r >= 0 && style == ARG_STYLE_PEOPLE && (a->flags & SCT_ARG_TRUNCATED))
                r = buffer_add(b, "...", 3);
        return r;
}

int arg_print_json(Buffer *b, const EventArg *a, ArgStyle style) {
        if (!arg_is_there(a))
                return buffer_add(b, "null", 4);
        return arg_type_rows[a->type].json(b, a, style);
}

bool arg_is_decoded(const EventArg *a, ArgStyle style) {
        const char *path;

        if (!arg_is_there(a) || style == ARG_STYLE_RAW)
                return false;
        if (a->type == SCT_ARG_FD && fd_path(a, &path) > 0)
                return true;
        if (a->type == SCT_ARG_SYSCALL64)
                return true;
        return arg_type_rows[a->type].number && a->type != SCT_ARG_PTR && a->type != SCT_ARG_BOOL &&
               number_is_decoded(a, style);
}

int arg_print_journal(Buffer *b, const EventArg *a) {
        size_t offset = 0, n;
        const char *s;
        unsigned i = 0;

        if (!arg_is_there(a))
                return 0;
        if (a->type != SCT_ARG_STRV && a->type != SCT_ARG_KSTRV)
                return arg_type_rows[a->type].text(b, a, ARG_STYLE_PEOPLE, TEXT_PLAIN);

        /* A command line as it would be typed: the words with spaces between them. */
        while (strv_next(a, &offset, &s, &n)) {
                if (i++ > 0)
                        (void) buffer_add_char(b, ' ');
                (void) buffer_add(b, s, n);
        }
        return b->failed ? -ENOMEM : 0;
}

int arg_get_u64(const EventArg *a, uint64_t *ret) {
        if (!arg_is_there(a) || !arg_type_rows[a->type].number)
                return -EINVAL;
        *ret = get_u64(a->data);
        return 0;
}

#define STRUCT_ROW { .text = text_struct, .json = json_struct }
#define FILE_ROW { .text = text_file, .json = json_file }
#define NUMBER(sign) { .number = true, .is_signed = sign, .text = text_number, .json = json_number }

static const ArgTypeRow arg_type_rows[_SCT_ARG_TYPE_MAX] = {
        [SCT_ARG_S32] = NUMBER(true),
        [SCT_ARG_U32] = NUMBER(false),
        [SCT_ARG_S64] = NUMBER(true),
        [SCT_ARG_U64] = NUMBER(false),
        [SCT_ARG_S16] = NUMBER(true),
        [SCT_ARG_U16] = NUMBER(false),
        [SCT_ARG_S8] = NUMBER(true),
        [SCT_ARG_U8] = NUMBER(false),
        [SCT_ARG_BOOL] = { .number = true, .text = text_bool, .json = json_bool },
        [SCT_ARG_PTR] = { .number = true, .text = text_ptr, .json = json_ptr },
        [SCT_ARG_FD] = { .number = true, .is_signed = true, .text = text_fd, .json = json_fd },
        [SCT_ARG_STR] = { .text = text_string, .json = json_string },
        [SCT_ARG_STRV] = { .text = text_strv, .json = json_strv },
        [SCT_ARG_SOCKADDR] = { .text = text_sockaddr, .json = json_sockaddr },
        [SCT_ARG_TIMESPEC] = { .text = text_timespec, .json = json_timespec },
        [SCT_ARG_INT2] = { .text = text_int2, .json = json_int2 },
        [SCT_ARG_BYTES] = { .text = text_bytes, .json = json_bytes },
        [SCT_ARG_PATH] = { .text = text_string, .json = json_string },
        [SCT_ARG_KSTR] = { .text = text_string, .json = json_string },
        [SCT_ARG_KSTRV] = { .text = text_strv, .json = json_strv },
        [SCT_ARG_STR_OUT] = { .text = text_string, .json = json_string },
        [SCT_ARG_SOCKADDR_OUT] = { .text = text_sockaddr, .json = json_sockaddr },
        [SCT_ARG_FILE] = FILE_ROW,
        [SCT_ARG_KPATH] = FILE_ROW,
        [SCT_ARG_DENTRY] = FILE_ROW,
        [SCT_ARG_KIOCB] = FILE_ROW,
        [SCT_ARG_BINPRM] = FILE_ROW,
        [SCT_ARG_FILENAME] = { .text = text_string, .json = json_string },
        [SCT_ARG_NOP] = { .text = text_nop, .json = json_nop },
        [SCT_ARG_IOVEC] = { .text = text_bytes, .json = json_bytes },
        [SCT_ARG_IOV_ITER] = { .text = text_bytes, .json = json_bytes },
        [SCT_ARG_SOCK] = STRUCT_ROW,
        [SCT_ARG_SOCKET] = STRUCT_ROW,
        [SCT_ARG_SKB] = STRUCT_ROW,
        [SCT_ARG_KSOCKADDR] = { .text = text_sockaddr, .json = json_sockaddr },
        [SCT_ARG_CRED] = STRUCT_ROW,
        [SCT_ARG_KCAP] = NUMBER(false),
        [SCT_ARG_USER_NS] = STRUCT_ROW,
        [SCT_ARG_BPF_ATTR] = STRUCT_ROW,
        [SCT_ARG_BPF_PROG] = STRUCT_ROW,
        [SCT_ARG_BPF_MAP] = STRUCT_ROW,
        [SCT_ARG_PERF_EVENT] = STRUCT_ROW,
        [SCT_ARG_MODULE] = STRUCT_ROW,
        [SCT_ARG_LOAD_INFO] = STRUCT_ROW,
        [SCT_ARG_NET_DEVICE] = { .text = text_string, .json = json_string },
        [SCT_ARG_DATA_LOC] = { .text = text_string, .json = json_string },
        [SCT_ARG_CONST_BUF] = { .text = text_bytes, .json = json_bytes },
        [SCT_ARG_SYSCALL64] = { .number = true, .text = text_syscall64, .json = json_syscall64 },
        [SCT_ARG_INET] = { .text = text_inet, .json = json_inet },
        [SCT_ARG_PROTO_IPV4] = STRUCT_ROW,
        [SCT_ARG_PROTO_IPV6] = STRUCT_ROW,
        [SCT_ARG_PROTO_TCP] = STRUCT_ROW,
        [SCT_ARG_PROTO_UDP] = STRUCT_ROW,
        [SCT_ARG_PROTO_ICMP] = STRUCT_ROW,
        [SCT_ARG_PROTO_ICMPV6] = STRUCT_ROW,
};
