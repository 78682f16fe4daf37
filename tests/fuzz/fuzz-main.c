/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replays a corpus through a fuzz target where libFuzzer is not linked: each argument is a file or a directory of
 * files. Each is fed whole, then cut at many places and with single bytes changed, so that the normal suite meets
 * neighbours of the corpus, too. An empty corpus is a failure: it would test nothing. */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1U << 20)
#define CUTS_MAX 64U
#define CHANGES_MAX 256U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_files;

static void feed(const uint8_t *data, size_t size) {
        uint8_t *copy = malloc(size > 0 ? size : 1);

        if (!copy)
                abort();
        if (size > 0)
                memcpy(copy, data, size);
        (void) LLVMFuzzerTestOneInput(copy, size);
        free(copy);
}

static void replay(uint8_t *data, size_t size) {
        uint32_t seed = (uint32_t) size + 1;

        feed(data, size);
        for (size_t i = 0; i < CUTS_MAX && i < size; i++)
                feed(data, size * i / (size < CUTS_MAX ? size : CUTS_MAX));
        for (unsigned i = 0; i < CHANGES_MAX && size > 0; i++) {
                size_t at;
                uint8_t was;

                seed = seed * 1664525 + 1013904223;
                at = seed % size;
                was = data[at];
                data[at] = (uint8_t) (seed >> 24);
                feed(data, size);
                data[at] = was;
        }
}

static int replay_file(const char *path) {
        static uint8_t data[FILE_MAX];
        FILE *f = fopen(path, "re");
        size_t size;

        if (!f) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return -1;
        }
        size = fread(data, 1, sizeof(data), f);
        fclose(f);
        replay(data, size);
        n_files++;
        return 0;
}

static int replay_path(const char *path) {
        struct dirent *entry;
        struct stat st;
        int r = 0;
        DIR *d;

        if (stat(path, &st) < 0) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return -1;
        }
        if (!S_ISDIR(st.st_mode))
                return replay_file(path);
        d = opendir(path);
        if (!d)
                return -1;
        while ((entry = readdir(d))) {
                char name[4096];

                if (entry->d_name[0] == '.')
                        continue;
                snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
                if (replay_path(name) < 0)
                        r = -1;
        }
        closedir(d);
        return r;
}

int main(int argc, char *argv[]) {
        int r = 0;

        feed((const uint8_t *) "", 0);
        for (int i = 1; i < argc; i++)
                if (replay_path(argv[i]) < 0)
                        r = -1;
        if (n_files == 0) {
                fprintf(stderr, "No input was found.\n");
                return EXIT_FAILURE;
        }
        printf("%u inputs replayed.\n", n_files);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
