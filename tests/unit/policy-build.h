/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Policies put together in C, for tests of what comes after the parsers. */

#include "policy/policy-compile.h"

/* Ids that no event of the catalogue has. */
#define SPEC_A_ID 3000
#define SPEC_B_ID 3001

/* Arguments: 0 u64, 1 s64, 2 str, 3 str that the kernel fills, 4 flags, 5 anything. */
extern const EventSpec spec_a, spec_b;
EventSpec spec_numbered(uint16_t id);       /* like spec_a */

Policy *build_policy(const char *name);
PolicyRule *build_rule(Policy *p);          /* valid until the next one */
PolicyEvent *build_event(PolicyRule *r, const EventSpec *spec);
void build_subject(PolicyRule *r, Condition c);
void build_on_event(PolicyEvent *e, Condition c);

/* Space-separated: 5 !5 5..9 !5..9, negative numbers and MIN, MAX too. */
Condition number_condition(uint16_t field, bool is_signed, const char *items);
/* Space-separated: abc abc* *abc *abc* !abc, 77:abc for a mount namespace, "" for no text. */
Condition string_condition(uint16_t field, const char *items);
/* Space-separated: unit=x slice=x session=x cgroup=x container=x, !unit=x. */
Condition cgroup_condition(const char *items);
/* Space-separated pids: 5 !5. */
Condition tree_condition(const char *items);
/* Space-separated: and/cmp, !and/cmp, and (nonzero), !and; hexadecimal. */
Condition mask_condition(uint16_t field, const char *items);
Condition present_condition(uint16_t field);
