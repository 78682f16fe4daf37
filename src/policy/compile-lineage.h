/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the compiler does for conditions that ask ancestors, or the moment of the event. */

#include "compile.h"

/* Whether a condition is on a task and its ancestors: it becomes a kin set. */
bool compile_is_of_kin(const Condition *o);

/* Whether a condition on the subject is judged when an event happens: what it asks changes without anybody being told
 * (credentials), or is another task's (the parent's program). */
bool compile_is_of_moment(const Condition *o);

/* Whether a condition compares with what the process began as. */
bool compile_asks_origin(const Condition *o);

/* Gives the values of a condition their sets. -E2BIG: there are too many. */
int compile_admit_kin(Compiler *c, const Condition *o);

/* The number of the set with the condition's wanted, or its excluded, values; it was admitted. */
unsigned compile_kin_set(const Compiler *c, const Condition *o, bool negative);

/* Writes the sets' predicates and ids into the plan. -E2BIG with c->limit set. */
int compile_kin(Compiler *c);
