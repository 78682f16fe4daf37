/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which remote actions this build has no library for. A policy that asks for one is refused when it is loaded: an action
 * that cannot be taken is not promised. */

#include <stddef.h>

#include "remote-action.h"

const char *remote_action_refusal(HookActionKind kind) {
#ifndef HAVE_LIBCURL
        if (kind == HOOK_ACTION_GET_URL)
                return "scopetraced was built without libcurl; leave GetUrl out";
#endif
#ifndef HAVE_CARES
        if (kind == HOOK_ACTION_DNS_LOOKUP)
                return "scopetraced was built without c-ares; leave DnsLookup out";
#endif
        return NULL;
}
