/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers ListArtifacts, later. */

#include <systemd/sd-bus.h>

#include "captures.h"

/* Who may ask was asked before. 1: the call is answered when the list is ready. -EBUSY: too many ask. */
int artifact_list_begin(sd_bus_message *message, Manager *m, const ArtifactFilter *filter);
