/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* journald's native protocol. A field is `NAME=value\n`, or `NAME\n`, 64 bits little endian of length, value, `\n`
 * when the value has a newline in it. Invariant: nothing here waits; a full socket is -EAGAIN. Checks no field
 * names. */

#include <endian.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fd-util.h"
#include "journal-native.h"

/* As libsystemd asks for: what the kernel grants is capped by wmem_max, unless the service may pass that. */
#define JOURNAL_SNDBUF (8 * 1024 * 1024)

static int add_binary(Buffer *b, const void *name, size_t name_size, const void *value, size_t size) {
        uint64_t le = htole64(size);

        (void) buffer_add(b, name, name_size);
        (void) buffer_add_char(b, '\n');
        (void) buffer_add(b, &le, sizeof(le));
        (void) buffer_add(b, value, size);
        return buffer_add_char(b, '\n');
}

int journal_add_item(Buffer *b, const void *item, size_t size) {
        const char *equal;

        if (likely(!memchr(item, '\n', size))) {
                (void) buffer_add(b, item, size);
                return buffer_add_char(b, '\n');
        }
        equal = memchr(item, '=', size);
        if (!equal)
                return -EINVAL;
        return add_binary(b, item, (size_t) (equal - (const char *) item), equal + 1,
                          size - (size_t) (equal + 1 - (const char *) item));
}

int journal_add_field(Buffer *b, const char *name, const void *value, size_t size) {
        if (memchr(value, '\n', size))
                return add_binary(b, name, strlen(name), value, size);

        (void) buffer_add_string(b, name);
        (void) buffer_add_char(b, '=');
        (void) buffer_add(b, value, size);
        return buffer_add_char(b, '\n');
}

int journal_connect(const char *path) {
        union {
                struct sockaddr sa;
                struct sockaddr_un un;
        } address = { .un.sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        int size = JOURNAL_SNDBUF;

        path = path ?: secure_getenv("SCOPETRACE_JOURNAL_SOCKET") ?: JOURNAL_SOCKET;
        if (strlen(path) >= sizeof(address.un.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.un.sun_path, path);

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
                (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        if (connect(fd, &address.sa, sizeof(address.un)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int journal_send_memfd(int fd, const void *data, size_t size) {
        _cleanup_close_ int memfd = -EBADF;
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {
                .header = {
                        .cmsg_len = CMSG_LEN(sizeof(int)),
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                },
        };
        struct msghdr mh = { .msg_control = &control, .msg_controllen = sizeof(control) };
        int r;

        r = memfd_new_sealed("journal-entry", data, size, &memfd);
        if (r < 0)
                return r;
        memcpy(CMSG_DATA(&control.header), &memfd, sizeof(int));
        return sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}
