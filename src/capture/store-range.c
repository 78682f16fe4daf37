/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranges of bytes: sorted, without overlap, neighbours joined. A list that grows past its limit joins the two with the least
 * between them: it then claims more than is true, never less. */

#include "store-internal.h"

static size_t first_ending_at_or_after(const ArtifactRange *ranges, size_t n, uint64_t offset) {
        size_t low = 0, high = n;

        while (low < high) {
                size_t mid = (low + high) / 2;

                if (ranges[mid].offset + ranges[mid].size < offset)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

static void join_closest(ArtifactRange *ranges, size_t *n) {
        uint64_t best = UINT64_MAX;
        size_t at = 0;

        for (size_t i = 0; i + 1 < *n; i++) {
                uint64_t gap = ranges[i + 1].offset - (ranges[i].offset + ranges[i].size);

                if (gap < best) {
                        best = gap;
                        at = i;
                }
        }
        ranges[at].size = ranges[at + 1].offset + ranges[at + 1].size - ranges[at].offset;
        memmove(&ranges[at + 1], &ranges[at + 2], (*n - at - 2) * sizeof(*ranges));
        (*n)--;
}

/* Returns 1 when something was added, 0 when all of it was there. */
int range_add(ArtifactRange **ranges, size_t *n, size_t *n_allocated, uint64_t offset, uint64_t size) {
        uint64_t begin = offset, end;
        size_t first, last;

        if (size == 0)
                return 0;
        if (size > UINT64_MAX - offset)
                size = UINT64_MAX - offset;
        end = offset + size;

        first = first_ending_at_or_after(*ranges, *n, offset);
        if (first < *n && (*ranges)[first].offset <= offset &&
            (*ranges)[first].offset + (*ranges)[first].size >= end)
                return 0;

        for (last = first; last < *n && (*ranges)[last].offset <= end; last++) {
                begin = MIN(begin, (*ranges)[last].offset);
                end = MAX(end, (*ranges)[last].offset + (*ranges)[last].size);
        }
        if (last == first) {
                if (!GREEDY_REALLOC(*ranges, *n_allocated, *n + 1))
                        return -ENOMEM;
                memmove(*ranges + first + 1, *ranges + first, (*n - first) * sizeof(**ranges));
                (*n)++;
        } else {
                memmove(*ranges + first + 1, *ranges + last, (*n - last) * sizeof(**ranges));
                *n -= last - first - 1;
        }
        (*ranges)[first] = (ArtifactRange) { .offset = begin, .size = end - begin };
        if (*n > STORE_HOLES_MAX)
                join_closest(*ranges, n);
        return 1;
}

/* What has come after all. A range that is cut in two needs room that is not here: its upper part is handed back for
 * range_add(), size 0 when there is none. */
void range_subtract(ArtifactRange *ranges, size_t *n, uint64_t offset, uint64_t size, ArtifactRange *reterr_rest) {
        uint64_t end = size > UINT64_MAX - offset ? UINT64_MAX : offset + size;
        size_t i, kept;

        *reterr_rest = (ArtifactRange) {};
        i = kept = first_ending_at_or_after(ranges, *n, offset);
        for (; i < *n; i++) {
                ArtifactRange r = ranges[i];
                uint64_t r_end = r.offset + r.size;

                if (r.offset >= end || r_end <= offset) {
                        ranges[kept++] = r;
                        continue;
                }
                if (r.offset < offset) {
                        ranges[kept++] = (ArtifactRange) { .offset = r.offset, .size = offset - r.offset };
                        if (r_end > end)
                                *reterr_rest = (ArtifactRange) { .offset = end, .size = r_end - end };
                } else if (r_end > end)
                        ranges[kept++] = (ArtifactRange) { .offset = end, .size = r_end - end };
        }
        *n = kept;
}

uint64_t range_bytes(const ArtifactRange *ranges, size_t n) {
        uint64_t sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += ranges[i].size;
        return sum;
}
