// SPDX-License-Identifier: LGPL-2.1-or-later
/* Issues system calls with known arguments and writes what a record's message must say of each, one line a call, in the
 * order of the calls. While it has the name sct-calls it makes no other call; the lines go out afterwards.
 *
 *   trigger-syscalls native|compat|strings|ends FILE DIRECTORY
 *
 * What a call returns is taken from the call: whether the kernel grants it is not the question here. */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX (1024 * 1024)

static char lines[LINES_MAX];     /* touched before the first call: no page fault and no brk() in between */
static size_t n_lines;
static char dir[200];

/* The kernel's own answer, without errno. */
static long raw(long nr, long a, long b, long c, long d, long e, long f) {
        register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
        long r;

        __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return r;
}

/* The same door from 64-bit code: the call is one of the 32-bit ABI. */
static long raw32(long nr, long a, long b, long c, long d, long e, long f) {
        register long r12 __asm__("r12") = f;
        long r;

        /* The sixth stands where the compiler may have its frame. */
        __asm__ volatile("xchg %%rbp, %%r12; int $0x80; xchg %%rbp, %%r12" : "=a"(r), "+r"(r12)
                         : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "r8", "r9", "r10", "r11", "memory");
        return (int) r;
}

#define L(x) ((long) (x))
#define CALL0(nr) raw(nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a) raw(nr, L(a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b) raw(nr, L(a), L(b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c) raw(nr, L(a), L(b), L(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d) raw(nr, L(a), L(b), L(c), L(d), 0, 0)
#define CALL5(nr, a, b, c, d, e) raw(nr, L(a), L(b), L(c), L(d), L(e), 0)
#define CALL6(nr, a, b, c, d, e, f) raw(nr, L(a), L(b), L(c), L(d), L(e), L(f))

__attribute__((format(printf, 1, 2))) static void line(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        n_lines += (size_t) vsnprintf(lines + n_lines, LINES_MAX - n_lines, format, ap);
        va_end(ap);
}

/* `name(args) = r`, as the message of a record ends. */
__attribute__((format(printf, 2, 3))) static long want(long r, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        n_lines += (size_t) vsnprintf(lines + n_lines, LINES_MAX - n_lines, format, ap);
        va_end(ap);
        if (r > 0xffffffffL)
                line(" = 0x%lx\n", r);
        else if (r < 0 && r >= -4095)
                line(" = %ld (%s)\n", r, strerrorname_np((int) -r) ?: "?");
        else
                line(" = %ld\n", r);
        return r;
}

static void begin(void) {
        memset(lines, 0, sizeof(lines));
        line("%s", "");
        (void) strerrorname_np(ENOENT);
        (void) prctl(PR_SET_NAME, "sct-calls");
}

/* The call that ends the name still has it when it begins. */
static void end(const char *file) {
        static const char name[] = "sct-done";
        FILE *f;

        want(raw(SYS_prctl, PR_SET_NAME, L(name), 0, 0, 0, 0), "prctl(option: PR_SET_NAME, arg2: 0x%lx, arg3: 0x0, arg4: 0x0, "
             "arg5: 0x0)", L(name));
        f = fopen(file, "we");
        if (!f || fputs(lines, f) < 0 || fclose(f) < 0)
                exit(1);
}

/* --- files --- */

static void files(void) {
        static char path[300], path2[300], missing[300], buffer[4096];
        static struct stat st;
        static struct iovec iov[2] = { { buffer, 3 }, { buffer + 8, 4 } };
        static struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
        static struct timespec times[2];
        static long offset;
        long fd, fd2, d;

        snprintf(path, sizeof(path), "%s/file", dir);
        snprintf(path2, sizeof(path2), "%s/file two", dir);
        snprintf(missing, sizeof(missing), "%s/missing/x", dir);

        fd = want(CALL3(SYS_open, path, O_RDWR | O_CREAT | O_EXCL, 0640), "open(pathname: %s, flags: O_RDWR|O_CREAT|O_EXCL, "
                  "mode: 0640)", path);
        want(CALL3(SYS_open, missing, O_WRONLY, 0), "open(pathname: %s, flags: O_WRONLY, mode: 0)", missing);
        want(CALL4(SYS_openat, AT_FDCWD, missing, O_RDONLY | O_NOFOLLOW, 0), "openat(dirfd: AT_FDCWD, pathname: %s, flags: "
             "O_RDONLY|O_NOFOLLOW, mode: 0)", missing);
        fd2 = want(CALL4(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)), "openat2(dirfd: AT_FDCWD, pathname: %s, how: {flags: "
                   "O_RDONLY|O_CLOEXEC, resolve: RESOLVE_NO_SYMLINKS}, size: 24)", path);
        want(CALL1(SYS_close, fd2), "close(fd: %ld)", fd2);
        want(CALL1(SYS_close, 9999), "close(fd: 9999)");
        want(CALL1(SYS_close, -1), "close(fd: -1)");
        want(CALL3(SYS_write, fd, buffer, 5), "write(fd: %ld, buf: 0x%lx, count: 5)", fd, L(buffer));
        want(CALL4(SYS_pwrite64, fd, buffer, 10, 100), "pwrite64(fd: %ld, buf: 0x%lx, count: 10, offset: 100)", fd, L(buffer));
        want(CALL4(SYS_pread64, fd, buffer, 10, -1), "pread64(fd: %ld, buf: 0x%lx, count: 10, offset: -1)", fd, L(buffer));
        want(CALL3(SYS_lseek, fd, -5, SEEK_END), "lseek(fd: %ld, offset: -5, whence: SEEK_END)", fd);
        want(CALL3(SYS_lseek, fd, 0, SEEK_SET), "lseek(fd: %ld, offset: 0, whence: SEEK_SET)", fd);
        want(CALL3(SYS_read, fd, buffer, 4096), "read(fd: %ld, buf: 0x%lx, count: 4096)", fd, L(buffer));
        want(CALL3(SYS_writev, fd, iov, 2), "writev(fd: %ld, iov: 0x%lx, iovcnt: 2)", fd, L(iov));
        want(CALL3(SYS_readv, fd, iov, 2), "readv(fd: %ld, iov: 0x%lx, iovcnt: 2)", fd, L(iov));
        want(CALL5(SYS_pwritev, fd, iov, 2, 7, 0), "pwritev(fd: %ld, iov: 0x%lx, iovcnt: 2, pos_l: 7, pos_h: 0)", fd, L(iov));
        want(CALL2(SYS_stat, path, &st), "stat(pathname: %s, statbuf: 0x%lx)", path, L(&st));
        want(CALL2(SYS_lstat, missing, &st), "lstat(pathname: %s, statbuf: 0x%lx)", missing, L(&st));
        want(CALL2(SYS_fstat, fd, &st), "fstat(fd: %ld, statbuf: 0x%lx)", fd, L(&st));
        want(CALL4(SYS_newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW), "newfstatat(dirfd: AT_FDCWD, pathname: %s, "
             "statbuf: 0x%lx, flags: AT_SYMLINK_NOFOLLOW)", path, L(&st));
        want(CALL5(SYS_statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, buffer), "statx(dirfd: AT_FDCWD, pathname: %s, flags: 0, mask: "
             "2047, statxbuf: 0x%lx)", path, L(buffer));
        want(CALL2(SYS_access, path, R_OK | W_OK), "access(pathname: %s, mode: R_OK|W_OK)", path);
        want(CALL2(SYS_access, missing, F_OK), "access(pathname: %s, mode: F_OK)", missing);
        want(CALL3(SYS_faccessat, fd, path, X_OK), "faccessat(dirfd: %ld, pathname: %s, mode: X_OK)", fd, path);
        want(CALL4(SYS_faccessat2, AT_FDCWD, path, R_OK, AT_EACCESS), "faccessat2(fd: -100, path: %s, mode: R_OK, flag: "
             "AT_EACCESS)", path);
        want(CALL2(SYS_chmod, path, 04711), "chmod(pathname: %s, mode: 04711)", path);
        want(CALL2(SYS_fchmod, fd, 0600), "fchmod(fd: %ld, mode: 0600)", fd);
        want(CALL3(SYS_fchmodat, AT_FDCWD, path, 0644), "fchmodat(dirfd: AT_FDCWD, pathname: %s, mode: 0644)", path);
        want(CALL3(SYS_chown, path, -1, 5), "chown(pathname: %s, owner: -1, group: 5)", path);
        want(CALL3(SYS_fchown, fd, 0, 0), "fchown(fd: %ld, owner: 0, group: 0)", fd);
        want(CALL3(SYS_lchown, missing, 1, 2), "lchown(pathname: %s, owner: 1, group: 2)", missing);
        want(CALL5(SYS_fchownat, AT_FDCWD, missing, 1, 2, AT_SYMLINK_NOFOLLOW), "fchownat(dirfd: AT_FDCWD, pathname: %s, owner: 1, "
             "group: 2, flags: AT_SYMLINK_NOFOLLOW)", missing);
        want(CALL2(SYS_truncate, path, 17), "truncate(path: %s, length: 17)", path);
        want(CALL2(SYS_ftruncate, fd, 1000), "ftruncate(fd: %ld, length: 1000)", fd);
        want(CALL4(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 4096), "fallocate(fd: %ld, mode: FALLOC_FL_KEEP_SIZE, offset: 0, "
             "len: 4096)", fd);
        want(CALL2(SYS_flock, fd, LOCK_SH | LOCK_NB), "flock(fd: %ld, operation: LOCK_SH|LOCK_NB)", fd);
        want(CALL3(SYS_fcntl, fd, F_GETFL, 0), "fcntl(fd: %ld, cmd: F_GETFL, arg: 0x0)", fd);
        want(CALL3(SYS_ioctl, fd, 0x5401, 0x1234), "ioctl(fd: %ld, request: 0x5401, arg: 0x1234)", fd);
        want(CALL1(SYS_fsync, fd), "fsync(fd: %ld)", fd);
        want(CALL1(SYS_fdatasync, 9999), "fdatasync(fd: 9999)");
        want(CALL4(SYS_fadvise64, fd, 1, 2, 3), "fadvise64(fd: %ld, offset: 1, len: 2, advice: 3)", fd);
        want(CALL4(SYS_sendfile, fd, fd, &offset, 3), "sendfile(out_fd: %ld, in_fd: %ld, offset: 0x%lx, count: 3)", fd, fd,
             L(&offset));
        want(CALL3(SYS_getdents64, fd, buffer, 512), "getdents64(fd: %ld, dirp: 0x%lx, count: 512)", fd, L(buffer));
        want(CALL2(SYS_mkdir, missing, 0755), "mkdir(pathname: %s, mode: 0755)", missing);
        want(CALL3(SYS_mkdirat, 9999, "relative", 0700), "mkdirat(dirfd: 9999, pathname: relative, mode: 0700)");
        want(CALL1(SYS_rmdir, missing), "rmdir(pathname: %s)", missing);
        want(CALL2(SYS_rename, path, path2), "rename(oldpath: %s, newpath: %s)", path, path2);
        want(CALL5(SYS_renameat2, AT_FDCWD, path2, AT_FDCWD, path, RENAME_NOREPLACE), "renameat2(olddirfd: AT_FDCWD, oldpath: %s, "
             "newdirfd: AT_FDCWD, newpath: %s, flags: RENAME_NOREPLACE)", path2, path);
        want(CALL2(SYS_link, path, path2), "link(oldpath: %s, newpath: %s)", path, path2);
        want(CALL1(SYS_unlink, path2), "unlink(pathname: %s)", path2);
        want(CALL2(SYS_symlink, "to nowhere", path2), "symlink(target: to nowhere, linkpath: %s)", path2);
        memset(buffer, 'x', 100);
        want(CALL3(SYS_readlink, path2, buffer, 100), "readlink(pathname: %s, buf: to nowhere, bufsiz: 100)", path2);
        want(CALL4(SYS_readlinkat, AT_FDCWD, path2, buffer, 4), "readlinkat(dirfd: AT_FDCWD, pathname: %s, buf: to n, bufsiz: 4)",
             path2);
        want(CALL3(SYS_unlinkat, AT_FDCWD, path2, 0), "unlinkat(dirfd: AT_FDCWD, pathname: %s, flags: 0)", path2);
        want(CALL3(SYS_unlinkat, AT_FDCWD, missing, AT_REMOVEDIR), "unlinkat(dirfd: AT_FDCWD, pathname: %s, flags: AT_REMOVEDIR)",
             missing);
        want(CALL3(SYS_mknod, missing, S_IFIFO | 0600, 0), "mknod(pathname: %s, mode: 010600, dev: 0)", missing);
        want(CALL4(SYS_mknodat, AT_FDCWD, missing, S_IFCHR | 0666, 0x103), "mknodat(dirfd: AT_FDCWD, pathname: %s, mode: 020666, "
             "dev: 259)", missing);
        want(CALL4(SYS_utimensat, AT_FDCWD, path, times, 0), "utimensat(dirfd: AT_FDCWD, pathname: %s, times: 0x%lx, flags: 0)",
             path, L(times));
        d = want(CALL1(SYS_umask, 077), "umask(mask: 077)");
        want(CALL1(SYS_umask, d), "umask(mask: %#lo)", d);
        want(CALL1(SYS_chdir, dir), "chdir(path: %s)", dir);
        want(CALL2(SYS_getcwd, buffer, 4096), "getcwd(buf: %s, size: 4096)", dir);
        want(CALL1(SYS_chroot, missing), "chroot(path: %s)", missing);
        want(CALL5(SYS_mount, "none", missing, "tmpfs", MS_NOSUID | MS_RDONLY, 0), "mount(source: none, target: %s, filesystemtype: "
             "tmpfs, mountflags: MS_RDONLY|MS_NOSUID, data: 0x0)", missing);
        want(CALL2(SYS_umount2, missing, MNT_DETACH), "umount2(target: %s, flags: MNT_DETACH)", missing);
        want(CALL2(SYS_statfs, path, buffer), "statfs(path: %s, buf: 0x%lx)", path, L(buffer));
        want(CALL4(SYS_getxattr, path, "user.none", buffer, 100), "getxattr(path: %s, name: user.none, size: 100)", path);
        want(CALL5(SYS_setxattr, missing, "user.a b", buffer, 4, 1), "setxattr(path: %s, name: user.a b, value: 0x%lx, size: 4, flags: "
             "1)", missing, L(buffer));
        want(CALL2(SYS_removexattr, missing, "user.x"), "removexattr(path: %s, name: user.x)", missing);
        want(CALL1(SYS_swapoff, missing), "swapoff(path: %s)", missing);
        want(CALL1(SYS_acct, missing), "acct(filename: %s)", missing);
        fd2 = want(CALL2(SYS_memfd_create, "a name", MFD_CLOEXEC), "memfd_create(name: a name, flags: MFD_CLOEXEC)");
        want(CALL1(SYS_close, fd2), "close(fd: %ld)", fd2);
        fd2 = want(CALL1(SYS_inotify_init1, IN_CLOEXEC), "inotify_init1(flags: O_CLOEXEC)");
        want(CALL3(SYS_inotify_add_watch, fd2, missing, 0x100), "inotify_add_watch(fd: %ld, pathname: %s, mask: 0x100)", fd2, missing);
        want(CALL1(SYS_close, fd2), "close(fd: %ld)", fd2);
        fd2 = want(CALL1(SYS_dup, fd), "dup(oldfd: %ld)", fd);
        want(CALL2(SYS_dup2, fd, fd2), "dup2(oldfd: %ld, newfd: %ld)", fd, fd2);
        want(CALL3(SYS_dup3, fd, fd2, O_CLOEXEC), "dup3(oldfd: %ld, newfd: %ld, flags: O_CLOEXEC)", fd, fd2);
        want(CALL3(SYS_close_range, fd2, fd2, 0), "close_range(first: %ld, last: %ld, flags: 0)", fd2, fd2);
        want(CALL1(SYS_close, fd), "close(fd: %ld)", fd);
        want(CALL1(SYS_unlink, path), "unlink(pathname: %s)", path);
}

/* --- descriptors that the kernel makes, sockets --- */

static void sockets(void) {
        static struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 0 }, in_out;
        static struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
        static struct sockaddr_un un = { .sun_family = AF_UNIX }, un_out, abstract = { .sun_family = AF_UNIX };
        static socklen_t size, one = 1;
        static int pair[2];
        static struct epoll_event event;
        static struct msghdr msg;
        static char buffer[64];
        long fd, client, peer;

        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in6.sin6_addr = in6addr_loopback;
        in6.sin6_port = htons(7);
        snprintf(un.sun_path, sizeof(un.sun_path), "%.90s/socket", dir);
        memcpy(abstract.sun_path, "\0abstract", 9);

        fd = want(CALL3(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket(domain: AF_INET, type: SOCK_STREAM|SOCK_CLOEXEC, "
                  "protocol: 0)");
        want(CALL5(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &one, 4), "setsockopt(sockfd: %ld, level: SOL_SOCKET, optname: "
             "SO_REUSEADDR, optval: 0x%lx, optlen: 4)", fd, L(&one));
        want(CALL3(SYS_bind, fd, &in, sizeof(in)), "bind(sockfd: %ld, addr: 127.0.0.1:0, addrlen: 16)", fd);
        want(CALL2(SYS_listen, fd, 5), "listen(sockfd: %ld, backlog: 5)", fd);
        size = sizeof(in_out);
        {
                long r = CALL3(SYS_getsockname, fd, &in_out, &size);

                want(r, "getsockname(sockfd: %ld, addr: 127.0.0.1:%d, addrlen: 0x%lx)", fd, ntohs(in_out.sin_port), L(&size));
        }
        client = want(CALL3(SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_TCP), "socket(domain: AF_INET, type: SOCK_STREAM, protocol: 6)");
        want(CALL3(SYS_connect, client, &in_out, sizeof(in_out)), "connect(sockfd: %ld, addr: 127.0.0.1:%d, addrlen: 16)", client,
             ntohs(in_out.sin_port));
        size = sizeof(in);
        {
                long r = CALL4(SYS_accept4, fd, &in, &size, SOCK_CLOEXEC);

                peer = want(r, "accept4(sockfd: %ld, addr: 127.0.0.1:%d, addrlen: 0x%lx, flags: SOCK_CLOEXEC)", fd,
                            ntohs(in.sin_port), L(&size));
        }
        want(CALL6(SYS_sendto, client, buffer, 7, MSG_NOSIGNAL, 0, 0), "sendto(sockfd: %ld, buf: 0x%lx, len: 7, flags: MSG_NOSIGNAL, "
             "dest_addr: ?, addrlen: 0)", client, L(buffer));
        want(CALL6(SYS_recvfrom, peer, buffer, 64, MSG_DONTWAIT, 0, 0), "recvfrom(sockfd: %ld, buf: 0x%lx, len: 64, flags: "
             "MSG_DONTWAIT, addrlen: 0x0)", peer, L(buffer));
        want(CALL3(SYS_sendmsg, client, &msg, 0), "sendmsg(sockfd: %ld, msg: 0x%lx, flags: 0)", client, L(&msg));
        want(CALL3(SYS_recvmsg, peer, &msg, MSG_DONTWAIT), "recvmsg(sockfd: %ld, msg: 0x%lx, flags: MSG_DONTWAIT)", peer, L(&msg));
        want(CALL2(SYS_shutdown, client, SHUT_RDWR), "shutdown(sockfd: %ld, how: SHUT_RDWR)", client);
        want(CALL1(SYS_close, client), "close(fd: %ld)", client);
        want(CALL1(SYS_close, peer), "close(fd: %ld)", peer);
        want(CALL1(SYS_close, fd), "close(fd: %ld)", fd);

        want(CALL3(SYS_connect, 9999, &in6, sizeof(in6)), "connect(sockfd: 9999, addr: [::1]:7, addrlen: 28)");
        want(CALL3(SYS_connect, 9999, &in, 0), "connect(sockfd: 9999, addr: AF_UNSPEC, addrlen: 0)");
        want(CALL3(SYS_connect, 9999, 8, 16), "connect(sockfd: 9999, addr: ?, addrlen: 16)");
        fd = want(CALL3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), "socket(domain: AF_UNIX, type: SOCK_DGRAM|SOCK_NONBLOCK, "
                  "protocol: 0)");
        want(CALL3(SYS_bind, fd, &un, sizeof(un)), "bind(sockfd: %ld, addr: %s, addrlen: 110)", fd, un.sun_path);
        size = sizeof(un_out);
        want(CALL3(SYS_getsockname, fd, &un_out, &size), "getsockname(sockfd: %ld, addr: %s, addrlen: 0x%lx)", fd, un.sun_path,
             L(&size));
        want(CALL6(SYS_sendto, fd, buffer, 3, 0, &abstract, 11), "sendto(sockfd: %ld, buf: 0x%lx, len: 3, flags: 0, dest_addr: "
             "@abstract, addrlen: 11)", fd, L(buffer));
        want(CALL1(SYS_close, fd), "close(fd: %ld)", fd);
        want(CALL1(SYS_unlink, un.sun_path), "unlink(pathname: %s)", un.sun_path);
        {
                long r = CALL4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, pair);

                want(r, "socketpair(domain: AF_UNIX, type: SOCK_SEQPACKET, protocol: 0, sv: [%d %d])", pair[0], pair[1]);
        }
        want(CALL3(SYS_getpeername, pair[0], &un_out, &size), "getpeername(sockfd: %d, addr: (unnamed), addrlen: 0x%lx)", pair[0],
             L(&size));
        want(CALL1(SYS_close, pair[0]), "close(fd: %d)", pair[0]);
        want(CALL1(SYS_close, pair[1]), "close(fd: %d)", pair[1]);
        {
                long r = CALL2(SYS_pipe2, pair, O_CLOEXEC | O_NONBLOCK);

                want(r, "pipe2(pipefd: [%d %d], flags: O_CLOEXEC|O_NONBLOCK)", pair[0], pair[1]);
        }
        want(CALL2(SYS_pipe2, 8, 0), "pipe2(flags: 0)");
        fd = want(CALL1(SYS_epoll_create1, EPOLL_CLOEXEC), "epoll_create1(flags: O_CLOEXEC)");
        want(CALL4(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, pair[0], &event), "epoll_ctl(epfd: %ld, op: EPOLL_CTL_ADD, fd: %d, event: 0x%lx)",
             fd, pair[0], L(&event));
        want(CALL4(SYS_epoll_wait, fd, &event, 1, 0), "epoll_wait(epfd: %ld, events: 0x%lx, maxevents: 1, timeout: 0)", fd, L(&event));
        want(CALL1(SYS_close, fd), "close(fd: %ld)", fd);
        want(CALL6(SYS_splice, pair[0], 0, pair[1], 0, 1, 0), "splice(fd_in: %d, off_in: 0x0, fd_out: %d, off_out: 0x0, len: 1, flags: "
             "0)", pair[0], pair[1]);
        want(CALL1(SYS_close, pair[0]), "close(fd: %d)", pair[0]);
        want(CALL1(SYS_close, pair[1]), "close(fd: %d)", pair[1]);
        fd = want(CALL2(SYS_eventfd2, 3, EFD_NONBLOCK), "eventfd2(initval: 3, flags: O_NONBLOCK)");
        want(CALL1(SYS_close, fd), "close(fd: %ld)", fd);
        fd = want(CALL2(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create(clockid: CLOCK_MONOTONIC, flags: O_CLOEXEC)");
        want(CALL1(SYS_close, fd), "close(fd: %ld)", fd);
}

/* --- processes, memory, time, the rest --- */

static void processes(void) {
        static struct timespec short_time = { 0, 1000 }, clock;
        static struct rlimit limit;
        static unsigned long mask;
        static int word = 5;
        static char buffer[512];
        long p, pid = CALL0(SYS_getpid), child;

        line("getpid() = %ld\n", pid);
        want(CALL0(SYS_getppid), "getppid()");
        want(CALL0(SYS_gettid), "gettid()");
        want(CALL0(SYS_getuid), "getuid()");
        want(CALL0(SYS_geteuid), "geteuid()");
        want(CALL1(SYS_getpgid, 0), "getpgid(pid: 0)");
        want(CALL1(SYS_getsid, -1), "getsid(pid: -1)");
        want(CALL2(SYS_getgroups, 0, 0), "getgroups(size: 0, list: 0x0)");
        want(CALL2(SYS_setpgid, -1, 7), "setpgid(pid: -1, pgid: 7)");
        want(CALL3(SYS_setresuid, -1, -1, -1), "setresuid(ruid: -1, euid: -1, suid: -1)");
        want(CALL2(SYS_kill, pid, 0), "kill(pid: %ld, sig: 0)", pid);
        want(CALL2(SYS_kill, 2147483000, SIGTERM), "kill(pid: 2147483000, sig: SIGTERM)");
        want(CALL3(SYS_tgkill, pid, pid, 0), "tgkill(tgid: %ld, tid: %ld, sig: 0)", pid, pid);
        want(CALL4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask, 8), "rt_sigprocmask(how: SIG_BLOCK, set: 0x0, oldset: 0x%lx, sigsetsize: 8)",
             L(&mask));
        want(CALL4(SYS_rt_sigaction, SIGUSR2, 0, 0, 8), "rt_sigaction(signum: SIGUSR2, act: 0x0, oldact: 0x0, sigsetsize: 8)");
        want(CALL4(SYS_ptrace, PTRACE_PEEKDATA, 2147483000, 16, 32), "ptrace(request: PTRACE_PEEKDATA, pid: 2147483000, addr: 0x10, "
             "data: 0x20)");
        want(CALL5(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0), "prctl(option: PR_GET_DUMPABLE, arg2: 0x0, arg3: 0x0, arg4: 0x0, arg5: 0x0)");
        want(CALL2(SYS_arch_prctl, 0x1003, &p), "arch_prctl(option: ARCH_GET_FS, addr: 0x%lx)", L(&p));
        want(CALL2(SYS_getrlimit, RLIMIT_NOFILE, &limit), "getrlimit(resource: RLIMIT_NOFILE, rlim: 0x%lx)", L(&limit));
        want(CALL4(SYS_prlimit64, 0, RLIMIT_CORE, 0, &limit), "prlimit64(pid: 0, resource: RLIMIT_CORE, new_limit: 0x0, old_limit: "
             "0x%lx)", L(&limit));
        want(CALL2(SYS_getpriority, PRIO_PROCESS, 0), "getpriority(which: PRIO_PROCESS, who: 0)");
        want(CALL1(SYS_sched_getscheduler, 0), "sched_getscheduler(pid: 0)");
        want(CALL1(SYS_sched_get_priority_max, SCHED_FIFO), "sched_get_priority_max(policy: SCHED_FIFO)");
        want(CALL3(SYS_sched_getaffinity, 0, 8, &mask), "sched_getaffinity(pid: 0, cpusetsize: 8, mask: 0x%lx)", L(&mask));
        want(CALL0(SYS_sched_yield), "sched_yield()");
        want(CALL3(SYS_seccomp, 2, 0, &mask), "seccomp(operation: SECCOMP_GET_ACTION_AVAIL, flags: 0, args: 0x%lx)", L(&mask));
        want(CALL1(SYS_unshare, 0), "unshare(flags: 0)");
        want(CALL2(SYS_setns, 9999, CLONE_NEWNET), "setns(fd: 9999, nstype: CLONE_NEWNET)");
        want(CALL2(SYS_pidfd_open, -1, 0), "pidfd_open(pid: -1, flags: 0)");
        want(CALL3(SYS_bpf, 1, 0, 0), "bpf(cmd: BPF_MAP_LOOKUP_ELEM, attr: 0x0, size: 0)");
        want(CALL6(SYS_process_vm_readv, -1, 0, 0, 0, 0, 0), "process_vm_readv(pid: -1, local_iov: 0x0, liovcnt: 0, remote_iov: 0x0, "
             "riovcnt: 0, flags: 0)");
        want(CALL2(SYS_delete_module, "no_such_module", O_NONBLOCK), "delete_module(name: no_such_module, flags: O_NONBLOCK)");
        want(CALL3(SYS_finit_module, -1, "a=1", 1), "finit_module(fd: -1, param_values: a=1, flags: MODULE_INIT_IGNORE_MODVERSIONS)");
        want(CALL3(SYS_init_module, 0, 0, "b=2"), "init_module(module_image: 0x0, len: 0, param_values: b=2)");
        want(CALL2(SYS_sethostname, 8, 5), "sethostname(name: ?, len: 5)");
        want(CALL5(SYS_add_key, "no such type", "a key", 0, 0, 0), "add_key(type: no such type, description: a key, payload: 0x0, plen: 0, "
             "keyring: 0)");
        want(CALL1(SYS_uname, buffer), "uname(buf: 0x%lx)", L(buffer));
        want(CALL1(SYS_sysinfo, buffer), "sysinfo(info: 0x%lx)", L(buffer));
        want(CALL3(SYS_getrandom, buffer, 8, 1), "getrandom(buf: 0x%lx, buflen: 8, flags: 1)", L(buffer));
        want(CALL2(SYS_nanosleep, &short_time, 0), "nanosleep(req: 0.000001s, rem: 0x0)");
        want(CALL4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &short_time, 0), "clock_nanosleep(clockid: CLOCK_MONOTONIC, flags: 0, request: "
             "0.000001s, remain: 0x0)");
        {
                long r = CALL2(SYS_clock_getres, CLOCK_MONOTONIC_COARSE, &clock);
                char digits[32];
                size_t n = (size_t) snprintf(digits, sizeof(digits), "%ld.%09ld", clock.tv_sec, clock.tv_nsec);

                while (digits[n - 1] == '0')
                        digits[--n] = 0;
                want(r, "clock_getres(clockid: CLOCK_MONOTONIC_COARSE, res: %ss)", digits);
        }
        want(CALL2(SYS_clock_gettime, 77, &clock), "clock_gettime(clockid: 77)");
        want(CALL4(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 6, 0), "futex(uaddr: 0x%lx, futex_op: FUTEX_WAIT|"
             "FUTEX_PRIVATE_FLAG, val: 6, timeout: ?, uaddr2: 0x0, val3: 0)", L(&word));
        want(CALL1(SYS_alarm, 0), "alarm(seconds: 0)");
        want(CALL2(SYS_getitimer, ITIMER_REAL, buffer), "getitimer(which: ITIMER_REAL, curr_value: 0x%lx)", L(buffer));

        p = want(CALL6(SYS_mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap(addr: 0x0, length: 8192, "
                 "prot: PROT_READ|PROT_WRITE, flags: MAP_PRIVATE|MAP_ANONYMOUS, fd: -1, off: 0)");
        want(CALL3(SYS_mprotect, p, 4096, PROT_READ | PROT_EXEC), "mprotect(addr: 0x%lx, len: 4096, prot: PROT_READ|PROT_EXEC)", p);
        want(CALL3(SYS_madvise, p, 4096, MADV_DONTNEED), "madvise(addr: 0x%lx, length: 4096, advice: MADV_DONTNEED)", p);
        want(CALL3(SYS_msync, p, 4096, MS_SYNC), "msync(addr: 0x%lx, length: 4096, flags: MS_SYNC)", p);
        want(CALL5(SYS_mremap, p, 8192, 4096, MREMAP_MAYMOVE, 0), "mremap(old_address: 0x%lx, old_size: 8192, new_size: 4096, flags: "
             "MREMAP_MAYMOVE, new_address: 0x0)", p);
        want(CALL2(SYS_munmap, p, 8192), "munmap(addr: 0x%lx, length: 8192)", p);
        want(CALL1(SYS_brk, 0), "brk(addr: 0x0)");
        want(CALL2(SYS_mlock, 8, 0), "mlock(addr: 0x8, len: 0)");

        want(CALL3(SYS_shmget, -1, 0, 0), "shmget(key: -1, size: 0, shmflg: 0)");
        want(CALL3(SYS_semget, 77, -1, 0), "semget(key: 77, nsems: -1, semflg: 0)");
        want(CALL2(SYS_msgget, 0x7fff1234, 0), "msgget(key: 2147422772, msgflg: 0)");
        want(CALL4(SYS_mq_open, "/no queue", O_RDONLY, 0, 0), "mq_open(name: /no queue, oflag: O_RDONLY, mode: 0, attr: 0x0)");
        want(CALL4(SYS_reboot, 1, 2, 3, 0), "reboot(magic: 0x1, magic2: 0x2, cmd: 3, arg: 0x0)");

        /* A child has its own line for the call that made it: it returns there, too, but made no call. */
        child = CALL5(SYS_clone, SIGCHLD | CLONE_VFORK | CLONE_VM, 0, 0, 0, 0);
        if (child == 0)
                CALL1(SYS_exit_group, 3);
        line("exit_group(status: 3)\n");
        want(child, "clone(flags: CLONE_VM|CLONE_VFORK, stack: 0x0, parent_tid: 0x0, child_tid: 0x0, tls: 0x0)");
        want(CALL4(SYS_wait4, child, &word, 0, 0), "wait4(pid: %ld, wstatus: 0x%lx, options: 0, rusage: 0x0)", child, L(&word));
        want(CALL5(SYS_waitid, P_PID, child, 0, WEXITED | WNOHANG, 0), "waitid(idtype: 1, id: %ld, infop: 0x0, options: WNOHANG|WEXITED, "
             "rusage: 0x0)", child);
}

/* --- strings --- */

static char racing[300], fifo_other[300];

/* Rewrites the path that the other thread's open() still waits on, then lets it go on. */
static void *rewrite(void *userdata) {
        struct timespec t = { 0, 50 * 1000 * 1000 };
        int fd;

        (void) prctl(PR_SET_NAME, "sct-other");
        nanosleep(&t, NULL);
        memset(racing, 'X', strlen(racing));
        fd = open(userdata, O_WRONLY);
        close(fd);
        return NULL;
}

/* A string in a page of a file that this process has not touched yet. */
static char *not_resident(const char *name, const char *s) {
        char path[128], *mapped;
        int fd;

        snprintf(path, sizeof(path), "%.90s/%s", dir, name);
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (write(fd, s, strlen(s) + 1) < 0)
                exit(1);
        close(fd);
        fd = open(path, O_RDONLY);      /* what is mapped for writing cannot be executed */
        mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
        return mapped;
}

static void strings(void) {
        static const char *const argv[] = { "word", "two words", "line\nbreak", "\xff\xfe", "", NULL };
        static const char *const envp[] = { "A=b", NULL };
        static char at_limit[8192], over[8192], fits[4300];
        static const char *many[1001];
        pthread_t thread;
        char *edge, *mapped, *argument, executable[128];
        long fd;

        mapped = not_resident("first", "/sct/not-resident");
        argument = not_resident("second", "later");
        snprintf(executable, sizeof(executable), "%.90s/second", dir);     /* of no format */
        chmod(executable, 0700);
        snprintf(racing, sizeof(racing), "%s/fifo", dir);
        memcpy(fifo_other, racing, sizeof(racing));
        if (mkfifo(racing, 0600) < 0)
                exit(1);
        /* The last byte of a page whose neighbour nobody may read. */
        edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(edge + 4096, 4096, PROT_NONE);
        strcpy(edge + 4096 - 5, "edge");
        for (size_t i = 0; i < 1000; i++)
                many[i] = "argument";
        memset(at_limit, 'a', 4095);
        memset(over, 'b', 5000);
        memset(fits, 'c', 4000);
        if (pthread_create(&thread, NULL, rewrite, fifo_other) != 0)
                exit(1);

        begin();
        fd = want(CALL3(SYS_open, racing, O_RDONLY, 0), "open(pathname: %s, flags: O_RDONLY, mode: 0)", fifo_other);
        want(CALL1(SYS_close, fd), "close(fd: %ld)", fd);
        want(CALL2(SYS_access, edge + 4091, 0), "access(pathname: edge, mode: F_OK)");
        edge[4095] = 'x';
        want(CALL2(SYS_access, edge + 4091, 0), "access(pathname: ?, mode: F_OK)");
        want(CALL2(SYS_access, 0, 0), "access(pathname: ?, mode: F_OK)");
        want(CALL2(SYS_access, -8, 0), "access(pathname: ?, mode: F_OK)");
        want(CALL2(SYS_access, "", 0), "access(pathname: , mode: F_OK)");
        want(CALL2(SYS_access, mapped, 0), "access(pathname: /sct/not-resident, mode: F_OK)");
        {
                const char *const words[] = { "now", argument, NULL };

                want(CALL3(SYS_execve, executable, words, NULL), "execve(pathname: %s, argv: [now later], envp: ?)", executable);
        }
        want(CALL2(SYS_access, "tab\tand\nline\x1b[0m", 0), "access(pathname: tab\\tand\\nline\\x1b[0m, mode: F_OK)");
        want(CALL3(SYS_execve, "/sct/none", argv, envp), "execve(pathname: /sct/none, argv: [word \"two words\" line\\nbreak "
             "\\xff\\xfe \"\"], envp: [A=b])");
        want(CALL3(SYS_execve, "/sct/none", 8, 0), "execve(pathname: /sct/none, argv: ?, envp: ?)");
        want(CALL5(SYS_execveat, AT_FDCWD, "none", argv + 1, envp + 1, AT_EMPTY_PATH), "execveat(dirfd: AT_FDCWD, pathname: none, argv: "
             "[\"two words\" line\\nbreak \\xff\\xfe \"\"], envp: [], flags: AT_EMPTY_PATH)");
        want(CALL2(SYS_access, fits, 0), "access(pathname: %.512s..., mode: F_OK)", fits);
        want(CALL2(SYS_access, at_limit, 0), "access(pathname: %.512s..., mode: F_OK)", at_limit);
        want(CALL2(SYS_access, over, 0), "access(pathname: %.512s..., mode: F_OK)", over);
        want(CALL2(SYS_link, at_limit, fits), "link(oldpath: %.512s..., newpath: %.512s...)", at_limit, fits);
        {
                long r = CALL3(SYS_execve, "/sct/none", many, envp);

                line("execve(pathname: /sct/none, argv: [argument");
                for (size_t i = 0; i < 55; i++)
                        line(" argument");
                line(" argumen..., envp: [A=b])");
                want(r, "%s", "");
        }
}

/* --- 32-bit calls --- */

#define CALL32(nr, a, b, c, d) raw32(nr, L(a), L(b), L(c), L(d), 0, 0)
#define CALL32_6(nr, a, b, c, d, e, f) raw32(nr, L(a), L(b), L(c), L(d), L(e), L(f))

static void compat(void) {
        char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        unsigned *args = (unsigned *) (low + 1024), *vector = (unsigned *) (low + 2048);
        int *ts = (int *) (low + 3072);
        char *path = low, *word = low + 512;

        if (low == MAP_FAILED)
                exit(77);
        strcpy(path, "/sct/thirty-two");
        strcpy(word, "one word");
        vector[0] = (unsigned) L(word);
        vector[1] = (unsigned) L(path);
        ts[0] = 0;
        ts[1] = 2000;
        args[0] = AF_INET;
        args[1] = 99;
        args[2] = 0;

        begin();
        want(CALL32(20, 0, 0, 0, 0), "getpid()");
        want(CALL32(5, path, O_WRONLY, 0600, 0), "open(pathname: /sct/thirty-two, flags: O_WRONLY, mode: 0600)");
        want(CALL32(295, AT_FDCWD, path, O_RDONLY, 0), "openat(dirfd: AT_FDCWD, pathname: /sct/thirty-two, flags: O_RDONLY, mode: 0)");
        want(CALL32(6, -1, 0, 0, 0), "close(fd: -1)");
        want(CALL32(33, path, R_OK, 0, 0), "access(pathname: /sct/thirty-two, mode: R_OK)");
        want(CALL32(195, path, low, 0, 0), "stat64(pathname: /sct/thirty-two, statbuf: 0x%lx)", L(low));
        want(CALL32(182, path, 1, 2, 0), "chown16(pathname: /sct/thirty-two, owner: 1, group: 2)");
        want(CALL32(212, path, -1, 2, 0), "chown(pathname: /sct/thirty-two, owner: -1, group: 2)");
        want(CALL32(7, -5, 0, WNOHANG, 0), "waitpid(pid: -5, status: 0x0, options: WNOHANG)");
        want(CALL32(102, 1, args, 0, 0), "socketcall(call: SYS_SOCKET, args: 0x%lx)", L(args));
        want(CALL32(11, path, vector, 0, 0), "execve(pathname: /sct/thirty-two, argv: [\"one word\" /sct/thirty-two], envp: ?)");
        want(CALL32(162, ts, 0, 0, 0), "nanosleep(req: 0.000002s, rem: 0x0)");
        want(CALL32(19, -1, -5, SEEK_CUR, 0), "lseek(fd: -1, offset: -5, whence: SEEK_CUR)");
        want(CALL32(21, path, path, word, MS_RDONLY), "mount(source: /sct/thirty-two, target: /sct/thirty-two, filesystemtype: one word, "
             "mountflags: MS_RDONLY, data: 0x0)");
        want(CALL32(37, 2147483000, SIGHUP, 0, 0), "kill(pid: 2147483000, sig: SIGHUP)");

        /* 64-bit arguments in two registers, and arguments in another order. */
        want(CALL32_6(180, -1, low, 8, 5, 2, 0), "pread64(fd: -1, buf: 0x%lx, count: 8, offset: 8589934597)", L(low));
        want(CALL32_6(181, -1, low, 8, -1, -1, 0), "pwrite64(fd: -1, buf: 0x%lx, count: 8, offset: -1)", L(low));
        want(CALL32_6(193, path, 0x80000000, 0, 0, 0, 0), "truncate64(path: /sct/thirty-two, length: 2147483648)");
        want(CALL32_6(194, -1, 7, 1, 0, 0, 0), "ftruncate64(fd: -1, length: 4294967303)");
        want(CALL32_6(225, -1, 1, 1, 16, 0, 0), "readahead(fd: -1, offset: 4294967297, count: 16)");
        want(CALL32_6(250, -1, 2, 1, 16, 3, 0), "fadvise64(fd: -1, offset: 4294967298, len: 16, advice: 3)");
        want(CALL32_6(272, -1, 2, 1, 3, 1, 3), "fadvise64_64(fd: -1, offset: 4294967298, len: 4294967299, advice: 3)");
        want(CALL32_6(314, -1, 2, 1, 3, 1, 7), "sync_file_range(fd: -1, offset: 4294967298, nbytes: 4294967299, flags: 7)");
        want(CALL32_6(324, -1, 0, 2, 1, 3, 1), "fallocate(fd: -1, mode: 0, offset: 4294967298, len: 4294967299)");
        want(CALL32_6(339, -1, 0, 0x10, 0, AT_FDCWD, path), "fanotify_mark(fanotify_fd: -1, flags: 0, mask: 0x10, dirfd: "
             "AT_FDCWD, pathname: /sct/thirty-two)");
        want(CALL32_6(120, 0x80000000 | CLONE_THREAD, 1, 2, 3, 4, 0), "clone(flags: CLONE_THREAD|CLONE_IO, stack: 0x1, "
             "parent_tid: 0x2, child_tid: 0x4, tls: 0x3)");
}

/* --- calls that do not come back --- */

static void on_signal(int sig) {
}

static void *thread_exit(void *userdata) {
        (void) prctl(PR_SET_NAME, "sct-calls");
        CALL1(SYS_exit, 11);
        return NULL;
}

static void ends(void) {
        struct sigaction action = { .sa_handler = on_signal };
        pid_t pid = getpid();
        pthread_t thread;

        sigaction(SIGUSR1, &action, NULL);
        pthread_create(&thread, NULL, thread_exit, NULL);
        pthread_join(thread, NULL);
        begin();
        line("exit(status: 11)\n");
        want(CALL2(SYS_kill, pid, SIGUSR1), "kill(pid: %d, sig: SIGUSR1)", pid);
        line("rt_sigreturn()\n");
}

int main(int argc, char *argv[]) {
        if (argc != 4)
                return 2;
        snprintf(dir, sizeof(dir), "%s", argv[3]);
        if (strcmp(argv[1], "native") == 0) {
                begin();
                files();
                sockets();
                processes();
        } else if (strcmp(argv[1], "strings") == 0)
                strings();
        else if (strcmp(argv[1], "compat") == 0)
                compat();
        else if (strcmp(argv[1], "ends") == 0)
                ends();
        else
                return 2;
        end(argv[2]);
        return 0;
}
