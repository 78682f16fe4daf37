/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between hook-types.c, btf-path.c and hook-check.c: what the arguments of a hook are. */

#include <bpf/btf.h>

#include "../event/arg-type.h"
#include "../policy/hook.h"
#include "kernel-internal.h"

/* A value as BTF, or a format file, describes it. */
typedef struct TypeView {
        const char *type;       /* as policies name it; NULL: there is none for it */
        const char *object;     /* struct or union that it is, or points to */
        unsigned size;          /* of a number */
        bool is_number, is_pointer;
        bool by_address;        /* it stands in memory: its address is its value */
        bool by_value;          /* a struct that is handed over as a number */
} TypeView;

const struct btf_type *btf_plain(const struct btf *btf, uint32_t id);   /* behind typedefs and qualifiers */
int btf_describe(const struct btf *btf, uint32_t id, TypeView *ret);

/* Completes a hook whose place exists. 0, or -ENOTSUP and a sentence. */
int hook_settle(const Policy *policy, Hook *hook, char **reterr);
/* Argument i (hook->n_args: the return value) is this, says the kernel. */
int hook_settle_type(const Policy *policy, Hook *hook, size_t i, const TypeView *v, char **reterr);

/* btf-path.c */
int btf_member_offset(const struct btf *btf, const char *type, const char *member, uint32_t *ret);
int btf_path_argument(const Policy *policy, const struct btf *btf, Hook *hook, size_t i, uint32_t type_id, char **reterr);
int btf_path_data(const Policy *policy, const struct btf *btf, Hook *hook, size_t i, char **reterr);
int btf_path_to_member(const struct btf *btf, Hook *hook, size_t i, const char *type, const char *member, char **reterr);
