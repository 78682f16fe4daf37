/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A journald for tests: binds a datagram socket and returns entries as text, one field a line (binary fields with the
 * newlines of their values as "\n"). */

#include <stdbool.h>

int fake_journal_bind(const char *path);
/* The next entry (valid until the next call), or NULL when none comes within the time. */
const char *fake_journal_read(int fd, int timeout_msec);
/* The value of a field of an entry (valid until the next call); NULL: it has none. `n`: which of several. */
const char *fake_journal_field(const char *entry, const char *name, unsigned n);
bool fake_journal_has(const char *entry, const char *item);
