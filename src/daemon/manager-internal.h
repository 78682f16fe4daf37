/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the Manager is made of; for manager*.c only. */

#include "capture-feed.h"
#include "config.h"
#include "dispatch.h"
#include "fdstore.h"
#include "manager.h"
#include "remote-action.h"

struct Manager {
        ManagerOptions options;
        Config config;
        const char *root;               /* before every search path, from $SCOPETRACE_ROOT; NULL: none */
        sd_event *event;

        FeatureSet features;
        Kernel *kernel;
        CaptureFeed *capture_feed;
        FdStore *fd_store;
        PolicySet policies;
        Scope *scopes[SCOPE_MAX + 1];   /* by number */

        Dispatch dispatch;
        Journal *journal;
        StreamSet *streams;
        struct Captures *captures;
        RemoteActions *remote;
        sd_event_source *count_source;  /* while rules with a rate limit are active */

        ManagerListener listener;
        void *listener_userdata;
        void *bus_data;

        uint64_t start_realtime_usec, start_monotonic_usec;
        char status[256];
        bool ready;
};

/* manager-policies.c: makes the policy set as it stands the active generation. Policies that cannot be are failed; an
 * error is returned only when nothing could be applied. */
int manager_apply(Manager *m);
int manager_policies_start(Manager *m, const SavedState *saved);
void manager_policies_done(Manager *m);
/* Tells the journal what is wrong with `only`, or with all policies. */
void manager_log_problems(Manager *m, const LoadedPolicy *only);
/* Whether a policy could be part of a plan of its own. */
int manager_check_compiled(Manager *m, Policy *policy, ProblemList *problems);
/* manager.c */
void manager_notify_status(Manager *m);
