/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The arrays of the generated event-table.c; event-spec.c alone reads them. */

#include <stddef.h>
#include <stdint.h>

#include "../../bpf/abi/plan.h"
#include "record.h"

#define EVENT_ID_MAX 4096

extern const EventSpec event_table[];                        /* in order of id */
extern const size_t event_table_size;
extern const uint16_t event_table_by_id[EVENT_ID_MAX];       /* position + 1, 0: none; so are the two below */
extern const uint16_t event_table_by_native_nr[SCT_SYSCALL_NR_MAX];
extern const uint16_t event_table_by_compat_nr[SCT_SYSCALL_NR_MAX];
extern const uint16_t event_table_by_name[];                 /* positions in order of name */
