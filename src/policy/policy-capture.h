/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `capture:` of a document: what it asks to be kept becomes events of the policy's first rule, whose subject is all that
 * the policy asks of the task. */

#include "capture-spec.h"
#include "yaml-util.h"

/* A YamlRead; target: Policy. Fills capture and captures. */
int policy_capture_read(YamlReader *r, const YamlNode *n, void *target);
/* After the rules are there. Conditions move from the captures to the rule. -EINVAL: *reterr says why not. */
int policy_capture_attach(Policy *p, char **reterr);
