/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* After work that took much and will not be done again soon: gives free memory of the heap back, and lets go of the pages of
 * the executable's read-only data (the BPF objects are the most of it), which come back from the page cache when they are
 * read. Takes a quarter of a millisecond with the shipped policies. */
void memory_give_back(void);
