/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Actions that reach out from the host: GetUrl and DnsLookup. An event hands them over and goes on. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "rule-action.h"

typedef enum RemoteKind {
        REMOTE_URL,
        REMOTE_DNS,
        _REMOTE_KIND_MAX,
} RemoteKind;

typedef struct RemoteCounters {
        uint64_t n_started;
        uint64_t n_failed;      /* of those that were started */
        uint64_t n_dropped;     /* the queue was full */
} RemoteCounters;

/* why: NULL on success, else what went wrong, for a person; valid during the call. */
typedef void (*RemoteDone)(const char *target, const char *why, void *userdata);

typedef struct RemoteActions RemoteActions;

/* dns_servers: DnsServers= of the configuration. */
int remote_actions_new(sd_event *event, const char *dns_servers, RemoteActions **ret);
RemoteActions *remote_actions_free(RemoteActions *a);
/* Queues what the rule asks for, and counts it in `counts` (may be NULL). */
void remote_actions_take(RemoteActions *a, const RuleAction *action, RuleCounts *counts);
void remote_actions_counters(const RemoteActions *a, RemoteKind kind, RemoteCounters *ret);
/* Why actions of this kind cannot be taken by this build; NULL: they can. */
const char *remote_action_refusal(HookActionKind kind);
