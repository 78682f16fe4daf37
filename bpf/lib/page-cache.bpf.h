/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

/* Reads a file's bytes out of the page cache, whoever still has the file open and whatever its name is now. What is not
 * resident is told as such: nothing is ever fetched from here. A page may be dropped and used for something else while
 * it is copied, because programs cannot take references; so the caller asks again after copying whether the same page
 * still stands at the same place, and throws the copy away if not.
 *
 * Where a page stands in memory follows from one known pair of page and address: both arrays are linear. The pair is
 * found once, by sct_x_direct (image.bpf.c). */

#include "compat.bpf.h"

#define SCT_PAGE_SHIFT 12
#define SCT_PAGE_SIZE (1U << SCT_PAGE_SHIFT)

struct sct_direct {
        u64 page;                    /* a struct page */
        u64 address;                 /* and where its memory is mapped; 0: not known, nothing can be read */
};

struct {                             /* owner: kernel side, once; restart: kept */
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, u32);
        __type(value, struct sct_direct);
} sct_art_direct __weak SEC(".maps");

/* Entries of an xarray (include/linux/xarray.h): the two lowest bits are 10 for nodes and siblings, the lowest is 1 for
 * what is no page (swapped out, evicted). */
#define XA_CHUNK_SHIFT 6
#define XA_CHUNK_SIZE (1 << XA_CHUNK_SHIFT)
#define XA_INTERNAL 2UL
#define XA_IS_INTERNAL(e) (((e) & 3) == XA_INTERNAL)
#define XA_IS_NODE(e) (XA_IS_INTERNAL(e) && (e) > 4096)
#define XA_IS_SIBLING(e) (XA_IS_INTERNAL(e) && (e) >> 2 < XA_CHUNK_SIZE)

static __always_inline u64 xa_slot(u64 node, u32 i) {
        u64 entry = 0;

        bpf_probe_read_kernel(&entry, sizeof(entry),
                              (void *) (node + bpf_core_field_offset(struct xa_node, slots) + 8 * i));
        return entry;
}

/* The entry for `index`; 0: none. */
static __always_inline u64 xa_find(u64 xa, u64 index) {
        u64 entry = (u64) BPF_CORE_READ((struct xarray *) xa, xa_head), node;
        u32 shift, slot;

        if (!XA_IS_NODE(entry))
                return index ? 0 : entry;
        /* 6 bits a level: 7 levels cover 4,398,046,511,104 pages. */
        for (int level = 0; level < 7; level++) {
                node = entry - XA_INTERNAL;
                shift = BPF_CORE_READ((struct xa_node *) node, shift);
                if (shift > 60)
                        return 0;
                if (level == 0 && index >> shift >= XA_CHUNK_SIZE)
                        return 0;
                slot = (index >> shift) & (XA_CHUNK_SIZE - 1);
                entry = xa_slot(node, slot);
                if (XA_IS_SIBLING(entry))
                        entry = xa_slot(node, (entry >> 2) & (XA_CHUNK_SIZE - 1));
                if (!shift || !XA_IS_NODE(entry))
                        return entry;
        }
        return 0;
}

/* The struct page of page `index` of the mapping, when it is resident and holds what the file does; 0: not so. A function of
 * its own, so that the walk is verified once. */
__weak __noinline u64 page_cache_find(u64 mapping, u64 index) {
        u64 folio = xa_find(mapping + bpf_core_field_offset(struct address_space, i_pages), index), flags = 0, first;

        if (!folio || folio & 3)
                return 0;
        /* Always the first word, but its type changed (6.18). */
        bpf_probe_read_kernel(&flags, sizeof(flags), (void *) folio);
        if (!(flags >> bpf_core_enum_value(enum pageflags, PG_uptodate) & 1))
                return 0;
        if ((u64) BPF_CORE_READ((struct folio *) folio, mapping) != mapping)
                return 0;
        first = BPF_CORE_READ((struct folio *) folio, index);
        if (index < first || index - first > 1 << 18)
                return 0;
        return folio + (index - first) * bpf_core_type_size(struct page);
}

/* Where its memory is mapped; 0: not known. */
static __always_inline u64 page_address(u64 page) {
        struct sct_direct *direct;
        u32 zero = 0;

        direct = bpf_map_lookup_elem(&sct_art_direct, &zero);
        if (!direct || !direct->address)
                return 0;
        /* A struct page has 64 bytes: sct_x_direct refuses others. */
        return direct->address + ((s64) (page - direct->page) >> 6 << SCT_PAGE_SHIFT);
}
