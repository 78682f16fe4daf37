/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sizes, offsets and numbers that two builds must agree on: a daemon that restarts reads what its predecessor left in
 * the ring and in maps. The committed list is tests/data/abi.golden; `test-abi --print` writes what this build has. Whoever
 * changes a line of the first kind bumps SCT_ABI_VERSION; lines may be added at any time. */

#include <stddef.h>

#include "abi/arg-struct.h"
#include "abi/plan.h"
#include "basic/buffer.h"
#include "test.h"

#define LINE(b, ...) ASSERT_OK(buffer_printf((b), __VA_ARGS__))
#define SIZE(b, type) LINE(b, "struct " #type " %zu\n", sizeof(struct type))
#define FIELD(b, type, field)                                                               \
        LINE(b, #type "." #field " %zu %zu\n", offsetof(struct type, field), sizeof(((struct type *) NULL)->field))
#define NUMBER(b, name) LINE(b, #name " %lld\n", (long long) (name))

static void describe_record(Buffer *b) {
        SIZE(b, sct_record);
        FIELD(b, sct_record, type);
        FIELD(b, sct_record, n_args);
        FIELD(b, sct_record, n_banks);
        FIELD(b, sct_record, bank_first);
        FIELD(b, sct_record, event);
        FIELD(b, sct_record, flags);
        FIELD(b, sct_record, generation);
        FIELD(b, sct_record, lost);
        FIELD(b, sct_record, time_ns);
        FIELD(b, sct_record, retval);
        FIELD(b, sct_record, start_ns);
        FIELD(b, sct_record, cgroup_id);
        FIELD(b, sct_record, pid);
        FIELD(b, sct_record, tid);
        FIELD(b, sct_record, ppid);
        FIELD(b, sct_record, host_pid);
        FIELD(b, sct_record, host_tid);
        FIELD(b, sct_record, host_ppid);
        FIELD(b, sct_record, uid);
        FIELD(b, sct_record, gid);
        FIELD(b, sct_record, mnt_ns);
        FIELD(b, sct_record, pid_ns);
        FIELD(b, sct_record, cpu);
        FIELD(b, sct_record, syscall);
        FIELD(b, sct_record, auid);
        FIELD(b, sct_record, comm);
        FIELD(b, sct_record, uts_name);
        SIZE(b, sct_arg);
        FIELD(b, sct_arg, index);
        FIELD(b, sct_arg, type);
        FIELD(b, sct_arg, flags);
        FIELD(b, sct_arg, size);
        NUMBER(b, SCT_RECORD_EVENT);
        NUMBER(b, SCT_RECORD_CGROUP_MKDIR);
        NUMBER(b, SCT_RECORD_CGROUP_RMDIR);
        NUMBER(b, SCT_RECORD_TRUNCATED);
        NUMBER(b, SCT_RECORD_COMPAT);
        NUMBER(b, SCT_RECORD_HAS_RETVAL);
        NUMBER(b, SCT_RECORD_CGROUP_NEW);
        NUMBER(b, SCT_RECORD_KTHREAD);
        NUMBER(b, SCT_RECORD_LATE);
        NUMBER(b, SCT_ARG_FAULT);
        NUMBER(b, SCT_ARG_TRUNCATED);
        NUMBER(b, SCT_ARG_INDEX_EXE);
        NUMBER(b, SCT_EVENT_HOOK_FIRST);
        NUMBER(b, SCT_RECORD_MAX);
        NUMBER(b, SCT_BANKS_MAX);
#define SCT_ARG_TYPE(id, sym, name, wire, doc) LINE(b, "argument type " name " %d " wire "\n", SCT_ARG_##sym);
#include "abi/arg-types.def"
#undef SCT_ARG_TYPE
}

static void describe_objects(Buffer *b) {
        SIZE(b, sct_endpoint);
        FIELD(b, sct_endpoint, port);
        FIELD(b, sct_endpoint, family);
        SIZE(b, sct_sock);
        FIELD(b, sct_sock, source);
        FIELD(b, sct_sock, dest);
        FIELD(b, sct_sock, family);
        FIELD(b, sct_sock, protocol);
        FIELD(b, sct_sock, state);
        FIELD(b, sct_sock, cookie);
        SIZE(b, sct_skb);
        FIELD(b, sct_skb, source);
        FIELD(b, sct_skb, dest);
        FIELD(b, sct_skb, family);
        FIELD(b, sct_skb, len);
        SIZE(b, sct_cred);
        FIELD(b, sct_cred, permitted);
        FIELD(b, sct_cred, user_ns);
        SIZE(b, sct_user_ns);
        FIELD(b, sct_user_ns, inum);
        SIZE(b, sct_bpf_prog);
        FIELD(b, sct_bpf_prog, name);
        SIZE(b, sct_bpf_map);
        FIELD(b, sct_bpf_map, name);
        SIZE(b, sct_perf_event);
        FIELD(b, sct_perf_event, type);
        FIELD(b, sct_perf_event, function);
        SIZE(b, sct_module);
        FIELD(b, sct_module, flags);
        FIELD(b, sct_module, name);
        SIZE(b, sct_file);
        FIELD(b, sct_file, mode);
        NUMBER(b, SCT_FIELD_EXE_TREE);
        NUMBER(b, SCT_FIELD_NS_TREE);
        NUMBER(b, SCT_FIELD_INTERFACE);
        NUMBER(b, SCT_FIELD_NS_CHANGED);
        NUMBER(b, SCT_PART_SADDR);
        NUMBER(b, SCT_PART_MODE);
        NUMBER(b, SCT_PART_GAINED);
        NUMBER(b, SCT_SYSCALL_COMPAT);
}

static void describe_plan(Buffer *b) {
        SIZE(b, sct_pred);
        FIELD(b, sct_pred, field);
        FIELD(b, sct_pred, class);
        FIELD(b, sct_pred, bank);
        FIELD(b, sct_pred, flags);
        FIELD(b, sct_pred, slot);
        FIELD(b, sct_pred, first);
        FIELD(b, sct_pred, count);
        FIELD(b, sct_pred, dfa_first);
        FIELD(b, sct_pred, keep);
        FIELD(b, sct_pred, has_neg);
        SIZE(b, sct_mask);
        SIZE(b, sct_num_key);
        FIELD(b, sct_num_key, value);
        SIZE(b, sct_range);
        SIZE(b, sct_list_item);
        FIELD(b, sct_list_item, mask);
        SIZE(b, sct_str_key_0);
        SIZE(b, sct_str_key_1);
        SIZE(b, sct_str_key_2);
        SIZE(b, sct_str_key_3);
        SIZE(b, sct_affix_key);
        SIZE(b, sct_arg_plan);
        SIZE(b, sct_plan);
        FIELD(b, sct_plan, event);
        FIELD(b, sct_plan, n_preds);
        FIELD(b, sct_plan, n_preds_entry);
        FIELD(b, sct_plan, pred_first);
        FIELD(b, sct_plan, args);
        FIELD(b, sct_plan, wants);
        SIZE(b, sct_cgroup_pattern);
        FIELD(b, sct_cgroup_pattern, glob);
        SIZE(b, sct_cgroup);
        FIELD(b, sct_cgroup, flags);
        FIELD(b, sct_cgroup, path_len);
        FIELD(b, sct_cgroup, unit_offset);
        FIELD(b, sct_cgroup, container_offset);
        FIELD(b, sct_cgroup, container_len);
        FIELD(b, sct_cgroup, name_offset);
        FIELD(b, sct_cgroup, bits);
        FIELD(b, sct_cgroup, path);
        SIZE(b, sct_gen_config);
        FIELD(b, sct_gen_config, all);
        FIELD(b, sct_gen_config, names_journal);
        FIELD(b, sct_gen_config, follow);
        FIELD(b, sct_gen_config, follow_slot);
        FIELD(b, sct_gen_config, tree_root);
}

static void describe_numbers(Buffer *b) {
        NUMBER(b, SCT_FIELD_UID);
        NUMBER(b, SCT_FIELD_CGROUP);
        NUMBER(b, SCT_FIELD_RETVAL);
        NUMBER(b, SCT_FIELD_ARG);
        NUMBER(b, SCT_CLASS_NUMBER);
        NUMBER(b, SCT_CLASS_MASK);
        NUMBER(b, SCT_CLASS_STRING);
        NUMBER(b, SCT_CLASS_BITS);
        NUMBER(b, SCT_CLASS_PRESENT);
        NUMBER(b, SCT_PRED_MORE);
        NUMBER(b, SCT_PRED_EQ);
        NUMBER(b, SCT_PRED_RANGE);
        NUMBER(b, SCT_PRED_PREFIX);
        NUMBER(b, SCT_PRED_SUFFIX);
        NUMBER(b, SCT_PRED_SUBSTRING);
        NUMBER(b, SCT_PRED_SIGNED);
        NUMBER(b, SCT_PRED_EXIT);
        NUMBER(b, SCT_CGROUP_UNIT);
        NUMBER(b, SCT_CGROUP_SLICE);
        NUMBER(b, SCT_CGROUP_SESSION);
        NUMBER(b, SCT_CGROUP_PATH);
        NUMBER(b, SCT_CGROUP_CONTAINER);
        NUMBER(b, SCT_PLANS_MAX);
        NUMBER(b, SCT_PREDS_MAX);
        NUMBER(b, SCT_SYSCALL_NR_MAX);
}

static void describe(Buffer *b) {
        NUMBER(b, SCT_ABI_VERSION);
        describe_record(b);
        describe_objects(b);
        describe_plan(b);
        describe_numbers(b);
}

/* Every line of the list must still be true. */
TEST(abi_is_the_committed_one) {
        const char *source = getenv("SCOPETRACE_SOURCE");
        char path[4096], line[256];
        unsigned n = 0, n_wrong = 0;
        Buffer b = {};
        FILE *f;

        snprintf(path, sizeof(path), "%s/tests/data/abi.golden", source ?: ".");
        f = fopen(path, "re");
        if (!f)
                TEST_FAIL("%s: %s", path, strerror(errno));
        describe(&b);
        ASSERT_NOT_NULL(buffer_cstring(&b));

        while (fgets(line, sizeof(line), f)) {
                const char *at = strstr(b.data, line);

                n++;
                if (at && (at == b.data || at[-1] == '\n'))
                        continue;
                fprintf(stderr, "no longer true: %s", line);
                n_wrong++;
        }
        fclose(f);
        buffer_done(&b);
        ASSERT_GT(n, 100);
        if (n_wrong > 0)
                TEST_FAIL("%u of %u lines of %s: bump SCT_ABI_VERSION and write it anew with test-abi --print",
                          n_wrong, n, path);
}

/* A key of a trie begins with its slot, and the kernel takes 256 bytes of data at most. */
TEST(keys_are_what_the_kernel_takes) {
        ASSERT_EQ(offsetof(struct sct_affix_key, slot), sizeof(uint32_t));
        ASSERT_LE(sizeof(struct sct_affix_key) - sizeof(uint32_t), 256);
        ASSERT_EQ(offsetof(struct sct_str_key_0, str), 8);
        ASSERT_EQ(offsetof(struct sct_str_key_3, str), 8);
        ASSERT_EQ(sizeof(struct sct_num_key), 16);
}

int main(int argc, char *argv[]) {
        if (argc == 2 && strcmp(argv[1], "--print") == 0) {
                Buffer b = {};

                describe(&b);
                fwrite(b.data, 1, b.size, stdout);
                buffer_done(&b);
                return EXIT_SUCCESS;
        }
        return test_main_(argc, argv);
}
