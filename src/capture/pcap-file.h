/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of packets in the store, any number of them: libpcap writes what a file is made of, the store keeps it. Only
 * some are open at a time; the others go on where they stopped. Not thread-safe. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store.h"

typedef struct PcapFiles PcapFiles;
typedef struct PcapFile PcapFile;

#define PCAP_FILE_SNAPLEN 65535U      /* bytes of one packet at most */

/* Which file. All bytes count, so start from zeros. */
typedef struct PcapKey {
        uint32_t division;            /* the caller's number */
        uint32_t tid;
        uint64_t start_ns;
        char comm[16];
        char container[72];
} PcapKey;

int pcap_files_new(Store *store, unsigned n_open_max, PcapFiles **ret);
/* Completes all of them. */
PcapFiles *pcap_files_free(PcapFiles *f);
static inline void pcap_files_freep(PcapFiles **f) {
        pcap_files_free(*f);
}
/* Writes out what waits in buffers; those that got nothing for idle_usec until `now_usec` are complete. */
void pcap_files_tick(PcapFiles *f, uint64_t now_usec, uint64_t idle_usec);

/* A number that is another one whenever a file has gone since: then borrowed ones are asked for again. Never 0. */
unsigned pcap_files_epoch(const PcapFiles *f);

/* The file with that key, begun as store_artifact_begin() does. Borrowed: valid until pcap_files_epoch() changes. */
int pcap_files_get(PcapFiles *f, const PcapKey *key, const ArtifactOrigin *origin, const char *folder, const char *name,
                   PcapFile **ret);
/* NULL when it is not there (then pcap_files_get() begins it). */
PcapFile *pcap_files_find(PcapFiles *f, const PcapKey *key);
/* One packet from its IP header on; size: what is kept of length_original bytes. */
int pcap_file_write(PcapFile *file, uint64_t time_ns, const void *data, size_t size, size_t length_original,
                    uint64_t now_usec);
/* Scopes or policies that the file does not belong to yet. */
int pcap_file_add_origin(PcapFile *file, const ArtifactOrigin *origin);
uint64_t pcap_file_scopes(const PcapFile *file);

/* A packet that leaves over the loopback device comes back at once: of the two, a file that would get both keeps the
 * first, as tcpdump does. Returns whether this one is to be skipped. */
bool pcap_file_is_echo(PcapFile *file, bool out, const void *data, size_t size, size_t length_original);
