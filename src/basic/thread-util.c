/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "macro.h"
#include "thread-util.h"

typedef struct Start {
        void *(*run)(void *);
        void *userdata;
} Start;

/* Of a thread, not of the process, whatever POSIX says: setpriority(2). */
static void be_nice(void) {
        id_t self = (id_t) gettid();
        int nice;

        errno = 0;
        nice = getpriority(PRIO_PROCESS, self);
        if (errno == 0 && nice < 0)
                (void) setpriority(PRIO_PROCESS, self, 0);
}

static void *thread_main(void *userdata) {
        Start start = *(Start *) userdata;

        free(userdata);
        be_nice();
        return start.run(start.userdata);
}

int worker_thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *userdata) {
        Start *start = new(Start, 1);
        sigset_t all, saved;
        int r;

        if (!start)
                return -ENOMEM;
        *start = (Start) { .run = run, .userdata = userdata };
        sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &saved);
        r = pthread_create(ret, NULL, thread_main, start);
        (void) pthread_sigmask(SIG_SETMASK, &saved, NULL);
        if (r != 0) {
                free(start);
                return -r;
        }
        (void) pthread_setname_np(*ret, name);
        return 0;
}
