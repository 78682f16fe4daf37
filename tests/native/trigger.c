// SPDX-License-Identifier: LGPL-2.1-or-later
/* Does known things as a known subject, for tests: its arguments are words of a small language, carried out from left to
 * right. What it says are system calls that nobody else issues: truncate("TAG", 0), which fails. Not a test of its
 * own, and it never touches what it did not make. Paths are below $BASE/$CASE. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/sched.h>

static char **run(char **words);

__attribute__((noreturn)) static void die(const char *what) {
        fprintf(stderr, "trigger: %s: %s\n", what, strerror(errno));
        exit(1);
}

static void check(long r, const char *what) {
        if (r < 0)
                die(what);
}

static void write_file(const char *path, const char *text) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                die(path);
        close(fd);
}

static void wait_all(void) {
        int status, failed = 0;

        for (;;) {
                if (wait(&status) < 0) {
                        if (errno == EINTR)
                                continue;
                        break;
                }
                failed |= status;
        }
        if (failed)
                exit(1);
}

/* A path of this case; an absolute one stays as it is. */
static const char *path_of(const char *tag) {
        static _Thread_local char path[8192];

        if (*tag == '/')
                return tag;
        snprintf(path, sizeof(path), "%s/%s/%s", getenv("BASE") ?: "", getenv("CASE") ?: "", tag);
        return path;
}

static char **say(char **words) {
        syscall(SYS_truncate, path_of(words[0]), 0L);
        return words + 1;
}

static char **say_many(char **words) {
        unsigned long n = strtoul(words[0], NULL, 0);

        for (unsigned long i = 0; i < n; i++)
                say(words + 1);
        return words + 2;
}

/* truncate with a length: an argument that is a number. */
static char **say_number(char **words) {
        syscall(SYS_truncate, path_of(words[0]), strtol(words[1], NULL, 0));
        return words + 2;
}

/* truncate with every length from 0 on, with a pause after each. */
static char **say_count(char **words) {
        unsigned long n = strtoul(words[1], NULL, 0), usec = strtoul(words[2], NULL, 0);
        const char *path = path_of(words[0]);

        for (unsigned long i = 0; i < n; i++) {
                syscall(SYS_truncate, path, i);
                if (usec > 0)
                        usleep((useconds_t) usec);
        }
        return words + 3;
}

/* An address that nobody can read. */
static char **say_fault(char **words) {
        syscall(SYS_truncate, (const char *) 8, strtol(words[0], NULL, 0));
        return words + 1;
}

/* openat with flags and mode as numbers. */
static char **open_word(char **words) {
        long fd = syscall(SYS_openat, AT_FDCWD, path_of(words[0]), (int) strtol(words[1], NULL, 0),
                          (int) strtol(words[2], NULL, 0));

        if (fd >= 0)
                close((int) fd);
        return words + 3;
}

static char **readlink_word(char **words) {
        char buffer[256];

        syscall(SYS_readlink, path_of(words[0]), buffer, sizeof(buffer));
        return words + 1;
}

/* A file that is made, a directory, a pipe or no descriptor at all. */
static char **fchdir_word(char **words) {
        int fds[2] = { -1, -1 };

        if (strcmp(words[0], "pipe") == 0)
                check(pipe(fds), "pipe");
        else if (strcmp(words[0], "none") != 0)
                fds[0] = words[0][0] == '/' ? open(words[0], O_RDONLY) : open(path_of(words[0]), O_RDWR | O_CREAT, 0600);
        syscall(SYS_fchdir, fds[0]);
        close(fds[0]);
        close(fds[1]);
        return words + 1;
}

static void on_signal(int sig) {
}

/* Process 0: this one's group would be meant; it sends to itself alone, and survives. */
static char **kill_word(char **words) {
        int pid = atoi(words[0]), sig = atoi(words[1]);

        if (pid == 0) {
                check(setpgid(0, 0), "setpgid");
                signal(sig, on_signal);
        }
        syscall(SYS_kill, pid, sig);
        return words + 2;
}

static char **protect(char **words) {
        syscall(SYS_mprotect, strtoul(words[0], NULL, 0), 0L, strtol(words[1], NULL, 0));
        return words + 2;
}

static char **exit_thread(char **words) {
        syscall(SYS_exit, 0);
        return words;
}

/* The old call, which a FIFO can hold up. */
static char **open_old(char **words) {
        syscall(SYS_open, path_of(words[0]), O_RDONLY, 0);
        return words + 1;
}

static char **chmod_word(char **words) {
        syscall(SYS_fchmodat, AT_FDCWD, path_of(words[0]), (int) strtol(words[1], NULL, 0));
        return words + 2;
}

/* symlinkat of the 32-bit ABI, from 64-bit code; prints 0 or the name of the error. */
static char **symlink_32(char **words) {
        char *low = mmap(NULL, 512, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        char *target = low, *link = low + 256;
        long r = -ENAMETOOLONG;

        if (low == MAP_FAILED)
                die("mmap");
        if (strlen(words[0]) < 256 && strlen(words[1]) < 256) {
                strcpy(target, words[0]);
                strcpy(link, words[1]);
                __asm__ volatile("int $0x80" : "=a"(r) : "a"(304), "b"(target), "c"(AT_FDCWD), "d"(link)
                                 : "r8", "r9", "r10", "r11", "memory");
        }
        puts((int) r < 0 ? strerrorname_np(-(int) r) : "0");
        return words + 2;
}

/* A descriptor as the argument; AT_FDCWD is -100. */
static char **faccessat_word(char **words) {
        syscall(SYS_faccessat, atoi(words[0]), path_of(words[1]), 0);
        return words + 2;
}

/* Takes one capability from the effective set, or adds it to the inheritable one. */
static char **change_caps(char **words, bool inherit) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = {};
        unsigned n = atoi(words[0]);

        check(syscall(SYS_capget, &header, data), "capget");
        if (inherit)
                data[n / 32].inheritable |= 1U << n % 32;
        else
                data[n / 32].effective &= ~(1U << n % 32);
        check(syscall(SYS_capset, &header, data), "capset");
        return words + 1;
}

static char **uncap(char **words) {
        return change_caps(words, false);
}

static char **inherit_cap(char **words) {
        return change_caps(words, true);
}

static char **set_comm(char **words) {
        check(prctl(PR_SET_NAME, words[0]), "prctl");
        return words + 1;
}

static char **set_uid(char **words) {
        check(syscall(SYS_setresuid, atoi(words[0]), atoi(words[0]), atoi(words[0])), "setresuid");
        return words + 1;
}

static char **set_gid(char **words) {
        check(syscall(SYS_setresgid, atoi(words[0]), atoi(words[0]), atoi(words[0])), "setresgid");
        return words + 1;
}

static char **set_auid(char **words) {
        write_file("/proc/self/loginuid", words[0]);
        return words + 1;
}

static char **hostname(char **words) {
        check(sethostname(words[0], strlen(words[0])), "sethostname");
        return words + 1;
}

static char **pause_msec(char **words) {
        usleep((useconds_t) atoi(words[0]) * 1000);
        return words + 1;
}

static char **unshare_word(char **words) {
        static const struct {
                const char *name;
                int flag;
        } table[] = { { "uts", CLONE_NEWUTS }, { "mnt", CLONE_NEWNS }, { "pid", CLONE_NEWPID }, { "net", CLONE_NEWNET },
                      { "ipc", CLONE_NEWIPC }, { "cgroup", CLONE_NEWCGROUP }, { "user", CLONE_NEWUSER },
                      { "time", 0x80 /* CLONE_NEWTIME, which glibc 2.36 does not know */ } };

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                if (strcmp(table[i].name, words[0]) == 0) {
                        check(unshare(table[i].flag), "unshare");
                        return words + 1;
                }
        errno = EINVAL;
        die(words[0]);
}

static char **enter_cgroup(char **words) {
        char path[4200];

        snprintf(path, sizeof(path), "%s/cgroup.procs", words[0]);
        write_file(path, "0");
        return words + 1;
}

/* A child that begins in the cgroup carries on; this process waits. */
static char **into_cgroup(char **words) {
        struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
        int fd = open(words[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        long pid;

        check(fd, words[0]);
        args.cgroup = fd;
        pid = syscall(SYS_clone3, &args, sizeof(args));
        check(pid, "clone3");
        if (pid == 0)
                return words + 1;
        wait_all();
        exit(0);
}

static char **fork_word(char **words) {
        pid_t pid = fork();

        check(pid, "fork");
        if (pid == 0)
                return words;
        wait_all();
        exit(0);
}

/* The child does one `{ ... }`, then this process goes on behind it. */
static char **child(char **words) {
        pid_t pid = fork();
        int depth = 0;

        check(pid, "fork");
        if (pid == 0) {
                run(words + 1);
                exit(0);
        }
        wait_all();
        do {
                if (strcmp(*words, "{") == 0)
                        depth++;
                if (strcmp(*words, "}") == 0)
                        depth--;
                words++;
        } while (depth > 0);
        return words;
}

/* Two generations: the first ends, then the second carries on; `reap` collects it. With a tag the second says that
 * while it still has its parent. */
static char **become_orphan(char **words, const char *tag) {
        pid_t pid = fork(), parent;
        int said[2];
        char c;

        check(pid, "fork");
        if (pid > 0) {
                wait_all();
                exit(0);
        }
        check(pipe(said), "pipe");
        parent = getpid();
        pid = fork();
        check(pid, "fork");
        if (pid > 0) {
                close(said[1]);
                (void) !read(said[0], &c, 1);
                _exit(0);
        }
        if (tag)
                syscall(SYS_truncate, path_of(tag), 0L);
        close(said[1]);
        close(said[0]);
        while (getppid() == parent)     /* its files are closed before its children get another parent */
                usleep(500);
        return words;
}

static char **orphan(char **words) {
        return become_orphan(words, NULL);
}

static char **orphan_after(char **words) {
        return become_orphan(words + 1, words[0]);
}

static char **vfork_word(char **words) {
        static char **rest;
        pid_t pid;

        rest = words;
        pid = vfork();
        check(pid, "vfork");
        if (pid == 0) {
                execv(rest[0], rest);
                _exit(127);
        }
        wait_all();
        exit(0);
}

static char **reap(char **words) {
        pid_t pid;

        check(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");
        pid = fork();
        check(pid, "fork");
        if (pid == 0)
                return words;
        wait_all();
        exit(0);
}

static void *on_thread(void *words) {
        run(words);
        return NULL;
}

/* A thread carries on; the first one waits for it. */
static char **thread(char **words) {
        pthread_t t;

        if (pthread_create(&t, NULL, on_thread, words) != 0)
                die("pthread_create");
        pthread_join(t, NULL);
        exit(0);
}

/* Writes its process and thread number to a file, then waits until the file is gone. */
static char **meet(char **words) {
        char text[64];
        int fd = open(words[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        check(fd, words[0]);
        snprintf(text, sizeof(text), "%d %d\n", getpid(), (int) syscall(SYS_gettid));
        (void) !write(fd, text, strlen(text));
        close(fd);
        while (access(words[0], F_OK) == 0)
                usleep(2000);
        return words + 1;
}

static char **exec_word(char **words) {
        execv(words[0], words);
        die(words[0]);
}

/* Executes from memory: no file has this program. */
static char **exec_memory(char **words) {
        int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), fd = memfd_create(words[0], MFD_CLOEXEC);
        char buffer[65536];
        ssize_t n;

        check(in, "/proc/self/exe");
        check(fd, "memfd_create");
        while ((n = read(in, buffer, sizeof(buffer))) > 0)
                if (write(fd, buffer, n) != n)
                        die("write");
        fexecve(fd, words, environ);
        die("fexecve");
}

/* The program's file is removed, then executed by descriptor. */
static char **exec_deleted(char **words) {
        int fd = open(words[0], O_RDONLY | O_CLOEXEC);

        check(fd, words[0]);
        check(unlink(words[0]), "unlink");
        fexecve(fd, words, environ);
        die("fexecve");
}

static char **burst(char **words) {
        unsigned long n = strtoul(words[0], NULL, 0);

        for (unsigned long i = 0; i < n; i++)
                syscall(SYS_getsid, 0);
        return words + 1;
}

static char **exit_with(char **words) {
        syscall(SYS_exit_group, atoi(words[0]));
        return words + 1;
}

static char **die_by(char **words) {
        kill(getpid(), atoi(words[0]));
        return words + 1;
}

static const struct {
        const char *word;
        int n_operands;
        char **(*function)(char **words);
} words_table[] = {
        { "say", 1, say },
        { "say-many", 2, say_many },
        { "say-number", 2, say_number },
        { "say-count", 3, say_count },
        { "say-fault", 1, say_fault },
        { "open", 3, open_word },
        { "open-old", 1, open_old },
        { "kill", 2, kill_word },
        { "protect", 2, protect },
        { "exit-thread", 0, exit_thread },
        { "readlink", 1, readlink_word },
        { "fchdir", 1, fchdir_word },
        { "chmod", 2, chmod_word },
        { "faccessat", 2, faccessat_word },
        { "symlink-32", 2, symlink_32 },
        { "comm", 1, set_comm },
        { "uid", 1, set_uid },
        { "gid", 1, set_gid },
        { "auid", 1, set_auid },
        { "hostname", 1, hostname },
        { "pause", 1, pause_msec },
        { "unshare", 1, unshare_word },
        { "uncap", 1, uncap },
        { "inherit-cap", 1, inherit_cap },
        { "cgroup", 1, enter_cgroup },
        { "into", 1, into_cgroup },
        { "fork", 0, fork_word },
        { "child", 1, child },
        { "orphan", 0, orphan },
        { "orphan-after", 1, orphan_after },
        { "vfork", 1, vfork_word },
        { "reap", 0, reap },
        { "thread", 0, thread },
        { "meet", 1, meet },
        { "exec", 1, exec_word },
        { "exec-memory", 1, exec_memory },
        { "exec-deleted", 1, exec_deleted },
        { "burst", 1, burst },
        { "exit", 1, exit_with },
        { "die-by", 1, die_by },
};

/* Returns where it stopped: at the end or behind a closing brace. */
static char **run(char **words) {
        while (*words && strcmp(*words, "}") != 0) {
                size_t i, n = sizeof(words_table) / sizeof(words_table[0]);
                int have = 0;

                for (i = 0; i < n && strcmp(words_table[i].word, *words) != 0; i++)
                        ;
                if (i == n) {
                        fprintf(stderr, "trigger: unknown word %s\n", *words);
                        exit(2);
                }
                while (have < words_table[i].n_operands && words[1 + have])
                        have++;
                if (have < words_table[i].n_operands) {
                        fprintf(stderr, "trigger: %s lacks its operand\n", *words);
                        exit(2);
                }
                words = words_table[i].function(words + 1);
        }
        return words;
}

int main(int argc, char *argv[]) {
        run(argv + 1);
        return 0;
}
