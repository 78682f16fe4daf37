/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a policy's hook is, as text: its event's number, name and arguments. Records of it that wait in the ring over a
 * restart can be read by a daemon that has not read the policy yet, or that finds another one in its place. */

#include "../basic/buffer.h"
#include "../event/record.h"

#define HOOK_STATE_PREFIX "hook "

int hook_state_save(const EventSpec *spec, Buffer *b);
/* *text .. end: what is left of the state, which ends with a NUL; *text is moved behind the hook. -EBADMSG. */
int hook_state_load(const char **text, const char *end, EventSpec **ret);
EventSpec *hook_state_free(EventSpec *spec);
