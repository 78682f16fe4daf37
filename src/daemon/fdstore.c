/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service manager's descriptor store. Descriptors of the kernel layer go by its own names; the state memory file
 * alternates between two names, so that at every moment one whole state is in the store. Invariant: what the store
 * holds under a name is what was pushed last. Never fails the service: without a store a restart
 * merely starts clean. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "../basic/fd-util.h"
#include "../basic/string-util.h"
#include "fdstore.h"

#define STATE_NAME "state-"
#define FDS_MAX 4096U

typedef struct StoredFd {
        char name[sizeof(((KernelFd *) NULL)->name)];
        int fd;                 /* number and inode tell whether it is still the same object */
        ino_t inode;
        bool seen;
} StoredFd;

struct FdStore {
        bool usable;            /* there is a service manager */
        StoredFd *stored;
        size_t n_stored, n_stored_allocated;
        unsigned state_serial;
        bool has_state;
};

int fd_store_new(FdStore **ret) {
        FdStore *s = new0(FdStore, 1);

        if (!s)
                return -ENOMEM;
        s->usable = !isempty(getenv("NOTIFY_SOCKET"));
        *ret = s;
        return 0;
}

FdStore *fd_store_free(FdStore *s) {
        if (!s)
                return NULL;
        free(s->stored);
        free(s);
        return NULL;
}

static int push(const char *name, int fd) {
        char text[128];

        (void) snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
        return sd_pid_notify_with_fds(0, 0, text, &fd, 1);
}

static void drop(const char *name) {
        char text[128];

        (void) snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
        (void) sd_notify(0, text);
}

static StoredFd *stored_find(FdStore *s, const char *name) {
        for (size_t i = 0; i < s->n_stored; i++)
                if (streq(s->stored[i].name, name))
                        return &s->stored[i];
        return NULL;
}

static ino_t fd_inode(int fd) {
        struct stat st;

        return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

static int stored_add(FdStore *s, const char *name, int fd) {
        if (!GREEDY_REALLOC(s->stored, s->n_stored_allocated, s->n_stored + 1))
                return -ENOMEM;
        s->stored[s->n_stored] = (StoredFd) { .fd = fd, .inode = fd_inode(fd), .seen = true };
        (void) snprintf(s->stored[s->n_stored].name, sizeof(s->stored[0].name), "%s", name);
        s->n_stored++;
        return 0;
}

/* --- what a predecessor left --- */

static int read_state(int fd, SavedState *ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = memfd_check_sealed(fd);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        r = read_full_fd(fd, STATE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r;
        return state_load(text, size, ret);
}

/* Of two states the one that knows the newer generation: the other was about to be removed. */
static int read_states(FdStore *s, const int *fds, char *const *names, size_t n, SavedState *ret) {
        int error = -ENOENT;
        bool found = false;

        for (size_t i = 0; i < n; i++) {
                _cleanup_(saved_state_done) SavedState state = {};
                const char *serial = startswith(names[i], STATE_NAME);
                int r;

                if (!serial)
                        continue;
                r = read_state(fds[i], &state);
                if (r < 0) {
                        error = r;
                        continue;
                }
                if (found && (state.n_maps == 0 ||
                              (ret->n_maps > 0 &&
                               rule_map_generation(state.maps[0]) < rule_map_generation(ret->maps[0]))))
                        continue;
                saved_state_done(ret);
                *ret = state;
                state = (SavedState) {};
                s->state_serial = streq(serial, "1");
                found = true;
        }
        s->has_state = found;
        return found ? 0 : error;
}

static int take_fds(FdStore *s, int *fds, char *const *names, size_t n, KernelFd **ret, size_t *ret_n) {
        KernelFd *taken = new0(KernelFd, n + 1);
        size_t n_taken = 0;

        if (!taken)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (startswith(names[i], STATE_NAME) || strlen(names[i]) >= sizeof(taken[0].name)) {
                        safe_close(fds[i]);
                        continue;
                }
                (void) snprintf(taken[n_taken].name, sizeof(taken[0].name), "%s", names[i]);
                taken[n_taken++].fd = fds[i];
                /* Unknown what the kernel layer will make of it: the next update says. */
                if (stored_add(s, names[i], -EBADF) < 0)
                        break;
        }
        *ret = taken;
        *ret_n = n_taken;
        return 0;
}

int fd_store_adopt(FdStore *s, KernelFd **ret_fds, size_t *ret_n, SavedState *ret_state, const char **ret_reason) {
        _cleanup_strv_free_ char **names = NULL;
        int fds[FDS_MAX], n, r;

        *ret_fds = NULL;
        *ret_n = 0;
        *ret_reason = NULL;
        n = sd_listen_fds_with_names(true, &names);
        if (n <= 0)
                return n;
        n = MIN(n, (int) FDS_MAX);
        for (int i = 0; i < n; i++)
                fds[i] = SD_LISTEN_FDS_START + i;

        r = read_states(s, fds, names, (size_t) n, ret_state);
        if (r < 0) {
                *ret_reason = r == -EPROTONOSUPPORT ? "it is of another version" :
                              r == -ENOENT ? "its state is missing" : "its state cannot be read";
                for (int i = 0; i < n; i++) {
                        drop(names[i]);
                        safe_close(fds[i]);
                }
                return r == -ENOMEM ? r : 0;
        }
        r = take_fds(s, fds, names, (size_t) n, ret_fds, ret_n);
        return r < 0 ? r : 1;
}

/* --- what a successor will need --- */

static int update_state(FdStore *s, const Buffer *state) {
        _cleanup_close_ int fd = -EBADF;
        unsigned serial = s->has_state ? !s->state_serial : 0;
        char name[32];
        int r;

        r = memfd_new_sealed("scopetrace-state", state->data, state->size, &fd);
        if (r < 0)
                return r;
        (void) snprintf(name, sizeof(name), STATE_NAME "%u", serial);
        r = push(name, fd);
        if (r < 0)
                return r;
        if (s->has_state) {
                (void) snprintf(name, sizeof(name), STATE_NAME "%u", s->state_serial);
                drop(name);
        }
        s->state_serial = serial;
        s->has_state = true;
        return 0;
}

int fd_store_update(FdStore *s, Kernel *kernel, const Buffer *state) {
        _cleanup_free_ KernelFd *fds = NULL;
        size_t n;
        int r = 0;

        if (!s->usable)
                return 0;
        fds = new0(KernelFd, FDS_MAX);
        if (!fds)
                return -ENOMEM;
        n = MIN(kernel_list_fds(kernel, fds, FDS_MAX), (size_t) FDS_MAX);

        for (size_t i = 0; i < s->n_stored; i++)
                s->stored[i].seen = false;
        for (size_t i = 0; i < n && r >= 0; i++) {
                StoredFd *stored = stored_find(s, fds[i].name);

                if (stored && stored->fd == fds[i].fd && stored->inode == fd_inode(fds[i].fd)) {
                        stored->seen = true;
                        continue;
                }
                if (stored)
                        drop(stored->name);
                r = push(fds[i].name, fds[i].fd);
                if (r < 0)
                        break;
                if (stored) {
                        stored->fd = fds[i].fd;
                        stored->inode = fd_inode(fds[i].fd);
                        stored->seen = true;
                } else
                        r = stored_add(s, fds[i].name, fds[i].fd);
        }
        for (size_t i = s->n_stored; i > 0; i--)
                if (!s->stored[i - 1].seen) {
                        drop(s->stored[i - 1].name);
                        s->stored[i - 1] = s->stored[--s->n_stored];
                }
        return r < 0 ? r : update_state(s, state);
}

void fd_store_clear(FdStore *s) {
        char name[32];

        for (size_t i = 0; i < s->n_stored; i++)
                drop(s->stored[i].name);
        s->n_stored = 0;
        if (s->has_state) {
                (void) snprintf(name, sizeof(name), STATE_NAME "%u", s->state_serial);
                drop(name);
                s->has_state = false;
        }
}
