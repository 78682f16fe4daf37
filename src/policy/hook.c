/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a Hook and the names of its kinds and actions. What a document may say of one is tracing-hook.c's business,
 * where it is attached that of kernel/. */

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "hook.h"

void hook_arg_done(HookArg *a) {
        assert(a);

        free(a->label);
        free(a->resolve);
        free(a->btf_type);
        free(a->btf_module);
        *a = (HookArg) {};
}

void hook_action_done(HookAction *a) {
        assert(a);

        free(a->url);
        free(a->fqdn);
        *a = (HookAction) {};
}

void hook_done(Hook *h) {
        assert(h);

        for (size_t i = 0; i < h->n_args; i++)
                hook_arg_done(h->args + i);
        free(h->args);
        hook_arg_done(&h->return_arg);
        for (size_t i = 0; h->arg_specs && i < h->spec.n_args; i++)
                free((char *) h->arg_specs[i].name);
        free(h->arg_specs);
        for (size_t i = 0; i < h->n_members; i++)
                free((char *) h->members[i].spec.name);
        free(h->members);
        free(h->ref_ctr_offsets);
        strv_free(h->symbols);
        strv_free(h->tags);
        free(h->offsets);
        free(h->call);
        free(h->subsystem);
        free(h->path);
        free(h->pattern);
        free(h->message);
        *h = (Hook) {};
}

static char *member_name(const Hook *h, size_t i) {
        const char *base;
        char *name;

        if (h->symbols && h->symbols[0])
                return strdup(h->symbols[i]);
        base = strrchr(strempty(h->path), '/');
        if (asprintf(&name, "%s+0x%" PRIx64, base ? base + 1 : strempty(h->path), h->offsets[i]) < 0)
                return NULL;
        return name;
}

int hook_make_members(Hook *h) {
        size_t n = h->symbols && h->symbols[0] ? strv_length(h->symbols) : h->n_offsets;

        assert(!h->members);

        h->members = new0(HookMember, MAX(n, (size_t) 1));
        if (!h->members)
                return -ENOMEM;
        for (; h->n_members < n; h->n_members++) {
                HookMember *m = h->members + h->n_members;

                m->spec = h->spec;
                m->spec.name = member_name(h, h->n_members);
                if (!m->spec.name)
                        return -ENOMEM;
        }
        return 0;
}

static const char *const hook_kind_table[] = {
        [HOOK_KPROBE] = "kprobe",
        [HOOK_TRACEPOINT] = "tracepoint",
        [HOOK_RAW_TRACEPOINT] = "raw_tracepoint",
        [HOOK_UPROBE] = "uprobe",
        [HOOK_LSM] = "lsm",
        [HOOK_LOADER] = "loader",
};
assert_cc(ELEMENTSOF(hook_kind_table) == _HOOK_KIND_MAX);

const char *hook_kind_to_string(HookKind k) {
        if (k < 0 || k >= _HOOK_KIND_MAX)
                return NULL;
        return hook_kind_table[k];
}

static const char *const hook_action_table[] = {
        [HOOK_ACTION_POST] = "post",
        [HOOK_ACTION_NO_POST] = "nopost",
        [HOOK_ACTION_SIGKILL] = "sigkill",
        [HOOK_ACTION_SIGNAL] = "signal",
        [HOOK_ACTION_OVERRIDE] = "override",
        [HOOK_ACTION_FOLLOW_FD] = "followfd",
        [HOOK_ACTION_UNFOLLOW_FD] = "unfollowfd",
        [HOOK_ACTION_COPY_FD] = "copyfd",
        [HOOK_ACTION_GET_URL] = "geturl",
        [HOOK_ACTION_DNS_LOOKUP] = "dnslookup",
        [HOOK_ACTION_TRACK_SOCK] = "tracksock",
        [HOOK_ACTION_UNTRACK_SOCK] = "untracksock",
        [HOOK_ACTION_NOTIFY_ENFORCER] = "notifyenforcer",
};
assert_cc(ELEMENTSOF(hook_action_table) == _HOOK_ACTION_MAX);

const char *hook_action_to_string(HookActionKind k) {
        if (k < 0 || k >= _HOOK_ACTION_MAX)
                return NULL;
        return hook_action_table[k];
}

HookActionKind hook_action_from_string(const char *s) {
        assert(s);

        for (HookActionKind k = 0; k < _HOOK_ACTION_MAX; k++)
                if (strcasecmp(hook_action_table[k], s) == 0)
                        return k;
        return _HOOK_ACTION_INVALID;
}
