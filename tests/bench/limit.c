/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a command while the least possible is attached to the hooks of system calls:
 *
 *     limit enter|exit|both COMMAND...           empty programs
 *     limit output SIZE NR COMMAND...            empty at entry; at exit of call NR of COMMAND's own process one record of
 *                                                SIZE bytes into a ring that is read every 10 ms
 *
 * With `output`, prints `received N lost N cpu NS` per record on stderr, behind what the command prints. */

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi/types.h"
#include "limit.skel.h"

#define TICK_NS 10000000L

static unsigned long n_received;

static int on_sample(void *userdata, void *data, size_t size) {
        n_received++;
        return 0;
}

static double cpu_ns(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
        return (double) ts.tv_sec * 1e9 + (double) ts.tv_nsec;
}

/* The command starts when something was written to *ret_go: its number must stand in the program before. */
static pid_t start(char *argv[], int *ret_go) {
        int pipe_fds[2];
        pid_t pid;
        char c;

        if (pipe(pipe_fds) < 0)
                return -1;
        pid = fork();
        if (pid == 0) {
                (void) close(pipe_fds[1]);
                if (read(pipe_fds[0], &c, 1) != 1)
                        _exit(126);
                (void) close(pipe_fds[0]);
                execvp(argv[0], argv);
                _exit(127);
        }
        (void) close(pipe_fds[0]);
        *ret_go = pipe_fds[1];
        return pid;
}

static int serve(struct limit *skel, pid_t pid) {
        struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_sample, NULL, NULL);
        double cpu = cpu_ns();
        int status;
        pid_t r;

        if (!ring)
                return EXIT_FAILURE;
        do {
                (void) nanosleep(&(struct timespec) { .tv_nsec = TICK_NS }, NULL);
                r = waitpid(pid, &status, WNOHANG);
                (void) ring_buffer__consume(ring);
        } while (r == 0);
        cpu = cpu_ns() - cpu;
        ring_buffer__free(ring);
        fprintf(stderr, "received %lu lost %llu cpu %.1f\n", n_received, (unsigned long long) skel->bss->n_lost,
                n_received > 0 ? cpu / (double) n_received : 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int main(int argc, char *argv[]) {
        int output = argc > 1 && strcmp(argv[1], "output") == 0, first = output ? 4 : 2, go, status;
        struct limit *skel;
        pid_t pid;

        if (argc <= first) {
                fputs("limit enter|exit|both COMMAND...\nlimit output SIZE NR COMMAND...\n", stderr);
                return EXIT_FAILURE;
        }
        skel = limit__open();
        if (!skel)
                return EXIT_FAILURE;
        pid = start(argv + first, &go);
        if (pid < 0)
                return EXIT_FAILURE;

        if (output) {
                skel->rodata->record_size = (unsigned) strtoul(argv[2], NULL, 10);
                skel->rodata->wanted_nr = strtol(argv[3], NULL, 10);
                skel->rodata->wanted_tgid = (unsigned) pid;
        }
        (void) bpf_program__set_autoload(skel->progs.empty_enter, output || strcmp(argv[1], "exit") != 0);
        (void) bpf_program__set_autoload(skel->progs.empty_exit, !output && strcmp(argv[1], "enter") != 0);
        (void) bpf_program__set_autoload(skel->progs.output_exit, output);
        if (limit__load(skel) < 0 || limit__attach(skel) < 0) {
                perror("limit");
                return EXIT_FAILURE;
        }
        if (write(go, "", 1) != 1)
                return EXIT_FAILURE;
        if (output)
                return serve(skel, pid);
        if (waitpid(pid, &status, 0) < 0)
                return EXIT_FAILURE;
        limit__destroy(skel);
        return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
