/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../../src/basic/buffer.h"
#include "fake-journal.h"

int fake_journal_bind(const char *path) {
        struct sockaddr_un sun = { .sun_family = AF_UNIX };
        int fd;

        (void) unlink(path);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert(fd >= 0 && strlen(path) < sizeof(sun.sun_path));
        strcpy(sun.sun_path, path);
        if (bind(fd, (struct sockaddr *) &sun, sizeof(sun)) < 0)
                return -errno;
        return fd;
}

static const char *decode(const char *p, size_t size) {
        static Buffer b;
        const char *end = p + size;

        buffer_reset(&b);
        while (p < end) {
                const char *nl = memchr(p, '\n', (size_t) (end - p)), *equal = memchr(p, '=', (size_t) (end - p));
                uint64_t n;

                assert(nl);
                if (equal && equal < nl) {
                        (void) buffer_add(&b, p, (size_t) (nl + 1 - p));
                        p = nl + 1;
                        continue;
                }
                (void) buffer_add(&b, p, (size_t) (nl - p));
                (void) buffer_add_char(&b, '=');
                memcpy(&n, nl + 1, 8);
                n = le64toh(n);
                p = nl + 9;
                assert(n < (uint64_t) (end - p));
                for (uint64_t i = 0; i < n; i++)
                        if (p[i] == '\n')
                                (void) buffer_add_string(&b, "\\n");
                        else
                                (void) buffer_add_char(&b, p[i]);
                p += n;
                assert(*p == '\n');
                (void) buffer_add_char(&b, *p++);
        }
        return buffer_cstring(&b);
}

static const char *read_memfd(struct msghdr *mh) {
        static char *data;
        struct cmsghdr *c = CMSG_FIRSTHDR(mh);
        struct stat st;
        ssize_t n;
        int fd;

        assert(c && c->cmsg_type == SCM_RIGHTS);
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        if (fstat(fd, &st) < 0)
                abort();
        free(data);
        data = malloc((size_t) st.st_size);
        n = pread(fd, data, (size_t) st.st_size, 0);
        assert(n == st.st_size);
        close(fd);
        return decode(data, (size_t) n);
}

const char *fake_journal_read(int fd, int timeout_msec) {
        static char data[256 * 1024];
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec iov = { data, sizeof(data) };
        struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof(control) };
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n;

        if (poll(&p, 1, timeout_msec) <= 0)
                return NULL;
        n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return NULL;
        return n == 0 ? read_memfd(&mh) : decode(data, (size_t) n);
}

const char *fake_journal_field(const char *entry, const char *name, unsigned n) {
        static char value[64 * 1024];
        size_t size = strlen(name);

        for (const char *p = entry; p && *p; p = strchr(p, '\n') + 1)
                if (strncmp(p, name, size) == 0 && p[size] == '=' && n-- == 0) {
                        (void) snprintf(value, sizeof(value), "%.*s", (int) strcspn(p + size + 1, "\n"), p + size + 1);
                        return value;
                }
        return NULL;
}

bool fake_journal_has(const char *entry, const char *item) {
        size_t size = strlen(item);

        for (const char *p = entry; p && *p; p = strchr(p, '\n') + 1)
                if (strncmp(p, item, size) == 0 && p[size] == '\n')
                        return true;
        return false;
}
