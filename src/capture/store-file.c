/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory on disk. Everything is opened below the directory's descriptor and without following a link, by openat2(2)
 * or, where a filter refuses that, component by component. A directory that was removed or cannot be written is tried again
 * now and then; whoever needs it meanwhile gets its error. */

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "store-internal.h"

#define RETRY_USEC (1 * USEC_PER_SEC)
/* How stale what is known of free space may be. */
#define FREE_CHECK_BYTES (4U * 1024U * 1024U)
#define FREE_CHECK_USEC (2 * USEC_PER_SEC)
#define FOLDER_DEPTH_MAX 8
#define CAPTURE_GROUP "scopetrace"

static int open_by_components(int dir_fd, const char *path, int flags, mode_t mode) {
        _cleanup_strv_free_ char **parts = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = strv_split(path, "/", &parts);
        if (r < 0)
                return r;
        if (!parts || !parts[0])
                return -EINVAL;
        for (char **i = parts; i[0]; i++) {
                int parent = fd >= 0 ? fd : dir_fd, next;

                if (streq(i[0], "..") || streq(i[0], "."))
                        return -EXDEV;
                next = i[1] ? openat(parent, i[0], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                            : openat(parent, i[0], flags | O_NOFOLLOW | O_CLOEXEC, mode);
                if (next < 0)
                        return -errno;
                safe_close(fd);
                fd = next;
        }
        return TAKE_FD(fd);
}

int store_open_beneath(int dir_fd, const char *path, int flags, mode_t mode) {
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_NOFOLLOW | O_CLOEXEC),
                .mode = flags & O_CREAT ? mode : 0,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        int fd;

        fd = (int) syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
        if (fd >= 0)
                return fd;
        if (!IN_SET(errno, ENOSYS, EPERM))      /* EPERM: what a system call filter says, too */
                return -errno;
        return open_by_components(dir_fd, path, flags, mode);
}

/* The group comes from a directory with the set-group-ID bit (tmpfiles.d), or by chown(2) where the service may do that; one
 * that cannot be given is no reason to fail. What is right already is not touched: chmod(2) would take that bit away. */
void store_adopt(const Store *s, int fd, mode_t mode) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return;
        if (s->gid != (gid_t) -1 && st.st_gid != s->gid && fchown(fd, (uid_t) -1, s->gid) < 0)
                mode &= ~(mode_t) 0077;
        if ((st.st_mode & 0777) != mode)
                (void) fchmod(fd, mode);
}

int store_make_folders(Store *s, const char *path) {
        _cleanup_free_ char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
                _cleanup_close_ int parent = -EBADF, fd = -EBADF;
                char *name;

                *slash = '\0';
                name = strrchr(copy, '/');
                if (name) {
                        *name = '\0';
                        parent = store_open_beneath(s->dir_fd, copy, O_RDONLY | O_DIRECTORY, 0);
                        *name++ = '/';
                        if (parent < 0)
                                return parent;
                } else
                        name = copy;
                if (mkdirat(parent >= 0 ? parent : s->dir_fd, name, s->folder_mode) < 0) {
                        if (errno != EEXIST)
                                return -errno;
                } else {
                        fd = store_open_beneath(s->dir_fd, copy, O_RDONLY | O_DIRECTORY, 0);
                        if (fd < 0)
                                return fd;
                        store_adopt(s, fd, s->folder_mode);
                }
                *slash = '/';
        }
        return 0;
}

static int make_directory_path(const char *path) {
        _cleanup_free_ char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                if (mkdir(copy, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *p = '/';
        }
        if (mkdir(copy, 0700) < 0)
                return errno == EEXIST ? 0 : -errno;
        return 1;
}

static void find_group(Store *s) {
        struct group group, *found = NULL;
        char buffer[4096];

        s->gid = (gid_t) -1;
        s->folder_mode = 0700;
        s->file_mode = 0600;
        if (geteuid() != 0 || getgrnam_r(CAPTURE_GROUP, &group, buffer, sizeof(buffer), &found) != 0 || !found)
                return;
        s->gid = group.gr_gid;
        s->folder_mode = 0750;
        s->file_mode = 0640;
}

/* Opens the directory anew. -EPERM: somebody else may write there; -EBUSY: another store has it. */
int store_open_directory(Store *s, bool create) {
        _cleanup_close_ int fd = -EBADF;
        bool made = false;
        struct stat st;
        int r;

        find_group(s);
        if (create) {
                r = make_directory_path(s->directory);
                if (r < 0)
                        return r;
                made = r > 0;
        }
        fd = open(s->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!IN_SET(st.st_uid, (uid_t) 0, geteuid()) || (!made && st.st_mode & S_IWOTH))
                return -EPERM;
        /* One writer of an index. */
        s->dir_fd = safe_close(s->dir_fd);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (st.st_uid == geteuid())
                store_adopt(s, fd, s->folder_mode);
        s->dir_fd = TAKE_FD(fd);
        s->directory_lost = false;
        store_limits_resolve(s, &s->wanted);
        store_free_space(s, true);
        return 0;
}

/* Before anything new is made: whether the directory is still there, and if not, whatever is in its place now. */
int store_ensure_directory(Store *s) {
        struct stat st;
        uint64_t now;
        int r;

        if (!s->directory_lost && s->dir_fd >= 0 && fstat(s->dir_fd, &st) >= 0 && st.st_nlink > 0)
                return 0;

        now = now_usec(CLOCK_MONOTONIC);
        if (s->directory_lost && now < s->retry_usec)
                return -s->counters.last_errno;
        s->directory_lost = true;
        s->retry_usec = now + RETRY_USEC;
        for (Artifact *a = s->oldest, *next; a; a = next) {
                next = a->next;
                store_entry_detach(s, a);
        }
        r = store_open_directory(s, true);
        if (r >= 0)
                r = store_index_load(s);
        if (r < 0) {
                s->directory_lost = true;
                store_note_error(s, r);
        }
        return r;
}

void store_free_space(Store *s, bool force) {
        uint64_t now = now_usec(CLOCK_MONOTONIC);
        struct statvfs v;

        if (!force && s->free_unchecked < FREE_CHECK_BYTES && now - s->free_checked_usec < FREE_CHECK_USEC)
                return;
        s->free_unchecked = 0;
        s->free_checked_usec = now;
        if (s->dir_fd >= 0 && fstatvfs(s->dir_fd, &v) >= 0)
                s->free_bytes = (uint64_t) v.f_bavail * v.f_frsize;
}

/* Without the lock. */
int store_digest_fd(int fd, char ret[static 65]) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        _cleanup_free_ char *buffer = NULL;
        EVP_MD_CTX *context;
        uint64_t offset = 0;
        ssize_t n = -1;
        int r = 0;

        buffer = malloc(256U * 1024U);
        context = EVP_MD_CTX_new();
        if (!buffer || !context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
                EVP_MD_CTX_free(context);
                return -ENOMEM;
        }
        while (r >= 0 && (n = pread(fd, buffer, 256U * 1024U, (off_t) offset)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        r = -errno;
                else if (EVP_DigestUpdate(context, buffer, (size_t) n) != 1)
                        r = -ENOMEM;
                else
                        offset += (uint64_t) n;
        }
        if (r >= 0 && EVP_DigestFinal_ex(context, digest, NULL) != 1)
                r = -ENOMEM;
        EVP_MD_CTX_free(context);
        if (r < 0)
                return r;
        for (size_t i = 0; i < 32; i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return 0;
}

static int walk(Store *s, const char *folder, int depth, int (*callback)(Store *, const char *, const struct stat *)) {
        int fd, r = 0;
        DIR *dir;

        fd = isempty(folder) ? openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                             : store_open_beneath(s->dir_fd, folder, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return fd == -1 ? -errno : fd;
        dir = fdopendir(fd);
        if (!dir) {
                safe_close(fd);
                return -ENOMEM;
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                _cleanup_free_ char *path = NULL;
                struct stat st;

                if (e->d_name[0] == '.')
                        continue;
                path = isempty(folder) ? strdup(e->d_name) : strjoin(folder, "/", e->d_name);
                if (!path) {
                        r = -ENOMEM;
                        break;
                }
                if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (S_ISDIR(st.st_mode) && depth < FOLDER_DEPTH_MAX)
                        r = walk(s, path, depth + 1, callback);
                if (r >= 0)
                        r = callback(s, path, &st);
        }
        (void) closedir(dir);
        return r;
}

/* Folders come after what is in them. What begins with a dot is ours and left out. */
int store_for_each_file(Store *s, int (*callback)(Store *s, const char *path, const struct stat *st)) {
        return walk(s, "", 0, callback);
}

static int remove_empty_folder(Store *s, const char *path, const struct stat *st) {
        if (S_ISDIR(st->st_mode))
                (void) unlinkat(s->dir_fd, path, AT_REMOVEDIR);
        return 0;
}

void store_remove_empty_folders(Store *s) {
        (void) store_for_each_file(s, remove_empty_folder);
}

void store_empty_trash(Store *s) {
        int fd;
        DIR *dir;

        fd = store_open_beneath(s->dir_fd, STORE_TRASH, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return;
        dir = fdopendir(fd);
        if (!dir) {
                safe_close(fd);
                return;
        }
        for (struct dirent *e; (e = readdir(dir));)
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        (void) unlinkat(dirfd(dir), e->d_name, 0);
        (void) closedir(dir);
        (void) unlinkat(s->dir_fd, STORE_TRASH, AT_REMOVEDIR);
}
