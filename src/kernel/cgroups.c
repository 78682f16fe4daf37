/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups that were there before the service, and the pattern bits of those that are there at a change of the policy
 * set. The kernel side answers for every cgroup that begins while we do this; both use bpf/abi/glob.h. */

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <mntent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel-internal.h"
#include "../../bpf/abi/glob.h"
#include "state.h"

#define CGROUPS_MAX 131072      /* keys of one walk: twice what the map holds */

static int find_root(char **ret) {
        struct mntent *entry;
        FILE *f = setmntent("/proc/self/mounts", "re");
        int r = -ENOENT;

        if (!f)
                return -errno;
        while ((entry = getmntent(f)))
                if (strcmp(entry->mnt_type, "cgroup2") == 0) {
                        *ret = strdup(entry->mnt_dir);
                        r = *ret ? 0 : -ENOMEM;
                        break;
                }
        endmntent(f);
        return r;
}

int cgroups_open(Kernel *k, const char *root) {
        int r;

        if (root) {
                k->cgroup_root = strdup(root);
                if (!k->cgroup_root)
                        return -ENOMEM;
        } else {
                r = find_root(&k->cgroup_root);
                if (r < 0)
                        return r;
        }
        k->cgroup_root_fd = open(k->cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return k->cgroup_root_fd < 0 ? -errno : 0;
}

/* The kernel side may have made the entry meanwhile, with its time of birth: that one stays. */
static int add_cgroup(Kernel *k, int fd, const char *path, uint64_t id, uint64_t parent_id) {
        struct sct_cgroup c = { .parent_id = parent_id }, parent;
        size_t len = strlen(path);
        bool has_parent = parent_id != 0 && bpf_map_lookup_elem(fd, &parent_id, &parent) == 0;

        c.path_len = MIN(len, (size_t) SCT_CGROUP_PATH_MAX - 1);
        memcpy(c.path, path, c.path_len);
        sct_cgroup_parse(&c, has_parent ? &parent : NULL);
        if (bpf_map_update_elem(fd, &id, &c, BPF_NOEXIST) < 0 && errno != EEXIST)
                return -errno;
        return 0;
}

int cgroups_scan(Kernel *k) {
        char *paths[] = { k->cgroup_root, NULL };
        size_t prefix = strlen(k->cgroup_root);
        int fd = map_fd(k, "sct_cgroups"), r = 0;
        FTSENT *entry;
        FTS *fts;

        if (k->cgroup_root_fd < 0)
                return -ENOENT;
        fts = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
        if (!fts)
                return -errno;
        while ((entry = fts_read(fts))) {
                const char *path = entry->fts_path + prefix;

                if (entry->fts_info != FTS_D)
                        continue;
                r = add_cgroup(k, fd, entry->fts_level == 0 ? "/" : path, entry->fts_statp->st_ino,
                               entry->fts_level == 0 ? 0 : entry->fts_parent->fts_statp->st_ino);
                if (r < 0)
                        break;
        }
        fts_close(fts);
        return r;
}

/* Parents come before children nowhere in a hash, so each cgroup asks its own ancestors. Patterns are few and changes
 * rare. */
static void match_one(Kernel *k, int fd, const Plan *plan, struct sct_cgroup *c, uint64_t bits[]) {
        struct sct_cgroup at = *c;

        for (int depth = 0; depth < 128; depth++) {
                uint64_t up = at.parent_id;

                for (size_t i = 0; i < plan->n_cgroup_patterns; i++)
                        if (sct_cgroup_match(plan->cgroup_patterns + i, &at))
                                bits[i / 64] |= 1ULL << (i % 64);
                if (up == 0 || bpf_map_lookup_elem(fd, &up, &at) < 0)
                        break;
        }
}

/* All keys first: an update puts an entry at the head of its bucket, so a walk that updates as it goes may meet two
 * entries of one bucket in turn for ever. */
static int list_cgroups(int fd, uint64_t **ret, size_t *ret_n) {
        _cleanup_free_ uint64_t *keys = NULL;
        size_t n = 0, n_allocated = 0;
        uint64_t next;

        /* Entries that are removed meanwhile start the walk again: it need not end by itself. */
        while (n < CGROUPS_MAX && bpf_map_get_next_key(fd, n > 0 ? keys + n - 1 : NULL, &next) == 0) {
                if (!GREEDY_REALLOC(keys, n_allocated, n + 1))
                        return -ENOMEM;
                keys[n++] = next;
        }
        *ret = TAKE_PTR(keys);
        *ret_n = n;
        return 0;
}

static int match_all(Kernel *k, int fd, const Plan *plan) {
        uint32_t parity = plan->config.generation & 1;
        _cleanup_free_ uint64_t *keys = NULL;
        size_t n;
        int r;

        r = list_cgroups(fd, &keys, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                uint64_t bits[SCT_CGROUP_PATTERNS_MAX / 64] = {};
                struct sct_cgroup c;

                if (bpf_map_lookup_elem(fd, keys + i, &c) < 0)
                        continue;
                match_one(k, fd, plan, &c, bits);
                if (memcmp(bits, c.bits[parity], sizeof(bits)) == 0)
                        continue;
                memcpy(c.bits[parity], bits, sizeof(bits));
                if (bpf_map_update_elem(fd, keys + i, &c, BPF_EXIST) < 0 && errno != ENOENT)
                        return -errno;
        }
        return 0;
}

/* Twice: a cgroup that begins meanwhile takes its parent's bits, which may have been those of an older generation, and
 * the walk may have passed its place already. */
int cgroups_match(Kernel *k, const Plan *plan) {
        int fd = map_fd(k, "sct_cgroups"), r;

        if (plan->n_cgroup_patterns == 0)
                return 0;
        r = match_all(k, fd, plan);
        return r < 0 ? r : match_all(k, fd, plan);
}

/* journald is known by its unit's cgroup and by the inode of its binary: neither can be taken on by anybody else. */
void cgroups_find_journald(Kernel *k) {
        uint64_t cgroup = k->state->journal_cgroup, ino = k->state->journal_ino;
        static const char *const binaries[] = { "/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald" };
        struct stat st;

        if (k->cgroup_root_fd >= 0 &&
            fstatat(k->cgroup_root_fd, "system.slice/systemd-journald.service", &st, 0) == 0)
                k->state->journal_cgroup = st.st_ino;
        for (size_t i = 0; i < ELEMENTSOF(binaries); i++)
                if (stat(binaries[i], &st) == 0) {
                        /* The kernel's dev_t: 12 bits of major above 20 of minor (include/linux/kdev_t.h). */
                        k->state->journal_dev = major(st.st_dev) << 20 | minor(st.st_dev);
                        k->state->journal_ino = st.st_ino;
                        break;
                }
        if (cgroup != k->state->journal_cgroup || ino != k->state->journal_ino)
                k->state->epoch++;
}
