/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptions of hooks in the state that outlives the daemon:
 *
 *     hook <id> <arguments> <tags> <has message> <kind>
 *     text <bytes>            name, message, tags
 *     arg <type> <printer> <flags> <C type>
 *     text <bytes>            its name
 *
 * Text is counted, since labels and messages are the policy's. Read strictly, as all of the state. */

#include <stdio.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "hook-state.h"

#define TEXT_MAX 65536U
#define TAGS_MAX 64U

static void save_text(const char *s, Buffer *b) {
        (void) buffer_printf(b, "text %zu\n", strlen(s));
        (void) buffer_add_string(b, s);
        (void) buffer_add_char(b, '\n');
}

int hook_state_save(const EventSpec *spec, Buffer *b) {
        size_t n_tags = 0;

        while (spec->tags && spec->tags[n_tags])
                n_tags++;
        (void) buffer_printf(b, HOOK_STATE_PREFIX "%u %u %zu %i %s\n", spec->id, spec->n_args, n_tags, spec->message != NULL,
                             spec->hook);
        save_text(spec->name, b);
        if (spec->message)
                save_text(spec->message, b);
        for (size_t i = 0; i < n_tags; i++)
                save_text(spec->tags[i], b);
        for (size_t i = 0; i < spec->n_args; i++) {
                const EventArgSpec *a = spec->args + i;

                (void) buffer_printf(b, "arg %u %u %u %s\n", a->type, a->printer, a->flags, strempty(a->ctype));
                save_text(a->name, b);
        }
        return b->failed ? -ENOMEM : 0;
}

EventSpec *hook_state_free(EventSpec *spec) {
        if (!spec)
                return NULL;
        for (size_t i = 0; spec->args && i < spec->n_args; i++) {
                free((char *) spec->args[i].name);
                free((char *) spec->args[i].ctype);
        }
        free((EventArgSpec *) spec->args);
        for (size_t i = 0; spec->tags && spec->tags[i]; i++)
                free(spec->tags[i]);
        free((char **) spec->tags);
        free((char *) spec->message);
        free((char *) spec->hook);
        free((char *) spec->name);
        free(spec);
        return NULL;
}

static void hook_state_freep(EventSpec **spec) {
        hook_state_free(*spec);
}

static int load_text(const char **text, const char *end, char **ret) {
        size_t size;
        int used = 0;

        if (sscanf(*text, "text %zu%n", &size, &used) != 1 || (*text)[used] != '\n' || size > TEXT_MAX)
                return -EBADMSG;
        *text += used + 1;
        if (size >= (size_t) (end - *text) || (*text)[size] != '\n')
                return -EBADMSG;
        *ret = strndup(*text, size);
        if (!*ret)
                return -ENOMEM;
        *text += size + 1;
        return 0;
}

static int load_arg(const char **text, const char *end, EventArgSpec *a) {
        unsigned type, printer, flags;
        char ctype[65] = "";
        char *name;
        int used = 0, r;

        if (sscanf(*text, "arg %u %u %u %64[^\n]%n", &type, &printer, &flags, ctype, &used) != 4 || (*text)[used] != '\n' ||
            type >= _SCT_ARG_TYPE_MAX || printer >= _PRINTER_MAX || flags > UINT8_MAX)
                return -EBADMSG;
        *text += used + 1;
        *a = (EventArgSpec) { .type = (uint8_t) type, .printer = (ArgPrinter) printer, .flags = (uint8_t) flags };
        a->ctype = strdup(ctype);
        if (!a->ctype)
                return -ENOMEM;
        r = load_text(text, end, &name);
        if (r < 0)
                return r;
        a->name = name;
        return 0;
}

static int load_head(const char **text, EventSpec *spec, size_t *ret_n_tags, bool *ret_has_message) {
        unsigned id, n_args;
        int has_message, used = 0;
        char kind[33] = "";
        size_t n_tags;

        if (sscanf(*text, HOOK_STATE_PREFIX "%u %u %zu %i %32[a-z_.]%n", &id, &n_args, &n_tags, &has_message, kind,
                   &used) != 5 ||
            (*text)[used] != '\n' || id < SCT_EVENT_HOOK_FIRST || id > UINT16_MAX || n_args > SCT_ARGS_MAX ||
            n_tags > TAGS_MAX)
                return -EBADMSG;
        *text += used + 1;
        spec->id = (uint16_t) id;
        spec->family = EVENT_FAMILY_HOOK;
        spec->doc = "";
        spec->hook = strdup(kind);
        spec->args = new0(EventArgSpec, n_args + 1);
        if (!spec->hook || !spec->args)
                return -ENOMEM;
        spec->n_args = (uint8_t) n_args;
        *ret_n_tags = n_tags;
        *ret_has_message = has_message;
        return 0;
}

int hook_state_load(const char **text, const char *end, EventSpec **ret) {
        _cleanup_(hook_state_freep) EventSpec *spec = new0(EventSpec, 1);
        bool has_message;
        size_t n_tags;
        char **tags, *s;
        int r;

        if (!spec)
                return -ENOMEM;
        r = load_head(text, spec, &n_tags, &has_message);
        if (r < 0)
                return r;
        r = load_text(text, end, &s);
        if (r < 0)
                return r;
        spec->name = s;
        if (has_message) {
                r = load_text(text, end, &s);
                if (r < 0)
                        return r;
                spec->message = s;
        }
        spec->tags = tags = new0(char *, n_tags + 1);
        if (!tags)
                return -ENOMEM;
        for (size_t i = 0; i < n_tags; i++) {
                r = load_text(text, end, tags + i);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < spec->n_args; i++) {
                r = load_arg(text, end, (EventArgSpec *) spec->args + i);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(spec);
        return 0;
}
