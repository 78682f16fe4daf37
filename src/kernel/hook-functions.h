/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The types of functions and tracepoints that hooks name. */

#include "kernel-internal.h"

struct btf;
struct btf_type;

typedef struct KernelTypes {
        struct btf *vmlinux, *module;   /* the module's: of the one that was asked for last */
        char module_name[64];
} KernelTypes;

void kernel_types_done(KernelTypes *t);
/* 1 and the prototype; 0: the function is there, but nothing says what its arguments are; -ENOENT. */
int kernel_types_function(KernelTypes *t, const char *name, const struct btf **ret_btf, const struct btf_type **ret_proto);
/* The prototype of a raw tracepoint's probes: its own arguments begin with the second. */
int kernel_types_tracepoint(KernelTypes *t, const char *name, const struct btf **ret_btf, const struct btf_type **ret_proto);
