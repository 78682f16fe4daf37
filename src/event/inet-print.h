/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Network addresses as text, without inet_ntop's printf. */

#include <stdint.h>

#include "../basic/buffer.h"

int inet_print4(Buffer *b, const uint8_t address[static 4]);
int inet_print6(Buffer *b, const uint8_t address[static 16]);       /* RFC 5952 */
