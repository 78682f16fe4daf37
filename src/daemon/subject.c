/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who did it. Cgroups are known by their id and read once: the kernel side kept the path when the cgroup began, so a
 * unit that is gone already is still named. Paths are taken apart by systemd's rules (CGROUP_DELEGATION,
 * systemd.slice(5)): slices first, then the unit; below user@UID.service or a session the same again for the user's
 * own. Invariant: at most CACHE_SIZE cgroups are kept; nothing is allocated for an event whose cgroup is known. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "subject.h"

#define CACHE_SIZE 1024U        /* cgroups that are remembered; a power of two */
#define CACHE_WAYS 4U
#define UNIT_NAME_MAX 255U

struct Subject {
        CgroupLookup lookup;
        void *userdata;
        int64_t clock_offset_ns;        /* CLOCK_REALTIME - CLOCK_BOOTTIME */
        CgroupIdentity *cache[CACHE_SIZE];
        unsigned victim;
        uint64_t n_unresolved;
};

/* --- paths --- */

static const char *const unit_suffixes[] = {
        ".service", ".scope", ".socket", ".mount", ".swap", ".slice", ".device", ".target", ".automount", ".timer",
        ".path",
};

static bool is_unit_name(const char *s, size_t size) {
        const char *dot = memrchr(s, '.', size);
        size_t suffix_size;
        bool known = false;

        if (!dot || dot == s || size > UNIT_NAME_MAX || *s == '@')
                return false;
        suffix_size = size - (size_t) (dot - s);
        for (size_t i = 0; i < ELEMENTSOF(unit_suffixes); i++)
                if (strlen(unit_suffixes[i]) == suffix_size && memcmp(unit_suffixes[i], dot, suffix_size) == 0)
                        known = true;
        for (const char *p = s; p < s + size; p++)
                if (!isalnum((unsigned char) *p) && !strchr(":-_.\\@", *p))
                        return false;
        return known;
}

/* The component at *path, unescaped: names that would clash with cgroupfs's own files have a "_" before them. */
static const char *component(const char *path, size_t *ret_size) {
        size_t n = strcspn(path, "/");

        *ret_size = n;
        if (n > 0 && *path == '_') {
                *ret_size = n - 1;
                return path + 1;
        }
        return path;
}

static bool is_slice(const char *s, size_t size) {
        return size > strlen(".slice") && memcmp(s + size - strlen(".slice"), ".slice", strlen(".slice")) == 0 &&
               is_unit_name(s, size);
}

static const char *next_component(const char *path) {
        path += strcspn(path, "/");
        return path + strspn(path, "/");
}

/* Behind all leading slices; the last of them in *ret_slice. */
static const char *skip_slices(const char *path, const char **ret_slice, size_t *ret_size) {
        *ret_slice = NULL;
        *ret_size = 0;
        for (;;) {
                size_t size;
                const char *name;

                path += strspn(path, "/");
                name = component(path, &size);
                if (!is_slice(name, size))
                        return path;
                *ret_slice = name;
                *ret_size = size;
                path = next_component(path);
        }
}

static bool name_is(const char *s, size_t size, const char *prefix, const char *suffix) {
        size_t n = strlen(prefix), m = strlen(suffix);

        return size > n + m && memcmp(s, prefix, n) == 0 && memcmp(s + size - m, suffix, m) == 0;
}

static int dup_n(char **ret, const char *s, size_t size) {
        if (!s)
                return 0;
        *ret = strndup(s, size);
        return *ret ? 0 : -ENOMEM;
}

static int parse_path(CgroupIdentity *c) {
        const char *rest, *slice, *unit;
        size_t slice_size, unit_size;
        int r;

        rest = skip_slices(c->path, &slice, &slice_size);
        r = slice ? dup_n(&c->slice, slice, slice_size) : dup_n(&c->slice, "-.slice", strlen("-.slice"));
        if (r < 0)
                return r;

        unit = component(rest, &unit_size);
        if (!is_unit_name(unit, unit_size))
                return 0;
        r = dup_n(&c->unit, unit, unit_size);
        if (r < 0)
                return r;

        if (name_is(unit, unit_size, "session-", ".scope"))
                return dup_n(&c->session, unit + strlen("session-"),
                             unit_size - strlen("session-") - strlen(".scope"));
        if (!name_is(unit, unit_size, "user@", ".service"))
                return 0;

        /* The same once more below the user's manager. */
        rest = skip_slices(next_component(rest), &slice, &slice_size);
        unit = component(rest, &unit_size);
        if (!is_unit_name(unit, unit_size))
                return slice ? dup_n(&c->user_slice, slice, slice_size) : 0;
        r = slice ? dup_n(&c->user_slice, slice, slice_size) : dup_n(&c->user_slice, "-.slice", strlen("-.slice"));
        if (r < 0)
                return r;
        return dup_n(&c->user_unit, unit, unit_size);
}

CgroupIdentity *cgroup_identity_free(CgroupIdentity *c) {
        if (!c)
                return NULL;
        free(c->path);
        free(c->container_id);
        free(c->unit);
        free(c->user_unit);
        free(c->slice);
        free(c->user_slice);
        free(c->session);
        free(c);
        return NULL;
}

int cgroup_identity_new(uint64_t id, const char *path, const char *container_id, CgroupIdentity **ret) {
        _cleanup_(cgroup_identity_freep) CgroupIdentity *c = NULL;
        int r;

        c = new0(CgroupIdentity, 1);
        if (!c)
                return -ENOMEM;
        c->id = id;
        c->path = strdup(path);
        c->container_id = strdup(strempty(container_id));
        if (!c->path || !c->container_id)
                return -ENOMEM;
        r = parse_path(c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

/* --- the cache --- */

int subject_new(CgroupLookup lookup, void *userdata, Subject **ret) {
        Subject *s = new0(Subject, 1);

        if (!s)
                return -ENOMEM;
        s->lookup = lookup;
        s->userdata = userdata;
        subject_update_clock(s);
        *ret = s;
        return 0;
}

Subject *subject_free(Subject *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < CACHE_SIZE; i++)
                cgroup_identity_free(s->cache[i]);
        free(s);
        return NULL;
}

void subject_update_clock(Subject *s) {
        s->clock_offset_ns = wall_offset_nsec(s->clock_offset_ns);
}

static CgroupIdentity **cache_set(Subject *s, uint64_t id) {
        return &s->cache[(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (CACHE_SIZE - CACHE_WAYS)];
}

/* Names of machines stand escaped in the names of their scopes: \x2d is `-`. In place. */
static void unescape_unit_name(char *s) {
        char *to = s;

        for (; *s; s++) {
                unsigned byte;
                int n = 0;

                if (s[0] == '\\' && s[1] == 'x' && sscanf(s + 2, "%2x%n", &byte, &n) == 1 && n == 2 && byte > 0) {
                        *to++ = (char) byte;
                        s += 3;
                } else
                        *to++ = *s;
        }
        *to = '\0';
}

static CgroupIdentity *cgroup_read(Subject *s, uint64_t id) {
        struct sct_cgroup raw;
        CgroupIdentity *c;
        char container[SCT_CGROUP_PATH_MAX + 1];

        if (s->lookup(id, &raw, s->userdata) < 0 || raw.path_len >= sizeof(raw.path))
                return NULL;
        raw.path[raw.path_len] = '\0';
        container[0] = '\0';
        if ((raw.flags & SCT_CGROUP_IN_CONTAINER) && raw.container_offset <= raw.path_len &&
            raw.container_len <= (uint32_t) (raw.path_len - raw.container_offset)) {
                memcpy(container, raw.path + raw.container_offset, raw.container_len);
                container[raw.container_len] = '\0';
                unescape_unit_name(container);
        }
        return cgroup_identity_new(id, raw.path, container, &c) < 0 ? NULL : c;
}

static const CgroupIdentity *cgroup_get(Subject *s, uint64_t id) {
        CgroupIdentity **set = cache_set(s, id), *c;
        unsigned slot;

        for (slot = 0; slot < CACHE_WAYS; slot++)
                if (set[slot] && set[slot]->id == id)
                        return set[slot];

        c = cgroup_read(s, id);
        if (!c)
                return NULL;
        for (slot = 0; slot < CACHE_WAYS - 1 && set[slot];)
                slot++;
        if (set[slot])
                slot = s->victim++ % CACHE_WAYS;
        cgroup_identity_free(set[slot]);
        set[slot] = c;
        return c;
}

void subject_fill(Subject *s, Event *e) {
        const CgroupIdentity *c;

        e->time_ns = e->header->time_ns + (uint64_t) s->clock_offset_ns;
        c = cgroup_get(s, e->header->cgroup_id);
        if (unlikely(!c)) {
                s->n_unresolved++;
                e->cgroup_path = e->container_id = "";
                e->unit = e->user_unit = e->slice = e->user_slice = e->session = NULL;
                return;
        }
        e->cgroup_path = c->path;
        e->container_id = c->container_id;
        e->unit = c->unit;
        e->user_unit = c->user_unit;
        e->slice = c->slice;
        e->user_slice = c->user_slice;
        e->session = c->session;
}

void subject_forget_cgroup(Subject *s, uint64_t id) {
        CgroupIdentity **set = cache_set(s, id);

        for (unsigned i = 0; i < CACHE_WAYS; i++)
                if (set[i] && set[i]->id == id)
                        set[i] = cgroup_identity_free(set[i]);
}

uint64_t subject_n_unresolved(const Subject *s) {
        return s->n_unresolved;
}
