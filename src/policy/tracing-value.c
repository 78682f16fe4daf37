/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of TracingPolicy's selectors: integers as Go reads them with base 0, ranges, names of protocols and
 * capabilities, addresses, paths. Knows nothing of YAML and reports nothing: the caller knows where the value stands.
 *
 * Numbers come out as the wire has them: extended from their own width by their own signedness, so that a comparison
 * of 64 bits is right for every type. */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "tracing-internal.h"

static unsigned digit_value(char c) {
        if (c >= '0' && c <= '9')
                return (unsigned) (c - '0');
        c = (char) (c | 0x20);
        return c >= 'a' && c <= 'f' ? (unsigned) (c - 'a') + 10 : 99;
}

bool tracing_parse_integer(const char *text, size_t size, bool *ret_negative, uint64_t *ret_magnitude) {
        const char *p = text, *end = text + size;
        unsigned base = 10;
        uint64_t v = 0;
        bool negative;

        negative = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
                p++;
        if (end - p > 2 && p[0] == '0' && strchr("xXoObB", p[1])) {
                base = (p[1] | 0x20) == 'x' ? 16 : (p[1] | 0x20) == 'o' ? 8 : 2;
                p += 2;
        } else if (end - p > 1 && p[0] == '0') {
                base = 8;
                p++;
        }
        if (p == end)
                return false;
        for (; p < end; p++) {
                unsigned d = digit_value(*p);

                if (d >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
                        return false;
        }
        *ret_negative = negative && v > 0;
        *ret_magnitude = v;
        return true;
}

bool tracing_is_integer(const char *text) {
        bool negative;
        uint64_t v;

        return tracing_parse_integer(text, strlen(text), &negative, &v);
}

int tracing_get_integer(const char *text, size_t size, unsigned bits, bool is_signed, bool exact, uint64_t *ret) {
        uint64_t v, all, lowest, highest;
        bool negative;

        if (!tracing_parse_integer(text, size, &negative, &v))
                return -EINVAL;

        all = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
        lowest = is_signed || exact ? all / 2 + 1 : 0;            /* magnitudes */
        highest = is_signed && !exact ? all / 2 : all;
        if (v > (negative ? lowest : highest))
                return -ERANGE;

        v = (negative ? -v : v) & all;
        if (is_signed && bits < 64 && v > all / 2)
                v |= ~all;
        *ret = v;
        return 0;
}

int tracing_get_range(const char *text, unsigned bits, bool is_signed, uint64_t *ret_low, uint64_t *ret_high) {
        const char *colon = strchr(text, ':');
        int r;

        r = tracing_get_integer(text, colon ? (size_t) (colon - text) : strlen(text), bits, is_signed, !colon, ret_low);
        if (r < 0)
                return r;
        if (!colon) {
                *ret_high = *ret_low;
                return 0;
        }
        return tracing_get_integer(colon + 1, strlen(colon + 1), bits, is_signed, false, ret_high);
}

int tracing_get_name(uint8_t printer, const char *prefix, const char *text, uint64_t *ret) {
        char word[SUGGEST_WORD_MAX + 1];
        size_t n = strlen(prefix), size = strlen(text);
        uint64_t and;

        if (tracing_is_integer(text))
                return tracing_get_integer(text, size, 64, false, false, ret);
        if (size == 0 || n + size > SUGGEST_WORD_MAX)
                return -ENOENT;

        if (strncasecmp(text, prefix, n) != 0)
                memcpy(word, prefix, n);
        else
                n = 0;
        for (size_t i = 0; i <= size; i++)
                word[n + i] = (char) toupper((unsigned char) text[i]);
        return printer_parse(printer, word, &and, ret);
}

int tracing_get_capabilities(const char *text, uint64_t *ret, char ret_word[static SUGGEST_WORD_MAX + 1]) {
        uint64_t bits = 0, v;

        if (tracing_is_integer(text))
                return tracing_get_integer(text, strlen(text), 64, false, true, ret);

        ret_word[0] = '\0';
        for (const char *p = text;;) {
                size_t n = strcspn(p, ","), begin = strspn(p, " \t"), end = n;

                while (end > begin && (p[end - 1] == ' ' || p[end - 1] == '\t'))
                        end--;
                if (end - MIN(begin, end) > SUGGEST_WORD_MAX)
                        return -ENOENT;
                memcpy(ret_word, p + MIN(begin, end), end - MIN(begin, end));
                ret_word[end - MIN(begin, end)] = '\0';

                if (tracing_is_integer(ret_word) || tracing_get_name(PRINTER_CAPABILITY, "CAP_", ret_word, &v) < 0 ||
                    v > 63)
                        return -ENOENT;
                bits |= UINT64_C(1) << v;
                if (p[n] == '\0')
                        break;
                p += n + 1;
        }
        *ret = bits;
        return 0;
}

static int add_prefix(ConditionBuilder *b, const uint8_t *bytes, size_t size, bool negative) {
        Pattern p = { .kind = PATTERN_PREFIX, .negative = negative, .size = size };

        p.text = malloc(size + 1);
        if (!p.text)
                return -ENOMEM;
        memcpy(p.text, bytes, size);
        p.text[size] = '\0';
        return condition_builder_add_pattern(b, &p);
}

/* Address bytes are matched as strings, whose prefixes end with a byte: 10.0.0.0/9 is 10.0/16 to 10.127/16. */
int tracing_add_cidr(ConditionBuilder *b, const char *text, bool negative) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        const char *slash = strchr(text, '/');
        size_t n = slash ? (size_t) (slash - text) : strlen(text), whole;
        uint8_t key[1 + 16] = {}, *address = key + 1;
        char copy[INET6_ADDRSTRLEN];
        uint32_t bits, max;

        if (n >= sizeof(copy))
                return 0;
        memcpy(copy, text, n);
        copy[n] = '\0';
        key[0] = strchr(copy, ':') ? 6 : 4;
        max = key[0] == 6 ? 128 : 32;
        if (inet_pton(key[0] == 6 ? AF_INET6 : AF_INET, copy, address) != 1)
                return 0;
        bits = max;
        if (slash && (parse_u32(slash + 1, &bits) < 0 || bits > max))
                return 0;
        if (key[0] == 6 && bits >= 96 && memcmp(address, mapped, sizeof(mapped)) == 0) {
                memmove(address, address + sizeof(mapped), 4);
                key[0] = 4;
                bits -= 96;
        }

        whole = bits / 8;
        if (bits % 8 == 0)
                return add_prefix(b, key, 1 + whole, negative);

        address[whole] &= (uint8_t) (0xff << (8 - bits % 8));
        for (unsigned i = 0; i < 1U << (8 - bits % 8); i++, address[whole]++) {
                int r;

                r = add_prefix(b, key, 1 + whole + 1, negative);
                if (r < 0)
                        return r;
        }
        return 1;
}

int tracing_resolve_path(const char *path, bool last, char **ret) {
        _cleanup_free_ char *resolved = NULL, *directory = NULL, *joined = NULL;
        const char *slash;

        *ret = NULL;
        if (path[0] != '/' || strlen(path) >= SCT_STR_MAX)
                return 0;
        if (last) {
                resolved = realpath(path, NULL);
                if (resolved) {
                        if (!streq(resolved, path))
                                *ret = TAKE_PTR(resolved);
                        return 0;
                }
        }

        slash = strrchr(path, '/');
        if (slash == path)
                return 0;
        directory = strndup(path, (size_t) (slash - path));
        if (!directory)
                return -ENOMEM;
        resolved = realpath(directory, NULL);
        if (!resolved || streq(resolved, directory))
                return 0;
        joined = strjoin(streq(resolved, "/") ? "" : resolved, slash);
        if (!joined)
                return -ENOMEM;
        *ret = TAKE_PTR(joined);
        return 0;
}
