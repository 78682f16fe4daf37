/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tracee's policies (kind Policy or TraceePolicy, and the plain form without apiVersion) → rules of a Policy. Scope and
 * filters are those of filter.h, events stand in rules of their own. A rule that names an event again is one more
 * alternative for it. */

#include "yaml-util.h"

/* spec of a document with an envelope; `policy` is a Policy. 0 or -ENOMEM. */
int tracee_policy_read_spec(YamlReader *r, const YamlNode *spec, void *policy);

/* Whether a document without apiVersion and kind is a plain policy: `type: policy`, or a mapping with scope and rules.
 * */
bool tracee_policy_is_plain(const YamlNode *root);
/* Everything but `name`, which the caller reads. */
int tracee_policy_read_plain(YamlReader *r, const YamlNode *root, void *policy);
