/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The search path rule of systemd's configuration: files of several directories, ordered by name; a higher directory's
 * file of the same name replaces; a symlink to /dev/null or an empty regular file masks. */

#include <stdbool.h>
#include <stddef.h>

typedef struct ConfFile {
        char *path;
        const char *name;      /* last component of path */
        bool masked;
} ConfFile;

typedef struct ConfFileList {
        ConfFile *items;
        size_t n, n_allocated;
        char *unreadable;      /* the first directory that is there and could not be listed; NULL: none */
        int error;             /* why */
} ConfFileList;

void conf_file_list_done(ConfFileList *l);

/* `suffixes`: NULL-terminated list (".conf"); `dirs`: NULL-terminated, highest first; a missing directory is no error.
 * Masked names are listed too, once, with the path of what masks them. Names that begin with a dot are skipped.
 * `root` is put before each directory; NULL: none. Negative only for lack of memory: what can be listed is. */
int conf_files_list(const char *const *dirs, const char *const *suffixes, const char *root, ConfFileList *ret);
