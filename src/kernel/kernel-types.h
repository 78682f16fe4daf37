/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's type information and symbols, by name. */

#include <bpf/btf.h>

#include "kernel.h"

/* What they return is valid while somebody holds the types. */
int kernel_types_vmlinux(KernelTypes *t, const struct btf **ret);
int kernel_types_module(KernelTypes *t, const char *module, const struct btf **ret);
/* As btf__find_by_name_kind(); fast for functions, structs and what tracepoints are called. */
int32_t kernel_types_find(const struct btf *btf, const char *name, uint32_t kind);
/* 1 and the prototype; 0: the function is there, but nothing says what its arguments are; -ENOENT. */
int kernel_types_function(KernelTypes *t, const char *name, const struct btf **ret_btf, const struct btf_type **ret_proto);
/* The prototype of a raw tracepoint's probes: its own arguments begin with the second. */
int kernel_types_tracepoint(KernelTypes *t, const char *name, const struct btf **ret_btf, const struct btf_type **ret_proto);
