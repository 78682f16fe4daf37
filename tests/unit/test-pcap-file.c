/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files of packets: what libpcap reads back is what was written, however many files there are, however few of them
 * may be open, and wherever an earlier run was cut off. */

#include <pcap/pcap.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/pcap-file.h"
#include "capture/pcap-packet.h"
#include "basic/macro.h"
#include "basic/string-util.h"
#include "test.h"

static char *make_directory(void) {
        char path[] = "/tmp/test-pcap-file.XXXXXX";

        ASSERT_NOT_NULL(mkdtemp(path));
        return strdup(path);
}

static void remove_directory(char **path) {
        _cleanup_free_ char *command = NULL;

        ASSERT_TRUE(asprintf(&command, "rm -rf '%s'", *path) > 0);
        ASSERT_EQ(system(command), 0);
        free(*path);
}

static Store *open_store(const char *directory, uint64_t max_artifact_bytes) {
        StoreConfig config = { .directory = directory, .max_artifact_bytes = max_artifact_bytes };
        Store *s;

        ASSERT_OK(store_open(&config, &s));
        return s;
}

/* An IPv4 UDP packet with a number in its payload. */
static size_t make_packet(uint8_t *p, uint32_t number, size_t payload) {
        memset(p, 0, 28 + payload);
        p[0] = 0x45;
        p[2] = (28 + payload) >> 8;
        p[3] = (28 + payload) & 0xff;
        p[8] = 64;
        p[9] = 17;
        p[12] = p[16] = 127;
        p[15] = p[19] = 1;
        p[22] = 53 >> 8;
        p[23] = 53;
        memcpy(p + 28, &number, MIN(payload, sizeof(number)));
        return 28 + payload;
}

static PcapFile *get_file(PcapFiles *files, uint32_t tid, const char *comm) {
        ArtifactOrigin origin = { .kind = ARTIFACT_PCAP, .comm = comm, .host_tid = tid, .scopes = 1 };
        PcapKey key = { .division = 1, .tid = tid };
        char name[64];
        PcapFile *file;

        (void) snprintf(name, sizeof(name), "%s_%u_7.pcap", comm, tid);
        ASSERT_OK(pcap_files_get(files, &key, &origin, "pcap/processes/host", name, &file));
        return file;
}

static void put(PcapFiles *files, uint32_t tid, uint32_t number, size_t payload) {
        uint8_t packet[70000];
        size_t size = make_packet(packet, number, payload);

        ASSERT_OK(pcap_file_write(get_file(files, tid, "ping"), 1700000000123456789ULL + number, packet, size, size, number));
}

/* Calls back with every packet; returns how many. */
static unsigned read_file(const char *directory, const char *path, void (*each)(unsigned i, const struct pcap_pkthdr *h,
                                                                               const u_char *data)) {
        _cleanup_free_ char *full = strjoin(directory, "/", path);
        char error[PCAP_ERRBUF_SIZE];
        struct pcap_pkthdr *h;
        const u_char *data;
        unsigned n = 0;
        pcap_t *p;
        int r;

        p = pcap_open_offline_with_tstamp_precision(full, PCAP_TSTAMP_PRECISION_NANO, error);
        ASSERT_NOT_NULL(p);
        ASSERT_EQ(pcap_datalink(p), DLT_RAW);
        while ((r = pcap_next_ex(p, &h, &data)) == 1) {
                if (each)
                        each(n, h, data);
                n++;
        }
        ASSERT_EQ(r, PCAP_ERROR_BREAK);      /* the end, and no packet cut off */
        pcap_close(p);
        return n;
}

static void check_numbered(unsigned i, const struct pcap_pkthdr *h, const u_char *data) {
        uint32_t number;

        memcpy(&number, data + 28, sizeof(number));
        ASSERT_EQ(number, i);
        ASSERT_EQ(h->ts.tv_sec, 1700000000);
        ASSERT_EQ(h->ts.tv_usec, 123456789L + i);
        ASSERT_EQ(h->len, h->caplen);
}

TEST(what_is_written_is_read) {
        _cleanup_(remove_directory) char *directory = make_directory();
        _cleanup_(store_closep) Store *store = open_store(directory, 0);
        PcapFiles *files;

        ASSERT_OK(pcap_files_new(store, 4, &files));
        for (unsigned i = 0; i < 3000; i++)
                put(files, 11, i, i % 7 == 0 ? 1400 : 4 + i % 100);
        put(files, 11, 3000, 65000);
        pcap_files_free(files);
        ASSERT_EQ(read_file(directory, "pcap/processes/host/ping_11_7.pcap", check_numbered), 3001);
}

static void check_cut(unsigned i, const struct pcap_pkthdr *h, const u_char *data) {
        ASSERT_EQ(h->caplen, 40);
        ASSERT_EQ(h->len, 1500);
}

TEST(original_length_is_kept) {
        _cleanup_(remove_directory) char *directory = make_directory();
        _cleanup_(store_closep) Store *store = open_store(directory, 0);
        uint8_t packet[1500];
        PcapFiles *files;

        ASSERT_OK(pcap_files_new(store, 4, &files));
        make_packet(packet, 1, 1472);
        ASSERT_OK(pcap_file_write(get_file(files, 3, "cut"), 1, packet, 40, 1500, 0));
        pcap_files_free(files);
        ASSERT_EQ(read_file(directory, "pcap/processes/host/cut_3_7.pcap", check_cut), 1);
}

TEST(thousands_of_files_with_few_descriptors) {
        enum { N_FILES = 3000, N_ROUNDS = 3 };
        _cleanup_(remove_directory) char *directory = make_directory();
        struct rlimit old, few = { .rlim_cur = 200, .rlim_max = 200 };
        _cleanup_(store_closep) Store *store = NULL;
        PcapFiles *files;
        char path[64];

        ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
        few.rlim_max = old.rlim_max;
        ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
        store = open_store(directory, 0);
        ASSERT_OK(pcap_files_new(store, 16, &files));
        for (unsigned round = 0; round < N_ROUNDS; round++)
                for (unsigned i = 0; i < N_FILES; i++)
                        put(files, i, round, 20);
        pcap_files_free(files);
        ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
        for (unsigned i = 0; i < N_FILES; i++) {
                (void) snprintf(path, sizeof(path), "pcap/processes/host/ping_%u_7.pcap", i);
                ASSERT_EQ(read_file(directory, path, check_numbered), N_ROUNDS);
        }
}

TEST(idle_files_complete_and_go_on) {
        _cleanup_(remove_directory) char *directory = make_directory();
        _cleanup_(store_closep) Store *store = open_store(directory, 0);
        PcapKey key = { .division = 1, .tid = 5 };
        PcapFiles *files;

        ASSERT_OK(pcap_files_new(store, 4, &files));
        put(files, 5, 0, 20);
        pcap_files_tick(files, 500, 1000);
        ASSERT_NOT_NULL(pcap_files_find(files, &key));
        ASSERT_EQ(read_file(directory, "pcap/processes/host/ping_5_7.pcap", check_numbered), 1);
        pcap_files_tick(files, 2000, 1000);
        ASSERT_NULL(pcap_files_find(files, &key));
        put(files, 5, 1, 20);
        pcap_files_free(files);
        ASSERT_EQ(read_file(directory, "pcap/processes/host/ping_5_7.pcap", check_numbered), 2);
}

/* As after a crash: the last packet is there in part only. */
TEST(a_file_that_was_cut_off_goes_on_after_its_last_whole_packet) {
        _cleanup_(remove_directory) char *directory = make_directory();
        _cleanup_free_ char *path = strjoin(directory, "/pcap/processes/host/ping_5_7.pcap");
        Store *store = open_store(directory, 0);
        PcapFiles *files;
        struct stat st;

        ASSERT_OK(pcap_files_new(store, 4, &files));
        for (unsigned i = 0; i < 3; i++)
                put(files, 5, i, 20);
        pcap_files_free(files);
        store_close(store);
        ASSERT_EQ(stat(path, &st), 0);
        ASSERT_EQ(truncate(path, st.st_size - 9), 0);

        store = open_store(directory, 0);
        ASSERT_OK(pcap_files_new(store, 4, &files));
        put(files, 5, 2, 20);
        put(files, 5, 3, 20);
        pcap_files_free(files);
        store_close(store);
        ASSERT_EQ(read_file(directory, "pcap/processes/host/ping_5_7.pcap", check_numbered), 4);
}

TEST(a_full_artifact_ends_with_a_whole_packet) {
        _cleanup_(remove_directory) char *directory = make_directory();
        _cleanup_(store_closep) Store *store = open_store(directory, 1000);
        uint8_t packet[100];
        PcapFiles *files;
        size_t size = make_packet(packet, 0, 72);
        int r = 0;

        ASSERT_OK(pcap_files_new(store, 4, &files));
        for (unsigned i = 0; i < 2000; i++) {
                int q = pcap_file_write(get_file(files, 5, "ping"), i, packet, size, size, i);

                if (q < 0)
                        r = q;
        }
        pcap_files_free(files);
        ASSERT_EQ(r, -EFBIG);
        ASSERT_EQ(read_file(directory, "pcap/processes/host/ping_5_7.pcap", NULL), (1000 - 24) / (16 + 100));
}

TEST(hostile_names_stay_inside) {
        _cleanup_(remove_directory) char *directory = make_directory();
        _cleanup_(store_closep) Store *store = open_store(directory, 0);
        uint8_t packet[64];
        PcapFiles *files;
        size_t size = make_packet(packet, 0, 20);

        ASSERT_OK(pcap_files_new(store, 4, &files));
        ASSERT_OK(pcap_file_write(get_file(files, 9, "../../x"), 1, packet, size, size, 0));
        pcap_files_free(files);
        ASSERT_EQ(read_file(directory, "pcap/processes/host/%2e.%2f..%2fx_9_7.pcap", NULL), 1);
}

TEST(loopback_packets_stand_once) {
        _cleanup_(remove_directory) char *directory = make_directory();
        _cleanup_(store_closep) Store *store = open_store(directory, 0);
        uint8_t a[64], b[64];
        PcapFiles *files;
        PcapFile *f;
        size_t size = make_packet(a, 1, 20);

        make_packet(b, 2, 20);
        ASSERT_OK(pcap_files_new(store, 4, &files));
        f = get_file(files, 9, "x");
        ASSERT_FALSE(pcap_file_is_echo(f, false, a, size, size));     /* nothing has left */
        ASSERT_FALSE(pcap_file_is_echo(f, true, a, size, size));
        ASSERT_FALSE(pcap_file_is_echo(f, false, b, size, size));     /* another one */
        ASSERT_FALSE(pcap_file_is_echo(f, true, a, size, size));      /* the same again, as TCP does */
        ASSERT_TRUE(pcap_file_is_echo(f, false, a, size, size));
        ASSERT_TRUE(pcap_file_is_echo(f, false, a, size, size));
        ASSERT_FALSE(pcap_file_is_echo(f, false, a, size, size));
        for (unsigned i = 0; i < 1000; i++) {
                make_packet(b, i + 10, 20);
                ASSERT_FALSE(pcap_file_is_echo(f, true, b, size, size));
                ASSERT_TRUE(pcap_file_is_echo(f, false, b, size, size));
        }
        pcap_files_free(files);
}

TEST(headers) {
        uint8_t p[128] = {};

        make_packet(p, 0, 60);
        ASSERT_EQ(pcap_packet_headers(p, 88), 28);
        ASSERT_EQ(pcap_packet_headers(p, 22), 22);        /* never more than there is */
        ASSERT_EQ(pcap_packet_headers(p, 0), 0);
        p[9] = 6;
        p[20 + 12] = 0x80;                                /* TCP with options */
        ASSERT_EQ(pcap_packet_headers(p, 88), 20 + 32);
        p[7] = 10;                                        /* a later fragment has no transport header */
        ASSERT_EQ(pcap_packet_headers(p, 88), 20);
        p[7] = 0;
        p[0] = 0x46;                                      /* IP options */
        p[9] = 1;
        ASSERT_EQ(pcap_packet_headers(p, 88), 24 + 8);

        memset(p, 0, sizeof(p));
        p[0] = 0x60;
        p[6] = 17;
        ASSERT_EQ(pcap_packet_headers(p, 100), 48);
        p[6] = 0;                                         /* hop-by-hop, 16 bytes, then a fragment header, then UDP */
        p[40] = 44;
        p[41] = 1;
        p[56] = 17;
        p[57] = 77;                                       /* reserved there: no length */
        ASSERT_EQ(pcap_packet_headers(p, 100), 40 + 16 + 8 + 8);
        p[41] = 255;                                      /* longer than the packet */
        ASSERT_EQ(pcap_packet_headers(p, 100), 100);
}

TEST(filters) {
        _cleanup_free_ char *error = NULL;
        PcapFilter *filters = NULL;
        uint8_t p[128];
        size_t size = make_packet(p, 0, 60);

        ASSERT_OK(pcap_filter_check("udp and port 53", NULL));
        ASSERT_EQ(pcap_filter_check("prot 53", &error), -EINVAL);
        ASSERT_NOT_NULL(strstr(error, "prot 53 is no packet filter: "));

        ASSERT_TRUE(pcap_filter_passes(&filters, NULL, p, size, size));
        ASSERT_TRUE(pcap_filter_passes(&filters, "udp and dst port 53", p, size, size));
        ASSERT_TRUE(pcap_filter_passes(&filters, "udp and dst port 53", p, 28, size));
        ASSERT_FALSE(pcap_filter_passes(&filters, "tcp", p, size, size));
        ASSERT_FALSE(pcap_filter_passes(&filters, "prot 53", p, size, size));
        ASSERT_TRUE(pcap_filter_passes(&filters, "len == 88", p, 28, 88));
        pcap_filters_done(&filters);
        ASSERT_NULL(filters);
}

TEST_MAIN()
