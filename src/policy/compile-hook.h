/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the compiler does for hooks that policies bring. */

#include "compile.h"

/* Gives each hook of the policies an event number of its own. A policy keeps the numbers as long as it lives, so that a
 * record is read right in any generation that knows the policy. */
int compile_number_hooks(const CompileInput *inputs, size_t n);

/* Completes the plan of a hook's event: how it is judged and where its arguments come from. */
int compile_hook_plan(Compiler *c, struct sct_plan *plan, uint16_t index, const struct Hook *hook);

/* Which policies have enforcers. */
int compile_enforcers(Compiler *c);
