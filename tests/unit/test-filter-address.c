/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filters on socket addresses, times and pairs of descriptors. The kernel side makes a string of an address
 * (bpf/abi/plan.h, SCT_PART_ENDPOINT); endpoint() here makes the same one from the words of that text, so that what a filter
 * became is asked with real addresses. */

#include <arpa/inet.h>
#include <sys/un.h>

#include "policy-test.h"

static size_t endpoint(const char *text, uint16_t port, uint8_t ret[static 160]) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        uint8_t address[16];
        size_t n;

        if (text[0] == '/' || text[0] == '@' || text[0] == '\0') {
                ret[0] = 0x80 | AF_UNIX;
                memcpy(ret + 1, text, strlen(text));
                return 1 + strlen(text);
        }
        n = strchr(text, ':') ? 16 : 4;
        ASSERT_EQ(inet_pton(n == 4 ? AF_INET : AF_INET6, text, address), 1);
        ret[0] = 0x80 | (n == 4 ? AF_INET : AF_INET6);
        ret[1] = (uint8_t) (port >> 8);
        ret[2] = (uint8_t) port;
        memcpy(ret + 3, address, n);
        if (n == 16 && memcmp(address, mapped, 12) == 0) {
                for (size_t i = 0; i < 4; i++)
                        ret[19 + i] = address[15 - i];
                ret[23] = 4;
                return 24;
        }
        for (size_t i = 0; i < n; i++)
                ret[3 + n + i] = address[n - 1 - i];
        ret[3 + 2 * n] = n == 4 ? 4 : 6;
        return 4 + 2 * n;
}

static unsigned part(const char *event, const char *arg, unsigned p) {
        return arg_field(event, arg) + p * SCT_ARGS_MAX;
}

static bool address_at(const Parsed *p, const char *text, uint16_t port) {
        const Condition *c = event_condition(p, "connect", part("connect", "addr", SCT_PART_ENDPOINT));
        uint8_t s[160];
        size_t n = endpoint(text, port, s);

        ASSERT_EQ(c->class, CONDITION_STRING);
        return condition_string_matches(c, (const char *) s, n);
}

/* What a filter matches and what not: addresses with ports, by spaces. */
typedef struct AddressRow {
        const char *filter, *yes, *no;
} AddressRow;

static const AddressRow address_rows[] = {
        { "127.0.0.1", "127.0.0.1 80;127.0.0.1 0;::ffff:127.0.0.1 80", "127.0.0.2 80;1.0.0.127 80;::1 80;/run/x 0" },
        { "127.0.0.1:80", "127.0.0.1 80;::ffff:127.0.0.1 80", "127.0.0.1 81;127.0.0.2 80;127.0.0.1 20480" },
        { "127.0.0.1:*", "127.0.0.1 80;127.0.0.1 81", "127.0.0.2 80" },
        { "10.0.0.0/8", "10.1.2.3 5;10.255.255.255 0", "11.0.0.1 5;9.255.255.255 0" },
        { "10.0.0.0/9", "10.0.0.1 5;10.127.255.255 0", "10.128.0.1 5" },
        { "192.168.1.*", "192.168.1.7 1;192.168.1.0 1", "192.168.2.7 1" },
        { "10.*", "10.200.1.1 1", "100.1.1.1 1" },
        { "10.0.0.0/30:443", "10.0.0.3 443", "10.0.0.4 443;10.0.0.3 444" },
        { "0.0.0.0/0", "1.2.3.4 5", "2001:db8::1 5;/run/x 0" },
        { "::1", "::1 80", "::2 80;127.0.0.1 80" },
        { "[::1]", "::1 80", "::2 80" },
        { "[::1]:80", "::1 80", "::1 81;127.0.0.1 80" },
        { "2001:db8::/32", "2001:db8:1::5 1", "2001:db9::1 1" },
        { "[2001:db8::/33]:53", "2001:db8:7fff::1 53", "2001:db8:8000::1 53;2001:db8::1 54" },
        { "*:53", "1.2.3.4 53;2001:db8::1 53", "1.2.3.4 54;/run/53 0" },
        { ":53", "1.2.3.4 53", "1.2.3.4 5353" },
        { "/run/x.sock", "/run/x.sock 0", "/run/x.sock2 0;/run/x.soc 0;@/run/x.sock 0" },
        { "/run/x*", "/run/x.sock 0;/run/x 0", "/run/y 0;@x 0;127.0.0.1 0" },
        { "*.sock", "/run/x.sock 0;@a.sock 0", "/run/x.socket 0;1.2.3.4 53" },
        { "*dbus*", "/run/dbus/system_bus_socket 0;@dbus 0", "/run/x 0" },
        { "@name", "@name 0", "/name 0;@name2 0" },
        { "@x*", "@x 0;@xy 0", "/x 0" },
        { "(unnamed)", " 0", "/x 0;@x 0;127.0.0.1 1" },
        { "AF_INET", "1.2.3.4 5", "::ffff:1.2.3.4 5;/x 0" },
        { "AF_INET6", "::1 5;::ffff:1.2.3.4 5", "1.2.3.4 5" },
        { "AF_UNIX", "/x 0;@x 0; 0", "1.2.3.4 5" },
        { "AF_UNIX,127.0.0.1:80", "/x 0;127.0.0.1 80", "127.0.0.1 81" },
};

static bool each_at(const Parsed *p, const char *list, bool wanted) {
        char copy[256], *save = NULL;

        snprintf(copy, sizeof(copy), "%s", list);
        for (char *s = strtok_r(copy, ";", &save); s; s = strtok_r(NULL, ";", &save)) {
                char *space = strrchr(s, ' ');

                *space = '\0';
                if (address_at(p, s, (uint16_t) atoi(space + 1)) != wanted) {
                        fprintf(stderr, "  %s %s\n", s, space + 1);
                        return false;
                }
        }
        return true;
}

TEST(addresses) {
        for (size_t i = 0; i < sizeof(address_rows) / sizeof(address_rows[0]); i++) {
                const AddressRow *row = address_rows + i;
                char text[256];
                const char *filters[] = { text };
                Parsed p;

                for (int negative = 0; negative < 2; negative++) {
                        snprintf(text, sizeof(text), "connect.args.addr%s=%s", negative ? "!" : "", row->filter);
                        p = parse_filters_n(filters, 1);
                        if (p.problems.n_errors > 0)
                                print_problems(&p.problems);
                        ASSERT_EQ(p.problems.n_errors, 0);
                        if (!each_at(&p, row->yes, !negative) || !each_at(&p, row->no, negative))
                                TEST_FAIL("%s", text);
                        parsed_done(&p);
                }
        }
}

TEST(addresses_of_all_calls) {
        static const char *const filters[] = {
                "bind.args.addr=0.0.0.0:80", "sendto.args.dest_addr=*:53", "accept4.args.addr=10.0.0.0/8",
                "recvfrom.args.src_addr!=127.0.0.1", "getsockname.args.addr=AF_NETLINK",
        };

        for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
                Parsed p = parse_filters_n(filters + i, 1);

                if (p.problems.n_errors > 0)
                        print_problems(&p.problems);
                ASSERT_EQ(p.problems.n_errors, 0);
                parsed_done(&p);
        }
}

TEST(bad_addresses) {
        BAD_FILTERS("is no address", "connect.args.addr=1");
        BAD_FILTERS("is no address", "connect.args.addr=127.0.0.1:65536");
        BAD_FILTERS("is no address", "connect.args.addr=127.0.0.256");
        BAD_FILTERS("is no address", "connect.args.addr=10.0.0.0/33");
        BAD_FILTERS("is no address", "connect.args.addr=AF_NOTHING");
        BAD_FILTERS("is no address", "connect.args.addr=[::1");
        BAD_FILTERS("has no order", "connect.args.addr<127.0.0.1");
        BAD_FILTERS("stands in the middle", "connect.args.addr=/run/*/x");
}

/* The bytes that an argument of type INET has. */
static bool packet_at(const char *filter, const char *event, const char *arg, const char *address) {
        bool v6 = strchr(address, ':') != NULL;
        uint8_t bytes[17] = { v6 ? 6 : 4 };
        const char *filters[] = { filter };
        Parsed p = parse_filters_n(filters, 1);
        bool r;

        if (p.problems.n_errors > 0)
                print_problems(&p.problems);
        ASSERT_EQ(p.problems.n_errors, 0);
        ASSERT_EQ(inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes + 1), 1);
        r = condition_string_matches(event_condition(&p, event, arg_field(event, arg)), (const char *) bytes, v6 ? 17 : 5);
        parsed_done(&p);
        return r;
}

TEST(addresses_of_packets) {
        static const struct {
                const char *value, *yes, *no;
        } rows[] = {
                { "8.8.8.8", "8.8.8.8", "8.8.8.9" },
                { "10.*", "10.255.0.1", "100.0.0.1" },
                { "10.0.0.0/8", "10.1.2.3", "11.1.2.3" },
                { "172.16.0.0/12", "172.31.255.255", "172.32.0.0" },
                { "0.0.0.0/0", "1.2.3.4", "::1" },
                { "::/0", "::1", "1.2.3.4" },
                { "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
                { "::1", "::1", "::2" },
                { "10.0.0.1,::1", "::1", "10.0.0.2" },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                for (int negative = 0; negative < 2; negative++) {
                        char filter[128];

                        snprintf(filter, sizeof(filter), "net_packet_ipv4.args.dst%s=%s", negative ? "!" : "", rows[i].value);
                        if (packet_at(filter, "net_packet_ipv4", "dst", rows[i].yes) == negative ||
                            packet_at(filter, "net_packet_ipv4", "dst", rows[i].no) != negative)
                                TEST_FAIL("%s", filter);
                }
        BAD_FILTERS("is no address", "net_packet_tcp.args.src=10.0.0.1:80");
        BAD_FILTERS("is no address", "net_packet_tcp.args.src=localhost");
        BAD_FILTERS("is no address", "net_packet_tcp.args.src=*");
        BAD_FILTERS("has no order", "net_packet_tcp.args.src>10.0.0.1");
        BAD_FILTERS("another argument", "net_packet_tcp.args.proto_tcp=SYN");
}

static bool time_at(const char *filter, int64_t ns) {
        const char *filters[] = { filter };
        Parsed p = parse_filters_n(filters, 1);
        bool r;

        if (p.problems.n_errors > 0)
                print_problems(&p.problems);
        ASSERT_EQ(p.problems.n_errors, 0);
        r = condition_number_matches(event_condition(&p, "nanosleep", part("nanosleep", "req", SCT_PART_NSEC)), (uint64_t) ns);
        parsed_done(&p);
        return r;
}

TEST(times) {
        const int64_t s = 1000000000;

        ASSERT_TRUE(time_at("nanosleep.args.req=1.5", s + s / 2));
        ASSERT_TRUE(time_at("nanosleep.args.req=1.5s", s + s / 2));
        ASSERT_FALSE(time_at("nanosleep.args.req=1.5", s + s / 2 + 1));
        ASSERT_TRUE(time_at("nanosleep.args.req=250ms", s / 4));
        ASSERT_TRUE(time_at("nanosleep.args.req=20us", 20000));
        ASSERT_TRUE(time_at("nanosleep.args.req=7ns", 7));
        ASSERT_TRUE(time_at("nanosleep.args.req=2min", 120 * s));
        ASSERT_TRUE(time_at("nanosleep.args.req>1", s + 1));
        ASSERT_FALSE(time_at("nanosleep.args.req>1", s));
        ASSERT_TRUE(time_at("nanosleep.args.req>=1s", s));
        ASSERT_TRUE(time_at("nanosleep.args.req<0", -1));
        ASSERT_TRUE(time_at("nanosleep.args.req!=1s", 5));
        ASSERT_FALSE(time_at("nanosleep.args.req!=1s", s));
        ASSERT_TRUE(time_at("nanosleep.args.req=-1.5", -(s + s / 2)));
        BAD_FILTERS("is no time", "nanosleep.args.req=soon");
        BAD_FILTERS("is no time", "nanosleep.args.req=1.5x");
        BAD_FILTERS("is no time", "nanosleep.args.req=99999999999999999999");
}

TEST(pairs) {
        Parsed p = GOOD_FILTERS("pipe.args.pipefd=3,4");
        const Condition *c = event_condition(&p, "pipe", part("pipe", "pipefd", SCT_PART_FIRST));

        ASSERT_EQ(c->or_field, part("pipe", "pipefd", SCT_PART_SECOND));
        ASSERT_TRUE(condition_number_matches(c, 3) && condition_number_matches(c, 4));
        ASSERT_FALSE(condition_number_matches(c, 5));
        parsed_done(&p);

        p = GOOD_FILTERS("socketpair.args.sv>100");
        c = event_condition(&p, "socketpair", part("socketpair", "sv", SCT_PART_FIRST));
        ASSERT_TRUE(condition_number_matches(c, 101));
        ASSERT_FALSE(condition_number_matches(c, (uint64_t) -1));
        parsed_done(&p);
        BAD_FILTERS("is a number", "pipe.args.pipefd=three");
}

/* Of the structs of openat2 and clone3 their flags are asked for. */
TEST(structs_by_their_flags) {
        Parsed p = GOOD_FILTERS("openat2.args.how=O_WRONLY");
        const Condition *c = event_condition(&p, "openat2", arg_field("openat2", "how"));

        ASSERT_TRUE(condition_mask_matches(c, 1) && condition_mask_matches(c, 0101));
        ASSERT_FALSE(condition_mask_matches(c, 2));
        parsed_done(&p);

        p = GOOD_FILTERS("clone3.args.cl_args=CLONE_NEWUSER");
        c = event_condition(&p, "clone3", arg_field("clone3", "cl_args"));
        ASSERT_TRUE(condition_mask_matches(c, 0x10000000));
        ASSERT_FALSE(condition_mask_matches(c, 0x20000000));
        parsed_done(&p);
}

TEST_MAIN()
