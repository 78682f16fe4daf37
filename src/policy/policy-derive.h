/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A policy with more captures than its document asks for: what StartCapture() makes of each policy of a scope. */

#include "capture-spec.h"

/* Whether captures can be added to it: its rules are events of the catalogue, and there is one. */
bool policy_can_capture(const Policy *p);
/* A new policy that is `p` and asks for `more` as well. -EINVAL with a sentence: an expression is wrong. */
int policy_derive(const Policy *p, char *const *more, Policy **ret, char **reterr);
