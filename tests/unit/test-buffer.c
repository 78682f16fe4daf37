/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Buffer: numbers come out as printf's would, the two escapings let nothing through that a terminal or a JSON parser
 * obeys, and a failed growth sticks. */

#include <json-c/json.h>

#include "basic/buffer.h"
#include "test.h"

static void check_number(uint64_t v) {
        _cleanup_(buffer_done) Buffer b = {};
        char text[128];

        snprintf(text, sizeof(text), "%" PRIu64 "|%" PRIi64 "|%" PRIx64 "|%016" PRIx64 "|%" PRIo64,
                 v, (int64_t) v, v, v, v);
        ASSERT_OK(buffer_add_u64(&b, v));
        ASSERT_OK(buffer_add_char(&b, '|'));
        ASSERT_OK(buffer_add_s64(&b, (int64_t) v));
        ASSERT_OK(buffer_add_char(&b, '|'));
        ASSERT_OK(buffer_add_hex(&b, v, 1));
        ASSERT_OK(buffer_add_char(&b, '|'));
        ASSERT_OK(buffer_add_hex(&b, v, 16));
        ASSERT_OK(buffer_add_char(&b, '|'));
        ASSERT_OK(buffer_add_octal(&b, v));
        ASSERT_STREQ(buffer_cstring(&b), text);
}

TEST(numbers) {
        static const uint64_t edges[] = { 0, 1, 7, 9, 10, 11, 99, 100, 101, 999, 1000, 65535, UINT32_MAX, INT64_MAX,
                                          (uint64_t) INT64_MIN, UINT64_MAX };

        for (size_t i = 0; i < ELEMENTSOF(edges); i++)
                check_number(edges[i]);
        for (uint64_t v = 1; v < UINT64_MAX / 3; v = v * 3 + 1)
                check_number(v);
}

TEST(growth_keeps_contents) {
        _cleanup_(buffer_done) Buffer b = {};

        for (unsigned i = 0; i < 10000; i++)
                ASSERT_OK(buffer_add_char(&b, (char) ('a' + i % 26)));
        ASSERT_EQ(b.size, 10000);
        for (unsigned i = 0; i < 10000; i++)
                ASSERT_EQ(b.data[i], 'a' + i % 26);
}

TEST(no_allocation_once_warm) {
        _cleanup_(buffer_done) Buffer b = {};
        size_t allocated;

        ASSERT_OK(buffer_reserve(&b, 1000));
        allocated = b.allocated;
        for (unsigned i = 0; i < 100; i++) {
                buffer_reset(&b);
                ASSERT_OK(buffer_pad_to(&b, 0, 1000));
                ASSERT_EQ(b.allocated, allocated);
        }
}

TEST(failure_sticks) {
        _cleanup_(buffer_done) Buffer b = {};

        ASSERT_OK(buffer_add_string(&b, "before"));
        ASSERT_ERROR(buffer_reserve(&b, SIZE_MAX - 2), ENOMEM);
        ASSERT_ERROR(buffer_add_char(&b, 'x'), ENOMEM);
        ASSERT_ERROR(buffer_add_u64(&b, 1), ENOMEM);
        ASSERT_ERROR(buffer_add_escaped(&b, "x", 1), ENOMEM);
        ASSERT_ERROR(buffer_add_json_string(&b, "x", 1), ENOMEM);
        ASSERT_ERROR(buffer_printf(&b, "%d", 1), ENOMEM);
        ASSERT_ERROR(buffer_pad_to(&b, 0, 3), ENOMEM);
        ASSERT_NULL(buffer_cstring(&b));
        buffer_reset(&b);
        ASSERT_OK(buffer_add_string(&b, "after"));
        ASSERT_STREQ(buffer_cstring(&b), "after");
}

TEST(padding_printf_steal) {
        _cleanup_(buffer_done) Buffer b = {};
        char *s;

        ASSERT_OK(buffer_add_string(&b, "ab"));
        ASSERT_OK(buffer_pad_to(&b, 1, 4));
        ASSERT_STREQ(buffer_cstring(&b), "ab   ");
        ASSERT_OK(buffer_pad_to(&b, 0, 3));
        ASSERT_EQ(b.size, 5);
        ASSERT_OK(buffer_printf(&b, "%s-%d", "x", 7));
        s = buffer_steal(&b);
        ASSERT_STREQ(s, "ab   x-7");
        free(s);
        ASSERT_EQ(b.size, 0);
        ASSERT_NULL(b.data);
}

typedef struct Escaping {
        const char *in;
        size_t size;
        const char *people;
        const char *json;
} Escaping;

#define ROW(in, people, json) { in, sizeof(in) - 1, people, json }

static const Escaping escapings[] = {
        ROW("", "", "\"\""),
        ROW("plain text", "plain text", "\"plain text\""),
        ROW("a\"b", "a\"b", "\"a\\\"b\""),
        ROW("a\\b", "a\\\\b", "\"a\\\\b\""),
        ROW("l\nt\tr\r", "l\\nt\\tr\\x0d", "\"l\\nt\\tr\\r\""),
        ROW("\x1b[31m", "\\x1b[31m", "\"\\u001b[31m\""),
        ROW("a\0b", "a\\x00b", "\"a\\u0000b\""),
        ROW("\x7f", "\\x7f", "\"\x7f\""),
        ROW("caf\xc3\xa9", "caf\xc3\xa9", "\"caf\xc3\xa9\""),
        ROW("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""),
        ROW("\xff\xfe", "\\xff\\xfe", "\"\\ufffd\\ufffd\""),
        ROW("\xc3", "\\xc3", "\"\\ufffd\""),                             /* cut */
        ROW("\xe2\x82", "\\xe2\\x82", "\"\\ufffd\\ufffd\""),
        ROW("\xc0\x80", "\\xc0\\x80", "\"\\ufffd\\ufffd\""),             /* overlong */
        ROW("\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\ufffd\\ufffd\\ufffd\""),  /* surrogate */
        ROW("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
        ROW("\xc2\x9b" "31m", "\\xc2\\x9b31m", "\"\xc2\x9b" "31m\""),    /* C1: obeyed by terminals */
        ROW("\xe2\x80\xae" "txt", "\\xe2\\x80\\xaetxt", "\"\xe2\x80\xaetxt\""),  /* right-to-left override */
};

TEST(escapings) {
        for (size_t i = 0; i < ELEMENTSOF(escapings); i++) {
                _cleanup_(buffer_done) Buffer b = {};

                ASSERT_OK(buffer_add_escaped(&b, escapings[i].in, escapings[i].size));
                ASSERT_STREQ(buffer_cstring(&b), escapings[i].people);
                buffer_reset(&b);
                ASSERT_OK(buffer_add_json_string(&b, escapings[i].in, escapings[i].size));
                ASSERT_STREQ(buffer_cstring(&b), escapings[i].json);
        }
}

/* Whatever bytes go in: one line comes out for people, and valid JSON for parsers. */
TEST(any_bytes) {
        unsigned seed = 1;

        for (unsigned round = 0; round < 2000; round++) {
                _cleanup_(buffer_done) Buffer b = {};
                struct json_object *o;
                char in[64];

                for (size_t i = 0; i < sizeof(in); i++) {
                        seed = seed * 1103515245 + 12345;
                        in[i] = (char) (seed >> 16);
                }
                ASSERT_OK(buffer_add_escaped(&b, in, sizeof(in)));
                for (size_t i = 0; i < b.size; i++)
                        ASSERT_TRUE((uint8_t) b.data[i] >= 0x20 && b.data[i] != 0x7f);
                buffer_reset(&b);
                ASSERT_OK(buffer_add_json_string(&b, in, sizeof(in)));
                o = json_tokener_parse(buffer_cstring(&b));
                ASSERT_NOT_NULL(o);
                ASSERT_EQ(json_object_get_type(o), json_type_string);
                json_object_put(o);
        }
}

TEST_MAIN()
