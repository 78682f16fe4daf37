/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan.h"

/* Fills plan->uses and plan->uses_types from everything else in the plan: the last step of a compilation. */
void plan_note_uses(Plan *plan);
