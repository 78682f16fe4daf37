/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of filters on socket addresses and times, in the words that events print: 127.0.0.1:80, [::1]:443, /run/x.sock,
 * @name, AF_NETLINK; 1.5s. What each form asks for becomes patterns on the string SCT_PART_ENDPOINT of bpf/abi/plan.h, whose
 * beginning has family and port, and whose end has the address. */

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "filter-set.h"

#define ENDPOINT_FAMILY(f) ((uint8_t) (0x80 | (f)))

typedef struct AddressFilter {
        FilterRun *run;
        const FilterValue *value;
        ConditionBuilder *builder;
        bool negative;
} AddressFilter;

static int add_bytes(AddressFilter *f, PatternKind kind, const void *bytes, size_t size) {
        Pattern p = { .kind = kind, .negative = f->negative, .size = size };

        p.text = malloc(size + 1);
        if (!p.text)
                return -ENOMEM;
        memcpy(p.text, bytes, size);
        p.text[size] = '\0';
        return condition_builder_add_pattern(f->builder, &p);
}

/* A network: the first `bits` of an address. */
typedef struct Network {
        uint8_t address[16];
        unsigned size, bits;            /* 4 or 16 bytes */
} Network;

/* Behind `head`, whole bytes of the network; where its length is no multiple of 8 for every value of the last byte. With a
 * port the address follows it, without one it stands backwards before its tag. */
static int add_network(AddressFilter *f, const Network *n, const uint8_t *head, size_t head_size) {
        unsigned whole = n->bits / 8, rest = n->bits % 8, values = rest > 0 ? 1U << (8 - rest) : 1;
        uint8_t bytes[40];

        for (unsigned v = 0; v < values; v++) {
                uint8_t address[17];
                unsigned size = whole + (rest > 0);
                int r;

                memcpy(address, n->address, sizeof(n->address));
                if (rest > 0)
                        address[whole] = (uint8_t) ((address[whole] & (0xff << (8 - rest))) + v);
                if (head) {
                        memcpy(bytes, head, head_size);
                        memcpy(bytes + head_size, address, size);
                        r = add_bytes(f, PATTERN_PREFIX, bytes, head_size + size);
                } else {
                        for (unsigned i = 0; i < size; i++)
                                bytes[i] = address[size - 1 - i];
                        bytes[size] = n->size == 4 ? 4 : 6;
                        r = add_bytes(f, PATTERN_SUFFIX, bytes, size + 1);
                }
                if (r < 0)
                        return r;
        }
        return 1;
}

/* An IPv4 address is the same one when a socket of IPv6 has it. */
static int add_with_port(AddressFilter *f, const Network *n, uint16_t port) {
        uint8_t head[3 + 12] = { ENDPOINT_FAMILY(n->size == 4 ? AF_INET : AF_INET6), (uint8_t) (port >> 8), (uint8_t) port };
        int r;

        r = add_network(f, n, head, 3);
        if (r < 0 || n->size != 4)
                return r;
        head[0] = ENDPOINT_FAMILY(AF_INET6);
        head[3 + 10] = head[3 + 11] = 0xff;
        return add_network(f, n, head, sizeof(head));
}

static bool parse_port(const char *s, uint16_t *ret) {
        unsigned v = 0;

        if (!*s || strlen(s) > 5)
                return false;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return false;
                v = v * 10 + (unsigned) (*s - '0');
        }
        *ret = (uint16_t) v;
        return v <= UINT16_MAX;
}

/* 10.*, 192.168.* and 192.168.1.*: as the text begins. */
static bool parse_dots(const char *s, Network *ret) {
        unsigned n = 0;

        *ret = (Network) { .size = 4 };
        while (n < 4) {
                unsigned v = 0, digits = 0;

                if (s[0] == '*' && s[1] == '\0' && n > 0) {
                        ret->bits = 8 * n;
                        return true;
                }
                for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
                        v = v * 10 + (unsigned) (*s - '0');
                if (digits == 0 || v > 255 || *s != '.')
                        return false;
                ret->address[n++] = (uint8_t) v;
                s++;
        }
        return false;
}

static bool parse_network(const char *text, Network *ret) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        char copy[INET6_ADDRSTRLEN + 4];
        const char *slash = strchr(text, '/');
        size_t n = slash ? (size_t) (slash - text) : strlen(text);
        uint32_t bits;

        if (n >= sizeof(copy))
                return false;
        memcpy(copy, text, n);
        copy[n] = '\0';
        *ret = (Network) {};
        if (!slash && parse_dots(copy, ret))
                return true;
        *ret = (Network) { .size = strchr(copy, ':') ? 16 : 4 };
        if (inet_pton(ret->size == 4 ? AF_INET : AF_INET6, copy, ret->address) != 1)
                return false;
        ret->bits = ret->size * 8;
        if (slash) {
                if (parse_u32(slash + 1, &bits) < 0 || bits > ret->bits)
                        return false;
                ret->bits = bits;
        }
        if (ret->size == 16 && ret->bits >= 96 && memcmp(ret->address, mapped, sizeof(mapped)) == 0) {
                memmove(ret->address, ret->address + 12, 4);
                ret->size = 4;
                ret->bits -= 96;
        }
        return true;
}

/* Splits "ADDRESS:PORT", "[ADDRESS]:PORT", "[ADDRESS]"; *ret_port NULL: there is none. The text is cut. */
static char *split_port(char *text, char **ret_port) {
        char *end, *colon;

        *ret_port = NULL;
        if (text[0] == '[') {
                end = strchr(text, ']');
                if (!end || (end[1] != '\0' && end[1] != ':' && end[1] != '/'))
                        return text;
                if (end[1] == '/')              /* [::1]/64 */
                        return text;
                if (end[1] == ':')
                        *ret_port = end + 2;
                *end = '\0';
                return text + 1;
        }
        colon = strchr(text, ':');
        if (colon && !strchr(colon + 1, ':')) {
                *ret_port = colon + 1;
                *colon = '\0';
        }
        return text;
}

/* 1: it was an address; 0: it is none. */
static int add_inet(AddressFilter *f, const char *raw) {
        static const uint8_t families[] = { AF_INET, AF_INET6 };
        _cleanup_free_ char *text = strdup(raw);
        char *address, *port_text;
        uint16_t port = 0;
        Network n;
        int r = 1;

        if (!text)
                return -ENOMEM;
        address = split_port(text, &port_text);
        if (port_text && !streq(port_text, "*") && !parse_port(port_text, &port))
                return 0;
        if (port_text && (streq(address, "*") || *address == '\0')) {
                for (size_t i = 0; i < ELEMENTSOF(families) && r >= 0; i++) {
                        uint8_t head[] = { ENDPOINT_FAMILY(families[i]), (uint8_t) (port >> 8), (uint8_t) port };

                        r = add_bytes(f, PATTERN_PREFIX, head, streq(port_text, "*") ? 1 : sizeof(head));
                }
                return r;
        }
        if (!parse_network(address, &n))
                return 0;
        return port_text && !streq(port_text, "*") ? add_with_port(f, &n, port) : add_network(f, &n, NULL, 0);
}

static int add_unix(AddressFilter *f) {
        _cleanup_free_ char *text = NULL;
        ExpressionError error;
        Pattern p = {};
        int r;

        r = filter_value_to_pattern(f->value, &p, &error);
        if (r == 0)
                return filter_run_value_error(f->run, &error) < 0 ? -ENOMEM : 1;
        if (r < 0)
                return r;
        if (p.size > 108) {
                free(p.text);
                r = filter_run_error(f->run, f->value->offset, "The path of a unix socket has at most 108 bytes; write a shorter "
                                     "one.");
                return r < 0 ? r : 1;
        }
        /* What begins somewhere begins behind the family. */
        if (IN_SET(p.kind, PATTERN_EQUAL, PATTERN_PREFIX)) {
                text = malloc(p.size + 2);
                if (!text) {
                        free(p.text);
                        return -ENOMEM;
                }
                text[0] = (char) ENDPOINT_FAMILY(AF_UNIX);
                memcpy(text + 1, p.text, p.size + 1);
                free(p.text);
                p.text = TAKE_PTR(text);
                p.size++;
        }
        p.negative = f->negative;
        return condition_builder_add_pattern(f->builder, &p);
}

static int add_family(AddressFilter *f, const char *name) {
        uint64_t and, cmp;
        uint8_t head;

        if (printer_parse(PRINTER_SOCKET_DOMAIN, name, &and, &cmp) < 0 || cmp > 127)
                return 0;
        head = ENDPOINT_FAMILY(cmp);
        return add_bytes(f, PATTERN_PREFIX, &head, 1);
}

static int add_address(AddressFilter *f) {
        static const uint8_t unnamed = ENDPOINT_FAMILY(AF_UNIX);
        _cleanup_free_ char *raw = strndup(f->value->raw, f->value->size);
        int r;

        if (!raw)
                return -ENOMEM;
        if (streq(raw, "(unnamed)"))
                return add_bytes(f, PATTERN_EQUAL, &unnamed, 1);
        if (startswith(raw, "AF_"))
                r = add_family(f, raw);
        else {
                r = add_inet(f, raw);
                if (r == 0 && raw[0] != '\0' && strchr("/@.\\*", raw[0]) && !startswith(raw, "*:"))
                        r = add_unix(f);
        }
        if (r != 0)
                return r;
        return filter_run_error(f->run, f->value->offset, "%s is no address; write for example 127.0.0.1, 10.0.0.0/8, "
                                "127.0.0.1:80, [::1]:443, *:53, /run/x.sock*, @name or AF_UNIX.", QUOTE(raw));
}

int filter_add_addresses(FilterRun *x, const EventArgSpec *arg, uint16_t field) {
        const Expression *e = x->expression;
        AddressFilter f = { .run = x, .negative = e->op == FILTER_OP_NE };
        int r;

        r = filter_run_builder(x, arg, (uint16_t) (field + SCT_PART_ENDPOINT * SCT_ARGS_MAX), CONDITION_STRING, &f.builder);
        if (r < 0)
                return r;
        for (size_t i = 0; i < e->n_values; i++) {
                f.value = e->values + i;
                r = add_address(&f);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- Addresses of packets, which have neither port nor family ---- */

int filter_add_inet(FilterRun *x, const EventArgSpec *arg, uint16_t field) {
        const Expression *e = x->expression;
        AddressFilter f = { .run = x, .negative = e->op == FILTER_OP_NE };
        int r;

        r = filter_run_builder(x, arg, field, CONDITION_STRING, &f.builder);
        for (size_t i = 0; r >= 0 && i < e->n_values; i++) {
                const FilterValue *v = e->values + i;
                _cleanup_free_ char *raw = strndup(v->raw, v->size);
                uint8_t version;
                Network n;

                if (!raw)
                        return -ENOMEM;
                if (!parse_network(raw, &n)) {
                        r = filter_run_error(x, v->offset, "%s is no address; write for example 8.8.8.8, 10.0.0.0/8, 10.*, "
                                             "2001:db8::1 or 2001:db8::/32.", QUOTE(raw));
                        continue;
                }
                version = n.size == 4 ? 4 : 6;
                r = add_network(&f, &n, &version, sizeof(version));
        }
        return MIN(r, 0);
}

/* ---- Times ---- */

/* 1.5, 1.5s, 100ms, 20us, 5ns, 2min, 1h → nanoseconds. A number alone is seconds, as events print them. */
static bool parse_time(const char *s, int64_t *ret) {
        static const struct {
                const char *name;
                int64_t ns;
        } units[] = {
                { "", 1000000000 }, { "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
                { "min", INT64_C(60) * 1000000000 }, { "h", INT64_C(3600) * 1000000000 },
        };
        bool negative = *s == '-';
        int64_t whole = 0, part = 0, scale = 1, unit = 0, v;
        unsigned digits = 0;

        s += negative;
        for (; *s >= '0' && *s <= '9'; s++, digits++)
                if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *s - '0', &whole))
                        return false;
        if (digits > 0 && *s == '.') {
                s++;
                for (digits = 0; *s >= '0' && *s <= '9'; s++, digits++)
                        if (digits < 9) {
                                part = part * 10 + (*s - '0');
                                scale *= 10;
                        }
        }
        if (digits == 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (streq(units[i].name, s))
                        unit = units[i].ns;
        if (unit == 0 || __builtin_mul_overflow(whole, unit, &v) ||
            __builtin_add_overflow(v, (int64_t) ((__int128) part * unit / scale), &v))
                return false;
        *ret = negative ? -v : v;
        return true;
}

int filter_add_times(FilterRun *x, const EventArgSpec *arg, uint16_t field) {
        const Expression *e = x->expression;
        ConditionBuilder *b;
        int r;

        r = filter_run_builder(x, arg, (uint16_t) (field + SCT_PART_NSEC * SCT_ARGS_MAX), CONDITION_NUMBER, &b);
        if (r < 0)
                return r;
        b->condition.is_signed = true;
        for (size_t i = 0; i < e->n_values; i++) {
                const FilterValue *v = e->values + i;
                _cleanup_free_ char *raw = strndup(v->raw, v->size);
                int64_t ns = 0;

                if (!raw)
                        return -ENOMEM;
                if (!parse_time(raw, &ns)) {
                        r = filter_run_error(x, v->offset, "%s is no time; write seconds like 1.5, or a number with its unit: 1.5s, "
                                             "100ms, 20us, 5ns.", QUOTE(raw));
                        if (r < 0)
                                return r;
                        continue;
                }
                r = condition_builder_add_number(b, e->op, (uint64_t) ns, (uint64_t) INT64_MIN, INT64_MAX);
                if (r < 0)
                        return r;
        }
        return 0;
}
