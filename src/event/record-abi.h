/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The wire format, as user space sees it. */

#include "../../bpf/abi/record.h"
