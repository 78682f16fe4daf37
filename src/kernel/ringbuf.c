/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring as an event source. A record that wakes a sleeping reader costs the traced program 12 to 14 us, one that does
 * not 60 ns; so the reader comes by itself every few milliseconds while there is work, sleeps without a timer when there
 * is none, and tells the kernel side which of the two holds (state.h, SCT_READER_*). */

#include <sys/epoll.h>
#include <time.h>

#include "kernel-internal.h"
#include "state.h"

#define TICK_USEC (10 * USEC_PER_MSEC)  /* bounds the latency of a record */
#define IDLE_TICKS 20                   /* ticks without a record until the timer is given up */
#define WAKEUP_PART 4                   /* of the ring: what may wait until the reader is woken before its time */
#define BATCH_MAX 192                   /* records until the rest of the loop gets its turn: a fraction of a millisecond */

#define BATCH_FULL 1

static int on_sample(void *userdata, void *data, size_t size) {
        Kernel *k = userdata;

        k->on_record(data, size, k->userdata);
        return ++k->n_batch >= BATCH_MAX ? BATCH_FULL : 0;
}

int ringbuf_open(Kernel *k) {
        struct bpf_map *map = probes_map(k, "sct_ring");

        assert(map);
        k->ring_bytes = bpf_map__max_entries(map);
        k->state->wakeup_bytes = k->ring_bytes / WAKEUP_PART;
        return ring_reader_new(bpf_map__fd(map), k->ring_bytes, &k->ring);
}

void ringbuf_close(Kernel *k) {
        sd_event_source_disable_unref(k->io_source);
        sd_event_source_disable_unref(k->timer_source);
        sd_event_source_disable_unref(k->more_source);
        k->io_source = k->timer_source = k->more_source = NULL;
        k->ring = ring_reader_free(k->ring);
}

/* One batch. Returns true when more is waiting. */
static bool read_batch(Kernel *k) {
        int r;

        k->n_batch = 0;
        r = ring_reader_read(k->ring, on_sample, k);
        if (k->n_batch > 0 && k->on_batch)
                k->on_batch(k->userdata);
        /* Now that the batch is written: a successor reads again what this process did not come to write. */
        ring_reader_release(k->ring);
        return r == BATCH_FULL;
}

static void set_reader(Kernel *k, enum sct_reader_state state) {
        __atomic_store_n(&k->state->reader, state, __ATOMIC_SEQ_CST);
}

static void arm_timer(Kernel *k) {
        uint64_t now;

        if (sd_event_now(sd_event_source_get_event(k->timer_source), CLOCK_MONOTONIC, &now) < 0)
                return;
        (void) sd_event_source_set_time(k->timer_source, now + TICK_USEC);
        (void) sd_event_source_set_enabled(k->timer_source, SD_EVENT_ONESHOT);
}

/* Reads, and decides how the reader comes back: at once, by timer, or woken by the next record. */
static void serve(Kernel *k) {
        set_reader(k, SCT_READER_AWAKE);
        if (read_batch(k)) {
                k->n_idle_ticks = 0;
                (void) sd_event_source_set_enabled(k->more_source, SD_EVENT_ONESHOT);
                return;
        }
        k->n_idle_ticks = k->n_batch > 0 ? 0 : k->n_idle_ticks + 1;
        if (k->n_idle_ticks < IDLE_TICKS) {
                set_reader(k, SCT_READER_TIMER);
                arm_timer(k);
                return;
        }
        set_reader(k, SCT_READER_ASLEEP);
        /* A record that came between the last read and the word above has woken nobody. */
        if (read_batch(k) || k->n_batch > 0) {
                k->n_idle_ticks = 0;
                set_reader(k, SCT_READER_TIMER);
                arm_timer(k);
        }
}

static int on_ring(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        serve(userdata);
        return 0;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        serve(userdata);
        return 0;
}

static int on_more(sd_event_source *source, void *userdata) {
        serve(userdata);
        return 0;
}

int kernel_attach_event(Kernel *k, sd_event *event, int64_t priority, KernelRecordHandler on_record,
                        KernelBatchHandler on_batch, void *userdata) {
        int r;

        assert(k);
        assert(on_record);

        k->on_record = on_record;
        k->on_batch = on_batch;
        k->userdata = userdata;

        /* By edge, and the ring itself: by level, every turn of the loop that finds a record in it comes back at once, and
         * no timer would ever be waited for while events flow. */
        r = sd_event_add_io(event, &k->io_source, map_fd(k, "sct_ring"), EPOLLIN | EPOLLET, on_ring, k);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &k->timer_source, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_tick, k);
        if (r >= 0)
                r = sd_event_add_defer(event, &k->more_source, on_more, k);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(k->more_source, SD_EVENT_OFF);
        (void) sd_event_source_set_description(k->io_source, "ring");
        (void) sd_event_source_set_description(k->timer_source, "ring-timer");
        (void) sd_event_source_set_description(k->more_source, "ring-more");
        (void) sd_event_source_set_priority(k->io_source, priority);
        (void) sd_event_source_set_priority(k->timer_source, priority);
        (void) sd_event_source_set_priority(k->more_source, priority);

        /* Where /proc does not show it, long names that change are noticed at the next change of the policy set. */
        (void) node_name_watch(k, event, priority);
        return 0;
}

int kernel_drain(Kernel *k) {
        int n = 0;

        if (!k->on_record)
                return 0;
        for (bool more = true; more;) {
                more = read_batch(k);
                n += k->n_batch;
        }
        return n;
}
