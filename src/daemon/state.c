/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's state as text: a header with versions, one item a line, `end`. Read strictly: a state that is not
 * exactly what was written is refused whole, and the daemon starts clean. Transient policies whose owner is on the
 * bus are not kept: their owner has lost its connection to us anyway. */

#include <inttypes.h>
#include <stdio.h>

#include "../basic/string-util.h"
#include "../event/record-abi.h"
#include "hook-state.h"
#include "state.h"

void saved_state_done(SavedState *s) {
        for (size_t i = 0; i < s->n_policies; i++) {
                free(s->policies[i].name);
                free(s->policies[i].text);
        }
        free(s->policies);
        for (size_t i = 0; i < s->n_maps; i++)
                rule_map_free(s->maps[i]);
        for (size_t i = 0; i < s->n_captures; i++)
                strv_free(s->captures[i].expressions);
        free(s->captures);
        *s = (SavedState) {};
}

/* An expression a line, which may hold anything: its size stands before it. */
static void save_captures(const SavedCapture *captures, size_t n, Buffer *b) {
        for (size_t i = 0; i < n; i++)
                STRV_FOREACH(e, captures[i].expressions) {
                        (void) buffer_printf(b, "capture %u %s %zu ", captures[i].scope,
                                             capture_kind_to_string(captures[i].kind), strlen(*e));
                        (void) buffer_add_string(b, *e);
                        (void) buffer_add_char(b, '\n');
                }
}

int state_save(const PolicySet *set, const RuleMapRing *maps, const SavedCapture *captures, size_t n_captures, Buffer *b) {
        int r;

        (void) buffer_printf(b, "scopetrace-state %u abi %u\n", STATE_VERSION, SCT_ABI_VERSION);
        (void) buffer_printf(b, "disabled-scopes %" PRIx64 "\n", set->disabled_scopes);
        for (size_t i = 0; i < set->n; i++) {
                const LoadedPolicy *p = set->items[i];
                const char *text = p->policy && !p->path ? p->policy->text : NULL;

                if (!p->policy || (p->load_flags & POLICY_LOAD_TRACK_OWNER))
                        continue;
                (void) buffer_printf(b, "row %i %u %u %" PRIu64 " %" PRIu64 " %zu %s\n", p->disabled | (int) p->mode << 1, p->scope,
                                     p->follow_slot, p->loaded_ns, p->load_flags, text ? strlen(text) : 0, p->name);
                if (text) {
                        (void) buffer_add_string(b, text);
                        (void) buffer_add_char(b, '\n');
                }
        }
        save_captures(captures, n_captures, b);
        for (size_t i = 0; i < RULE_MAPS_MAX && maps->maps[i]; i++) {
                r = rule_map_save(maps->maps[i], b);
                if (r < 0)
                        return r;
        }
        return buffer_add_string(b, "end\n");
}

static int load_row(const char **text, const char *end, SavedState *s) {
        char name[POLICY_NAME_MAX + 1];
        unsigned scope, follow_slot;
        SavedPolicy p = {};
        size_t text_size;
        int disabled, used = 0;

        if (sscanf(*text, "row %i %u %u %" SCNu64 " %" SCNu64 " %zu %253[^\n]%n", &disabled, &scope, &follow_slot,
                   &p.loaded_ns, &p.load_flags, &text_size, name, &used) != 7 ||
            (*text)[used] != '\n' || disabled < 0 || disabled >> 1 >= _POLICY_MODE_MAX ||
            scope > POLICY_SCOPE_MAX || follow_slot > UINT8_MAX)
                return -EBADMSG;
        *text += used + 1;
        if (!GREEDY_REALLOC(s->policies, s->n_policies_allocated, s->n_policies + 1))
                return -ENOMEM;
        if (text_size > 0) {
                if (text_size >= (size_t) (end - *text) || (*text)[text_size] != '\n')
                        return -EBADMSG;
                p.text = strndup(*text, text_size);
                if (!p.text)
                        return -ENOMEM;
                *text += text_size + 1;
        }
        p.name = strdup(name);
        if (!p.name) {
                free(p.text);
                return -ENOMEM;
        }
        p.disabled = disabled & 1;
        p.mode = (PolicyMode) (disabled >> 1);
        p.scope = (uint8_t) scope;
        p.follow_slot = (uint8_t) follow_slot;
        s->policies[s->n_policies++] = p;
        return 0;
}

static SavedCapture *saved_capture(SavedState *s, unsigned scope, CaptureKind kind) {
        for (size_t i = 0; i < s->n_captures; i++)
                if (s->captures[i].scope == scope && s->captures[i].kind == kind)
                        return &s->captures[i];
        if (!GREEDY_REALLOC(s->captures, s->n_captures_allocated, s->n_captures + 1))
                return NULL;
        s->captures[s->n_captures] = (SavedCapture) { .scope = (uint8_t) scope, .kind = kind };
        return &s->captures[s->n_captures++];
}

static int load_capture(const char **text, const char *end, SavedState *s) {
        _cleanup_free_ char *expression = NULL;
        SavedCapture *c;
        CaptureKind kind;
        unsigned scope;
        char word[16];
        size_t size;
        int used = 0;

        if (sscanf(*text, "capture %u %15s %zu%n", &scope, word, &size, &used) != 3 || (*text)[used] != ' ')
                return -EBADMSG;
        *text += used + 1;
        kind = capture_kind_from_string(word);
        if (scope < 1 || scope > POLICY_SCOPE_MAX || kind < 0 || size >= (size_t) (end - *text) || (*text)[size] != '\n')
                return -EBADMSG;
        expression = strndup(*text, size);
        c = saved_capture(s, scope, kind);
        if (!expression || !c)
                return -ENOMEM;
        *text += size + 1;
        return strv_extend(&c->expressions, expression);
}

static int load_items(const char *text, const char *end, SavedState *s) {
        unsigned version, abi;
        int used = 0, r;

        if (sscanf(text, "scopetrace-state %u abi %u%n", &version, &abi, &used) != 2 || text[used] != '\n')
                return -EBADMSG;
        s->abi = abi;
        if (version != STATE_VERSION || abi != SCT_ABI_VERSION)
                return -EPROTONOSUPPORT;
        text += used + 1;
        if (sscanf(text, "disabled-scopes %" SCNx64 "%n", &s->disabled_scopes, &used) != 1 || text[used] != '\n')
                return -EBADMSG;
        text += used + 1;

        while (!streq(text, "end\n")) {
                if (startswith(text, "row "))
                        r = load_row(&text, end, s);
                else if (startswith(text, "capture "))
                        r = load_capture(&text, end, s);
                else if (startswith(text, "generation ") && s->n_maps < RULE_MAPS_MAX) {
                        r = rule_map_load(&text, &s->maps[s->n_maps]);
                        s->n_maps += r >= 0;
                } else if (startswith(text, HOOK_STATE_PREFIX) && s->n_maps > 0)
                        r = rule_map_load_hook(s->maps[s->n_maps - 1], &text, end);
                else if (startswith(text, "action ") && s->n_maps > 0)
                        r = rule_map_load_action(s->maps[s->n_maps - 1], &text);
                else
                        r = -EBADMSG;
                if (r < 0)
                        return r;
        }
        return 0;
}

int state_load(const char *text, size_t size, SavedState *ret) {
        _cleanup_(saved_state_done) SavedState s = {};
        int r;

        if (memchr(text, '\0', size) || text[size] != '\0')
                return -EBADMSG;
        r = load_items(text, text + size, &s);
        if (r < 0)
                return r;
        *ret = s;
        s = (SavedState) {};
        return 0;
}

int state_restore(const SavedState *s, PolicySet *set) {
        set->disabled_scopes = s->disabled_scopes;
        for (size_t i = 0; i < s->n_policies; i++) {
                const SavedPolicy *saved = &s->policies[i];
                LoadedPolicy *p = policy_set_find(set, saved->name);

                if (saved->text && !p) {
                        ProblemList problems = {};
                        int r;

                        r = policy_set_add_transient(set, saved->text, saved->load_flags & ~POLICY_LOAD_EXCLUSIVE,
                                                     NULL, &p, &problems);
                        problem_list_done(&problems);
                        if (r == -ENOMEM)
                                return r;
                        if (r < 0)
                                continue;
                }
                if (!p || !p->policy)
                        continue;
                p->disabled = saved->disabled;
                p->mode = saved->mode;
                p->loaded_ns = saved->loaded_ns;
                if (p->policy->scope == 0)
                        p->scope = saved->scope;
                policy_set_take_follow_slot(set, p, saved->follow_slot);
        }
        return 0;
}
