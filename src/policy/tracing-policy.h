/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* TracingPolicy and TracingPolicyNamespaced: hooks that a policy brings, with selectors and actions. Files of every
 * version from v0.9 on are read as they are; limits of others (5 selectors, 4 values) are none here. */

#include "yaml-util.h"

/* A YamlRead on `spec`; target: Policy. */
int tracing_policy_read_spec(YamlReader *r, const YamlNode *spec, void *policy);
