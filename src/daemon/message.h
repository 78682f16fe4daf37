/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The service's own records: start, reload, refused policies, loss. Each has a MESSAGE_ID and a catalog entry. */

#include <stdint.h>

#include "../basic/log.h"
#include "../policy/policy.h"

typedef enum MessageId {
#define SCT_MESSAGE_ID(sym, id, doc) MESSAGE_##sym,
#include "../event/message-ids.def"
#undef SCT_MESSAGE_ID
        _MESSAGE_ID_MAX,
} MessageId;

#define MESSAGE_FIELDS_MAX 160  /* 64 SCOPE=, as many POLICY=, and what else a record has */

/* NAME=value items of one record, built with printf. */
typedef struct MessageFields {
        struct iovec items[MESSAGE_FIELDS_MAX];
        size_t n;
} MessageFields;

void message_fields_done(MessageFields *f);
void message_add(MessageFields *f, const char *format, ...) _printf_(2, 3);
/* MATCHED_SCOPES= and one SCOPE= for each bit. */
void message_add_scopes(MessageFields *f, uint64_t scopes);
void message_send(MessageId id, int level, MessageFields *f, const char *format, ...) _printf_(4, 5);
/* Whatever LogLevel= says: what was traced, not what the service says of itself. */
void message_send_always(MessageId id, int level, MessageFields *f, const char *format, ...) _printf_(4, 5);
/* `file:line:column: key: sentence` with its parts as fields. */
void message_problem(MessageId id, int level, const char *policy, const Problem *p);
