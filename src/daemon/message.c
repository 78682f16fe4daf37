/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service's own records. Fields that cannot be built for lack of memory are left out; the record goes out. */

#include <stdarg.h>
#include <stdio.h>

#include "../basic/string-util.h"
#include "message.h"
#include "scope.h"

static const char *const message_id_table[_MESSAGE_ID_MAX] = {
#define SCT_MESSAGE_ID(sym, id, doc) [MESSAGE_##sym] = "MESSAGE_ID=" id,
#include "../event/message-ids.def"
#undef SCT_MESSAGE_ID
};

void message_fields_done(MessageFields *f) {
        for (size_t i = 0; i < f->n; i++)
                free(f->items[i].iov_base);
        f->n = 0;
}

void message_add(MessageFields *f, const char *format, ...) {
        va_list ap;
        char *s;
        int n;

        if (f->n == MESSAGE_FIELDS_MAX)
                return;
        va_start(ap, format);
        n = vasprintf(&s, format, ap);
        va_end(ap);
        if (n >= 0)
                f->items[f->n++] = (struct iovec) { .iov_base = s, .iov_len = (size_t) n };
}

void message_add_scopes(MessageFields *f, uint64_t scopes) {
        message_add(f, "MATCHED_SCOPES=%llu", (unsigned long long) scopes);
        for (unsigned i = 1; i <= SCOPE_MAX; i++)
                if (scopes & SCOPE_BIT(i))
                        message_add(f, "SCOPE=%u", i);
}

void message_send(MessageId id, int level, MessageFields *f, const char *format, ...) {
        MessageFields none = {};
        char message[2048];
        va_list ap;

        f = f ?: &none;
        va_start(ap, format);
        (void) vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        message_add(f, "%s", message_id_table[id]);
        log_fields(level, f->items, f->n, "%s", message);
        message_fields_done(f);
}

void message_send_always(MessageId id, int level, MessageFields *f, const char *format, ...) {
        char message[2048];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        message_add(f, "%s", message_id_table[id]);
        (void) log_internal(level, 0, __FILE__, __LINE__, __func__, f->items, f->n, "%s", message);
        message_fields_done(f);
}

void message_problem(MessageId id, int level, const char *policy, const Problem *p) {
        MessageFields f = {};
        char place[64] = "";

        if (p->line > 0 && p->column > 0)
                (void) snprintf(place, sizeof(place), ":%u:%u", p->line, p->column);
        else if (p->line > 0)
                (void) snprintf(place, sizeof(place), ":%u", p->line);
        if (policy)
                message_add(&f, "POLICY=%s", policy);
        message_add(&f, "POLICY_FILE=%s", strempty(p->path));
        if (p->line > 0)
                message_add(&f, "POLICY_LINE=%u", p->line);
        if (p->column > 0)
                message_add(&f, "POLICY_COLUMN=%u", p->column);
        if (!isempty(p->key))
                message_add(&f, "POLICY_KEY=%s", p->key);
        message_send(id, level, &f, "%s%s: %s%s%s", strempty(p->path), place, strempty(p->key),
                     isempty(p->key) ? "" : ": ", strempty(p->message));
}
