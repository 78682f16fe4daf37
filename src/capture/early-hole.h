/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Holes that came before what they belong to is known. The queue of holes is read apart from the ring: a hole may be told
 * before the head of its operation was read (key: the operation), and the first write to a file may be the one that found no
 * room (operation 0; key: the file). They wait here until the head, or something else of the file, comes. Bounded: when there
 * are too many, those that have waited longest go; the kernel side's counters have them all the same. */

#include <stddef.h>
#include <stdint.h>

#include "../../bpf/abi/artifact.h"

typedef struct EarlyHoles EarlyHoles;

typedef struct EarlyHole {
        uint64_t offset, size;
        uint8_t flags;                  /* enum sct_chunk_flags, of the operation */
} EarlyHole;

EarlyHoles *early_holes_free(EarlyHoles *e);
/* `*e` is made when it is NULL. -ENOMEM. */
int early_holes_add(EarlyHoles **e, const struct sct_hole *h);
/* In the order in which they came; they are not here any more. Caller frees; NULL and 0 when there are none. `e` may be
 * NULL. */
EarlyHole *early_holes_take_operation(EarlyHoles *e, uint64_t operation, size_t *ret_n);
EarlyHole *early_holes_take_file(EarlyHoles *e, uint64_t dev, uint64_t inode, uint32_t inode_generation, size_t *ret_n);
