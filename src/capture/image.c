/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Assembles a file from what the kernel side copied at the event and, where that is not all, from the file. Blocks that
 * came from the kernel always win: they are what was there at the moment. The file is trusted only as long as it is the
 * one that was meant and unchanged, which is asked again after reading. Holds blocks in memory, never a whole file that
 * did not come through the ring. */

#include <openssl/evp.h>
#include <stdio.h>
#include <sys/mman.h>

#include "../basic/macro.h"
#include "image.h"

#define BLOCK 4096U                       /* the kernel side sends whole ones, but for the last */
#define HELD_MAX (128U << 20)             /* bytes of all images that are being put together */
#define PIECE (256U << 10)                /* read and written at once */

struct Image {
        FileIdentity identity;
        int fd;
        uint8_t *bytes;                   /* reserved, not filled: NULL until the first block came */
        size_t n_bytes;
        uint8_t *have;                    /* bit per block */
        size_t n_have;                    /* bits set */
};

static size_t held;                       /* the worker's thread alone makes images */

static size_t n_blocks(const Image *i) {
        return (i->identity.size + BLOCK - 1) / BLOCK;
}

int image_new(const FileIdentity *identity, int fd, Image **ret) {
        Image *i = new0(Image, 1);

        assert(identity);
        assert(ret);

        if (!i) {
                safe_close(fd);
                return -ENOMEM;
        }
        i->identity = *identity;
        i->fd = fd;
        *ret = i;
        return 0;
}

Image *image_free(Image *i) {
        if (!i)
                return NULL;
        if (i->bytes) {
                munmap(i->bytes, i->n_bytes);
                held -= i->n_have * BLOCK;
        }
        free(i->have);
        safe_close(i->fd);
        free(i);
        return NULL;
}

static int reserve(Image *i) {
        void *p;

        if (i->bytes)
                return 0;
        i->have = calloc(n_blocks(i) / 8 + 1, 1);
        if (!i->have)
                return -ENOMEM;
        p = mmap(NULL, n_blocks(i) * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
                return -errno;
        i->bytes = p;
        i->n_bytes = n_blocks(i) * BLOCK;
        return 0;
}

static bool has_block(const Image *i, size_t block) {
        return i->have && i->have[block / 8] >> (block % 8) & 1;
}

int image_add(Image *i, uint64_t offset, const void *data, size_t size) {
        size_t first = offset / BLOCK;
        int r;

        assert(i);

        if (offset % BLOCK != 0 || offset >= i->identity.size)
                return -EINVAL;
        size = MIN((uint64_t) size, i->identity.size - offset);
        if (held + size > HELD_MAX)
                return -ENOBUFS;
        r = reserve(i);
        if (r < 0)
                return r;
        /* A block that is not whole counts only at the file's end. */
        if (offset + size < i->identity.size)
                size -= size % BLOCK;
        memcpy(i->bytes + offset, data, size);
        for (size_t b = first; b < first + (size + BLOCK - 1) / BLOCK; b++)
                if (!has_block(i, b)) {
                        i->have[b / 8] |= 1 << (b % 8);
                        i->n_have++;
                        held += BLOCK;
                }
        return 0;
}

bool image_needs_file(const Image *i) {
        return i->n_have < n_blocks(i) && i->fd < 0;
}

void image_set_file(Image *i, int fd) {
        safe_close(i->fd);
        i->fd = fd;
}

/* How many bytes from `offset` on, at most `max`, come from one source; and whether that is memory. */
static size_t run_length(const Image *i, uint64_t offset, size_t max, bool *ret_held) {
        uint64_t end = MIN(offset + max, i->identity.size), at = offset;

        *ret_held = has_block(i, offset / BLOCK);
        while (at < end && has_block(i, at / BLOCK) == *ret_held)
                at = (at / BLOCK + 1) * BLOCK;
        return MIN(at, end) - offset;
}

/* The next piece of content: *ret_data points into the image or `buffer`; NULL: missing. */
static size_t next_piece(Image *i, uint64_t offset, uint8_t *buffer, const uint8_t **ret_data) {
        bool held_here;
        size_t n = run_length(i, offset, PIECE, &held_here), done = 0;
        ssize_t k;

        *ret_data = NULL;
        if (held_here) {
                *ret_data = i->bytes + offset;
                return n;
        }
        if (i->fd < 0)
                return n;
        while (done < n) {
                k = pread(i->fd, buffer + done, n - done, offset + done);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k <= 0)
                        break;
                done += k;
        }
        if (done == 0)
                return n;
        *ret_data = buffer;
        return done;
}

/* Bytes of the file count only if it is still the same after they were read. */
static int check_file(Image *i) {
        return i->fd >= 0 && i->n_have < n_blocks(i) ? file_identity_check(i->fd, &i->identity) : 0;
}

static void md_ctx_freep(EVP_MD_CTX **c) {
        EVP_MD_CTX_free(*c);
}

int image_digest(Image *i, char ret[static 65]) {
        _cleanup_(md_ctx_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();
        _cleanup_free_ uint8_t *buffer = malloc(PIECE);
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n_digest = 0;
        const uint8_t *data;
        size_t n;
        int r;

        if (!c || !buffer || !EVP_DigestInit_ex(c, EVP_sha256(), NULL))
                return -ENOMEM;
        for (uint64_t at = 0; at < i->identity.size; at += n) {
                n = next_piece(i, at, buffer, &data);
                if (!data)
                        return -ENODATA;
                EVP_DigestUpdate(c, data, n);
        }
        r = check_file(i);
        if (r < 0)
                return r;
        if (!EVP_DigestFinal_ex(c, digest, &n_digest) || n_digest != 32)
                return -EIO;
        for (unsigned k = 0; k < 32; k++)
                snprintf(ret + 2 * k, 3, "%02x", digest[k]);
        return 0;
}

int image_write(Image *i, Artifact *a, uint64_t *ret_missing) {
        _cleanup_free_ uint8_t *buffer = malloc(PIECE);
        uint64_t missing = 0;
        const uint8_t *data;
        int r = 0, q;
        size_t n;

        if (!buffer)
                return -ENOMEM;
        if (check_file(i) < 0)
                i->fd = safe_close(i->fd);
        for (uint64_t at = 0; at < i->identity.size; at += n) {
                n = next_piece(i, at, buffer, &data);
                if (data)
                        q = artifact_write(a, at, data, n);
                else {
                        q = artifact_hole(a, at, n);
                        missing += n;
                }
                if (q < 0 && r == 0)
                        r = q;
                if (q == -ESTALE || q == -EFBIG)
                        break;
        }
        if (check_file(i) < 0)
                r = -ESTALE;
        *ret_missing = missing;
        return r;
}
