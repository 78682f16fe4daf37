/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search path rule of systemd's configuration files. Decides by names and link targets only: whether a file may be
 * read, and what it says, is its reader's business (so that a directory named x.yaml gets a proper complaint there). */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "conf-files.h"
#include "macro.h"
#include "string-util.h"

DEFINE_TRIVIAL_CLEANUP_FUNC(DIR *, closedir)

void conf_file_list_done(ConfFileList *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].path);
        free(l->items);
        free(l->unreadable);
        *l = (ConfFileList) {};
}

/* A link to /dev/null, or an empty regular file. */
static bool is_mask(int dir_fd, const char *name) {
        struct stat st;

        if (fstatat(dir_fd, name, &st, 0) < 0)
                return false;
        if (S_ISCHR(st.st_mode))
                return st.st_rdev == makedev(1, 3);
        return S_ISREG(st.st_mode) && st.st_size == 0;
}

static bool has_suffix(const char *name, const char *const *suffixes) {
        for (const char *const *i = suffixes; *i; i++)
                if (endswith(name, *i))
                        return true;
        return false;
}

static bool list_has(const ConfFileList *l, const char *name) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].name, name))
                        return true;
        return false;
}

static int list_dir(const char *path, const char *const *suffixes, ConfFileList *l) {
        _cleanup_(closedirp) DIR *dir = NULL;
        const struct dirent *de;

        dir = opendir(path);
        if (!dir)
                return IN_SET(errno, ENOENT, ENOTDIR) ? 0 : -errno;

        while ((errno = 0, de = readdir(dir))) {
                char *file;

                if (de->d_name[0] == '.' || !has_suffix(de->d_name, suffixes) || list_has(l, de->d_name))
                        continue;
                if (!GREEDY_REALLOC(l->items, l->n_allocated, l->n + 1))
                        return -ENOMEM;
                file = strjoin(path, "/", de->d_name);
                if (!file)
                        return -ENOMEM;
                l->items[l->n++] = (ConfFile) {
                        .path = file,
                        .name = strrchr(file, '/') + 1,
                        .masked = is_mask(dirfd(dir), de->d_name),
                };
        }
        return -errno;
}

static int compare_names(const void *a, const void *b) {
        const ConfFile *x = a, *y = b;

        return strcmp(x->name, y->name);
}

int conf_files_list(const char *const *dirs, const char *const *suffixes, const char *root, ConfFileList *ret) {
        _cleanup_(conf_file_list_done) ConfFileList l = {};
        int r;

        for (const char *const *dir = dirs; *dir; dir++) {
                _cleanup_free_ char *path = strjoin(strempty(root), *dir);

                if (!path)
                        return -ENOMEM;
                r = list_dir(path, suffixes, &l);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 && !l.unreadable) {
                        l.unreadable = TAKE_PTR(path);
                        l.error = r;
                }
        }
        if (l.n > 1)
                qsort(l.items, l.n, sizeof(l.items[0]), compare_names);
        *ret = l;
        l = (ConfFileList) {};
        return 0;
}
