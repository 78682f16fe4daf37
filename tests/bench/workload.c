/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is traced: one kind of operation, over and over. Prints one line, `NAME OPERATIONS CPU WALL`, in nanoseconds per
 * operation: CPU of the process and of the children it waited for, which is what remains comparable on a busy machine,
 * and the clock on the wall. The best of --repeat rounds counts, because everything else on the machine only adds.
 *
 *     workload [--comm=NAME] [--path=FILE] [--repeat=N] [--size=BYTES] [--rate=N] [--here] KIND OPERATIONS
 *
 * --rate: so many operations a second, in bursts of 5 ms, instead of as many as possible.
 * --here: the flood stays in the network namespace it is in, which must be somebody's own.
 * Traces nothing itself, and knows nothing of scopetrace. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "basic/macro.h"

#define BURST_USEC (5 * USEC_PER_MSEC)

static const char *path = "/etc/hostname";
static size_t size = 4096;
static long rate;
static bool here;

typedef struct Kind {
        const char *name;
        int (*begin)(void);             /* once; a descriptor, or -1 */
        int (*run)(int fd, long n);
} Kind;

static int run_getppid(int fd, long n) {
        while (n-- > 0)
                (void) syscall(SYS_getppid);
        return 0;
}

/* One operation: open and close. */
static int run_open(int fd, long n) {
        while (n-- > 0) {
                fd = (int) syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
                if (fd < 0)
                        return -errno;
                (void) syscall(SYS_close, fd);
        }
        return 0;
}

/* An open that fails: one system call, and little else in it. */
static int run_miss(int fd, long n) {
        while (n-- > 0)
                (void) syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
        return 0;
}

static int run_exec(int fd, long n) {
        char *const argv[] = { (char *) path, NULL }, *const envp[] = { NULL };

        while (n-- > 0) {
                pid_t pid;
                int status, r;

                r = posix_spawn(&pid, path, NULL, NULL, argv, envp);
                if (r > 0)
                        return -r;
                if (waitpid(pid, &status, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int begin_write(void) {
        return open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
}

/* A bounded file, written over and over. */
static int run_write(int fd, long n) {
        static char data[1 << 20];

        for (long i = 0; i < n; i++)
                if (pwrite(fd, data, size, (off_t) (i % 256 * (long) size)) != (ssize_t) size)
                        return -EIO;
        return 0;
}

/* Loopback of a network namespace of its own. */
static int begin_flood(void) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
        socklen_t n = sizeof(address);
        int fd;

        if (!here && unshare(CLONE_NEWNET) < 0)
                return -1;
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ||
            getsockname(fd, (struct sockaddr *) &address, &n) < 0 ||
            connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -1;
        return fd;
}

static int run_flood(int fd, long n) {
        static char data[65536];

        while (n-- > 0)
                if (send(fd, data, size, 0) != (ssize_t) size || recv(fd, data, sizeof(data), 0) != (ssize_t) size)
                        return -EIO;
        return 0;
}

static const Kind kinds[] = {
        { "getppid", NULL, run_getppid },
        { "open", NULL, run_open },
        { "miss", NULL, run_miss },
        { "exec", NULL, run_exec },
        { "write", begin_write, run_write },
        { "flood", begin_flood, run_flood },
};

/* Processes that the service knows: each made one system call, and then only waits until stdin ends. */
static int crowd(long n) {
        pid_t group = 0;
        long i;
        char c;

        for (i = 0; i < n; i++) {
                pid_t pid = fork();

                if (pid < 0) {
                        perror("fork");
                        break;
                }
                if (pid == 0) {
                        (void) setpgid(0, group);
                        (void) syscall(SYS_getppid);
                        (void) syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
                        for (;;)
                                pause();
                }
                if (group == 0)
                        group = pid;
                (void) setpgid(pid, group);
        }
        printf("ready %ld\n", i);
        (void) fflush(stdout);
        while (read(STDIN_FILENO, &c, 1) > 0)
                ;
        if (group > 0)
                (void) kill(-group, SIGKILL);
        while (wait(NULL) > 0)
                ;
        return EXIT_SUCCESS;
}

static uint64_t cpu_ns(void) {
        uint64_t usec = 0;

        for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
                struct rusage r;

                (void) getrusage(who, &r);
                usec += (uint64_t) (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * USEC_PER_SEC +
                        (uint64_t) (r.ru_utime.tv_usec + r.ru_stime.tv_usec);
        }
        return usec * NSEC_PER_USEC;
}

static uint64_t wall_ns(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * NSEC_PER_SEC + (uint64_t) ts.tv_nsec;
}

static int run_paced(const Kind *k, int fd, long n) {
        uint64_t next = wall_ns();
        long chunk = MAX(rate / (long) (USEC_PER_SEC / BURST_USEC), 1L);

        for (; n > 0; n -= chunk) {
                int r = k->run(fd, MIN(n, chunk));
                struct timespec ts;

                if (r < 0)
                        return r;
                next += BURST_USEC * NSEC_PER_USEC;
                ts = (struct timespec) { (time_t) (next / NSEC_PER_SEC), (long) (next % NSEC_PER_SEC) };
                (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
        }
        return 0;
}

static int measure(const Kind *k, long n, long repeat) {
        uint64_t cpu = UINT64_MAX, wall = UINT64_MAX;
        int fd = -1, r;

        if (k->begin) {
                fd = k->begin();
                if (fd < 0) {
                        perror(k->name);
                        return EXIT_FAILURE;
                }
        }
        for (long i = 0; i < repeat; i++) {
                uint64_t c = cpu_ns(), w = wall_ns();

                r = rate > 0 ? run_paced(k, fd, n) : k->run(fd, n);
                if (r < 0) {
                        fprintf(stderr, "%s: %s\n", k->name, strerror(-r));
                        return EXIT_FAILURE;
                }
                cpu = MIN(cpu, cpu_ns() - c);
                wall = MIN(wall, wall_ns() - w);
        }
        printf("%s %ld %.1f %.1f\n", k->name, n, (double) cpu / (double) n, (double) wall / (double) n);
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        static const struct option options[] = {
                { "comm", required_argument, NULL, 'c' },
                { "path", required_argument, NULL, 'p' },
                { "repeat", required_argument, NULL, 'r' },
                { "size", required_argument, NULL, 's' },
                { "rate", required_argument, NULL, 'R' },
                { "here", no_argument, NULL, 'H' },
                {},
        };
        long repeat = 1, n;
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (c) {
                case 'c':
                        (void) prctl(PR_SET_NAME, optarg);
                        break;
                case 'p':
                        path = optarg;
                        break;
                case 'r':
                        repeat = strtol(optarg, NULL, 10);
                        break;
                case 's':
                        size = MIN((size_t) strtoul(optarg, NULL, 10), (size_t) 65000);
                        break;
                case 'R':
                        rate = strtol(optarg, NULL, 10);
                        break;
                case 'H':
                        here = true;
                        break;
                default:
                        return EXIT_FAILURE;
                }
        if (argc - optind != 2 || (n = strtol(argv[optind + 1], NULL, 10)) < 1 || repeat < 1) {
                fputs("workload [--comm=NAME] [--path=FILE] [--repeat=N] [--size=BYTES] [--rate=N] [--here] KIND "
                      "OPERATIONS\n", stderr);
                return EXIT_FAILURE;
        }
        if (strcmp(argv[optind], "crowd") == 0)
                return crowd(n);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (strcmp(kinds[i].name, argv[optind]) == 0)
                        return measure(&kinds[i], n, repeat);
        fprintf(stderr, "No such kind: %s\n", argv[optind]);
        return EXIT_FAILURE;
}
