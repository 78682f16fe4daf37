/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>

#include <uthash.h>

#include "../basic/macro.h"
#include "early-hole.h"

#define HOLES_MAX 65536U

typedef struct Key {
        uint64_t operation, dev, inode;
        uint64_t inode_generation;      /* as wide as the others: no padding in what is hashed */
} Key;

typedef struct Owner {
        Key key;
        EarlyHole *items;
        size_t n, n_allocated;
        UT_hash_handle hh;
} Owner;

struct EarlyHoles {
        Owner *owners;                  /* in order of their first hole */
        size_t n;
};

static Key key_of(const struct sct_hole *h) {
        if (h->operation != 0)
                return (Key) { .operation = h->operation };
        return (Key) { .dev = h->dev, .inode = h->inode, .inode_generation = h->inode_generation };
}

static void owner_remove(EarlyHoles *e, Owner *o) {
        HASH_DELETE(hh, e->owners, o);
        e->n -= o->n;
        free(o->items);
        free(o);
}

EarlyHoles *early_holes_free(EarlyHoles *e) {
        if (!e)
                return NULL;
        while (e->owners)
                owner_remove(e, e->owners);
        free(e);
        return NULL;
}

int early_holes_add(EarlyHoles **e, const struct sct_hole *h) {
        Key key = key_of(h);
        Owner *o = NULL;

        if (!*e)
                *e = new0(EarlyHoles, 1);
        if (!*e)
                return -ENOMEM;
        HASH_FIND(hh, (*e)->owners, &key, sizeof(key), o);
        if (!o) {
                o = new0(Owner, 1);
                if (!o)
                        return -ENOMEM;
                o->key = key;
                HASH_ADD(hh, (*e)->owners, key, sizeof(o->key), o);
        }
        if (o->n > 0 && o->items[o->n - 1].flags == h->flags &&
            o->items[o->n - 1].offset + o->items[o->n - 1].size == h->offset) {
                o->items[o->n - 1].size += h->size;
                return 0;
        }
        if (!GREEDY_REALLOC(o->items, o->n_allocated, o->n + 1))
                return -ENOMEM;
        o->items[o->n++] = (EarlyHole) { .offset = h->offset, .size = h->size, .flags = h->flags };
        (*e)->n++;
        while ((*e)->n > HOLES_MAX)
                owner_remove(*e, (*e)->owners);
        return 0;
}

static EarlyHole *take(EarlyHoles *e, const Key *key, size_t *ret_n) {
        EarlyHole *items;
        Owner *o = NULL;

        *ret_n = 0;
        if (e)
                HASH_FIND(hh, e->owners, key, sizeof(*key), o);
        if (!o)
                return NULL;
        items = TAKE_PTR(o->items);
        *ret_n = o->n;
        owner_remove(e, o);
        return items;
}

EarlyHole *early_holes_take_operation(EarlyHoles *e, uint64_t operation, size_t *ret_n) {
        return take(e, &(Key) { .operation = operation }, ret_n);
}

EarlyHole *early_holes_take_file(EarlyHoles *e, uint64_t dev, uint64_t inode, uint32_t inode_generation, size_t *ret_n) {
        return take(e, &(Key) { .dev = dev, .inode = inode, .inode_generation = inode_generation }, ret_n);
}
