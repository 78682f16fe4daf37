/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of captured images do to the kernel: programs that are gone as soon as they began, and memory that is written,
 * executed and never seen in a file.
 *
 *   trigger-image memfd FILE [ARG...]       executes a copy of FILE that has no name
 *   trigger-image unlink ...                removes the file that it runs from, and ends
 *   trigger-image distinct FILE PATH DIR N  N times: a copy of FILE with some bytes more, as PATH; executed; replaced.
 *                                           Each content is kept in DIR
 *   trigger-image overwrite FILE PATH       a copy of FILE as PATH; executed; overwritten in place as soon as it ended
 *   trigger-image unpack BYTES HOW FILE     writes code into memory, makes it executable as HOW says, runs it and ends; the
 *                                           region's content is left in FILE. HOW: protections of the three steps, r, w, x,
 *                                           with commas: rwx,rx  or  rw,rx. A + at the end: lives on until killed
 */

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* mov eax, 42; ret */
static const uint8_t code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

static uint8_t *read_file(const char *path, size_t *ret_size) {
        static uint8_t data[8 << 20];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data) - 64);

        if (n < 0)
                err(1, "%s", path);
        close(fd);
        *ret_size = n;
        return data;
}

static void write_file(const char *path, const void *data, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

        if (fd < 0 || write(fd, data, size) != (ssize_t) size)
                err(1, "%s", path);
        close(fd);
}

static void run(const char *path) {
        char *argv[] = { (char *) path, NULL };
        pid_t pid = vfork();
        int status;

        if (pid < 0)
                err(1, "vfork");
        if (pid == 0) {
                execv(path, argv);
                _exit(99);
        }
        if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 99)
                errx(1, "%s did not run", path);
}

static int memfd(char **argv) {
        int fd = memfd_create("sct-nameless", MFD_CLOEXEC);
        extern char **environ;
        size_t size;
        uint8_t *data = read_file(argv[0], &size);

        if (fd < 0 || write(fd, data, size) != (ssize_t) size)
                err(1, "memfd");
        fexecve(fd, argv, environ);
        err(1, "fexecve");
}

static int distinct(char **argv) {
        size_t size;
        uint8_t *data = read_file(argv[0], &size);
        int n = atoi(argv[3]);

        for (int i = 0; i < n; i++) {
                char path[4096];
                int k = snprintf((char *) data + size, 64, "content %d", i);

                snprintf(path, sizeof(path), "%s/%d", argv[2], i);
                write_file(path, data, size + k);
                unlink(argv[1]);
                write_file(argv[1], data, size + k);
                run(argv[1]);
        }
        return 0;
}

static int overwrite(char **argv) {
        size_t size;
        uint8_t *data = read_file(argv[0], &size);

        write_file(argv[1], data, size);
        run(argv[1]);
        memset(data, 'x', size);
        write_file(argv[1], data, size);
        return 0;
}

static int protection(const char *text) {
        int prot = 0;

        for (; *text && *text != ',' && *text != '+'; text++)
                prot |= *text == 'r' ? PROT_READ : *text == 'w' ? PROT_WRITE : PROT_EXEC;
        return prot;
}

static int unpack(char **argv) {
        size_t size = strtoul(argv[0], NULL, 10);
        uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        const char *how = argv[1];
        uint32_t x = 1;

        if (memory == MAP_FAILED)
                err(1, "mmap");
        for (size_t i = 0; i < size; i += 4) {
                x = x * 1664525 + 1013904223;
                memcpy(memory + i, &x, 4);
        }
        memcpy(memory, code, sizeof(code));
        write_file(argv[2], memory, size);
        for (const char *step = how; step; step = strchr(step, ','), step = step ? step + 1 : NULL)
                if (mprotect(memory, size, protection(step)) < 0)
                        err(1, "mprotect");
        if (((int (*)(void)) (uintptr_t) memory)() != 42)
                errx(1, "the code does something else");
        if (how[strlen(how) - 1] == '+')
                for (;;)
                        pause();
        _exit(0);
}

int main(int argc, char **argv) {
        if (argc >= 3 && strcmp(argv[1], "memfd") == 0)
                return memfd(argv + 2);
        if (argc >= 2 && strcmp(argv[1], "unlink") == 0)
                return unlink(argv[0]) < 0 ? 1 : 0;
        if (argc >= 6 && strcmp(argv[1], "distinct") == 0)
                return distinct(argv + 2);
        if (argc >= 4 && strcmp(argv[1], "overwrite") == 0)
                return overwrite(argv + 2);
        if (argc >= 5 && strcmp(argv[1], "unpack") == 0)
                return unpack(argv + 2);
        errx(2, "unknown: %s", argc > 1 ? argv[1] : "nothing");
}
