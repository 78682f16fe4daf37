/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Moves data into files, and out of them, by every call that can: `trigger-capture WAY FILE [SIZE]`. What is written is
 * what FILE holds afterwards, so that a capture can be compared with it; ways that read print nothing. Runs from a copy of
 * itself with a name that only its test uses. */

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef RWF_APPEND
#define RWF_APPEND 0x00000010
#endif

#define CHECK(x)                                                                            \
        ({                                                                                  \
                long r_ = (long) (x);                                                       \
                if (r_ < 0) {                                                               \
                        fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #x, strerror(errno)); \
                        exit(1);                                                            \
                }                                                                           \
                r_;                                                                         \
        })

static const char *path;
static size_t size;

/* Bytes that differ everywhere, so that a byte at a wrong place shows. */
static char *make_data(size_t n, unsigned seed) {
        char *data = malloc(n + 1);
        unsigned x = seed * 2654435761U + 1;

        for (size_t i = 0; i < n; i++) {
                x = x * 1103515245 + 12345;
                data[i] = (char) (x >> 16);
        }
        return data;
}

static int open_new(int flags) {
        return (int) CHECK(open(path, O_RDWR | O_CREAT | O_TRUNC | flags, 0644));
}

static void write_all(int fd, const char *data, size_t n) {
        while (n > 0) {
                size_t k = (size_t) CHECK(write(fd, data, n));

                data += k;
                n -= k;
        }
}

static void do_write(void) {
        write_all(open_new(0), make_data(size, 1), size);
}

/* Many calls of 64 KiB, as fast as they go; each page of each is another one. */
static void do_storm(void) {
        char *data = make_data(65536, 60);
        int fd = open_new(0);

        for (size_t at = 0; at < size; at += 65536) {
                for (size_t page = 0; page < 65536; page += 4096) {
                        size_t place = at + page;

                        memcpy(data + page, &place, sizeof(place));
                }
                write_all(fd, data, size - at < 65536 ? size - at : 65536);
        }
}

/* From back to front, with a gap that nobody writes. */
static void do_pwrite(void) {
        int fd = open_new(0);
        char *data = make_data(size, 2);

        CHECK(pwrite(fd, data, size, (off_t) (3 * size)));
        CHECK(pwrite(fd, data, size / 2, 5));
}

static void do_writev(void) {
        char *a = make_data(10, 3), *b = make_data(size, 4), *c = make_data(5000, 5);
        struct iovec v[] = { { a, 10 }, { NULL, 0 }, { b, size }, { c, 5000 }, { a, 1 } };

        CHECK(writev(open_new(0), v, 5));
}

static void do_pwritev(void) {
        char *a = make_data(10, 3), *b = make_data(size, 4);
        struct iovec v[] = { { a, 10 }, { b, size } };

        CHECK(pwritev(open_new(0), v, 2, 12345));
}

static void do_pwritev2(void) {
        char *a = make_data(100, 3), *b = make_data(size, 4);
        struct iovec v[] = { { a, 100 }, { b, size } };
        int fd = open_new(0);

        CHECK(pwritev2(fd, v, 2, -1, 0));            /* at the file's position */
        CHECK(pwritev2(fd, v, 1, 50000, 0));
        CHECK(pwritev2(fd, v, 2, 0, RWF_APPEND));    /* at the end, wherever it is told to */
}

static void do_append(void) {
        char *data = make_data(size, 6);
        int fd = open_new(0);

        CHECK(write(fd, "0123456789", 10));
        fd = (int) CHECK(open(path, O_WRONLY | O_APPEND));
        CHECK(write(fd, data, size));
        CHECK(pwrite(fd, data, 100, 0));             /* appends too: the kernel's own rule */
        CHECK(write(fd, data, 7));
}

static int source(const char *data, size_t n) {
        int fd = (int) CHECK(memfd_create("source", MFD_CLOEXEC));

        write_all(fd, data, n);
        CHECK(lseek(fd, 0, SEEK_SET));
        return fd;
}

static void do_sendfile(void) {
        off_t at = 100;
        int in = source(make_data(size + 100, 7), size + 100), out = open_new(0);

        CHECK(write(out, "begin", 5));
        CHECK(sendfile(out, in, &at, size));
}

static void do_splice(void) {
        int in = source(make_data(size, 8), size), out = open_new(0), p[2];
        loff_t at = 777;

        CHECK(pipe(p));
        for (size_t left = size; left > 0;) {
                ssize_t n = CHECK(splice(in, NULL, p[1], NULL, left, 0));

                left -= (size_t) n;
                while (n > 0)
                        n -= CHECK(splice(p[0], NULL, out, &at, (size_t) n, 0));
        }
        CHECK(write(p[1], "tail", 4));
        CHECK(splice(p[0], NULL, out, NULL, 4, 0));  /* at the file's position: 0 */
}

static void do_copy_file_range(void) {
        loff_t from = 0, to = 4096;
        char other[4096];
        int in, out;

        /* Both on one file system: older kernels know no other. */
        snprintf(other, sizeof(other), "%s.source", path);
        in = (int) CHECK(open(other, O_RDWR | O_CREAT | O_TRUNC, 0644));
        write_all(in, make_data(size, 9), size);
        out = open_new(0);
        for (size_t left = size; left > 0;)
                left -= (size_t) CHECK(copy_file_range(in, &from, out, &to, left, 0));
        unlink(other);
}

/* What vmsplice() puts into a pipe. FILE: a FIFO, with somebody at its other end. */
static void do_vmsplice(void) {
        char *a = make_data(100, 3), *b = make_data(size, 4);
        struct iovec v[] = { { a, 100 }, { b, size } };
        int fd = (int) CHECK(open(path, O_WRONLY));

        for (size_t done = 0, i = 0; i < 2; i++)
                for (done = 0; done < v[i].iov_len;) {
                        struct iovec w = { (char *) v[i].iov_base + done, v[i].iov_len - done };

                        done += (size_t) CHECK(vmsplice(fd, &w, 1, 0));
                }
}

static void do_fifo(void) {
        int fd = (int) CHECK(open(path, O_WRONLY));

        CHECK(write(fd, "one\n", 4));
        write_all(fd, make_data(size, 1), size);
}

static void do_mmap(void) {
        int fd = open_new(0);
        char *p;

        CHECK(ftruncate(fd, (off_t) size));
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                CHECK(-1);
        memcpy(p, make_data(size, 10), size);
        CHECK(munmap(p, size));
}

/* Synced first, then changed, and left to the end of the process. */
static void do_mmap_exit(void) {
        int fd = open_new(0);
        char *p;

        CHECK(ftruncate(fd, (off_t) size));
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                CHECK(-1);
        CHECK(close(fd));
        memcpy(p, make_data(size, 11), size);
        CHECK(msync(p, size, MS_SYNC));
        memcpy(p, "changed after the sync", 22);
}

static void do_direct(void) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0644);
        void *buffer;
        char *data;

        if (fd < 0 && errno == EINVAL) {
                printf("no O_DIRECT here\n");
                exit(77);
        }
        CHECK(fd);
        if (posix_memalign(&buffer, 4096, 65536) != 0)
                exit(1);
        data = make_data(65536, 12);
        memcpy(buffer, data, 65536);
        CHECK(write(fd, buffer, 65536));
        CHECK(pwrite(fd, buffer, 4096, 131072));
}

/* Half of it is written, then nothing. */
static void do_partial(void) {
        struct rlimit limit = { .rlim_cur = size / 2, .rlim_max = size / 2 };
        char *data = make_data(size, 13), *volatile nowhere = (char *) 1;
        int fd = open_new(0);

        signal(SIGXFSZ, SIG_IGN);
        CHECK(setrlimit(RLIMIT_FSIZE, &limit));
        if (write(fd, data, size) != (ssize_t) (size / 2))
                exit(1);
        if (write(fd, data, size) >= 0 || errno != EFBIG)
                exit(1);
        if (write(fd, nowhere, 10) >= 0)
                exit(1);
}

/* The second page of what is written is there for the kernel only when it comes: a mapping that was never touched. */
static void do_untouched(void) {
        int in = source(make_data(size, 14), size), fd = open_new(0);
        char *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, in, 0);

        if (p == MAP_FAILED)
                CHECK(-1);
        CHECK(write(fd, p, size));
}

static void do_many(void) {
        char *data = make_data(size, 15);
        int fd = open_new(0);

        for (size_t at = 0; at < size;) {
                size_t n = 1 + (at * 7919) % 3000;

                n = n > size - at ? size - at : n;
                CHECK(write(fd, data + at, n));
                at += n;
        }
}

/* Several processes share one position. */
static void do_shared(void) {
        int fd = open_new(0);

        for (int i = 0; i < 4; i++)
                if (CHECK(fork()) == 0) {
                        char *data = make_data(100 + (size_t) i, 20 + (unsigned) i);

                        for (int k = 0; k < 200; k++)
                                CHECK(write(fd, data, 100 + (size_t) i));
                        _exit(0);
                }
        while (wait(NULL) > 0)
                ;
}

/* ---- Asynchronous calls, without libraries ---- */

struct uring {
        int fd;
        unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
        struct io_uring_sqe *sqes;
        struct io_uring_cqe *cqes;
};

static void uring_open(struct uring *u) {
        struct io_uring_params p = {};
        char *sq, *cq;

        u->fd = (int) syscall(__NR_io_uring_setup, 8, &p);
        if (u->fd < 0) {
                printf("no io_uring here: %s\n", strerror(errno));
                exit(77);
        }
        sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd, IORING_OFF_SQ_RING);
        cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED,
                  u->fd, IORING_OFF_CQ_RING);
        u->sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
                       IORING_OFF_SQES);
        u->sq_tail = (unsigned *) (sq + p.sq_off.tail);
        u->sq_mask = (unsigned *) (sq + p.sq_off.ring_mask);
        u->sq_array = (unsigned *) (sq + p.sq_off.array);
        u->cq_head = (unsigned *) (cq + p.cq_off.head);
        u->cq_tail = (unsigned *) (cq + p.cq_off.tail);
        u->cq_mask = (unsigned *) (cq + p.cq_off.ring_mask);
        u->cqes = (struct io_uring_cqe *) (cq + p.cq_off.cqes);
}

static int uring_do(struct uring *u, unsigned char op, int fd, const void *p, unsigned n, unsigned long long at) {
        unsigned tail = *u->sq_tail, i = tail & *u->sq_mask;
        int res;

        u->sqes[i] = (struct io_uring_sqe) { .opcode = op, .fd = fd, .addr = (unsigned long) p, .len = n, .off = at };
        u->sq_array[i] = i;
        __atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
        CHECK(syscall(__NR_io_uring_enter, u->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
        res = u->cqes[*u->cq_head & *u->cq_mask].res;
        __atomic_store_n(u->cq_head, *u->cq_head + 1, __ATOMIC_RELEASE);
        return res;
}

static void do_uring(void) {
        char *a = make_data(size, 30), *b = make_data(300, 31);
        struct iovec v[] = { { b, 100 }, { b + 100, 200 } };
        struct uring u;
        int fd;

        uring_open(&u);
        fd = open_new(0);
        CHECK(uring_do(&u, IORING_OP_WRITE, fd, a, (unsigned) size, 0));
        CHECK(uring_do(&u, IORING_OP_WRITEV, fd, v, 2, size + 1000));
        CHECK(uring_do(&u, IORING_OP_WRITE, fd, b, 50, (unsigned long long) -1));     /* at the position: 0 */
}

static void do_aio(void) {
        char *a = make_data(size, 40), *b = make_data(300, 41);
        struct iovec v[] = { { b, 100 }, { b + 100, 200 } };
        struct iocb one = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_buf = (unsigned long) a, .aio_nbytes = size };
        struct iocb two = { .aio_lio_opcode = IOCB_CMD_PWRITEV, .aio_buf = (unsigned long) v, .aio_nbytes = 2,
                            .aio_offset = (long long) size + 500 };
        struct iocb *list[] = { &one, &two };
        struct io_event events[2];
        aio_context_t context = 0;
        int fd = open_new(0);

        one.aio_fildes = two.aio_fildes = (unsigned) fd;
        CHECK(syscall(__NR_io_setup, 8, &context));
        CHECK(syscall(__NR_io_submit, context, 2, list));
        CHECK(syscall(__NR_io_getevents, context, 2, 2, events, NULL));
}

/* What was written goes again: an end, a range in the middle, and the zeros that a longer file begins with. */
static void do_cut(void) {
        char *a = make_data(size, 50), *b = make_data(300, 51);
        int fd = open_new(0);

        CHECK(write(fd, a, size));
        if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5000, 20000) < 0) {
                fprintf(stderr, "this file system punches no holes: %s\n", strerror(errno));
                exit(77);
        }
        CHECK(ftruncate(fd, (off_t) size - 30000));
        CHECK(pwrite(fd, b, 300, (off_t) size - 10000));
}

/* A core dump: FILE is the directory to die in. */
static void do_core(void) {
        struct rlimit limit = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };

        CHECK(chdir(path));
        CHECK(setrlimit(RLIMIT_CORE, &limit));
        abort();
}

/* ---- Reading ---- */

static void do_read(void) {
        char *buffer = malloc(size);
        int fd = (int) CHECK(open(path, O_RDONLY));
        struct iovec v[] = { { buffer, 10 }, { buffer + 10, 100 } };

        CHECK(read(fd, buffer, 1000));
        CHECK(pread(fd, buffer, 500, 5000));
        CHECK(readv(fd, v, 2));
        CHECK(preadv(fd, v, 2, 20000));
        CHECK(read(fd, buffer, size));
}

static void do_sendfile_from(void) {
        int in = (int) CHECK(open(path, O_RDONLY)), out = (int) CHECK(open("/dev/null", O_WRONLY));

        CHECK(sendfile(out, in, NULL, size));
}

static const struct {
        const char *name;
        void (*run)(void);
} ways[] = {
        { "write", do_write }, { "pwrite", do_pwrite }, { "writev", do_writev }, { "pwritev", do_pwritev },
        { "pwritev2", do_pwritev2 }, { "append", do_append }, { "sendfile", do_sendfile }, { "splice", do_splice },
        { "copy_file_range", do_copy_file_range }, { "vmsplice", do_vmsplice }, { "fifo", do_fifo },
        { "mmap", do_mmap }, { "mmap-exit", do_mmap_exit }, { "direct", do_direct }, { "partial", do_partial },
        { "untouched", do_untouched }, { "many", do_many }, { "shared", do_shared }, { "uring", do_uring },
        { "aio", do_aio }, { "storm", do_storm }, { "cut", do_cut },
        { "core", do_core }, { "read", do_read }, { "sendfile-from", do_sendfile_from },
};

int main(int argc, char **argv) {
        if (argc < 3)
                return 2;
        path = argv[2];
        size = argc > 3 ? strtoul(argv[3], NULL, 0) : 100000;
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
                if (strcmp(ways[i].name, argv[1]) == 0) {
                        ways[i].run();
                        return 0;
                }
        fprintf(stderr, "%s: no such way\n", argv[1]);
        return 2;
}
