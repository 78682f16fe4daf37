/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changed host names. The kernel side compares the first 16 bytes of the node name at each event; a change behind them,
 * in whatever namespace, is told by the sysctl file, which polls readable-with-priority then. All cached answers are
 * dropped: names change rarely. */

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "kernel-internal.h"
#include "state.h"

static int on_node_name(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Kernel *k = userdata;

        k->state->epoch++;
        return 0;
}

int node_name_watch(Kernel *k, sd_event *event, int64_t priority) {
        int fd = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;

        if (fd < 0)
                return -errno;
        r = sd_event_add_io(event, &k->node_name_source, fd, EPOLLPRI, on_node_name, k);
        if (r < 0) {
                safe_close(fd);
                return r;
        }
        (void) sd_event_source_set_io_fd_own(k->node_name_source, true);
        (void) sd_event_source_set_description(k->node_name_source, "node-name");
        (void) sd_event_source_set_priority(k->node_name_source, priority);
        return 0;
}

void node_name_unwatch(Kernel *k) {
        k->node_name_source = sd_event_source_disable_unref(k->node_name_source);
}
