/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets into files: pcap/single.pcap, one a process, a container, a command, and <container>/capture.pcap for the
 * interfaces of net=. A packet that several rules want stands once in each of the files that they ask for, cut at
 * the longest of their lengths. The kernel side has decided whose packet it is (bpf/net.bpf.c); packet filters are
 * libpcap's and are asked here, of what was kept of the packet. Files themselves are pcap-file.c's. */

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "capture-pcap.h"
#include "pcap-file.h"
#include "pcap-packet.h"

/* Streams with a buffer, 128 KiB each. */
#define OPEN_MAX 32U
/* A file that got nothing for so long is complete for now. */
#define IDLE_USEC (10 * 1000000ULL)
#define LOOPBACK_IFINDEX 1U
/* Names of interfaces are asked again after this. */
#define NAMES_USEC (1 * 1000000ULL)
#define PACKETS_PER_CLOCK 64U

typedef enum Division {
        DIVISION_SINGLE,
        DIVISION_PROCESS,
        DIVISION_CONTAINER,
        DIVISION_COMMAND,
        DIVISION_INTERFACE,
        _DIVISION_MAX,
} Division;

/* What the rules that matched one packet ask of one division. */
typedef struct Wanted {
        bool wanted;
        uint32_t snaplen;
        uint64_t scopes;
        const char **policies;
        size_t n_policies, n_allocated;
} Wanted;

/* Where the last packet with the same head went: the next one goes there too, when the same of its rules' filters let
 * it pass, it came over the same interface, and all files are still there. */
typedef struct Route {
        uint64_t passed;              /* bit i: its rule i */
        uint64_t dev, net_ns;
        unsigned epoch;               /* of the files; 0: no route */
        unsigned n;
        struct {
                PcapFile *file;
                uint32_t snaplen;
        } to[_DIVISION_MAX];
} Route;

typedef struct PcapState {
        PcapFiles *files;
        PcapFilter *filters;
        Wanted wanted[_DIVISION_MAX];
        uint64_t net_ns;              /* inode of the service's own: the one whose interfaces net= names */
        char interface[IF_NAMESIZE];  /* the last one that was asked */
        uint32_t ifindex;
        uint64_t interface_usec;
        uint64_t now_usec;            /* asked once every PACKETS_PER_CLOCK packets */
        unsigned n_packets;
} PcapState;

static const char *interface_name(PcapState *s, const struct sct_chunk *c) {
        uint64_t now = now_usec(CLOCK_MONOTONIC);

        if (c->inode != s->net_ns)
                return NULL;
        if (s->ifindex != c->dev || now > s->interface_usec + NAMES_USEC) {
                s->ifindex = c->dev;
                s->interface_usec = now;
                if (!if_indextoname(c->dev, s->interface))
                        s->interface[0] = 0;
        }
        return s->interface;
}

static int want(PcapState *s, Division d, const CaptureRule *rule) {
        Wanted *w = s->wanted + d;

        w->wanted = true;
        w->snaplen = MAX(w->snaplen, rule->spec.pcap_snaplen);
        if (rule->scope > 0)
                w->scopes |= 1ULL << (rule->scope - 1);
        if (!rule->policy)
                return 0;
        if (!GREEDY_REALLOC(w->policies, w->n_allocated, w->n_policies + 2))
                return -ENOMEM;
        w->policies[w->n_policies++] = rule->policy;
        w->policies[w->n_policies] = NULL;
        return 0;
}

/* Which of the first 64 rules let it pass. */
static uint64_t ask_filters(PcapState *s, CaptureOperation *o, const struct sct_chunk *c, const void *data) {
        uint64_t passed = 0;

        for (size_t i = 0; i < MIN(o->n_rules, 64U); i++)
                if (pcap_filter_passes(&s->filters, o->rules[i]->spec.pcap_filter, data, c->size, c->size_total))
                        passed |= 1ULL << i;
        return passed;
}

/* What the rules of this packet ask for. */
static int want_all(PcapState *s, CaptureOperation *o, const struct sct_chunk *c, const void *data, uint64_t passed) {
        static const struct {
                CapturePcap split;
                Division division;
        } splits[] = {
                { CAPTURE_PCAP_SINGLE, DIVISION_SINGLE },
                { CAPTURE_PCAP_PROCESS, DIVISION_PROCESS },
                { CAPTURE_PCAP_CONTAINER, DIVISION_CONTAINER },
                { CAPTURE_PCAP_COMMAND, DIVISION_COMMAND },
        };
        int r = 0;

        for (Division d = 0; d < _DIVISION_MAX; d++) {
                s->wanted[d].wanted = false;
                s->wanted[d].snaplen = 0;
                s->wanted[d].scopes = 0;
                s->wanted[d].n_policies = 0;
        }
        for (size_t i = 0; i < o->n_rules; i++) {
                const CaptureRule *rule = o->rules[i];
                const char *name;

                if (i < 64 ? !(passed >> i & 1)
                           : !pcap_filter_passes(&s->filters, rule->spec.pcap_filter, data, c->size, c->size_total))
                        continue;
                for (size_t j = 0; j < ELEMENTSOF(splits); j++)
                        if (rule->spec.pcap_split & splits[j].split)
                                r |= want(s, splits[j].division, rule);
                name = rule->spec.interfaces ? interface_name(s, c) : NULL;
                if (name && strv_contains(rule->spec.interfaces, name))
                        r |= want(s, DIVISION_INTERFACE, rule);
        }
        return r < 0 ? -ENOMEM : 0;
}

/* Folder and name of a division's file, and what of the subject is the file's too. */
static void place(Division d, ArtifactOrigin *origin, char folder[static 128], char name[static 64]) {
        const char *container = isempty(origin->container) ? "host" : origin->container;

        switch (d) {
        case DIVISION_SINGLE:
                (void) snprintf(folder, 128, "pcap");
                (void) snprintf(name, 64, "single.pcap");
                break;
        case DIVISION_PROCESS:
                (void) snprintf(folder, 128, "pcap/processes/%s", container);
                (void) snprintf(name, 64, "%.15s_%" PRIu32 "_%" PRIu64 ".pcap", strempty(origin->comm), origin->host_tid,
                                origin->start_ns);
                return;
        case DIVISION_CONTAINER:
                (void) snprintf(folder, 128, "pcap/containers");
                (void) snprintf(name, 64, "%.58s.pcap", container);
                break;
        case DIVISION_COMMAND:
                (void) snprintf(folder, 128, "pcap/commands/%s", container);
                (void) snprintf(name, 64, "%.15s.pcap", strempty(origin->comm));
                break;
        default:
                folder[0] = 0;
                (void) snprintf(name, 64, "capture.pcap");
        }
        /* More than one process: the first one is not its subject. */
        origin->host_pid = origin->host_tid = 0;
        origin->start_ns = 0;
        origin->uid = origin->gid = UINT32_MAX;
        origin->exe = origin->unit = NULL;
        if (d != DIVISION_COMMAND)
                origin->comm = NULL;
        if (d == DIVISION_SINGLE)
                origin->container = NULL;
}

static void key_make(Division d, const ArtifactOrigin *origin, PcapKey *ret) {
        *ret = (PcapKey) { .division = d };
        if (d != DIVISION_SINGLE)
                (void) snprintf(ret->container, sizeof(ret->container), "%s", strempty(origin->container));
        if (IN_SET(d, DIVISION_PROCESS, DIVISION_COMMAND))
                (void) snprintf(ret->comm, sizeof(ret->comm), "%s", strempty(origin->comm));
        if (d == DIVISION_PROCESS) {
                ret->tid = origin->host_tid;
                ret->start_ns = origin->start_ns;
        }
}

/* The division's file, begun when it is new. */
static int find_file(PcapState *s, Division d, CaptureOperation *o, PcapFile **ret) {
        const Wanted *w = s->wanted + d;
        ArtifactOrigin origin = o->origin;
        char folder[128], name[64];
        PcapFile *file;
        PcapKey key;
        int r;

        origin.kind = ARTIFACT_PCAP;
        origin.dev = origin.inode = 0;
        origin.source_path = NULL;
        origin.scopes = w->scopes;
        origin.policies = w->n_policies > 0 ? (char *const *) w->policies : NULL;
        key_make(d, &origin, &key);
        file = pcap_files_find(s->files, &key);
        if (!file || w->scopes & ~pcap_file_scopes(file)) {
                place(d, &origin, folder, name);
                r = file ? pcap_file_add_origin(file, &origin)
                         : pcap_files_get(s->files, &key, &origin, folder[0] ? folder : NULL, name, &file);
                if (r < 0)
                        return r;
        }
        *ret = file;
        return 0;
}

static int write_packet(PcapState *s, PcapFile *file, uint32_t snaplen, CaptureOperation *o, const struct sct_chunk *c,
                        const void *data) {
        size_t size = c->size;

        if (size > snaplen)
                size = MIN(size, pcap_packet_headers(data, size) + (size_t) snaplen);
        if (c->dev == LOOPBACK_IFINDEX && pcap_file_is_echo(file, c->flags & SCT_CHUNK_OUT, data, c->size, c->size_total))
                return 0;
        if (s->n_packets++ % PACKETS_PER_CLOCK == 0)
                s->now_usec = now_usec(CLOCK_MONOTONIC);
        return pcap_file_write(file, o->origin.time_ns, data, size, c->size_total, s->now_usec);
}

static PcapState *state_free(PcapState *s) {
        if (!s)
                return NULL;
        pcap_files_free(s->files);
        pcap_filters_done(&s->filters);
        for (Division d = 0; d < _DIVISION_MAX; d++)
                free(s->wanted[d].policies);
        free(s);
        return NULL;
}
DEFINE_TRIVIAL_CLEANUP_FUNC(PcapState *, state_free)

static int state_get(CaptureWorker *w, PcapState **ret) {
        void **state = capture_worker_state(w, CAPTURE_NETWORK);
        _cleanup_(state_freep) PcapState *s = NULL;
        struct stat st;
        int r;

        if (*state) {
                *ret = *state;
                return 0;
        }
        s = new0(PcapState, 1);
        if (!s)
                return -ENOMEM;
        if (stat("/proc/self/ns/net", &st) >= 0)
                s->net_ns = st.st_ino;
        r = pcap_files_new(capture_worker_store(w), OPEN_MAX, &s->files);
        if (r < 0)
                return r;
        *ret = *state = TAKE_PTR(s);
        return 0;
}

/* Finds the files of a packet, and writes it to them. */
static int take_route(PcapState *s, Route *route, CaptureOperation *o, const struct sct_chunk *c, const void *data) {
        int r, q;

        q = want_all(s, o, c, data, route->passed);
        if (q < 0)
                return q;
        route->n = 0;
        route->epoch = pcap_files_epoch(s->files);
        for (Division d = 0; d < _DIVISION_MAX; d++) {
                PcapFile *file;

                if (!s->wanted[d].wanted)
                        continue;
                r = find_file(s, d, o, &file);
                if (r >= 0) {
                        route->to[route->n].file = file;
                        route->to[route->n++].snaplen = s->wanted[d].snaplen;
                        r = write_packet(s, file, s->wanted[d].snaplen, o, c, data);
                }
                if (r < 0)
                        q = r;
        }
        /* Rules without a bit, or a file that was not to be had: the next packet asks again. */
        if (q < 0 || o->n_rules > 64 || route->epoch != pcap_files_epoch(s->files))
                route->epoch = 0;
        return q;
}

/* A packet is one chunk. */
static int pcap_data(CaptureWorker *w, CaptureOperation *o, const struct sct_chunk *c, const void *data) {
        Route *route = o->userdata;
        uint64_t passed;
        PcapState *s;
        int r, q = 0;

        r = state_get(w, &s);
        if (r < 0)
                return r;
        if (!route)
                route = o->userdata = new0(Route, 1);
        if (!route)
                return -ENOMEM;
        passed = ask_filters(s, o, c, data);
        if (route->epoch == 0 || route->epoch != pcap_files_epoch(s->files) || route->passed != passed ||
            route->dev != c->dev || route->net_ns != c->inode) {
                route->passed = passed;
                route->dev = c->dev;
                route->net_ns = c->inode;
                return take_route(s, route, o, c, data);
        }
        for (unsigned i = 0; i < route->n; i++) {
                r = write_packet(s, route->to[i].file, route->to[i].snaplen, o, c, data);
                if (r < 0)
                        q = r;        /* at worst this file is gone; the others are still there */
        }
        return q;
}

static int pcap_tick(CaptureWorker *w) {
        PcapState *s = *capture_worker_state(w, CAPTURE_NETWORK);

        if (s)
                pcap_files_tick(s->files, now_usec(CLOCK_MONOTONIC), IDLE_USEC);
        return 0;
}

static void pcap_stop(CaptureWorker *w) {
        void **state = capture_worker_state(w, CAPTURE_NETWORK);

        *state = state_free(*state);
}

const CaptureHandler capture_pcap_handler = {
        .kind = CAPTURE_NETWORK,
        .repeats = true,
        .data = pcap_data,
        .tick = pcap_tick,
        .stop = pcap_stop,
};
