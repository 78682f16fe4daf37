/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* matchActions and matchReturnActions. Every key of an action is read for every action, because files in use carry keys
 * that their action does not look at; what an action needs is checked when all of its keys are known.
 *
 * Whether the kernel grants an action is not known here. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "tracing-internal.h"

#define ACTIONS_MAX 16U                 /* of one selector */
#define URL_MAX 2048U
#define FQDN_MAX 253U
#define ERRNO_MAX 4095

/* One action while it is read. */
typedef struct ActionDraft {
        HookAction action;
        const YamlNode *fd, *name, *sock;      /* NULL: not given */
        uint64_t fd_index, name_index, sock_index;
        bool has_error, has_signal, has_post_option, ima_hash, failed;
} ActionDraft;

int tracing_arg_position(const Hook *hook, uint64_t index) {
        for (size_t i = 0; i < hook->n_args; i++)
                if (hook->args[i].source == HOOK_ARG_OF_HOOK && hook->args[i].index == index)
                        return (int) i;
        return -ENOENT;
}

/* ---- Keys ---- */

static int read_action_name(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;
        const char *text;
        Suggest s;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        d->action.kind = hook_action_from_string(text);
        if (d->action.kind >= 0)
                return 0;

        if (strcasecmp(text, "Set") == 0)
                return yaml_error(r, n, "Set writes to arguments of USDT probes, which are not available here; remove "
                                  "it.");
        if (strcasecmp(text, "CleanupEnforcerNotification") == 0)
                return yaml_error(r, n, "A notification to the enforcer ends with the system call that it is for; "
                                  "remove CleanupEnforcerNotification.");
        suggest_begin(&s, text);
        for (HookActionKind k = 0; k < _HOOK_ACTION_MAX; k++)
                suggest_try(&s, hook_action_to_string(k));
        return yaml_error(r, n, "%s is no action%s", QUOTE(text), s.best[0] ? SUGGESTION(&s) :
                          "; write for example Post, NoPost, Sigkill, Override, FollowFD or GetUrl.");
}

static int read_position(YamlReader *r, const YamlNode *n, const YamlNode **ret_node, uint64_t *ret) {
        int q = yaml_get_u64(r, n, 0, UINT32_MAX, ret);

        if (q > 0)
                *ret_node = n;
        return q < 0 ? q : 0;
}

static int read_fd(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;

        return read_position(r, n, &d->fd, &d->fd_index);
}

static int read_name(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;

        return read_position(r, n, &d->name, &d->name_index);
}

static int read_sock(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;

        return read_position(r, n, &d->sock, &d->sock_index);
}

static int read_text(YamlReader *r, const YamlNode *n, size_t max, char **ret) {
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        if (strlen(text) > max)
                return yaml_error(r, n, "The value has %zu bytes, more than %zu; write a shorter one.", strlen(text),
                                  max);
        return free_and_strdup(ret, text);
}

static int read_url(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;

        if (n->kind == YAML_SCALAR && !startswith(n->text, "http://") && !startswith(n->text, "https://"))
                return yaml_error(r, n, "%s is no address that GetUrl can ask; begin with http:// or https://.",
                                  QUOTE(n->text));
        return read_text(r, n, URL_MAX, &d->action.url);
}

static int read_fqdn(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;

        if (n->kind == YAML_SCALAR)
                for (const char *p = n->text; *p; p++)
                        if ((unsigned char) *p <= ' ' || *p == '/' || *p == ':')
                                return yaml_error(r, n, "%s is no host name; write it without a scheme, a port or a "
                                                  "path.",
                                                  QUOTE(n->text));
        return read_text(r, n, FQDN_MAX, &d->action.fqdn);
}

static int read_error(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;
        uint64_t and, value;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        if (tracing_is_integer(text))
                q = tracing_get_integer(text, strlen(text), 32, true, false, &value);
        else
                q = printer_parse(PRINTER_ERRNO, text, &and, &value);
        if (q < 0)
                return yaml_error(r, n, "%s is no error; write its negative number, for example -1 for EPERM.",
                                  QUOTE(text));
        d->action.error = (int32_t) value;
        d->has_error = true;
        return 0;
}

static int read_signal(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;
        uint64_t value;
        const char *text;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        if (tracing_get_name(PRINTER_SIGNAL, "SIG", text, &value) < 0 || value > 64)
                return yaml_error(r, n, "%s is no signal; write a number from 1 to 64 or a name like SIGTERM.",
                                  QUOTE(text));
        d->action.signal = (uint32_t) value;
        d->has_signal = true;
        return 0;
}

/* 5, 5s, 5m, 5h. */
static int read_rate_limit(YamlReader *r, const YamlNode *n, void *target) {
        static const struct {
                const char *unit;
                uint64_t usec;
        } units[] = { { "", USEC_PER_SEC }, { "s", USEC_PER_SEC }, { "m", 60 * USEC_PER_SEC },
                      { "h", 3600 * USEC_PER_SEC } };
        ActionDraft *d = target;
        const char *text, *unit;
        uint64_t value = 0;
        bool negative;
        int q;

        q = yaml_get_string(r, n, YAML_STRING_LENIENT, &text);
        if (q <= 0)
                return q;
        unit = text + strspn(text, "0123456789");
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (unit > text && streq(unit, units[i].unit) &&
                    tracing_parse_integer(text, (size_t) (unit - text), &negative, &value) && value > 0 &&
                    value <= UINT32_MAX) {
                        d->action.rate_limit_usec = value * units[i].usec;
                        d->has_post_option = true;
                        return 0;
                }
        return yaml_error(r, n, "%s is no time; write a number alone for seconds, or with s, m or h: 5, 30s, 5m, 1h.",
                          QUOTE(text));
}

static int read_rate_scope(YamlReader *r, const YamlNode *n, void *target) {
        static const char *const names[] = {
                [HOOK_RATE_THREAD] = "thread",
                [HOOK_RATE_PROCESS] = "process",
                [HOOK_RATE_GLOBAL] = "global",
        };
        ActionDraft *d = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcasecmp(names[i], text) == 0) {
                        d->action.rate_scope = i;
                        return 0;
                }
        return yaml_error(r, n, "%s is no scope of a rate limit; write thread, process or global.", QUOTE(text));
}

static int read_kernel_stack(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;

        d->has_post_option = true;
        return tracing_get_flag(r, n, &d->action.kernel_stack);
}

static int read_user_stack(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;

        d->has_post_option = true;
        return tracing_get_flag(r, n, &d->action.user_stack);
}

static int read_ima_hash(YamlReader *r, const YamlNode *n, void *target) {
        ActionDraft *d = target;
        int q;

        q = tracing_get_flag(r, n, &d->ima_hash);
        if (q < 0 || !d->ima_hash)
                return q;
        return yaml_warning(r, n, "IMA hashes are not recorded here; the event comes without. A capture of executed "
                            "files keeps their SHA-256.");
}

static int refuse_registers(YamlReader *r, const YamlNode *n, void *target) {
        return yaml_error(r, n, "Registers and addresses of a traced program are not changed here; Override returns "
                          "argError from a system call, a security_* function or an LSM hook.");
}

static int ignore_usdt(YamlReader *r, const YamlNode *n, void *target) {
        return 0;                       /* of Set alone, which is refused */
}

/* ---- What an action needs ---- */

/* `what` names the key. Returns 1 with the position. */
static int need_argument(YamlReader *r, const YamlNode *at, const TracingSelector *s, const char *what,
                         const YamlNode *given,
                         uint64_t index, uint32_t *ret) {
        int position = tracing_arg_position(s->hook, index), q;

        if (position < 0) {
                q = yaml_error(r, given ?: at, "%s asks for the argument with index %" PRIu64 ", which args does not "
                               "have; add it there%s.", what, index, given ? "" : ", or write the index");
                return q < 0 ? q : 0;
        }
        *ret = (uint32_t) position;
        return 1;
}

static int check_descriptor(YamlReader *r, const YamlNode *at, const TracingSelector *s, const char *what,
                            const YamlNode *given,
                            uint32_t position) {
        const TracingType *type = tracing_type_find(s->hook->args[position].type_name);

        if (type->flags & (TRACING_NUMBER | TRACING_AUTO))
                return 0;
        return yaml_error(r, given ?: at, "%s names argument %" PRIu32 ", which is of type %s and no descriptor; name "
                          "one of type fd or int.", what, s->hook->args[position].index, type->name);
}

static int check_fd(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d) {
        HookAction *a = &d->action;
        const TracingType *type;
        int q;

        q = need_argument(r, n, s, "argFd", d->fd, d->fd_index, &a->fd_arg);
        if (q > 0)
                q = check_descriptor(r, n, s, "argFd", d->fd, a->fd_arg);
        if (q < 0 || a->kind == HOOK_ACTION_UNFOLLOW_FD)
                return q;

        q = need_argument(r, n, s, "argName", d->name, d->name_index, &a->name_arg);
        if (q <= 0)
                return q;
        if (a->kind == HOOK_ACTION_COPY_FD)
                return check_descriptor(r, n, s, "argName", d->name, a->name_arg);
        type = tracing_type_find(s->hook->args[a->name_arg].type_name);
        if (type->flags & TRACING_STRING)
                return 0;
        return yaml_error(r, d->name ?: n, "argName names argument %" PRIu32 ", which is of type %s and has no name; "
                          "name one of type file, path or string.", s->hook->args[a->name_arg].index, type->name);
}

static int check_sock(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d) {
        const TracingType *type;
        int q;

        q = need_argument(r, n, s, "argSock", d->sock, d->sock_index, &d->action.sock_arg);
        if (q <= 0)
                return q;
        type = tracing_type_find(s->hook->args[d->action.sock_arg].type_name);
        if (IN_SET(type->type, SCT_ARG_SOCK, SCT_ARG_SOCKET))
                return 0;
        return yaml_error(r, d->sock ?: n, "argSock names argument %" PRIu32 ", which is of type %s and no socket; "
                          "name one of type sock.", s->hook->args[d->action.sock_arg].index, type->name);
}

static int check_override(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d) {
        const Hook *h = s->hook;
        bool checked = h->kind == HOOK_LSM || (h->kind == HOOK_KPROBE && !h->syscall);

        s->has_override = true;
        s->hook->overrides = true;
        s->override_at = n;
        if (d->action.at_return)
                return yaml_error(r, n, "When a function returns it is too late to override it; move Override to "
                                  "matchActions.");
        if (h->kind != HOOK_LSM && !(h->kind == HOOK_KPROBE && (h->syscall || startswith(h->call, "security_"))))
                return yaml_error(r, n, "Override works on system calls, security_* functions and LSM hooks only; hook "
                                  "one of those instead of %s.", QUOTE(h->call));
        if (!d->has_error)
                return yaml_error(r, n, "Override needs the error to return; add `argError: -1`.");
        if (checked && (d->action.error > 0 || d->action.error < -ERRNO_MAX))
                return yaml_error(r, n, "%" PRId32 " is no error that a security hook can return; write one from -%d "
                                  "to -1, for example -1 for EPERM.", d->action.error, ERRNO_MAX);
        return 0;
}

static int check_url(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d) {
        if (!d->action.url)
                return yaml_error(r, n, "GetUrl needs the address to ask; add `argUrl: http://...`.");
        return 0;
}

static int check_fqdn(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d) {
        if (!d->action.fqdn)
                return yaml_error(r, n, "DnsLookup needs the name to look up; add `argFqdn: example.org`.");
        return 0;
}

static int check_signal(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d) {
        if (!d->has_signal || d->action.signal == 0)
                return yaml_error(r, n, "Signal needs the signal to send; add `argSig: 9`.");
        return 0;
}

static int check_enforcer(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d) {
        if (!s->reader->has_enforcers)
                return yaml_error(r, n, "NotifyEnforcer needs to know which calls to stop; add `enforcers:` with a "
                                  "list of calls to spec.");
        if (!d->has_error && !d->has_signal)
                return yaml_error(r, n, "NotifyEnforcer needs an error to return, a signal to send, or both; add "
                                  "`argError: -1` or `argSig: 9`.");
        return 0;
}

typedef int (*ActionCheck)(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d);

static const ActionCheck checks[_HOOK_ACTION_MAX] = {
        [HOOK_ACTION_SIGNAL] = check_signal,
        [HOOK_ACTION_OVERRIDE] = check_override,
        [HOOK_ACTION_FOLLOW_FD] = check_fd,
        [HOOK_ACTION_UNFOLLOW_FD] = check_fd,
        [HOOK_ACTION_COPY_FD] = check_fd,
        [HOOK_ACTION_GET_URL] = check_url,
        [HOOK_ACTION_DNS_LOOKUP] = check_fqdn,
        [HOOK_ACTION_TRACK_SOCK] = check_sock,
        [HOOK_ACTION_UNTRACK_SOCK] = check_sock,
        [HOOK_ACTION_NOTIFY_ENFORCER] = check_enforcer,
};

/* ---- Lists ---- */

static int keep_action(YamlReader *r, const YamlNode *n, TracingSelector *s, ActionDraft *d) {
        if (s->rule.n_actions >= ACTIONS_MAX)
                return yaml_error(r, n, "The selector has more than %u actions; remove some.", ACTIONS_MAX);
        if (!GREEDY_REALLOC(s->rule.actions, s->n_actions_allocated, s->rule.n_actions + 1))
                return -ENOMEM;
        s->rule.actions[s->rule.n_actions++] = d->action;
        d->action = (HookAction) {};
        return 0;
}

static int read_one(YamlReader *r, const YamlNode *n, TracingSelector *s, bool at_return) {
        static const YamlField fields[] = {
                { "action", true, read_action_name },
                { "argFd", false, read_fd },
                { "argName", false, read_name },
                { "argUrl", false, read_url },
                { "argFqdn", false, read_fqdn },
                { "argError", false, read_error },
                { "argSig", false, read_signal },
                { "argSock", false, read_sock },
                { "argIndex", false, ignore_usdt },
                { "argValue", false, ignore_usdt },
                { "argRegs", false, refuse_registers },
                { "argNewSymbol", false, refuse_registers },
                { "argNewAddr", false, refuse_registers },
                { "argNewOffset", false, refuse_registers },
                { "rateLimit", false, read_rate_limit },
                { "rateLimitScope", false, read_rate_scope },
                { "kernelStackTrace", false, read_kernel_stack },
                { "userStackTrace", false, read_user_stack },
                { "imaHash", false, read_ima_hash },
        };
        ActionDraft d = { .action = { .kind = _HOOK_ACTION_INVALID, .at_return = at_return, .line = n->line,
                                      .column = n->column } };
        unsigned errors = r->n_errors;
        int q;

        q = yaml_read_mapping(r, n, fields, ELEMENTSOF(fields), &d);
        if (q >= 0 && r->n_errors == errors && d.has_post_option && d.action.kind != HOOK_ACTION_POST)
                q = yaml_error(r, n, "rateLimit and stack traces belong to the event; write them with `action: Post`.");
        if (q >= 0 && r->n_errors == errors && checks[d.action.kind])
                q = checks[d.action.kind](r, n, s, &d);
        if (q >= 0 && r->n_errors == errors)
                q = keep_action(r, n, s, &d);
        hook_action_done(&d.action);
        return q;
}

static int read_entry_action(YamlReader *r, const YamlNode *n, void *target) {
        return read_one(r, n, target, /* at_return= */ false);
}

static int read_return_action(YamlReader *r, const YamlNode *n, void *target) {
        return read_one(r, n, target, /* at_return= */ true);
}

int tracing_read_actions(YamlReader *r, const YamlNode *n, TracingSelector *s, bool at_return) {
        if (yaml_is_null(n))
                return 0;
        return yaml_read_sequence(r, n, at_return ? read_return_action : read_entry_action, s);
}

/* What holds between the actions and the filters of one selector. */
int tracing_check_actions(YamlReader *r, const YamlNode *n, const TracingSelector *s) {
        bool at_return = false;

        for (size_t i = 0; i < s->rule.n_actions; i++)
                at_return = at_return || s->rule.actions[i].at_return;
        if (at_return && !s->hook->has_return)
                return yaml_error(r, n, "matchReturnActions are taken when the function returns, which this hook does "
                                  "not see; write `return: true` and `returnArg:` beside call.");
        if (s->has_override && s->has_return_conditions)
                return yaml_error(r, s->override_at, "Override happens before the function runs, so it cannot wait for "
                                  "its return value; remove matchReturnArgs, or put them into a selector of their "
                                  "own.");
        return 0;
}
