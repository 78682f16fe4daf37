/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* journald's native protocol: entries as text or length-prefixed fields, one entry a datagram. Encodes and opens the
 * socket; when to send, and what to do when nobody listens, is the caller's business. */

#include "buffer.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* One `NAME=value` item; values with a newline are sent in the binary form. */
int journal_add_item(Buffer *b, const void *item, size_t size);
int journal_add_field(Buffer *b, const char *name, const void *value, size_t size);

/* A socket that is connected to `path` (NULL: JOURNAL_SOCKET, or $SCOPETRACE_JOURNAL_SOCKET), close-on-exec and not
 * blocking. */
int journal_connect(const char *path);

/* An entry that no datagram can carry, as a sealed memory file over the same socket. */
int journal_send_memfd(int fd, const void *data, size_t size);
