/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring-reader.h"

#define RELEASE_PART 64         /* of the ring: what may be read before its room is given back */

/* What the kernel maps (kernel/bpf/ringbuf.c, since 5.8): a page with the consumer's position, one with the producer's, and
 * the data. Positions only grow. */
struct RingReader {
        uint64_t *consumer;             /* the one word that is ours to write */
        const uint64_t *producer;
        const uint8_t *data;
        size_t bytes, page;
        uint64_t position;              /* read up to here */
        uint64_t released;              /* and given back up to here */
        uint8_t *whole;                 /* a record that wraps, in one piece */
        size_t n_whole;
};

/* In front of each record: its length with two flags, and what only the kernel uses. */
struct record_head {
        uint32_t length;
        uint32_t page_offset;
};

int ring_reader_new(int fd, size_t bytes, RingReader **ret) {
        _cleanup_(ring_reader_freep) RingReader *r = new0(RingReader, 1);
        void *p;

        assert(ret);
        if (!r)
                return -ENOMEM;
        r->page = (size_t) sysconf(_SC_PAGESIZE);
        r->bytes = bytes;
        p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        r->consumer = p;
        p = mmap(NULL, r->page + bytes, PROT_READ, MAP_SHARED, fd, (off_t) r->page);
        if (p == MAP_FAILED)
                return -errno;
        r->producer = p;
        r->data = (const uint8_t *) p + r->page;
        r->position = r->released = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
        *ret = TAKE_PTR(r);
        return 0;
}

RingReader *ring_reader_free(RingReader *r) {
        if (!r)
                return NULL;
        if (r->consumer)
                munmap(r->consumer, r->page);
        if (r->producer)
                munmap((void *) r->producer, r->page + r->bytes);
        free(r->whole);
        free(r);
        return NULL;
}

void ring_reader_release(RingReader *r) {
        if (r->position == r->released)
                return;
        __atomic_store_n(r->consumer, r->position, __ATOMIC_RELEASE);
        r->released = r->position;
}

/* The record at an offset in one piece, NULL: no memory. */
static void *in_one_piece(RingReader *r, size_t offset, size_t size) {
        size_t first = r->bytes - offset;

        if (size <= first)
                return (void *) (r->data + offset);
        if (size > r->n_whole) {
                uint8_t *p = realloc(r->whole, size);

                if (!p)
                        return NULL;
                r->whole = p;
                r->n_whole = size;
        }
        memcpy(r->whole, r->data + offset, first);
        memcpy(r->whole + first, r->data, size - first);
        return r->whole;
}

int ring_reader_read(RingReader *r, RingRecordHandler on_record, void *userdata) {
        size_t mask = r->bytes - 1;
        int answer = 0;

        while (answer == 0) {
                uint64_t end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);

                if (r->position >= end)
                        break;
                while (answer == 0 && r->position < end) {
                        const struct record_head *head = (const void *) (r->data + (r->position & mask));
                        uint32_t length = __atomic_load_n(&head->length, __ATOMIC_ACQUIRE), size;

                        /* Reserved and not committed: what comes behind it waits, too. */
                        if (length & BPF_RINGBUF_BUSY_BIT)
                                return 0;
                        size = length & ~BPF_RINGBUF_DISCARD_BIT;
                        if (!(length & BPF_RINGBUF_DISCARD_BIT)) {
                                void *data = in_one_piece(r, (r->position + sizeof(*head)) & mask, size);

                                if (!data)
                                        return -ENOMEM;
                                answer = on_record(userdata, data, size);
                        }
                        r->position += (sizeof(*head) + (uint64_t) size + 7) / 8 * 8;
                        if (r->position - r->released >= r->bytes / RELEASE_PART)
                                ring_reader_release(r);
                }
        }
        return answer;
}
