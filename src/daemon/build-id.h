/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The build id of a file that a record of `loader` names. */

#include "../event/record.h"

/* Adds it as the event's argument `buildid`, where the file is still the one that was mapped. The event points at memory of
 * this file until the next call. */
void build_id_add(Event *e);
