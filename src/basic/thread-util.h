/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <pthread.h>

/* A thread for work that may take long: it gets no signals (they are the loop's), and no more of the processors than anybody
 * (a negative nice value is for the loop alone: events and the bus do not wait for copies and digests). `name`: up to 15
 * bytes. Returns a negative errno; join it by pthread_join(). */
int worker_thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *userdata);
