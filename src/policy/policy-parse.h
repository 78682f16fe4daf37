/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text → policies. Every document of every kind starts here; policy-parse.c reads the envelope (apiVersion, kind,
 * metadata) and hands spec to the reader of its kind. Returns the good documents; what is wrong with the others is in
 * `problems`. Fails (negative errno) only for lack of memory. */

#include "policy.h"

int policy_parse(const char *text, size_t size, const char *path, Policy ***ret, size_t *ret_n, ProblemList *problems);

/* Reads and checks one file: regular, owned by root, not writable by others, at most POLICY_FILE_MAX. flags: */
#define POLICY_LOAD_ANY_OWNER (1 << 0)     /* offline check, --policy given by hand */
int policy_load_file(const char *path, unsigned flags, Policy ***ret, size_t *ret_n, ProblemList *problems);

/* The command line's form: "42:event=openat", "comm=ls", ... (scopectl trace -t/-f). One policy a scope, named by
 * `name` or `name`-N. */
int policy_from_filters(const char *const *filters, size_t n, const char *name, Policy ***ret, size_t *ret_n,
                        ProblemList *problems);
