/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a policy, StartCapture() or `scopectl trace --capture` asks to be kept. One CaptureSpec is all orders of one kind; as a rule of
 * the engine it is one of the events of the family "capture" with conditions on that event's arguments. */

#include <stdbool.h>
#include <stdint.h>

#include "policy.h"

typedef enum CaptureKind {
        CAPTURE_WRITE,
        CAPTURE_READ,
        CAPTURE_EXEC,
        CAPTURE_MEM,
        CAPTURE_NETWORK,              /* network, pcap:..., net=IFACE */
        CAPTURE_MODULE,
        _CAPTURE_KIND_MAX,
        _CAPTURE_KIND_INVALID = -22,
} CaptureKind;

typedef enum CapturePcap {
        CAPTURE_PCAP_SINGLE = 1 << 0,
        CAPTURE_PCAP_PROCESS = 1 << 1,
        CAPTURE_PCAP_CONTAINER = 1 << 2,
        CAPTURE_PCAP_COMMAND = 1 << 3,
} CapturePcap;

/* Changes of a region's protection; values of capture_mem's argument `transition`. */
typedef enum CaptureMem {
        CAPTURE_MEM_UNPACKED = 1 << 0,        /* written and executable, now executable alone */
        CAPTURE_MEM_MMAP_WX = 1 << 1,         /* mapped writable and executable */
        CAPTURE_MEM_TO_EXEC = 1 << 2,         /* became executable, and was not */
        CAPTURE_MEM_EXEC_TO_WX = 1 << 3,      /* executable became writable too */
        _CAPTURE_MEM_ALL = (1 << 4) - 1,
} CaptureMem;

#define CAPTURE_SNAPLEN_HEADERS 0U    /* up to the end of the transport header */
#define CAPTURE_SNAPLEN_DEFAULT 96U
#define CAPTURE_SNAPLEN_MAX 65535U

typedef struct CaptureSpec {
        CaptureKind kind;
        Condition *conditions;        /* on the arguments of the kind's event: path, type, fd, interface; ANDed */
        size_t n_conditions;
        /* CAPTURE_NETWORK */
        unsigned pcap_split;          /* enum CapturePcap; 0: only interfaces[] */
        uint32_t pcap_snaplen;
        bool pcap_filtered;           /* only packets of selected packet events */
        char *pcap_filter;            /* libpcap expression, NULL: all */
        char **interfaces;            /* net=IFACE; NULL-terminated, NULL: none */
        /* CAPTURE_MEM */
        unsigned mem_transitions;     /* enum CaptureMem */
} CaptureSpec;

typedef struct CaptureSpecList {
        CaptureSpec *items;           /* at most one a kind, in order of kinds */
        size_t n;
        char *directory;              /* dir:PATH of a command line; NULL: the service's own */
        bool clear_dir;
} CaptureSpecList;

const char *capture_kind_to_string(CaptureKind k);      /* write, read, exec, mem, network, module */
CaptureKind capture_kind_from_string(const char *s);

/* The pseudo event that a kind's rules want, and back (_CAPTURE_KIND_INVALID). */
const EventSpec *capture_kind_event(CaptureKind k);
CaptureKind capture_kind_from_event(uint16_t event);

/* Asked of each pcap-filter: expression while it is parsed, from then on; on -EINVAL *reterr is a sentence. NULL: nobody is. */
typedef int (*PacketFilterCheck)(const char *expression, char **reterr);
void capture_spec_set_filter_check(PacketFilterCheck check);

/* Parses the expressions of one policy (seed 004, reference §4.1 and §4.5: also the spellings with artifact: and netpcap:).
 * On -EINVAL *reterr is a sentence that says what to write instead, *ret_index the expression. */
int capture_spec_parse(char *const *expressions, CaptureSpecList *ret, size_t *ret_index, char **reterr);
void capture_spec_list_done(CaptureSpecList *l);
void capture_spec_done(CaptureSpec *s);
/* Without the conditions. */
int capture_spec_copy_options(const CaptureSpec *s, CaptureSpec *ret);
