/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as a record, then the event in every form that it can take. Tables must stay one printable line, JSON must
 * be free of control characters; both hold whatever a process named itself. */

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"
#include "event/event-format.h"
#include "event/record.h"

static const EventArgSpec hook_args[SCT_ARGS_MAX] = {
        { .name = "a", .ctype = "int", .type = SCT_ARG_S32 },     { .name = "b", .ctype = "int", .type = SCT_ARG_S32 },
        { .name = "c", .ctype = "int", .type = SCT_ARG_S32 },     { .name = "d", .ctype = "int", .type = SCT_ARG_S32 },
};
static const EventSpec hook_spec = {
        .id = SCT_EVENT_HOOK_FIRST, .name = "hook", .family = EVENT_FAMILY_HOOK, .args = hook_args, .n_args = 4,
};

static const EventSpec *lookup(uint16_t id, void *userdata) {
        return id == SCT_EVENT_HOOK_FIRST ? &hook_spec : NULL;
}

static void check_line(const Buffer *b) {
        if (b->size == 0 || b->data[b->size - 1] != '\n')
                abort();
        for (size_t i = 0; i + 1 < b->size; i++)
                if ((uint8_t) b->data[i] < 0x20)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(field_list_done) FieldList fields = {};
        _cleanup_free_ uint8_t *copy = NULL;
        Event e;

        copy = malloc(MAX(size, (size_t) 1));   /* aligned, and exactly as large */
        if (!copy)
                return 0;
        if (size > 0)
                memcpy(copy, data, size);
        if (record_parse(copy, size, lookup, NULL, &e) < 0)
                return 0;

        for (EventFormat f = 0; f < _EVENT_FORMAT_MAX; f++)
                for (unsigned flags = 0; flags < 8; flags++) {
                        _cleanup_(buffer_done) Buffer b = {};

                        if (event_format(&b, &e, f, (EventFormatFlags) flags) < 0)
                                abort();
                        if (f != EVENT_FORMAT_EXPORT)
                                check_line(&b);
                }
        if (event_format_fields(&fields, &e) < 0)
                abort();
        return 0;
}
