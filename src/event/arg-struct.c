/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Kernel objects and headers of packets → text: a table of members a wire type. A payload shorter than its struct reads as
 * if the rest were 0, so no size is ever trusted here, not even one that record_parse() has checked. Which type has which
 * struct stands in bpf/abi/arg-types.def, the structs in bpf/abi/arg-struct.h. Never allocates. */

#include "../../bpf/abi/arg-struct.h"
#include "../basic/macro.h"
#include "arg-struct.h"
#include "inet-print.h"
#include "printer.h"

typedef enum MemberKind {
        MEMBER_UNSIGNED,
        MEMBER_SIGNED,
        MEMBER_TEXT,            /* char[] */
        MEMBER_ENDPOINT,
        MEMBER_FLAG,            /* bit `bit` of an unsigned member */
        MEMBER_WIRE,            /* bits of a number in network byte order: `width` of them from `bit` on, 0: all */
        MEMBER_ADDRESS,         /* of IPv4 or IPv6, by its size */
} MemberKind;

typedef struct Member {
        const char *name;
        MemberKind kind;
        ArgPrinter printer;
        bool always;            /* text shows it when it is 0, too */
        uint8_t bit, width;
        uint16_t offset, size;
} Member;

typedef struct StructRow {
        size_t size;
        const Member *members;  /* ended by an empty one */
        bool bare;              /* Tracee's tables show the values of all members, without names */
} StructRow;

#define STRUCT_MAX 128          /* bytes of the largest struct */

static const StructRow struct_rows[_SCT_ARG_TYPE_MAX];

static uint64_t member_value(const uint8_t *data, const Member *m) {
        uint64_t v = 0;

        if (m->kind == MEMBER_WIRE) {
                for (unsigned i = 0; i < m->size; i++)
                        v = v << 8 | data[m->offset + i];
                v >>= m->bit;
                return m->width > 0 ? v & ((UINT64_C(1) << m->width) - 1) : v;
        }
        memcpy(&v, data + m->offset, MIN((size_t) m->size, sizeof(v)));     /* little-endian, as the record */
        if (m->kind == MEMBER_SIGNED && m->size < sizeof(v) && v >> (m->size * 8 - 1))
                v |= UINT64_MAX << (m->size * 8);
        if (m->kind == MEMBER_FLAG)
                v = v >> m->bit & 1;
        return v;
}

static bool endpoint_is_there(const struct sct_endpoint *e) {
        return e->family == 4 || e->family == 6;
}

static int add_endpoint(Buffer *b, const struct sct_endpoint *e) {
        if (e->family == 4)
                (void) inet_print4(b, e->address);
        else {
                (void) buffer_add_char(b, '[');
                (void) inet_print6(b, e->address);
                (void) buffer_add_char(b, ']');
        }
        (void) buffer_add_char(b, ':');
        return buffer_add_u64(b, e->port);
}

static int add_number(Buffer *b, const Member *m, uint64_t v) {
        if (m->printer != PRINTER_DEFAULT)
                return printer_print(b, m->printer, v, ARG_STYLE_PEOPLE);
        return m->kind == MEMBER_SIGNED ? buffer_add_s64(b, (int64_t) v) : buffer_add_u64(b, v);
}

static bool member_says_something(const uint8_t *data, const Member *m) {
        struct sct_endpoint e;

        if (m->always)
                return true;
        switch (m->kind) {
        case MEMBER_TEXT:
                return data[m->offset] != '\0';
        case MEMBER_ENDPOINT:
                memcpy(&e, data + m->offset, sizeof(e));
                return endpoint_is_there(&e);
        default:
                return member_value(data, m) != 0;
        }
}

static int add_member_text(Buffer *b, const uint8_t *data, const Member *m, bool escape) {
        const char *s = (const char *) data + m->offset;
        struct sct_endpoint e;

        switch (m->kind) {
        case MEMBER_TEXT:
                return escape ? buffer_add_escaped(b, s, strnlen(s, m->size)) : buffer_add(b, s, strnlen(s, m->size));
        case MEMBER_ENDPOINT:
                memcpy(&e, data + m->offset, sizeof(e));
                return add_endpoint(b, &e);
        case MEMBER_ADDRESS:
                return m->size == 4 ? inet_print4(b, data + m->offset) : inet_print6(b, data + m->offset);
        case MEMBER_FLAG:
                return buffer_add_string(b, member_value(data, m) ? "true" : "false");
        default:
                return add_number(b, m, member_value(data, m));
        }
}

static int add_member_json(Buffer *b, const uint8_t *data, const Member *m) {
        const char *s = (const char *) data + m->offset;
        struct sct_endpoint e;
        bool quote = false;

        switch (m->kind) {
        case MEMBER_TEXT:
                return buffer_add_json_string(b, s, strnlen(s, m->size));
        case MEMBER_ENDPOINT:
                memcpy(&e, data + m->offset, sizeof(e));
                if (!endpoint_is_there(&e))
                        return buffer_add(b, "null", 4);
                quote = true;
                break;
        case MEMBER_ADDRESS:
                quote = true;
                break;
        default:
                quote = m->printer != PRINTER_DEFAULT;
        }
        if (quote)
                (void) buffer_add_char(b, '"');
        (void) add_member_text(b, data, m, false);          /* names and addresses need no escaping */
        return quote ? buffer_add_char(b, '"') : b->failed ? -ENOMEM : 0;
}

/* The struct, zero padded when the payload is short. NULL: the type has none. */
static const Member *load_struct(const EventArg *a, uint8_t data[static STRUCT_MAX]) {
        const StructRow *row = struct_rows + a->type;

        memset(data, 0, STRUCT_MAX);
        if (!row->members)
                return NULL;
        memcpy(data, a->data, MIN((size_t) a->size, row->size));
        return row->members;
}

/* As Go prints a struct. */
static int add_values(Buffer *b, const uint8_t *data, const Member *m, bool escape) {
        (void) buffer_add_char(b, '{');
        for (const Member *first = m; m->name; m++) {
                if (m > first)
                        (void) buffer_add_char(b, ' ');
                (void) add_member_text(b, data, m, escape);
        }
        return buffer_add_char(b, '}');
}

int arg_struct_text(Buffer *b, const EventArg *a, ArgStyle style, bool escape) {
        uint8_t data[STRUCT_MAX];
        const Member *m = load_struct(a, data);
        bool some = false;

        if (m && style != ARG_STYLE_PEOPLE && struct_rows[a->type].bare)
                return add_values(b, data, m, escape);
        (void) buffer_add_char(b, '{');
        for (; m && m->name; m++) {
                if (!member_says_something(data, m))
                        continue;
                if (some)
                        (void) buffer_add(b, ", ", 2);
                (void) buffer_add_string(b, m->name);
                (void) buffer_add(b, ": ", 2);
                (void) add_member_text(b, data, m, escape);
                some = true;
        }
        return buffer_add_char(b, '}');
}

int arg_struct_json(Buffer *b, const EventArg *a) {
        uint8_t data[STRUCT_MAX];
        const Member *m = load_struct(a, data);
        bool some = false;

        (void) buffer_add_char(b, '{');
        for (; m && m->name; m++) {
                if (some)
                        (void) buffer_add_char(b, ',');
                (void) buffer_add_char(b, '"');
                (void) buffer_add_string(b, m->name);
                (void) buffer_add(b, "\":", 2);
                (void) add_member_json(b, data, m);
                some = true;
        }
        return buffer_add_char(b, '}');
}

static const char *file_path(const EventArg *a, size_t *ret_size) {
        if (a->size <= sizeof(struct sct_file)) {
                *ret_size = 0;
                return "";
        }
        *ret_size = strnlen((const char *) a->data + sizeof(struct sct_file), a->size - sizeof(struct sct_file));
        return (const char *) a->data + sizeof(struct sct_file);
}

int arg_file_text(Buffer *b, const EventArg *a, bool escape) {
        const char *path;
        size_t n;

        path = file_path(a, &n);
        return escape ? buffer_add_escaped(b, path, n) : buffer_add(b, path, n);
}

int arg_file_json(Buffer *b, const EventArg *a) {
        struct sct_file f = {};
        const char *path;
        size_t n;

        memcpy(&f, a->data, MIN((size_t) a->size, sizeof(f)));
        path = file_path(a, &n);
        (void) buffer_add_string(b, "{\"path\":");
        (void) buffer_add_json_string(b, path, n);
        (void) buffer_add_string(b, ",\"flags\":\"");
        (void) printer_print(b, PRINTER_OPEN_FLAGS, f.flags, ARG_STYLE_TRACEE);
        (void) buffer_add_string(b, "\",\"mode\":\"");
        (void) printer_print(b, PRINTER_MODE, f.mode, ARG_STYLE_PEOPLE);
        return buffer_add_string(b, "\"}");
}

int arg_syscall64_text(Buffer *b, const EventArg *a) {
        const EventSpec *spec;
        uint64_t v = 0, nr;

        memcpy(&v, a->data, MIN((size_t) a->size, sizeof(v)));
        nr = v & ~(uint64_t) SCT_SYSCALL_COMPAT;
        spec = nr <= UINT16_MAX ? event_spec_by_syscall((v & SCT_SYSCALL_COMPAT) ? 1 : 0, (unsigned) nr) : NULL;
        if (!spec)
                return buffer_add_u64(b, nr);
        (void) buffer_add_string(b, spec->name);
        return (v & SCT_SYSCALL_COMPAT) ? buffer_add_string(b, " (32-bit)") : b->failed ? -ENOMEM : 0;
}

#define MEMBER(type, field, k, ...)                                                         \
        { .name = #field, .kind = MEMBER_##k, .offset = offsetof(struct type, field),       \
          .size = sizeof(((struct type *) NULL)->field), __VA_ARGS__ }

static const Member sock_members[] = {
        MEMBER(sct_sock, family, UNSIGNED, .printer = PRINTER_SOCKET_DOMAIN, .always = true),
        MEMBER(sct_sock, type, UNSIGNED, .printer = PRINTER_SOCKET_TYPE),
        MEMBER(sct_sock, protocol, UNSIGNED, .printer = PRINTER_IP_PROTOCOL),
        MEMBER(sct_sock, source, ENDPOINT),
        MEMBER(sct_sock, dest, ENDPOINT),
        MEMBER(sct_sock, state, UNSIGNED, .printer = PRINTER_TCP_STATE),
        MEMBER(sct_sock, mark, UNSIGNED),
        MEMBER(sct_sock, priority, UNSIGNED),
        MEMBER(sct_sock, cookie, UNSIGNED),
        {}
};

static const Member skb_members[] = {
        MEMBER(sct_skb, family, UNSIGNED, .printer = PRINTER_SOCKET_DOMAIN),
        MEMBER(sct_skb, protocol, UNSIGNED, .printer = PRINTER_IP_PROTOCOL),
        MEMBER(sct_skb, source, ENDPOINT),
        MEMBER(sct_skb, dest, ENDPOINT),
        MEMBER(sct_skb, len, UNSIGNED, .always = true),
        MEMBER(sct_skb, hash, UNSIGNED),
        MEMBER(sct_skb, priority, UNSIGNED),
        MEMBER(sct_skb, mark, UNSIGNED),
        MEMBER(sct_skb, secpath_len, UNSIGNED),
        MEMBER(sct_skb, secpath_olen, UNSIGNED),
        {}
};

static const Member cred_members[] = {
        MEMBER(sct_cred, uid, UNSIGNED, .always = true),
        MEMBER(sct_cred, gid, UNSIGNED, .always = true),
        MEMBER(sct_cred, euid, UNSIGNED, .always = true),
        MEMBER(sct_cred, egid, UNSIGNED, .always = true),
        MEMBER(sct_cred, suid, UNSIGNED, .always = true),
        MEMBER(sct_cred, sgid, UNSIGNED, .always = true),
        MEMBER(sct_cred, fsuid, UNSIGNED, .always = true),
        MEMBER(sct_cred, fsgid, UNSIGNED, .always = true),
        MEMBER(sct_cred, permitted, UNSIGNED, .printer = PRINTER_CAPABILITIES),
        MEMBER(sct_cred, effective, UNSIGNED, .printer = PRINTER_CAPABILITIES),
        MEMBER(sct_cred, inheritable, UNSIGNED, .printer = PRINTER_CAPABILITIES),
        MEMBER(sct_cred, securebits, UNSIGNED),
        MEMBER(sct_cred, user_ns, UNSIGNED),
        MEMBER(sct_cred, user_ns_level, SIGNED),
        MEMBER(sct_cred, user_ns_owner, UNSIGNED),
        MEMBER(sct_cred, user_ns_group, UNSIGNED),
        {}
};

static const Member user_ns_members[] = {
        MEMBER(sct_user_ns, inum, UNSIGNED, .always = true),
        MEMBER(sct_user_ns, level, SIGNED, .always = true),
        MEMBER(sct_user_ns, owner, UNSIGNED, .always = true),
        MEMBER(sct_user_ns, group, UNSIGNED, .always = true),
        {}
};

static const Member bpf_prog_members[] = {
        MEMBER(sct_bpf_prog, type, UNSIGNED, .printer = PRINTER_BPF_PROG_TYPE, .always = true),
        MEMBER(sct_bpf_prog, insns, UNSIGNED, .always = true),
        MEMBER(sct_bpf_prog, name, TEXT),
        {}
};

static const Member bpf_map_members[] = {
        MEMBER(sct_bpf_map, type, UNSIGNED, .printer = PRINTER_BPF_MAP_TYPE, .always = true),
        MEMBER(sct_bpf_map, key_size, UNSIGNED, .always = true),
        MEMBER(sct_bpf_map, value_size, UNSIGNED, .always = true),
        MEMBER(sct_bpf_map, max_entries, UNSIGNED, .always = true),
        MEMBER(sct_bpf_map, name, TEXT),
        {}
};

static const Member perf_event_members[] = {
        MEMBER(sct_perf_event, type, UNSIGNED, .printer = PRINTER_PERF_TYPE, .always = true),
        MEMBER(sct_perf_event, config, UNSIGNED, .always = true),
        MEMBER(sct_perf_event, function, TEXT),
        MEMBER(sct_perf_event, probe_offset, UNSIGNED),
        {}
};

#define MODULE_FLAG(n, b)                                                                   \
        { .name = n, .kind = MEMBER_FLAG, .bit = b, .offset = offsetof(struct sct_module, flags), \
          .size = sizeof(((struct sct_module *) NULL)->flags) }

static const Member module_members[] = {
        MEMBER(sct_module, name, TEXT),
        MEMBER(sct_module, size, UNSIGNED),
        MEMBER(sct_module, taints, UNSIGNED, .printer = PRINTER_HEX),
        MODULE_FLAG("signature_known", 0),
        MODULE_FLAG("signature_ok", 1),
        {}
};
assert_cc(SCT_MODULE_SIGNATURE_KNOWN == 1 << 0 && SCT_MODULE_SIGNATURE_OK == 1 << 1);

#define WIRE(n, at, bytes, ...) \
        { .name = n, .kind = MEMBER_WIRE, .always = true, .offset = at, .size = bytes, __VA_ARGS__ }
#define WIRE_FLAG(n, at, b) { .name = n, .kind = MEMBER_WIRE, .offset = at, .size = 1, .bit = b, .width = 1 }
#define ADDRESS(n, at, bytes) { .name = n, .kind = MEMBER_ADDRESS, .always = true, .offset = at, .size = bytes }

static const Member ipv4_members[] = {
        WIRE("version", 0, 1, .bit = 4, .width = 4),
        WIRE("IHL", 0, 1, .width = 4),
        WIRE("TOS", 1, 1),
        WIRE("length", 2, 2),
        WIRE("id", 4, 2),
        WIRE("flags", 6, 1, .bit = 5, .width = 3),
        WIRE("fragOffset", 6, 2, .width = 13),
        WIRE("TTL", 8, 1),
        WIRE("protocol", 9, 1, .printer = PRINTER_PACKET_PROTOCOL),
        WIRE("checksum", 10, 2),
        ADDRESS("srcIP", 12, 4),
        ADDRESS("dstIP", 16, 4),
        {}
};

static const Member ipv6_members[] = {
        WIRE("version", 0, 1, .bit = 4, .width = 4),
        WIRE("trafficClass", 0, 2, .bit = 4, .width = 8),
        WIRE("flowLabel", 0, 4, .width = 20),
        WIRE("length", 4, 2),
        WIRE("nextHeader", 6, 1, .printer = PRINTER_PACKET_PROTOCOL),
        WIRE("hopLimit", 7, 1),
        ADDRESS("srcIP", 8, 16),
        ADDRESS("dstIP", 24, 16),
        {}
};

static const Member tcp_members[] = {
        WIRE("srcPort", 0, 2),
        WIRE("dstPort", 2, 2),
        WIRE("seq", 4, 4),
        WIRE("ack", 8, 4),
        WIRE("dataOffset", 12, 1, .bit = 4, .width = 4),
        WIRE_FLAG("FIN", 13, 0),
        WIRE_FLAG("SYN", 13, 1),
        WIRE_FLAG("RST", 13, 2),
        WIRE_FLAG("PSH", 13, 3),
        WIRE_FLAG("ACK", 13, 4),
        WIRE_FLAG("URG", 13, 5),
        WIRE_FLAG("ECE", 13, 6),
        WIRE_FLAG("CWR", 13, 7),
        WIRE_FLAG("NS", 12, 0),
        WIRE("window", 14, 2),
        WIRE("checksum", 16, 2),
        WIRE("urgent", 18, 2),
        {}
};

static const Member udp_members[] = {
        WIRE("srcPort", 0, 2),
        WIRE("dstPort", 2, 2),
        WIRE("length", 4, 2),
        WIRE("checksum", 6, 2),
        {}
};

static const Member icmp_members[] = {
        WIRE("typeCode", 0, 2, .printer = PRINTER_ICMP_TYPE),
        WIRE("checksum", 2, 2),
        WIRE("id", 4, 2),
        WIRE("seq", 6, 2),
        {}
};

static const Member icmpv6_members[] = {
        WIRE("typeCode", 0, 2, .printer = PRINTER_ICMPV6_TYPE),
        WIRE("checksum", 2, 2),
        {}
};

#define HEADER(bytes, m) { .size = bytes, .members = m, .bare = true }
#define ROW(type, m) { .size = sizeof(struct type), .members = m }

static const StructRow struct_rows[_SCT_ARG_TYPE_MAX] = {
        [SCT_ARG_SOCK] = ROW(sct_sock, sock_members),
        [SCT_ARG_SOCKET] = ROW(sct_sock, sock_members),
        [SCT_ARG_SKB] = ROW(sct_skb, skb_members),
        [SCT_ARG_CRED] = ROW(sct_cred, cred_members),
        [SCT_ARG_USER_NS] = ROW(sct_user_ns, user_ns_members),
        [SCT_ARG_BPF_ATTR] = ROW(sct_bpf_prog, bpf_prog_members),
        [SCT_ARG_BPF_PROG] = ROW(sct_bpf_prog, bpf_prog_members),
        [SCT_ARG_BPF_MAP] = ROW(sct_bpf_map, bpf_map_members),
        [SCT_ARG_PERF_EVENT] = ROW(sct_perf_event, perf_event_members),
        [SCT_ARG_MODULE] = ROW(sct_module, module_members),
        [SCT_ARG_LOAD_INFO] = ROW(sct_module, module_members),
        [SCT_ARG_PROTO_IPV4] = HEADER(SCT_IPV4_HEADER, ipv4_members),
        [SCT_ARG_PROTO_IPV6] = HEADER(SCT_IPV6_HEADER, ipv6_members),
        [SCT_ARG_PROTO_TCP] = HEADER(SCT_TCP_HEADER, tcp_members),
        [SCT_ARG_PROTO_UDP] = HEADER(SCT_UDP_HEADER, udp_members),
        [SCT_ARG_PROTO_ICMP] = HEADER(SCT_ICMP_HEADER, icmp_members),
        [SCT_ARG_PROTO_ICMPV6] = HEADER(SCT_ICMPV6_HEADER, icmpv6_members),
};
assert_cc(sizeof(struct sct_sock) <= STRUCT_MAX && sizeof(struct sct_skb) <= STRUCT_MAX);
assert_cc(sizeof(struct sct_cred) <= STRUCT_MAX && sizeof(struct sct_perf_event) <= STRUCT_MAX);
assert_cc(sizeof(struct sct_module) <= STRUCT_MAX);
