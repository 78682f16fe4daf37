/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answer to ListArtifacts. A store may know a hundred thousand artifacts: they are copied by a thread, and the loop
 * puts some of them into the answer at each of its turns, so that other calls wait for a slice and never for the whole.
 * An answer that no bus would carry is refused with a sentence. */

#include <errno.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "artifact-job.h"
#include "artifact-list.h"
#include "bus-util.h"

#define SLICE 200U                      /* half a millisecond */
#define REPLY_BYTES_MAX (24U << 20)     /* dbus-daemon lets go of who sends more than 32 MiB at once */

typedef struct Listing {
        sd_bus_message *request, *reply;
        sd_event *event;
        sd_event_source *defer;
        ArtifactInfo *list;
        size_t n, next;
} Listing;

static Listing *listing_free(Listing *l) {
        if (!l)
                return NULL;
        sd_event_source_disable_unref(l->defer);
        for (size_t i = l->next; i < l->n; i++)
                artifact_info_done(&l->list[i]);
        free(l->list);
        sd_bus_message_unref(l->reply);
        sd_bus_message_unref(l->request);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

static int append_entry(sd_bus_message *reply, const char *key, const char *type, const void *value) {
        if (*type == 's') {
                _cleanup_free_ char *buf = NULL;

                if (isempty(value))
                        return 0;
                return sd_bus_message_append(reply, "{sv}", key, "s", bus_text(value, &buf));
        }
        if (*type == 'u')
                return sd_bus_message_append(reply, "{sv}", key, "u", *(const uint32_t *) value);
        return sd_bus_message_append(reply, "{sv}", key, "t", *(const uint64_t *) value);
}

static int append_policies(sd_bus_message *reply, const ArtifactInfo *a) {
        int r;

        if (!a->policies || !a->policies[0])
                return 0;
        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "policies");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, a->policies);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_holes(sd_bus_message *reply, const ArtifactInfo *a) {
        int r;

        if (a->n_holes == 0)
                return 0;
        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "holes");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "a(tt)");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(tt)");
        for (size_t i = 0; r >= 0 && i < a->n_holes; i++)
                r = sd_bus_message_append(reply, "(tt)", a->holes[i].offset, a->holes[i].size);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_details(sd_bus_message *reply, const ArtifactInfo *a) {
        const struct {
                const char *key, *type;
                const void *value;
                bool wanted;
        } rows[] = {
                { "container", "s", a->container, true },
                { "source", "s", a->source_path, true },
                { "comm", "s", a->comm, true },
                { "exe", "s", a->exe, true },
                { "unit", "s", a->unit, true },
                { "note", "s", a->note, true },
                { "device", "t", &a->dev, a->inode > 0 },
                { "inode", "t", &a->inode, a->inode > 0 },
                { "pid", "u", &a->host_pid, a->host_pid > 0 },
                { "tid", "u", &a->host_tid, a->host_pid > 0 },
                { "uid", "u", &a->uid, a->host_pid > 0 },
                { "gid", "u", &a->gid, a->host_pid > 0 },
                { "start", "t", &a->start_ns, a->host_pid > 0 },
        };
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rows); i++)
                if (rows[i].wanted)
                        r = append_entry(reply, rows[i].key, rows[i].type, rows[i].value);
        if (r >= 0)
                r = append_policies(reply, a);
        if (r >= 0)
                r = append_holes(reply, a);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_artifact(sd_bus_message *reply, const ArtifactInfo *a) {
        int r;

        r = sd_bus_message_open_container(reply, 'r', "sssttbsttta{sv}");
        if (r >= 0)
                r = sd_bus_message_append(reply, "sssttbsttt", a->id, artifact_kind_to_string(a->kind), a->path,
                                          a->size_bytes, a->stored_bytes, a->complete, a->sha256, a->first_usec,
                                          a->last_usec, a->scopes);
        if (r >= 0)
                r = append_details(reply, a);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static size_t text_size(const char *s) {
        return s ? strlen(s) : 0;
}

/* About what the artifacts take in a message, never less; at most what is of interest. */
static size_t reply_size(const ArtifactInfo *list, size_t n) {
        size_t size = 0;

        for (size_t i = 0; i < n && size <= REPLY_BYTES_MAX; i++) {
                const ArtifactInfo *a = &list[i];

                size += 448 + text_size(a->path) + text_size(a->container) + text_size(a->source_path) +
                        text_size(a->comm) + text_size(a->exe) + text_size(a->unit) + text_size(a->note) +
                        16 * a->n_holes;
                STRV_FOREACH(p, a->policies)
                        size += 8 + strlen(*p);
        }
        return size;
}

static void answer_error(Listing *l, int r) {
        (void) sd_bus_reply_method_errnof(l->request, r, "Cannot list artifacts: %s", strerror(-r));
        listing_free(l);
}

static int on_slice(sd_event_source *source, void *userdata) {
        Listing *l = userdata;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < SLICE && l->next < l->n; i++) {
                r = append_artifact(l->reply, &l->list[l->next]);
                artifact_info_done(&l->list[l->next++]);
        }
        if (r >= 0 && l->next < l->n)
                return 0;
        if (r >= 0)
                r = sd_bus_message_close_container(l->reply);
        if (r >= 0)
                r = sd_bus_message_send(l->reply);
        if (r < 0)
                answer_error(l, r);
        else
                listing_free(l);
        return 0;
}

static void on_list(int result, ArtifactInfo *list, size_t n, void *userdata) {
        Listing *l = userdata;
        int r = result;

        l->list = list;
        l->n = n;
        if (r >= 0 && reply_size(list, n) > REPLY_BYTES_MAX) {
                (void) sd_bus_reply_method_errorf(l->request, SD_BUS_ERROR_LIMITS_EXCEEDED, "%zu artifacts do not go into "
                                                  "one answer: ask for fewer, by kind, scope, source, since or until.",
                                                  n);
                listing_free(l);
                return;
        }
        if (r >= 0)
                r = sd_bus_message_new_method_return(l->request, &l->reply);
        if (r >= 0)
                r = sd_bus_message_open_container(l->reply, 'a', "(sssttbsttta{sv})");
        if (r >= 0)
                r = sd_event_add_defer(l->event, &l->defer, on_slice, l);
        if (r >= 0)
                r = sd_event_source_set_priority(l->defer, PRIORITY_BUS);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->defer, SD_EVENT_ON);
        if (r < 0)
                answer_error(l, r);
}

int artifact_list_begin(sd_bus_message *message, Manager *m, const ArtifactFilter *filter) {
        Captures *c = manager_captures(m);
        Listing *l;
        int r;

        l = new0(Listing, 1);
        if (!l)
                return -ENOMEM;
        l->request = sd_bus_message_ref(message);
        l->event = sd_event_ref(manager_event(m));
        if (!captures_store(c)) {
                on_list(0, NULL, 0, l);
                return 1;
        }
        r = artifact_job_list(l->event, captures_jobs(c), captures_store(c), filter, on_list, l);
        if (r < 0) {
                listing_free(l);
                return r;
        }
        return 1;
}
