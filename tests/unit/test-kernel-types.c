/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The index over the kernel's types answers as libbpf's search does, and is gone with the last who holds it. */

#include <bpf/btf.h>
#include <unistd.h>

#include "kernel/kernel-types.h"
#include "test.h"

static KernelTypes *types_or_skip(const struct btf **ret) {
        KernelTypes *t;

        if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
                test_skip("this kernel has no type information");
        t = kernel_types_ref();
        ASSERT_NOT_NULL(t);
        ASSERT_OK(kernel_types_vmlinux(t, ret));
        return t;
}

TEST(answers_are_those_of_a_search) {
        static const uint32_t kinds[] = { BTF_KIND_FUNC, BTF_KIND_STRUCT, BTF_KIND_TYPEDEF, BTF_KIND_UNION };
        _cleanup_(kernel_types_unrefp) KernelTypes *t = NULL;
        const struct btf *btf;
        size_t n = 0;

        t = types_or_skip(&btf);
        for (uint32_t id = 1; id < btf__type_cnt(btf); id += 997) {
                const struct btf_type *type = btf__type_by_id(btf, id);
                const char *name = btf__name_by_offset(btf, type->name_off);

                for (size_t i = 0; *name && i < sizeof(kinds) / sizeof(*kinds); i++) {
                        int32_t expected = btf__find_by_name_kind(btf, name, kinds[i]), found = kernel_types_find(btf, name, kinds[i]);

                        ASSERT_EQ(found < 0 ? -1 : found, expected < 0 ? -1 : expected);
                        n += found > 0;
                }
        }
        ASSERT_TRUE(n > 10);
        ASSERT_TRUE(kernel_types_find(btf, "task_struct", BTF_KIND_STRUCT) > 0);
        ASSERT_TRUE(kernel_types_find(btf, "no_such_struct", BTF_KIND_STRUCT) < 0);
        ASSERT_TRUE(kernel_types_find(btf, "btf_trace_sched_switch", BTF_KIND_TYPEDEF) > 0);
        ASSERT_TRUE(kernel_types_find(btf, "pid_t", BTF_KIND_TYPEDEF) > 0);
}

TEST(functions_and_tracepoints) {
        _cleanup_(kernel_types_unrefp) KernelTypes *t = NULL;
        const struct btf_type *proto = NULL;
        const struct btf *btf;

        t = types_or_skip(&btf);
        ASSERT_EQ(kernel_types_function(t, "fd_install", &btf, &proto), 1);
        ASSERT_EQ(btf_vlen(proto), 2);
        ASSERT_EQ(kernel_types_function(t, "no_such_function", &btf, &proto), -ENOENT);
        ASSERT_OK(kernel_types_tracepoint(t, "sched_process_exit", &btf, &proto));
        ASSERT_TRUE(btf_vlen(proto) >= 2);
        ASSERT_EQ(kernel_types_tracepoint(t, "no_such_tracepoint", &btf, &proto), -ENOENT);
        ASSERT_TRUE(kernel_types_module(t, "no_such_module", &btf) < 0);
}

/* A function without types is one all the same: entry code is written in assembler. */
TEST(functions_without_types) {
        _cleanup_(kernel_types_unrefp) KernelTypes *t = NULL;
        const struct btf_type *proto = NULL;
        const struct btf *btf;

        t = types_or_skip(&btf);
        if (access("/proc/kallsyms", R_OK) < 0)
                test_skip("there are no symbols");
        ASSERT_EQ(kernel_types_function(t, "entry_SYSCALL_64", &btf, &proto), 0);
}

TEST(one_copy_for_all) {
        const struct btf *one, *other;
        KernelTypes *a = types_or_skip(&one), *b = kernel_types_ref();

        ASSERT_TRUE(a == b);
        ASSERT_OK(kernel_types_vmlinux(b, &other));
        ASSERT_TRUE(one == other);
        kernel_types_unref(a);
        ASSERT_OK(kernel_types_vmlinux(b, &other));
        ASSERT_TRUE(one == other);
        kernel_types_unref(b);
}

TEST_MAIN()
