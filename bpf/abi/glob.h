/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#pragma once

/* Which unit, session or container a cgroup's path names, and which patterns it matches. One text for both sides: the
 * kernel side asks it at cgroup_mkdir, user space for cgroups that were there before.
 *
 * Written for the verifier: every index is masked into its array, and no branch depends on a number that the verifier
 * knows exactly (it would follow each value of it on its own). On the BPF side the public functions are global, verified
 * once wherever they are called from, and bpf_helpers.h comes first. */

#include "plan.h"

#ifdef __bpf__
#define SCT_GLOB_PUBLIC __weak __noinline
#define SCT_GLOB_INLINE static __always_inline
#else
#define SCT_GLOB_PUBLIC static inline
#define SCT_GLOB_INLINE static inline
#endif

/* Every byte of the text may start the last star again, and each start reads at most the pattern. */
#define SCT_GLOB_STEPS (SCT_CGROUP_PATH_MAX * SCT_CGROUP_PATTERN_LEN)

struct sct_glob {
        const char *pattern, *text;
        u32 end;          /* of the text */
        u32 p, t;         /* where we are in both */
        u32 star, again;  /* behind the last star, and where it began to cover text */
        u32 matched;
};

/* One step. star - 1 is where the last star stands; while there is none, that is the pattern's last byte, which is NUL:
 * this asks memory, not the number. */
static inline long sct_glob_step(u32 i, struct sct_glob *g) {
        char c = g->pattern[g->p & (SCT_CGROUP_PATTERN_LEN - 1)];

        if (c == '*') {
                g->p++;
                g->star = g->p;
                g->again = g->t;
                return 0;
        }
        if (g->t >= g->end) {
                g->matched = c == 0;
                return 1;
        }
        if (c && c == g->text[g->t & (SCT_CGROUP_PATH_MAX - 1)]) {
                g->p++;
                g->t++;
                return 0;
        }
        if (g->pattern[(g->star - 1) & (SCT_CGROUP_PATTERN_LEN - 1)] != '*' ||
            g->text[g->again & (SCT_CGROUP_PATH_MAX - 1)] == '/')
                return 1;
        g->p = g->star;
        g->again++;
        g->t = g->again;
        return 0;
}

/* Whether the pattern covers text[start..end). `*` stands for any bytes but '/', also for none. The pattern is padded
 * with NUL to SCT_CGROUP_PATTERN_LEN bytes and ends before the last one; text has SCT_CGROUP_PATH_MAX bytes.
 *
 * The last star alone is ever tried again: as no star crosses a slash, the slashes pin the components of pattern and
 * text to each other, and within one component a later star can make up for whatever an earlier one took. */
SCT_GLOB_INLINE int sct_glob(const char *pattern, const char *text, u32 start, u32 end) {
        struct sct_glob g = { .pattern = pattern, .text = text, .end = end, .t = start };

#ifdef __bpf__
        bpf_loop(SCT_GLOB_STEPS, sct_glob_step, &g, 0);
#else
        for (u32 i = 0; i < SCT_GLOB_STEPS; i++)
                if (sct_glob_step(i, &g) != 0)
                        break;
#endif
        return g.matched;
}

SCT_GLOB_INLINE int sct_path_has(const struct sct_cgroup *c, u32 offset, const char *s, u32 n) {
        u32 i, differ = 0;

        /* One branch for all bytes: the verifier follows each. */
        for (i = 0; i < n; i++)
                differ |= (u8) c->path[(offset + i) & (SCT_CGROUP_PATH_MAX - 1)] ^ (u8) s[i];
        return !differ;
}

/* Whether path[start..end) begins or ends with the literal and has more than it. */
#define SCT_BEGINS(c, start, end, s) \
        ((end) > (start) + sizeof(s) - 1 && sct_path_has((c), (start), (s), sizeof(s) - 1))
#define SCT_ENDS(c, start, end, s) \
        ((end) > (start) + sizeof(s) - 1 && sct_path_has((c), (end) - (sizeof(s) - 1), (s), sizeof(s) - 1))

/* The types of units that have processes. */
SCT_GLOB_INLINE int sct_is_unit(const struct sct_cgroup *c, u32 start, u32 end) {
        return SCT_ENDS(c, start, end, ".service") || SCT_ENDS(c, start, end, ".scope") ||
               SCT_ENDS(c, start, end, ".socket") || SCT_ENDS(c, start, end, ".mount") ||
               SCT_ENDS(c, start, end, ".swap");
}

SCT_GLOB_INLINE void sct_set_container(struct sct_cgroup *c, u32 start, u32 end) {
        c->flags |= SCT_CGROUP_IN_CONTAINER;
        c->container_offset = start;
        c->container_len = end - start;
}

/* 64 hexadecimal digits at the component's end or before ".scope", alone or behind a runtime's name: docker-, libpod-,
 * crio-, cri-containerd-, nerdctl-, "...:cri-containerd:". The container's monitor (libpod-conmon-, crio-conmon-) has
 * the same id and is not in the container. */
SCT_GLOB_INLINE void sct_parse_hex_container(struct sct_cgroup *c, u32 start, u32 end) {
        u32 id, i, other = 0;
        char before;

        if (SCT_ENDS(c, start, end, ".scope"))
                end -= sizeof(".scope") - 1;
        if (end < start + 64)
                return;
        id = end - 64;
        before = c->path[(id - 1) & (SCT_CGROUP_PATH_MAX - 1)];
        if (before != '/' && before != '-' && before != ':')
                return;
        if (SCT_ENDS(c, start, id, "conmon-"))
                return;
        for (i = 0; i < 64; i++) {
                u32 x = (u8) c->path[(id + i) & (SCT_CGROUP_PATH_MAX - 1)], digit = x - '0', letter = x - 'a';

                /* Bit 31 is set when 0 <= digit < 10 or 0 <= letter < 6; without branches, as above. */
                other |= ~(((digit - 10) & ~digit) | ((letter - 6) & ~letter));
        }
        if (other >> 31)
                return;
        sct_set_container(c, id, end);
}

#define SCT_MACHINE_SLICE "/machine.slice/"

/* Containers of systemd-nspawn and of libvirt's lxc are named machines; libvirt's qemu machines are no containers. The
 * name stands here as in the unit's name, with \x2d for '-'. */
SCT_GLOB_INLINE void sct_parse_machine(struct sct_cgroup *c, u32 start, u32 end) {
        if (!sct_path_has(c, 0, SCT_MACHINE_SLICE, sizeof(SCT_MACHINE_SLICE) - 1) ||
            start != sizeof(SCT_MACHINE_SLICE) - 1)
                return;
        if (SCT_BEGINS(c, start, end, "machine-") && SCT_ENDS(c, start + 8, end, ".scope")) {
                if (!SCT_BEGINS(c, start, end, "machine-qemu\\x2d"))
                        sct_set_container(c, start + 8, end - 6);
        } else if (SCT_BEGINS(c, start, end, "systemd-nspawn@") && SCT_ENDS(c, start + 15, end, ".service"))
                sct_set_container(c, start + 15, end - 8);
}

/* Fills flags, offsets and lengths from path, path_len and what is known of the parent (NULL: of the root itself and
 * of its children). A unit is the first component below slices that has a unit's name, as systemd reads it; what lies
 * below a unit belongs to it. */
SCT_GLOB_PUBLIC int sct_cgroup_parse(struct sct_cgroup *c, const struct sct_cgroup *parent) {
        u32 above = SCT_CGROUP_IS_SLICE, name = 1, end;

        if (!c)
                return -1;
        end = c->path_len;

        if (parent) {
                above = parent->flags;
                name = parent->path_len > 1 ? parent->path_len + 1 : 1;
                c->unit_offset = parent->unit_offset;
                c->container_offset = parent->container_offset;
                c->container_len = parent->container_len;
        }
        c->name_offset = name;
        c->flags = above & (SCT_CGROUP_IN_UNIT | SCT_CGROUP_IN_CONTAINER);
        if (end <= 1) {
                c->flags |= SCT_CGROUP_IS_SLICE;
                return 0;
        }

        if (above & SCT_CGROUP_IS_SLICE) {
                if (SCT_ENDS(c, name, end, ".slice"))
                        c->flags |= SCT_CGROUP_IS_SLICE;
                else if (sct_is_unit(c, name, end)) {
                        c->flags |= SCT_CGROUP_IN_UNIT;
                        if (SCT_BEGINS(c, name, end, "session-") && SCT_ENDS(c, name + 8, end, ".scope"))
                                c->flags |= SCT_CGROUP_IS_SESSION;
                        /* systemd escapes names that would clash with the kernel's files. */
                        c->unit_offset = c->path[name & (SCT_CGROUP_PATH_MAX - 1)] == '_' ? name + 1 : name;
                        sct_parse_machine(c, name, end);
                }
        }
        sct_parse_hex_container(c, name, end);
        return 0;
}

/* Whether this cgroup itself matches. What holds for a cgroup holds for everything below it: a child begins with its
 * parent's bits. */
SCT_GLOB_PUBLIC int sct_cgroup_match(const struct sct_cgroup_pattern *p, const struct sct_cgroup *c) {
        u32 start, end, flags;

        if (!p || !c)
                return 0;
        flags = c->flags;
        start = 0;
        end = c->path_len;

        if (p->kind == SCT_CGROUP_UNIT) {
                if (!(flags & SCT_CGROUP_IN_UNIT))
                        return 0;
                start = c->unit_offset;
        } else if (p->kind == SCT_CGROUP_SLICE) {
                if (!(flags & SCT_CGROUP_IS_SLICE))
                        return 0;
                start = c->name_offset;
        } else if (p->kind == SCT_CGROUP_SESSION) {
                if (!(flags & SCT_CGROUP_IS_SESSION))
                        return 0;
                start = c->name_offset + sizeof("session-") - 1;
                end -= sizeof(".scope") - 1;
        } else if (p->kind == SCT_CGROUP_CONTAINER) {
                if (!(flags & SCT_CGROUP_IN_CONTAINER))
                        return 0;
                start = c->container_offset;
                end = start + c->container_len;
        } else if (p->kind != SCT_CGROUP_PATH)
                return 0;

        return sct_glob(p->glob, c->path, start, end);
}
