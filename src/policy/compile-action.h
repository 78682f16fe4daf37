/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the compiler does for the actions of rules. */

#include "compile.h"

/* What each rule does on a match: the plan's actions, by rule number. Call when the plans are made. */
int compile_actions(Compiler *c);
