/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#pragma once

/* The one switch between the two worlds: vmlinux.h brings the fixed-width types on the BPF side, stdint.h on the
 * other. Everything else in bpf/abi/ is written with these names only. */

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
#endif
