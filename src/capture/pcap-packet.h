/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One packet, from its IP header on: where its headers end, and whether a filter of libpcap's wants it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PcapFilter PcapFilter;

/* Bytes up to the end of the transport header, at most size. */
size_t pcap_packet_headers(const void *packet, size_t size);

/* Whether libpcap takes an expression. On -EINVAL *reterr is a sentence that says what to write instead; caller
 * frees. */
int pcap_filter_check(const char *expression, char **reterr);
/* filters: what was compiled before, NULL at first. An expression of NULL wants all, one that is none wants nothing. */
bool pcap_filter_passes(PcapFilter **filters, const char *expression, const void *packet, size_t size,
                        size_t length_original);
void pcap_filters_done(PcapFilter **filters);
