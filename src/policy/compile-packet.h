/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the compiler does for packets, which are events of several kinds and captured, too. */

#include "compile.h"

/* After the plans of events: one more plan, and what the configuration says of packets. */
void compile_packets(Compiler *c);
