/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel side's globals and task states, as user space sees them: bpf/abi/state.h. */

#include "../../bpf/abi/state.h"
