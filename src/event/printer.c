/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers ↔ names: one row per printer of printers.def. Printing never loses a bit (what has no name is shown as
 * 0x...), and printer_parse() is its inverse for filters. Knows nothing of wire forms; arg-type.c does. */

#include <string.h>

#include "../basic/macro.h"
#include "printer.h"

#define ERRNO_MAX 4095
#define PRINTER_TEXT_MAX 512    /* of a filter's flag expression */

static const PrinterRow printer_rows[_PRINTER_MAX];

const PrinterRow *printer_row(ArgPrinter printer) {
        return &printer_rows[printer < _PRINTER_MAX ? printer : PRINTER_DEFAULT];
}

bool printer_add_flags(Buffer *b, const PrinterRow *row, uint64_t value) {
        uint64_t covered = 0;
        bool some = false;

        /* An int of flags that uses its highest bit arrives sign-extended. */
        if (value >= 0xffffffff80000000ULL)
                value &= UINT32_MAX;
        value &= ~row->ignore;

        for (const PrinterName *n = row->names; n && n->name; n++) {
                if ((value & n->mask) != n->value)
                        continue;
                if (some)
                        (void) buffer_add_char(b, '|');
                (void) buffer_add_string(b, n->name);
                covered |= n->mask;
                some = true;
        }
        value &= ~covered;
        if (value > 0) {
                if (some)
                        (void) buffer_add_char(b, '|');
                (void) buffer_add(b, "0x", 2);
                (void) buffer_add_hex(b, value, 1);
                some = true;
        }
        return some;
}

static int print_octal(Buffer *b, uint64_t value) {
        if (value > 0)
                (void) buffer_add_char(b, '0');
        return buffer_add_octal(b, value);
}

static int print_enum(Buffer *b, const PrinterRow *row, uint64_t value) {
        for (const PrinterName *n = row->names; n && n->name; n++)
                if (n->value == value)
                        return buffer_add_string(b, n->name);
        return buffer_add_s64(b, (int64_t) value);
}

/* EchoRequest, DestinationUnreachable(Port); a code that has no name: EchoRequest(Code: 1), and a type: 200(1). */
static int print_icmp(Buffer *b, const PrinterRow *row, uint64_t value) {
        for (const PrinterName *n = row->names; n && n->name; n++) {
                if ((value & n->mask) != n->value)
                        continue;
                (void) buffer_add_string(b, n->name);
                return value == n->value ? 0 : buffer_printf(b, "(Code: %u)", (unsigned) value & 0xff);
        }
        return buffer_printf(b, "%u(%u)", (unsigned) value >> 8, (unsigned) value & 0xff);
}

static int print_errno(Buffer *b, int64_t value) {
        const char *name = value < 0 && value >= -ERRNO_MAX ? strerrorname_np((int) -value) : NULL;

        return name ? buffer_add_string(b, name) : buffer_add_s64(b, value);
}

int printer_print(Buffer *b, ArgPrinter printer, uint64_t value, ArgStyle style) {
        const PrinterRow *row = printer_row(printer);
        const EventSpec *spec;

        if (style == ARG_STYLE_RAW || (row->people && style != ARG_STYLE_PEOPLE))
                return buffer_add_s64(b, (int64_t) value);
        if (row->people_octal && style == ARG_STYLE_PEOPLE)
                return print_octal(b, value);

        switch (row->kind) {
        case PRINTER_KIND_HEX:
                (void) buffer_add(b, "0x", 2);
                return buffer_add_hex(b, value, 1);
        case PRINTER_KIND_OCTAL:
                return print_octal(b, value);
        case PRINTER_KIND_ENUM:
                return print_enum(b, row, value);
        case PRINTER_KIND_FLAGS:
                if (!printer_add_flags(b, row, value))
                        return buffer_add_char(b, '0');
                return b->failed ? -ENOMEM : 0;
        case PRINTER_KIND_EVENT:
                spec = value <= UINT16_MAX ? event_spec_by_id((uint16_t) value) : NULL;
                return spec ? buffer_add_string(b, spec->name) : buffer_add_s64(b, (int64_t) value);
        case PRINTER_KIND_ERRNO:
                return print_errno(b, (int64_t) value);
        case PRINTER_KIND_ICMP:
                return print_icmp(b, row, value);
        case PRINTER_KIND_NUMBER:
        case PRINTER_KIND_BYTES:
                break;
        }
        return buffer_add_s64(b, (int64_t) value);
}

/* Decimal, 0x..., or octal with a leading 0, as in C. */
static int parse_number(const char *s, uint64_t *ret) {
        bool negative = *s == '-';
        unsigned base = 10;
        uint64_t v = 0;

        s += negative;
        if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
                base = 16;
                s += 2;
        } else if (s[0] == '0' && s[1] != '\0') {
                base = 8;
                s++;
        }
        if (*s == '\0')
                return -EINVAL;
        for (; *s; s++) {
                unsigned digit;

                if (*s >= '0' && *s <= '9')
                        digit = (unsigned) (*s - '0');
                else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'f')
                        digit = (unsigned) ((*s | 0x20) - 'a') + 10;
                else
                        return -EINVAL;
                if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
                        return -EINVAL;
        }
        *ret = negative ? -v : v;
        return 0;
}

static int parse_one(const PrinterRow *row, const char *word, uint64_t *ret_and, uint64_t *ret_cmp) {
        uint64_t v;

        for (const PrinterName *n = row->names; n && n->name; n++)
                if (strcmp(n->name, word) == 0) {
                        *ret_and = n->mask;
                        *ret_cmp = n->value;
                        return 0;
                }

        if (row->kind == PRINTER_KIND_EVENT) {
                const EventSpec *spec = event_spec_by_name(word);

                if (spec && spec->family == EVENT_FAMILY_SYSCALL) {
                        *ret_and = UINT64_MAX;
                        *ret_cmp = spec->id;
                        return 0;
                }
        }
        if (row->kind == PRINTER_KIND_ERRNO)
                for (int i = 1; i <= ERRNO_MAX; i++) {
                        const char *name = strerrorname_np(i);

                        if (name && strcmp(name, word + (word[0] == '-')) == 0) {
                                *ret_and = UINT64_MAX;
                                *ret_cmp = (uint64_t) -(int64_t) i;
                                return 0;
                        }
                }

        if (parse_number(word, &v) < 0)
                return -ENOENT;
        /* A number among flags asks for its bits; 0, and a number anywhere else, asks for the whole value. */
        *ret_and = row->kind == PRINTER_KIND_FLAGS && v > 0 ? v : UINT64_MAX;
        *ret_cmp = v;
        return 0;
}

int printer_parse(ArgPrinter printer, const char *text, uint64_t *ret_and, uint64_t *ret_cmp) {
        const PrinterRow *row = printer_row(printer);
        char copy[PRINTER_TEXT_MAX], *p = copy;
        uint64_t and = 0, cmp = 0;
        size_t n;

        assert(text);
        assert(ret_and);
        assert(ret_cmp);

        n = strlen(text);
        if (n == 0 || n >= sizeof(copy))
                return -EINVAL;
        memcpy(copy, text, n + 1);

        while (p) {
                char *word = strsep(&p, "|"), *end;
                uint64_t a, c;
                int r;

                word += strspn(word, " \t");
                end = word + strlen(word);
                while (end > word && (end[-1] == ' ' || end[-1] == '\t'))
                        *--end = '\0';
                if (*word == '\0')
                        return -EINVAL;
                r = parse_one(row, word, &a, &c);
                if (r < 0)
                        return r;
                if ((cmp & a) != (c & and))     /* both ask for a bit, and want it to differ */
                        return -EINVAL;
                and |= a;
                cmp |= c;
        }
        *ret_and = and;
        *ret_cmp = cmp;
        return 0;
}

const char *printer_name(ArgPrinter printer, size_t i) {
        const PrinterRow *row = printer_row(printer);

        if (row->kind == PRINTER_KIND_EVENT) {
                for (const EventSpec *s = event_spec_next(NULL); s; s = event_spec_next(s))
                        if (s->family == EVENT_FAMILY_SYSCALL && i-- == 0)
                                return s->name;
                return NULL;
        }
        if (row->kind == PRINTER_KIND_ERRNO) {
                for (int e = 1; e <= ERRNO_MAX; e++)
                        if (strerrorname_np(e) && i-- == 0)
                                return strerrorname_np(e);
                return NULL;
        }
        for (const PrinterName *n = row->names; n && n->name; n++)
                if (i-- == 0)
                        return n->name;
        return NULL;
}

const char *printer_to_string(ArgPrinter printer) {
        static const char *const table[_PRINTER_MAX] = {
#define PRINTER(symbol, name) [PRINTER_##symbol] = name,
#include "printers.def"
#undef PRINTER
        };

        return printer < _PRINTER_MAX ? table[printer] : NULL;
}

#define ROW(k, n, ...) { .kind = PRINTER_KIND_##k, .names = printer_names_##n, __VA_ARGS__ }

static const PrinterRow printer_rows[_PRINTER_MAX] = {
        [PRINTER_DEFAULT] = { .kind = PRINTER_KIND_NUMBER },
        [PRINTER_HEX] = { .kind = PRINTER_KIND_HEX, .people = true },
        [PRINTER_MODE] = { .kind = PRINTER_KIND_OCTAL, .people = true },
        [PRINTER_EVENT] = { .kind = PRINTER_KIND_EVENT },
        [PRINTER_DIRFD] = ROW(ENUM, dirfd, .people = true),
        [PRINTER_ERRNO] = { .kind = PRINTER_KIND_ERRNO, .people = true },
        [PRINTER_OPEN_FLAGS] = ROW(FLAGS, open),
        [PRINTER_FD_FLAGS] = ROW(FLAGS, fd_flags),
        [PRINTER_ACCESS_MODE] = ROW(FLAGS, access),
        [PRINTER_AT_FLAGS] = ROW(FLAGS, at),
        [PRINTER_UNLINK_FLAGS] = ROW(FLAGS, unlink),
        [PRINTER_RENAME_FLAGS] = ROW(FLAGS, rename),
        [PRINTER_INODE_MODE] = ROW(FLAGS, inode_mode, .people_octal = true),
        [PRINTER_INODE_TYPE] = ROW(FLAGS, inode_type, .ignore = ~(uint64_t) 0170000),
        [PRINTER_WHENCE] = ROW(ENUM, whence),
        [PRINTER_FCNTL_CMD] = ROW(ENUM, fcntl),
        [PRINTER_FLOCK_OP] = ROW(FLAGS, flock),
        [PRINTER_FALLOC_MODE] = ROW(FLAGS, falloc),
        [PRINTER_MOUNT_FLAGS] = ROW(FLAGS, mount),
        [PRINTER_UMOUNT_FLAGS] = ROW(FLAGS, umount),
        [PRINTER_MEMFD_FLAGS] = ROW(FLAGS, memfd),
        [PRINTER_EPOLL_OP] = ROW(ENUM, epoll),
        [PRINTER_MMAP_PROT] = ROW(FLAGS, mmap_prot),
        [PRINTER_MMAP_FLAGS] = ROW(FLAGS, mmap_flags),
        [PRINTER_MREMAP_FLAGS] = ROW(FLAGS, mremap),
        [PRINTER_MSYNC_FLAGS] = ROW(FLAGS, msync),
        [PRINTER_MADVISE] = ROW(ENUM, madvise),
        [PRINTER_CLONE_FLAGS] = ROW(FLAGS, clone, .ignore = 0x7f),      /* the signal at exit; 0x80 is CLONE_NEWTIME */
        [PRINTER_WAIT_OPTIONS] = ROW(FLAGS, wait),
        [PRINTER_PTRACE_REQUEST] = ROW(ENUM, ptrace),
        [PRINTER_PRCTL_OPTION] = ROW(ENUM, prctl),
        [PRINTER_ARCH_PRCTL] = ROW(ENUM, arch_prctl),
        [PRINTER_SECCOMP_OP] = ROW(ENUM, seccomp),
        [PRINTER_BPF_CMD] = ROW(ENUM, bpf),
        [PRINTER_CAPABILITY] = ROW(ENUM, capability),
        [PRINTER_SIGNAL] = ROW(ENUM, signal, .people = true),
        [PRINTER_SIGMASK_HOW] = ROW(ENUM, sigmask),
        [PRINTER_RLIMIT] = ROW(ENUM, rlimit),
        [PRINTER_PRIO_WHICH] = ROW(ENUM, prio),
        [PRINTER_SCHED_POLICY] = ROW(ENUM, sched),
        [PRINTER_FUTEX_OP] = ROW(FLAGS, futex),
        [PRINTER_CLOCKID] = ROW(ENUM, clock, .people = true),
        [PRINTER_ITIMER] = ROW(ENUM, itimer),
        [PRINTER_SOCKET_DOMAIN] = ROW(ENUM, domain),
        [PRINTER_SOCKET_TYPE] = ROW(FLAGS, socktype),
        [PRINTER_SOCKET_LEVEL] = ROW(ENUM, level),
        [PRINTER_SOCKET_OPTION] = ROW(ENUM, sockopt),
        [PRINTER_SOCKET_FLAGS] = ROW(FLAGS, sockflags),
        [PRINTER_SHUTDOWN_HOW] = ROW(ENUM, shutdown),
        [PRINTER_MSG_FLAGS] = ROW(FLAGS, msg),
        [PRINTER_MODULE_FLAGS] = ROW(FLAGS, module),
        [PRINTER_REBOOT_CMD] = ROW(ENUM, reboot),
        [PRINTER_SOCKETCALL] = ROW(ENUM, socketcall),
        [PRINTER_TEXT] = { .kind = PRINTER_KIND_BYTES },
        [PRINTER_OPEN_HOW] = { .kind = PRINTER_KIND_BYTES },
        [PRINTER_CLONE_ARGS] = { .kind = PRINTER_KIND_BYTES },
        [PRINTER_RESOLVE_FLAGS] = ROW(FLAGS, resolve),
        [PRINTER_CLONE3_FLAGS] = ROW(FLAGS, clone),
        [PRINTER_IP_PROTOCOL] = ROW(ENUM, ip_protocol),
        [PRINTER_TCP_STATE] = ROW(ENUM, tcp_state),
        [PRINTER_CAPABILITIES] = ROW(FLAGS, capabilities),
        [PRINTER_BPF_PROG_TYPE] = ROW(ENUM, bpf_prog_type),
        [PRINTER_BPF_MAP_TYPE] = ROW(ENUM, bpf_map_type),
        [PRINTER_PERF_TYPE] = ROW(ENUM, perf_type),
        [PRINTER_PACKET_PROTOCOL] = ROW(ENUM, packet_protocol),
        [PRINTER_ICMP_TYPE] = ROW(ICMP, icmp_type),
        [PRINTER_ICMPV6_TYPE] = ROW(ICMP, icmpv6_type),
};
