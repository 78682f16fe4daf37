/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The service manager's descriptor store: what outlives the daemon. */

#include <stdbool.h>
#include <stddef.h>

#include "../basic/buffer.h"
#include "../kernel/kernel.h"
#include "state.h"

typedef struct FdStore FdStore;

int fd_store_new(FdStore **ret);
FdStore *fd_store_free(FdStore *s);
static inline void fd_store_freep(FdStore **s) {
        fd_store_free(*s);
}

/* Takes over what a predecessor left. 1: *ret_fds (caller owns the array and the descriptors) and *ret_state are
 * filled; 0: there was nothing, or nothing that this version can use: *ret_reason then says why (static string) or is
 * NULL, and all of it is dropped from the store. */
int fd_store_adopt(FdStore *s, KernelFd **ret_fds, size_t *ret_n, SavedState *ret_state, const char **ret_reason);
/* Makes the store hold exactly these descriptors and this state. Nothing happens without a service manager. */
int fd_store_update(FdStore *s, Kernel *kernel, const Buffer *state);
/* Drops everything that was adopted or pushed. */
void fd_store_clear(FdStore *s);
