/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of packets: the format is libpcap's business, the bytes go to the store, a whole number of packets at a
 * time, so that a file ends with a packet whatever happens (but for a full disk in the middle of one, which the next
 * start or the next packet mends). A stream with a buffer is needed only while a file is written often: the least
 * recently used one loses it, and gets a new one when its next packet comes. Knows nothing of rules and divisions. */

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "pcap-file.h"

#define RECORD_HEADER 16U             /* of one packet in a file: seconds, nanoseconds, kept, length; u32 each */
#define RECORD_KEPT 8U                /* where the third stands */
#define FILE_HEADER sizeof(struct pcap_file_header)
#define MAGIC_NANOSECONDS 0xa1b23c4dU
#define LINKTYPE_RAW 101U             /* DLT_RAW in a file: it has another number on each system */
/* The largest packet fits once; small ones are written some hundreds at a time. */
#define BUFFER_BYTES (2 * (PCAP_FILE_SNAPLEN + RECORD_HEADER + 1) / 4096 * 4096)
#define ECHOES_MAX 256U               /* packets that have left and may come back: few are on their way at a time */
#define ECHO_BYTES 64U                /* of a packet that are compared: its headers */

typedef struct Echo {
        uint64_t digest;              /* 0: free */
} Echo;

struct PcapFile {
        UT_hash_handle hh;
        PcapKey key;
        PcapFiles *files;
        Artifact *artifact;
        uint64_t scopes;
        uint64_t size;                /* of what is whole in the store */
        uint64_t used_usec;
        size_t pending;               /* bytes in the stream's buffer */
        int error;                    /* of the last write */
        pcap_dumper_t *dumper;        /* NULL: not open */
        FILE *stream;                 /* the dumper's */
        char *buffer;                 /* the stream's: glibc ignores a size without one */
        size_t skip;                  /* bytes of the file header, which stands in the file already */
        Echo *echoes;
        unsigned n_echoes, echo_next;
        struct PcapFile *prev, *next; /* PcapFiles.open */
};

struct PcapFiles {
        Store *store;
        pcap_t *pcap;
        PcapFile *table;
        PcapFile *open;               /* by last use, oldest first */
        unsigned n_open, n_open_max;
        unsigned epoch;
};

/* How much of it is whole packets that the store's limit leaves room for. */
static size_t whole_within_limit(PcapFile *f, const char *data, size_t size) {
        size_t at = f->size > 0 ? 0 : FILE_HEADER;
        StoreCounters c;
        uint32_t stored;

        store_counters(f->files->store, &c);
        if (c.max_artifact_bytes == 0 || f->size + size <= c.max_artifact_bytes)
                return size;
        if (f->size + at > c.max_artifact_bytes)
                return 0;
        while (at + RECORD_HEADER <= size) {
                memcpy(&stored, data + at + RECORD_KEPT, sizeof(stored));
                if (f->size + at + RECORD_HEADER + stored > c.max_artifact_bytes)
                        break;
                at += RECORD_HEADER + stored;
        }
        return at;
}

static ssize_t on_stream_write(void *cookie, const char *data, size_t size) {
        PcapFile *f = cookie;
        size_t skipped = MIN(f->skip, size), whole;
        int r = 0;

        f->skip -= skipped;
        f->pending = 0;
        if (size == skipped)
                return size;
        whole = whole_within_limit(f, data + skipped, size - skipped);
        if (whole > 0)
                r = artifact_write(f->artifact, f->size, data + skipped, whole);
        if (r >= 0)
                f->size += whole;
        if (r >= 0 && skipped + whole == size)
                return size;
        f->error = r < 0 ? r : -EFBIG;
        return 0;                     /* what fopencookie(3) wants for an error */
}

static void stream_flush(PcapFile *f) {
        if (!f->dumper || f->pending == 0)
                return;
        (void) pcap_dump_flush(f->dumper);
        /* What could not be written is lost, counted by the store, and not tried again. */
        if (ferror(f->stream)) {
                __fpurge(f->stream);
                clearerr(f->stream);
                f->pending = 0;
        }
}

static void stream_close(PcapFile *f) {
        PcapFiles *files = f->files;

        if (!f->dumper)
                return;
        stream_flush(f);
        pcap_dump_close(f->dumper);
        f->dumper = NULL;
        f->stream = NULL;
        free(f->buffer);
        f->buffer = NULL;
        DL_DELETE(files->open, f);
        files->n_open--;
}

static int stream_open(PcapFile *f) {
        static const cookie_io_functions_t functions = { .write = on_stream_write };
        PcapFiles *files = f->files;

        if (f->dumper) {
                DL_DELETE(files->open, f);
                DL_APPEND(files->open, f);
                return 0;
        }
        if (files->n_open >= files->n_open_max)
                stream_close(files->open);
        f->buffer = malloc(BUFFER_BYTES);
        if (!f->buffer)
                return -ENOMEM;
        f->stream = fopencookie(f, "w", functions);
        if (!f->stream) {
                free(f->buffer);
                f->buffer = NULL;
                return -ENOMEM;
        }
        (void) setvbuf(f->stream, f->buffer, _IOFBF, BUFFER_BYTES);
        (void) __fsetlocking(f->stream, FSETLOCKING_BYCALLER);
        /* libpcap writes the header into the buffer; a file that goes on has one. */
        f->skip = f->size > 0 ? FILE_HEADER : 0;
        f->pending = FILE_HEADER;
        f->dumper = pcap_dump_fopen(files->pcap, f->stream);
        if (!f->dumper) {
                fclose(f->stream);
                f->stream = NULL;
                free(f->buffer);
                f->buffer = NULL;
                return -EIO;
        }
        DL_APPEND(files->open, f);
        files->n_open++;
        return 0;
}

/* Where the last whole packet of a file ends. -EBADMSG: it is none of ours. */
static int file_scan(int fd, uint64_t *ret_end) {
        struct pcap_file_header header;
        struct stat st;
        uint64_t at = FILE_HEADER;
        uint32_t record[4];

        if (fstat(fd, &st) < 0)
                return -errno;
        if (pread(fd, &header, sizeof(header), 0) != sizeof(header)) {
                *ret_end = 0;
                return 0;
        }
        if (header.magic != MAGIC_NANOSECONDS || header.linktype != LINKTYPE_RAW)
                return -EBADMSG;
        for (;;) {
                if (pread(fd, record, sizeof(record), at) != sizeof(record))
                        break;
                if (record[2] > PCAP_FILE_SNAPLEN || at + RECORD_HEADER + record[2] > (uint64_t) st.st_size)
                        break;
                at += RECORD_HEADER + record[2];
        }
        *ret_end = at;
        return 0;
}

/* A file that an earlier run left: what a crash cut off at its end is written over. */
static int file_resume(PcapFile *f, const ArtifactOrigin *origin, const char *folder, const char *name) {
        int fd, r;

        f->size = artifact_size(f->artifact);
        if (f->size == 0)
                return 0;
        fd = artifact_fd(f->artifact);
        if (fd < 0)
                return fd;
        r = file_scan(fd, &f->size);
        if (r >= 0 && ftruncate(fd, f->size) < 0)
                r = -errno;
        if (r >= 0)
                (void) artifact_sync(f->artifact);
        /* Let the descriptor go, which stays open as long as it is held. */
        f->artifact = artifact_unref(f->artifact);
        return r < 0 ? r : store_artifact_begin(f->files->store, origin, folder, name, &f->artifact);
}

static void file_free(PcapFile *f) {
        stream_close(f);
        if (++f->files->epoch == 0)
                f->files->epoch = 1;
        HASH_DEL(f->files->table, f);
        (void) artifact_complete(f->artifact);
        artifact_unref(f->artifact);
        free(f->echoes);
        free(f);
}

int pcap_files_new(Store *store, unsigned n_open_max, PcapFiles **ret) {
        PcapFiles *f;

        assert(store);
        assert(ret);

        f = new0(PcapFiles, 1);
        if (!f)
                return -ENOMEM;
        f->store = store;
        f->epoch = 1;
        f->n_open_max = MAX(n_open_max, 1U);
        f->pcap = pcap_open_dead_with_tstamp_precision(DLT_RAW, PCAP_FILE_SNAPLEN, PCAP_TSTAMP_PRECISION_NANO);
        if (!f->pcap) {
                free(f);
                return -ENOMEM;
        }
        *ret = f;
        return 0;
}

PcapFiles *pcap_files_free(PcapFiles *f) {
        PcapFile *i, *next;

        if (!f)
                return NULL;
        HASH_ITER(hh, f->table, i, next)
                file_free(i);
        pcap_close(f->pcap);
        free(f);
        return NULL;
}

void pcap_files_tick(PcapFiles *f, uint64_t now_usec, uint64_t idle_usec) {
        PcapFile *i, *next;

        HASH_ITER(hh, f->table, i, next) {
                stream_flush(i);
                if (now_usec >= i->used_usec + idle_usec)
                        file_free(i);
        }
}

unsigned pcap_files_epoch(const PcapFiles *f) {
        return f->epoch;
}

PcapFile *pcap_files_find(PcapFiles *f, const PcapKey *key) {
        PcapFile *i;

        HASH_FIND(hh, f->table, key, sizeof(*key), i);
        return i;
}

int pcap_files_get(PcapFiles *f, const PcapKey *key, const ArtifactOrigin *origin, const char *folder, const char *name,
                   PcapFile **ret) {
        PcapFile *file = pcap_files_find(f, key);
        int r;

        if (file) {
                *ret = file;
                return 0;
        }
        file = new0(PcapFile, 1);
        if (!file)
                return -ENOMEM;
        file->key = *key;
        file->files = f;
        file->scopes = origin->scopes;
        r = store_artifact_begin(f->store, origin, folder, name, &file->artifact);
        if (r >= 0)
                r = file_resume(file, origin, folder, name);
        if (r < 0) {
                artifact_unref(file->artifact);
                free(file);
                return r;
        }
        HASH_ADD(hh, f->table, key, sizeof(file->key), file);
        *ret = file;
        return 0;
}

int pcap_file_write(PcapFile *f, uint64_t time_ns, const void *data, size_t size, size_t length_original,
                    uint64_t now_usec) {
        struct pcap_pkthdr h = {
                /* With nanosecond precision tv_usec holds nanoseconds. */
                .ts = { .tv_sec = time_ns / 1000000000ULL, .tv_usec = time_ns % 1000000000ULL },
                .caplen = MIN(size, (size_t) PCAP_FILE_SNAPLEN),
                .len = length_original,
        };
        int r;

        f->used_usec = now_usec;
        f->error = 0;
        r = stream_open(f);
        if (r < 0)
                return r;
        if (f->pending + RECORD_HEADER + h.caplen > BUFFER_BYTES)
                stream_flush(f);
        pcap_dump((u_char *) f->dumper, &h, data);
        f->pending += RECORD_HEADER + h.caplen;
        if (f->error == -ESTALE) {
                /* Somebody removed the file: the next packet begins a new one. */
                f->pending = 0;
                file_free(f);
                return -ESTALE;
        }
        return f->error;
}

int pcap_file_add_origin(PcapFile *f, const ArtifactOrigin *origin) {
        f->scopes |= origin->scopes;
        return artifact_add_origin(f->artifact, origin);
}

uint64_t pcap_file_scopes(const PcapFile *f) {
        return f->scopes;
}

/* What a packet is known by: its beginning and its length, words times odd numbers. Never 0. */
static uint64_t packet_digest(const uint8_t *data, size_t size, size_t length_original) {
        uint64_t h = length_original, factor = 0x9e3779b97f4a7c15ULL, words[ECHO_BYTES / sizeof(uint64_t)];

        if (size < ECHO_BYTES)
                memset(words, 0, sizeof(words));
        memcpy(words, data, MIN(size, sizeof(words)));
        for (size_t i = 0; i < ELEMENTSOF(words); i++, factor *= 0x9e3779b97f4a7c15ULL)
                h += (words[i] ^ words[i] >> 32) * factor;
        return h ?: 1;
}

bool pcap_file_is_echo(PcapFile *f, bool out, const void *data, size_t size, size_t length_original) {
        uint64_t digest = packet_digest(data, size, length_original);

        if (!f->echoes) {
                if (!out)
                        return false;
                f->echoes = new0(Echo, ECHOES_MAX);
                if (!f->echoes)
                        return false;
        }
        if (out) {
                f->echoes[f->echo_next++ % ECHOES_MAX].digest = digest;
                f->n_echoes++;
                return false;
        }
        /* Newest first: it has just left. */
        for (unsigned i = 1; i <= MIN(f->n_echoes, ECHOES_MAX); i++) {
                Echo *e = f->echoes + (f->echo_next - i) % ECHOES_MAX;

                if (e->digest == digest) {
                        e->digest = 0;
                        return true;
                }
        }
        return false;
}
