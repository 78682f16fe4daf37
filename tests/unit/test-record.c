/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* record_parse(): a good record comes out whole; one that lies about any size, count or index is refused, and nothing
 * outside the sample is read (each sample lives in an allocation of exactly its size, under ASan). */

#include "event/arg-type.h"
#include "event-id.h"
#include "record-builder.h"
#include "test.h"

static const EventArgSpec hook_args[SCT_ARGS_MAX] = {
        { .name = "first", .ctype = "int", .type = SCT_ARG_S32 },
};
static const EventSpec hook_spec = {
        .id = SCT_EVENT_HOOK_FIRST, .name = "fd_install", .family = EVENT_FAMILY_HOOK, .args = hook_args,
        .n_args = SCT_ARGS_MAX,
};

static const EventSpec *lookup(uint16_t id, void *userdata) {
        return id == SCT_EVENT_HOOK_FIRST ? &hook_spec : NULL;
}

/* Parses a copy that ends where the record does, and reads all that the event points at. */
static int parse_exact(const void *data, size_t size) {
        uint8_t *copy = malloc(MAX(size, (size_t) 1));
        _cleanup_(buffer_done) Buffer b = {};
        volatile uint8_t sum = 0;
        Event e;
        int r;

        if (!copy)
                abort();
        if (size > 0)
                memcpy(copy, data, size);
        r = record_parse(copy, size, lookup, NULL, &e);
        if (r >= 0) {
                for (size_t i = 0; i < e.n_args; i++) {
                        for (size_t k = 0; k < e.args[i].size; k++)
                                sum ^= e.args[i].data[k];
                        (void) arg_print(&b, e.args + i, ARG_STYLE_PEOPLE);
                        (void) arg_print(&b, e.args + i, ARG_STYLE_TRACEE);
                        (void) arg_print_json(&b, e.args + i, ARG_STYLE_RAW);
                        (void) arg_print_json(&b, e.args + i, ARG_STYLE_TRACEE);
                        (void) arg_print_journal(&b, e.args + i);
                }
                for (size_t k = 0; k < e.exe_size; k++)
                        sum ^= (uint8_t) e.exe[k];
                for (size_t k = 0; k < e.header->n_banks * sizeof(uint64_t); k++)
                        sum ^= e.rules[k];
        }
        free(copy);
        return r;
}

static void build_openat(RecordBuilder *r) {
        static const uint64_t rules[] = { 0x8000000000000001, 0x20 };

        record_begin(r, SCT_EVENT_OPENAT);
        record_set_comm(r, "id", "hb");
        record_add_string(r, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, "/usr/bin/id");
        record_add_number(r, 0, SCT_ARG_FD, (uint64_t) -100);
        record_add_string(r, 1, SCT_ARG_STR, "/etc/ld.so.cache");
        record_add_number(r, 2, SCT_ARG_S32, 02000000);
        record_add_number(r, 3, SCT_ARG_U32, 0);
        record_add_rules(r, 3, rules, 2);
}

TEST(good_record) {
        RecordBuilder r;
        uint64_t rule, v;
        Event e;

        build_openat(&r);
        ASSERT_OK(record_parse(r.data, r.size, NULL, NULL, &e));
        ASSERT_STREQ(e.spec->name, "openat");
        ASSERT_MEM(e.exe, e.exe_size, "/usr/bin/id", strlen("/usr/bin/id"));
        ASSERT_EQ(e.n_args, 4);
        ASSERT_STREQ(e.args[1].spec->name, "pathname");
        ASSERT_MEM(e.args[1].data, e.args[1].size, "/etc/ld.so.cache", sizeof("/etc/ld.so.cache"));
        ASSERT_OK(arg_get_u64(e.args, &v));
        ASSERT_EQ((int64_t) v, -100);
        ASSERT_ERROR(arg_get_u64(e.args + 1, &v), EINVAL);
        memcpy(&rule, e.rules + 8, sizeof(rule));
        ASSERT_EQ(rule, 0x20);
        ASSERT_EQ(e.header->bank_first, 3);
        ASSERT_STREQ(e.container_id, "");
        ASSERT_STREQ(e.cgroup_path, "");
        ASSERT_OK(parse_exact(r.data, r.size));
}

TEST(arguments_left_out_or_unreadable) {
        RecordBuilder r;
        Event e;

        record_begin(&r, SCT_EVENT_OPENAT);
        record_add_number(&r, 3, SCT_ARG_U32, 0644);
        record_add(&r, 1, SCT_ARG_STR, SCT_ARG_FAULT, NULL, 0);
        record_add(&r, 2, SCT_ARG_S32, SCT_ARG_FAULT, NULL, 0);
        record_add(&r, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, SCT_ARG_FAULT, NULL, 0);
        ASSERT_OK(record_parse(r.data, r.size, NULL, NULL, &e));
        ASSERT_EQ(e.n_args, 3);
        /* In the catalogue's order, whatever the record's. */
        ASSERT_STREQ(e.args[0].spec->name, "pathname");
        ASSERT_EQ(e.args[1].flags, SCT_ARG_FAULT);
        ASSERT_STREQ(e.args[2].spec->name, "mode");
        ASSERT_NULL(e.exe);
}

/* A failed pipe2() has filled nothing, and a failed readlink() neither. */
TEST(what_a_failed_call_has_not_filled) {
        RecordBuilder r;
        Event e;

        record_begin(&r, SCT_EVENT_PIPE2);
        record_add(&r, 0, SCT_ARG_INT2, 0, NULL, 0);
        record_add_number(&r, 1, SCT_ARG_S32, 0);
        ASSERT_OK(record_parse(r.data, r.size, NULL, NULL, &e));
        ASSERT_EQ(e.n_args, 1);
        ASSERT_STREQ(e.args[0].spec->name, "flags");

        record_begin(&r, SCT_EVENT_READLINK);
        record_add(&r, 0, SCT_ARG_STR, 0, "", 0);
        record_add(&r, 1, SCT_ARG_STR_OUT, 0, NULL, 0);
        ASSERT_OK(record_parse(r.data, r.size, NULL, NULL, &e));
        ASSERT_EQ(e.n_args, 1);
        ASSERT_STREQ(e.args[0].spec->name, "pathname");
}

TEST(every_truncation_is_refused) {
        RecordBuilder r;

        build_openat(&r);
        for (size_t size = 0; size < r.size; size++)
                ASSERT_ERROR(parse_exact(r.data, size), EBADMSG);
}

TEST(unaligned_sample_is_refused) {
        RecordBuilder r;
        uint8_t shifted[sizeof(r.data) + 8] __attribute__((aligned(8)));
        Event e;

        build_openat(&r);
        for (size_t shift = 1; shift < 8; shift++) {
                memcpy(shifted + shift, r.data, r.size);
                ASSERT_ERROR(record_parse(shifted + shift, r.size, NULL, NULL, &e), EBADMSG);
        }
}

TEST(kinds_of_record) {
        RecordBuilder r;

        build_openat(&r);
        for (unsigned type = 0; type < 256; type++) {
                r.h.type = (uint8_t) type;
                ASSERT_EQ(parse_exact(r.data, r.size),
                          type == SCT_RECORD_EVENT ? 0 :
                          type == SCT_RECORD_CGROUP_MKDIR || type == SCT_RECORD_CGROUP_RMDIR ? -EPROTO : -EBADMSG);
        }
}

TEST(unknown_events) {
        RecordBuilder r;

        record_begin(&r, 4095);
        ASSERT_ERROR(parse_exact(r.data, r.size), ENOENT);
        record_begin(&r, 5000);
        ASSERT_ERROR(parse_exact(r.data, r.size), ENOENT);
        record_begin(&r, SCT_EVENT_HOOK_FIRST);
        record_add_number(&r, 0, SCT_ARG_S32, 1);
        ASSERT_OK(parse_exact(r.data, r.size));
        r.h.event = SCT_EVENT_HOOK_FIRST + 1;
        ASSERT_ERROR(parse_exact(r.data, r.size), ENOENT);
        r.h.event = UINT16_MAX;
        ASSERT_ERROR(parse_exact(r.data, r.size), ENOENT);
}

TEST(lying_counts) {
        RecordBuilder r;

        build_openat(&r);
        for (unsigned n = 0; n < 256; n++) {
                build_openat(&r);
                r.h.n_args = (uint8_t) n;
                /* Fewer leave a rest that belongs to nobody; more run into the rules or past the end. */
                if (n <= 5)
                        ASSERT_OK(parse_exact(r.data, r.size));
                else
                        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
        }
        for (unsigned n = 0; n < 256; n++) {
                build_openat(&r);
                r.h.n_banks = (uint8_t) n;
                if (n <= 2)
                        ASSERT_OK(parse_exact(r.data, r.size));
                else
                        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
        }
        build_openat(&r);
        r.h.bank_first = SCT_BANKS_MAX - 1;
        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
        r.h.bank_first = 255;
        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
}

TEST(lying_sizes) {
        static const uint32_t sizes[] = { 1, 7, 9, 16, 4096, 16384, INT32_MAX, UINT32_MAX - 8, UINT32_MAX - 7,
                                          UINT32_MAX };
        RecordBuilder r;

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                struct sct_arg *a;

                record_begin(&r, SCT_EVENT_OPENAT);
                record_add_number(&r, 2, SCT_ARG_S32, 1);
                a = (struct sct_arg *) (r.data + sizeof(struct sct_record));
                a->size = sizes[i];
                ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
        }
        record_begin(&r, SCT_EVENT_OPENAT);
        record_add(&r, 1, SCT_ARG_STR, SCT_ARG_FAULT, "abc", 4);
        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
}

TEST(wrong_indices_and_types) {
        RecordBuilder r;

        for (unsigned index = 0; index < 256; index++) {
                record_begin(&r, SCT_EVENT_OPENAT);
                record_add_number(&r, (uint8_t) index, SCT_ARG_S32, 1);
                if (index < 4 || index == SCT_ARG_INDEX_EXE)
                        ASSERT_OK(parse_exact(r.data, r.size));
                else
                        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
        }
        record_begin(&r, SCT_EVENT_OPENAT);
        record_add_number(&r, 2, SCT_ARG_S32, 1);
        record_add_number(&r, 2, SCT_ARG_S32, 1);
        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
        record_begin(&r, SCT_EVENT_OPENAT);
        record_add_string(&r, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, "/a");
        record_add_string(&r, SCT_ARG_INDEX_EXE, SCT_ARG_PATH, "/b");
        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);

        record_begin(&r, SCT_EVENT_OPENAT);
        record_add_number(&r, 0, SCT_ARG_NONE, 1);
        ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
        for (unsigned type = _SCT_ARG_TYPE_MAX; type < 256; type++) {
                record_begin(&r, SCT_EVENT_OPENAT);
                record_add_number(&r, 0, (uint8_t) type, 1);
                ASSERT_ERROR(parse_exact(r.data, r.size), EBADMSG);
        }
}

/* Every type with every size of payload and any contents: parsed or refused, printed without a stray read. */
TEST(every_type_of_any_size) {
        uint8_t bytes[160];
        RecordBuilder r;

        for (unsigned fill = 0; fill < 4; fill++) {
                for (size_t i = 0; i < sizeof(bytes); i++)
                        bytes[i] = (uint8_t) (fill == 0 ? 0 : fill == 1 ? 0xff : fill == 2 ? (i == 0 ? 10 : 0) : i * 37 + 1);
                for (unsigned type = 1; type < _SCT_ARG_TYPE_MAX; type++)
                        for (uint32_t size = 0; size <= sizeof(bytes); size++) {
                                record_begin(&r, SCT_EVENT_HOOK_FIRST);
                                record_add(&r, 0, (uint8_t) type, 0, bytes, size);
                                (void) parse_exact(r.data, r.size);
                        }
                for (unsigned family = 0; family < 48; family++)
                        for (uint32_t size = 0; size <= 128; size++) {
                                bytes[0] = (uint8_t) family;
                                bytes[1] = 0;
                                record_begin(&r, SCT_EVENT_HOOK_FIRST);
                                record_add(&r, 0, SCT_ARG_SOCKADDR, 0, bytes, size);
                                ASSERT_OK(parse_exact(r.data, r.size));
                        }
        }
}

TEST(random_bytes) {
        uint64_t seed = 88172645463325252ULL;
        RecordBuilder r;

        for (unsigned round = 0; round < 20000; round++) {
                build_openat(&r);
                for (unsigned n = 0; n < 1 + round % 7; n++) {
                        seed ^= seed << 13;
                        seed ^= seed >> 7;
                        seed ^= seed << 17;
                        r.data[seed % r.size] = (uint8_t) (seed >> 32);
                }
                r.h.type = SCT_RECORD_EVENT;
                (void) parse_exact(r.data, r.size);
        }
}

TEST_MAIN()
