/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Plan into maps. Fixed tables hold both parities in one array; tables that are sized for each generation are inner
 * maps, made, filled and then put in the place of their parity. Replacing an inner map waits until no program uses the
 * old one (kernel/bpf/syscall.c, maybe_wait_bpf_programs), so that comes before anything of that parity is overwritten.
 * Nothing here touches the active parity. */

#include <errno.h>
#include <stdio.h>

#include "kernel-internal.h"
#include "../../bpf/abi/plan.h"
#include "state.h"

int map_fd(Kernel *k, const char *name) {
        struct bpf_map *map = probes_map(k, name);

        return map ? bpf_map__fd(map) : -ENOENT;
}

/* Many entries in few calls; one by one where the kernel has no batch for this kind of map. */
static int update_many(int fd, const void *keys, size_t key_size, const void *values, size_t value_size, size_t n) {
        LIBBPF_OPTS(bpf_map_batch_opts, opts);
        size_t done = 0;

        while (done < n) {
                uint32_t count = MIN(n - done, (size_t) 16384);

                if (bpf_map_update_batch(fd, (const uint8_t *) keys + done * key_size,
                                         (const uint8_t *) values + done * value_size, &count, &opts) < 0) {
                        /* 524: ENOTSUPP, the kernel's own. */
                        if (errno != 524 && errno != EOPNOTSUPP && errno != EINVAL)
                                return -errno;
                        for (; done < n; done++)
                                if (bpf_map_update_elem(fd, (const uint8_t *) keys + done * key_size,
                                                        (const uint8_t *) values + done * value_size, BPF_ANY) < 0)
                                        return -errno;
                        return 0;
                }
                done += count;
        }
        return 0;
}

/* n entries of an array from index first on. */
static int update_array(int fd, uint32_t first, const void *values, size_t value_size, size_t n) {
        _cleanup_free_ uint32_t *keys = NULL;

        if (fd < 0)
                return fd;
        if (n == 0)
                return 0;
        keys = new(uint32_t, n);
        if (!keys)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                keys[i] = first + i;
        return update_many(fd, keys, sizeof(uint32_t), values, value_size, n);
}

/* What one table of a generation consists of. */
typedef struct TableContent {
        void *keys, *values;     /* keys NULL: an array, index is the key */
        size_t n;
} TableContent;

static void table_content_done(TableContent *c) {
        free(c->keys);
        free(c->values);
}

static int content_numbers(const Plan *plan, TableContent *ret) {
        const struct sct_gen_config *config = &plan->config;
        size_t n = plan->n_numbers + config->n_tree_roots + config->n_kin;
        struct sct_num_key *keys = new0(struct sct_num_key, MAX(n, (size_t) 1));
        struct sct_mask *values = new0(struct sct_mask, MAX(n, (size_t) 1));

        ret->keys = keys;
        ret->values = values;
        if (!keys || !values)
                return -ENOMEM;
        for (n = 0; n < plan->n_numbers; n++) {
                keys[n] = plan->numbers[n].key;
                values[n] = plan->numbers[n].mask;
        }
        for (uint32_t i = 0; i < config->n_tree_roots; i++, n++) {
                keys[n] = (struct sct_num_key) { .slot = SCT_SLOT_TREE, .value = config->tree_root[i] };
                values[n].pos = 1ULL << i;
        }
        for (uint32_t i = 0; i < config->n_kin; i++, n++) {
                keys[n] = (struct sct_num_key) { .slot = SCT_SLOT_KIN, .value = config->kin_id[i] };
                values[n].pos = i + 1;
        }
        ret->n = n;
        return 0;
}

static int content_copy(const void *data, size_t size, size_t n, TableContent *ret) {
        ret->values = malloc(MAX(n * size, (size_t) 1));
        if (!ret->values)
                return -ENOMEM;
        if (n > 0)
                memcpy(ret->values, data, n * size);
        ret->n = n;
        return 0;
}

static int content_ranges(const Plan *plan, TableContent *ret) {
        return content_copy(plan->ranges, sizeof(plan->ranges[0]), plan->n_ranges, ret);
}

static int content_lists(const Plan *plan, TableContent *ret) {
        return content_copy(plan->lists, sizeof(plan->lists[0]), plan->n_lists, ret);
}

static int content_dfa(const Plan *plan, TableContent *ret) {
        return content_copy(plan->dfa, sizeof(plan->dfa[0]), plan->n_dfa, ret);
}

static int content_dfa_masks(const Plan *plan, TableContent *ret) {
        return content_copy(plan->dfa_masks, sizeof(plan->dfa_masks[0]), plan->n_dfa_masks, ret);
}

/* Strings of sizes above `above` up to `max`, as keys {slot, size, str[max]}. */
static int content_strings(const Plan *plan, size_t above, size_t max, TableContent *ret) {
        size_t key_size = 8 + max, n = 0;
        struct sct_mask *values;
        uint8_t *keys;

        for (size_t i = 0; i < plan->n_equal; i++)
                if ((plan->equal[i].size > above || above == 0) && plan->equal[i].size <= max)
                        n++;
        ret->keys = keys = calloc(MAX(n, (size_t) 1), key_size);
        ret->values = values = new0(struct sct_mask, MAX(n, (size_t) 1));
        if (!keys || !values)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_equal; i++) {
                const PlanString *s = plan->equal + i;

                if (!((s->size > above || above == 0) && s->size <= max))
                        continue;
                memcpy(keys, &s->slot, 4);
                memcpy(keys + 4, &s->size, 4);
                memcpy(keys + 8, s->text, s->size);
                keys += key_size;
                *values++ = s->mask;
        }
        ret->n = n;
        return 0;
}

static int content_strings_0(const Plan *plan, TableContent *ret) {
        return content_strings(plan, 0, SCT_STR_CLASS_0, ret);
}

static int content_strings_1(const Plan *plan, TableContent *ret) {
        return content_strings(plan, SCT_STR_CLASS_0, SCT_STR_CLASS_1, ret);
}

static int content_strings_2(const Plan *plan, TableContent *ret) {
        return content_strings(plan, SCT_STR_CLASS_1, SCT_STR_CLASS_2, ret);
}

static int content_strings_3(const Plan *plan, TableContent *ret) {
        return content_strings(plan, SCT_STR_CLASS_2, SCT_STR_CLASS_3, ret);
}

static int content_affixes(const PlanString *strings, size_t n, TableContent *ret) {
        struct sct_affix_key *keys = new0(struct sct_affix_key, MAX(n, (size_t) 1));
        struct sct_mask *values = new0(struct sct_mask, MAX(n, (size_t) 1));

        ret->keys = keys;
        ret->values = values;
        if (!keys || !values)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (strings[i].size > SCT_AFFIX_MAX)
                        return -E2BIG;
                keys[i].slot = strings[i].slot;
                keys[i].prefixlen = 32 + 8 * strings[i].size;
                memcpy(keys[i].str, strings[i].text, strings[i].size);
                values[i] = strings[i].mask;
        }
        ret->n = n;
        return 0;
}

static int content_prefixes(const Plan *plan, TableContent *ret) {
        return content_affixes(plan->prefixes, plan->n_prefixes, ret);
}

static int content_suffixes(const Plan *plan, TableContent *ret) {
        return content_affixes(plan->suffixes, plan->n_suffixes, ret);
}

typedef struct TableRow {
        const char *outer;
        enum bpf_map_type type;
        uint32_t flags;
        size_t key_size, value_size;
        int (*content)(const Plan *plan, TableContent *ret);
} TableRow;

static const TableRow tables[KERNEL_N_TABLES];

/* Makes one table of the parity. An empty one is no inner map at all: the kernel side finds nothing there. */
static int write_table(Kernel *k, size_t i, const Plan *plan, uint32_t parity) {
        _cleanup_(table_content_done) TableContent content = {};
        const TableRow *row = tables + i;
        _cleanup_close_ int fd = -EBADF;
        int outer = map_fd(k, row->outer), r;
        LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = row->flags);

        r = row->content(plan, &content);
        if (r < 0)
                return r;
        if (content.n == 0) {
                if (!(k->table_used[i] & (1 << parity)))
                        return 0;
                if (bpf_map_delete_elem(outer, &parity) < 0 && errno != ENOENT)
                        return -errno;
                k->table_used[i] &= ~(1 << parity);
                return 0;
        }

        fd = bpf_map_create(row->type, row->outer, row->key_size, row->value_size, content.n, &opts);
        if (fd < 0)
                return -errno;
        r = content.keys ? update_many(fd, content.keys, row->key_size, content.values, row->value_size, content.n)
                         : update_array(fd, 0, content.values, row->value_size, content.n);
        if (r < 0)
                return r;
        if (bpf_map_update_elem(outer, &parity, &fd, BPF_ANY) < 0)
                return -errno;
        k->table_used[i] |= 1 << parity;
        return 0;
}

static int write_syscalls(Kernel *k, const Plan *plan, uint32_t parity) {
        _cleanup_free_ uint32_t *values = new0(uint32_t, MAX(2 * SCT_SYSCALL_NR_MAX, SCT_EVENT_ID_MAX));
        int r;

        if (!values)
                return -ENOMEM;
        for (size_t i = 0; i < 2 * SCT_SYSCALL_NR_MAX; i++)
                values[i] = plan->syscalls[i];
        r = update_array(map_fd(k, "sct_syscalls"), parity * 2 * SCT_SYSCALL_NR_MAX, values, sizeof(uint32_t),
                         2 * SCT_SYSCALL_NR_MAX);
        if (r < 0)
                return r;
        for (size_t i = 0; i < SCT_EVENT_ID_MAX; i++)
                values[i] = plan->events[i];
        return update_array(map_fd(k, "sct_events"), parity * SCT_EVENT_ID_MAX, values, sizeof(uint32_t),
                            SCT_EVENT_ID_MAX);
}

int maps_write_plan(Kernel *k, const Plan *plan, const HookTables *hooks, char **reterr) {
        uint32_t parity = plan->config.generation & 1;
        _cleanup_free_ struct sct_acted *acted = NULL;
        _cleanup_free_ uint64_t *zeros = NULL;
        int r;

        if (k->state->generation != 0 && parity == (k->state->generation & 1))
                return kernel_error(reterr, -EINVAL, "Generation %u cannot follow generation %u.",
                                    plan->config.generation, k->state->generation);
        if (plan->n_preds > SCT_PREDS_MAX)
                return kernel_error(reterr, -E2BIG, "The policies need %zu predicates, %u is the most.", plan->n_preds,
                                    SCT_PREDS_MAX);

        for (size_t i = 0; i < KERNEL_N_TABLES; i++) {
                r = write_table(k, i, plan, parity);
                if (r < 0)
                        return kernel_error(reterr, r, "Table %s could not be written: %s.", tables[i].outer, strerror(-r));
        }
        r = write_syscalls(k, plan, parity);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_plans"), parity * SCT_PLANS_MAX, hooks->plans, sizeof(hooks->plans[0]),
                                 hooks->n_plans);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_hooks"), parity * SCT_HOOKS_MAX, hooks->hooks, sizeof(hooks->hooks[0]),
                                 SCT_HOOKS_MAX);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_links"), parity * SCT_LINKS_MAX, hooks->links, sizeof(hooks->links[0]),
                                 hooks->n_links);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_enforcers"), parity * SCT_HOOKS_MAX, hooks->enforcers,
                                 sizeof(hooks->enforcers[0]), SCT_HOOKS_MAX);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_argpaths"), parity * SCT_ARG_PATHS_MAX, plan->paths,
                                 sizeof(plan->paths[0]), plan->n_paths);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_hsyscalls"), parity * 2 * SCT_SYSCALL_NR_MAX, hooks->syscalls,
                                 sizeof(hooks->syscalls[0]), 2 * SCT_SYSCALL_NR_MAX);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_actions"), parity * SCT_BANKS_MAX * 64, plan->actions,
                                 sizeof(plan->actions[0]), plan->n_rules);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_preds"), parity * SCT_PREDS_MAX, plan->preds, sizeof(plan->preds[0]),
                                 plan->n_preds);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_cgpatterns"), parity * SCT_CGROUP_PATTERNS_MAX, plan->cgroup_patterns,
                                 sizeof(plan->cgroup_patterns[0]), plan->n_cgroup_patterns);
        if (r >= 0)
                r = update_array(map_fd(k, "sct_config"), parity, &plan->config, sizeof(plan->config), 1);
        if (r >= 0) {
                zeros = new0(uint64_t, SCT_BANKS_MAX * 64);
                acted = new0(struct sct_acted, MAX(plan->n_rules, (size_t) 1));
                if (!zeros || !acted)
                        return -ENOMEM;
                r = update_array(map_fd(k, "sct_lost_rules"), 0, zeros, sizeof(uint64_t), SCT_BANKS_MAX * 64);
                if (r >= 0)
                        r = update_array(map_fd(k, "sct_acted"), parity * SCT_BANKS_MAX * 64, acted, sizeof(acted[0]),
                                         plan->n_rules);
        }
        if (r < 0)
                return kernel_error(reterr, r, "The policy tables could not be written: %s.", strerror(-r));
        return 0;
}

/* Which event each system call number is, for context.syscall and the events sys_enter and sys_exit. */
int maps_write_constants(Kernel *k) {
        _cleanup_free_ uint32_t *values = new0(uint32_t, 2 * SCT_SYSCALL_NR_MAX);

        if (!values)
                return -ENOMEM;
        for (unsigned i = 0; i < 2 * SCT_SYSCALL_NR_MAX; i++) {
                const EventSpec *spec = event_spec_by_syscall(i / SCT_SYSCALL_NR_MAX, i % SCT_SYSCALL_NR_MAX);

                values[i] = spec ? spec->id + 1U : 0;
        }
        return update_array(map_fd(k, "sct_sysnames"), 0, values, sizeof(uint32_t), 2 * SCT_SYSCALL_NR_MAX);
}

static const TableRow tables[KERNEL_N_TABLES] = {
        { "sct_g_num", BPF_MAP_TYPE_HASH, 0, sizeof(struct sct_num_key), sizeof(struct sct_mask), content_numbers },
        { "sct_g_range", BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, 4, sizeof(struct sct_range), content_ranges },
        { "sct_g_list", BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, 4, sizeof(struct sct_list_item), content_lists },
        { "sct_g_str0", BPF_MAP_TYPE_HASH, 0, sizeof(struct sct_str_key_0), sizeof(struct sct_mask), content_strings_0 },
        { "sct_g_str1", BPF_MAP_TYPE_HASH, 0, sizeof(struct sct_str_key_1), sizeof(struct sct_mask), content_strings_1 },
        { "sct_g_str2", BPF_MAP_TYPE_HASH, 0, sizeof(struct sct_str_key_2), sizeof(struct sct_mask), content_strings_2 },
        { "sct_g_str3", BPF_MAP_TYPE_HASH, 0, sizeof(struct sct_str_key_3), sizeof(struct sct_mask), content_strings_3 },
        { "sct_g_prefix", BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, sizeof(struct sct_affix_key),
          sizeof(struct sct_mask), content_prefixes },
        { "sct_g_suffix", BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, sizeof(struct sct_affix_key),
          sizeof(struct sct_mask), content_suffixes },
        { "sct_g_dfa", BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, 4, sizeof(uint32_t), content_dfa },
        { "sct_g_dfamask", BPF_MAP_TYPE_ARRAY, BPF_F_INNER_MAP, 4, sizeof(struct sct_mask), content_dfa_masks },
};
