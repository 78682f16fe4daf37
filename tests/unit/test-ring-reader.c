/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* RingReader against a ring in memory that is laid out as the kernel's: every record once and whole, also where the
 * ring ends in its middle, in the order in which they were reserved, and no room given back that was not read. */

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/ring-reader.h"
#include "test.h"

#define BYTES 65536U

typedef struct Ring {
        int fd;
        size_t page;
        uint8_t *memory;
        RingReader *reader;
} Ring;

static void ring_begin(Ring *r) {
        r->page = (size_t) sysconf(_SC_PAGESIZE);
        r->fd = memfd_create("ring", MFD_CLOEXEC);
        ASSERT_TRUE(r->fd >= 0);
        ASSERT_OK(ftruncate(r->fd, (off_t) (2 * r->page + BYTES)));
        r->memory = mmap(NULL, 2 * r->page + BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
        ASSERT_TRUE(r->memory != MAP_FAILED);
        ASSERT_OK(ring_reader_new(r->fd, BYTES, &r->reader));
}

static void ring_end(Ring *r) {
        ring_reader_free(r->reader);
        munmap(r->memory, 2 * r->page + BYTES);
        close(r->fd);
}

static uint64_t *consumer(Ring *r) {
        return (uint64_t *) r->memory;
}

static uint64_t *producer(Ring *r) {
        return (uint64_t *) (r->memory + r->page);
}

static uint8_t *at(Ring *r, uint64_t position) {
        return r->memory + 2 * r->page + position % BYTES;
}

/* Returns where its head stands. Each byte tells its record and its place. */
static uint64_t put(Ring *r, uint32_t length, uint32_t flags, uint8_t seed) {
        uint64_t head = *producer(r);

        memcpy(at(r, head), &(uint32_t) { length | flags }, 4);
        for (uint32_t i = 0; i < length; i++)
                *at(r, head + 8 + i) = (uint8_t) (seed + i * 7);
        *producer(r) = head + (8 + length + 7) / 8 * 8;
        return head;
}

typedef struct Seen {
        uint32_t n, n_max;              /* n_max: the handler ends the batch there */
        uint32_t lengths[4096];
        uint8_t seeds[4096];
        bool broken;
} Seen;

static int on_record(void *userdata, void *data, size_t size) {
        Seen *s = userdata;
        const uint8_t *bytes = data;

        s->seeds[s->n % ELEMENTSOF(s->seeds)] = size > 0 ? bytes[0] : 0;
        s->lengths[s->n++ % ELEMENTSOF(s->lengths)] = (uint32_t) size;
        for (size_t i = 0; i < size; i++)
                if (bytes[i] != (uint8_t) (bytes[0] + i * 7))
                        s->broken = true;
        return s->n_max > 0 && s->n >= s->n_max ? 7 : 0;
}

TEST(empty) {
        Ring r = {};
        Seen s = {};

        ring_begin(&r);
        ASSERT_EQ(ring_reader_read(r.reader, on_record, &s), 0);
        ASSERT_EQ(s.n, 0);
        ring_end(&r);
}

/* Many rounds of records of all lengths: each one wraps at some time. */
TEST(rounds) {
        Ring r = {};
        uint32_t length = 1, n = 0;

        ring_begin(&r);
        while (*producer(&r) < 200 * BYTES) {
                Seen s = {};
                uint32_t k, first = length;

                for (k = 0; k < 5; k++) {
                        put(&r, length, 0, (uint8_t) (n + k));
                        length = length * 5 % 10007 + 1;
                }
                ASSERT_EQ(ring_reader_read(r.reader, on_record, &s), 0);
                ring_reader_release(r.reader);
                ASSERT_EQ(s.n, 5);
                ASSERT_FALSE(s.broken);
                for (k = 0; k < 5; k++) {
                        ASSERT_EQ(s.lengths[k], first);
                        ASSERT_EQ(s.seeds[k], (uint8_t) (n + k));
                        first = first * 5 % 10007 + 1;
                }
                ASSERT_EQ_U64(*consumer(&r), *producer(&r));
                n += 5;
        }
        ring_end(&r);
}

/* What is reserved and not committed holds up what comes behind it, until it is committed or discarded. */
TEST(busy_and_discarded) {
        Ring r = {};
        Seen s = {};
        uint64_t head, other;

        ring_begin(&r);
        put(&r, 10, 0, 1);
        head = put(&r, 20, BPF_RINGBUF_BUSY_BIT, 2);
        put(&r, 30, 0, 3);
        other = put(&r, 40, BPF_RINGBUF_BUSY_BIT, 4);
        put(&r, 50, 0, 5);
        ASSERT_EQ(ring_reader_read(r.reader, on_record, &s), 0);
        ASSERT_EQ(s.n, 1);
        memcpy(at(&r, head), &(uint32_t) { 20 | BPF_RINGBUF_DISCARD_BIT }, 4);
        ASSERT_EQ(ring_reader_read(r.reader, on_record, &s), 0);
        ASSERT_EQ(s.n, 2);
        ASSERT_EQ(s.lengths[1], 30);
        memcpy(at(&r, other), &(uint32_t) { 40 }, 4);
        ASSERT_EQ(ring_reader_read(r.reader, on_record, &s), 0);
        ASSERT_EQ(s.n, 4);
        ASSERT_EQ(s.lengths[2], 40);
        ASSERT_EQ(s.lengths[3], 50);
        ring_end(&r);
}

/* The handler ends a batch behind the record that it ends with. What was not given back is there for the next reader. */
TEST(batch_and_release) {
        Ring r = {};
        Seen s = { .n_max = 2 };
        RingReader *next;

        ring_begin(&r);
        for (uint8_t i = 0; i < 4; i++)
                put(&r, 8, 0, i);
        ASSERT_EQ(ring_reader_read(r.reader, on_record, &s), 7);
        ASSERT_EQ(s.n, 2);
        ASSERT_EQ_U64(*consumer(&r), 0);
        ring_reader_release(r.reader);
        ASSERT_EQ_U64(*consumer(&r), 32);
        s.n_max = 0;
        ASSERT_EQ(ring_reader_read(r.reader, on_record, &s), 0);
        ASSERT_EQ(s.n, 4);
        ASSERT_OK(ring_reader_new(r.fd, BYTES, &next));
        s.n = 0;
        ASSERT_EQ(ring_reader_read(next, on_record, &s), 0);
        ASSERT_EQ(s.n, 2);
        ASSERT_EQ(s.seeds[0], 2);
        ring_reader_free(next);
        ring_end(&r);
}

/* Room comes back while a long batch is read. */
TEST(room_comes_back) {
        Ring r = {};
        Seen s = { .n_max = 50 };

        ring_begin(&r);
        for (uint8_t i = 0; i < 60; i++)
                put(&r, 1000, 0, i);
        ASSERT_EQ(ring_reader_read(r.reader, on_record, &s), 7);
        ASSERT_GT(*consumer(&r), 40 * 1008);
        ASSERT_LE(*consumer(&r), 50 * 1008);
        ring_end(&r);
}

TEST(no_ring) {
        RingReader *reader = NULL;

        ASSERT_ERROR(ring_reader_new(-1, BYTES, &reader), EBADF);
        ASSERT_NULL(reader);
}

TEST_MAIN()
