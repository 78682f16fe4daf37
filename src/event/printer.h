/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a row of printer.c is made of; the rows' names stand in printer-names.c. Private to src/event. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arg-type.h"

typedef struct PrinterName {
        const char *name;
        uint64_t value;
        uint64_t mask;          /* a flag's bits, a field's mask, ~0 of an enumeration: (v & mask) == value holds */
} PrinterName;

typedef enum PrinterKind {
        PRINTER_KIND_NUMBER,    /* as the wire type */
        PRINTER_KIND_HEX,
        PRINTER_KIND_OCTAL,
        PRINTER_KIND_ENUM,      /* one name or a number */
        PRINTER_KIND_FLAGS,     /* names joined by |, what is left over as 0x... */
        PRINTER_KIND_EVENT,     /* names of events */
        PRINTER_KIND_ERRNO,
        PRINTER_KIND_ICMP,      /* type << 8 | code: names of both, or of the type with any code */
        PRINTER_KIND_BYTES,     /* of an argument that is no number */
} PrinterKind;

typedef struct PrinterRow {
        PrinterKind kind;
        bool people;            /* other styles show the number */
        bool people_octal;      /* ARG_STYLE_PEOPLE shows it in octal, the others by name */
        const PrinterName *names;       /* ended by an empty one; NULL: none */
        uint64_t ignore;        /* bits that are no flags */
} PrinterRow;

#define PRINTER_NAMES(X)                                                                    \
        X(dirfd) X(open) X(fd_flags) X(access) X(at) X(unlink) X(rename) X(inode_mode) X(inode_type) X(whence)  \
        X(fcntl) X(flock) X(falloc) X(mount) X(umount) X(memfd) X(epoll) X(mmap_prot) X(mmap_flags) X(mremap)   \
        X(msync) X(madvise) X(clone) X(wait) X(ptrace) X(prctl) X(arch_prctl) X(seccomp) X(bpf) X(capability)   \
        X(signal) X(sigmask) X(rlimit) X(prio) X(sched) X(futex) X(clock) X(itimer) X(domain) X(socktype)       \
        X(sockflags) X(level) X(sockopt) X(shutdown) X(msg) X(module) X(reboot) X(socketcall) X(resolve)  \
        X(ip_protocol) X(tcp_state) X(capabilities) X(bpf_prog_type) X(bpf_map_type) X(perf_type)  \
        X(packet_protocol) X(icmp_type) X(icmpv6_type)

#define X(n) extern const PrinterName printer_names_##n[];
PRINTER_NAMES(X)
#undef X

/* Names of the flags in `value`; true when at least one was written. */
bool printer_add_flags(Buffer *b, const PrinterRow *row, uint64_t value);
const PrinterRow *printer_row(ArgPrinter printer);
