/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is to be kept: the expressions of spec.capture and --capture → one CaptureSpec a kind. Tracee's spellings of all
 * times are rows of one table: `write=*.log`, `artifact:write=*.log` and `file-write.filters=path=*.log` are the same.
 *
 * Filters of one sort add up (any path of several), filters of different sorts restrict each other (path and type).
 * Whether a packet filter's expression is one is asked of libpcap, which this layer does not know: of the function that a
 * program has set, if it has. */

#include <stdio.h>
#include <sys/stat.h>

#include "../../bpf/abi/plan.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "capture-spec.h"
#include "condition-builder.h"
#include "event-id.h"
#include "wording.h"

#define PATTERN_MAX 252U       /* SCT_AFFIX_MAX */
#define INTERFACE_MAX 15U      /* IFNAMSIZ without NUL */

/* All that is said of one kind while expressions come in. */
typedef struct KindState {
        bool wanted;
        ConditionBuilder path, type, fd;
        CaptureSpec spec;
        bool snaplen_given, any_packet;
} KindState;

typedef struct ParseState {
        KindState kinds[_CAPTURE_KIND_MAX];
        char *directory;
        bool clear_dir;
        char **reterr;
} ParseState;

typedef struct ExpressionRow ExpressionRow;
struct ExpressionRow {
        const char *name;              /* ends with = or : when a value follows */
        CaptureKind kind;
        int (*parse)(ParseState *s, const ExpressionRow *row, const char *value);
        int argument;
};

static PacketFilterCheck packet_filter_check;

void capture_spec_set_filter_check(PacketFilterCheck check) {
        packet_filter_check = check;
}

static const ExpressionRow expression_table[];
static const size_t n_expression_table;

void capture_spec_done(CaptureSpec *s) {
        for (size_t i = 0; i < s->n_conditions; i++)
                condition_done(s->conditions + i);
        free(s->conditions);
        free(s->pcap_filter);
        strv_free(s->interfaces);
        *s = (CaptureSpec) {};
}

int capture_spec_copy_options(const CaptureSpec *s, CaptureSpec *ret) {
        _cleanup_(capture_spec_done) CaptureSpec copy = *s;

        copy.conditions = NULL;
        copy.n_conditions = 0;
        copy.pcap_filter = NULL;
        copy.interfaces = NULL;
        if ((s->pcap_filter && !(copy.pcap_filter = strdup(s->pcap_filter))) ||
            (s->interfaces && !(copy.interfaces = strv_copy(s->interfaces))))
                return -ENOMEM;
        *ret = TAKE_STRUCT(copy);
        return 0;
}

void capture_spec_list_done(CaptureSpecList *l) {
        assert(l);

        for (size_t i = 0; i < l->n; i++)
                capture_spec_done(l->items + i);
        free(l->items);
        free(l->directory);
        *l = (CaptureSpecList) {};
}

static void parse_state_done(ParseState *s) {
        for (size_t i = 0; i < _CAPTURE_KIND_MAX; i++) {
                condition_builder_done(&s->kinds[i].path);
                condition_builder_done(&s->kinds[i].type);
                condition_builder_done(&s->kinds[i].fd);
                capture_spec_done(&s->kinds[i].spec);
        }
        free(s->directory);
}

__attribute__((format(printf, 2, 3))) static int refuse(ParseState *s, const char *format, ...) {
        va_list ap;
        int r;

        if (!s->reterr || *s->reterr)
                return -EINVAL;
        va_start(ap, format);
        r = vasprintf(s->reterr, format, ap);
        va_end(ap);
        if (r < 0) {
                *s->reterr = NULL;
                return -ENOMEM;
        }
        return -EINVAL;
}

static int want_kind(ParseState *s, const ExpressionRow *row, const char *value) {
        s->kinds[row->kind].wanted = true;
        return 0;
}

/* ---- write, read ---- */

static int add_path(ParseState *s, const ExpressionRow *row, const char *value) {
        KindState *k = s->kinds + row->kind;
        const char *kind = capture_kind_to_string(row->kind);
        size_t n = strlen(value), last = n > 0 ? n - 1 : 0;
        Pattern p = {};

        if (n == 0)
                return refuse(s, "The path of %s= is empty; write %s=/tmp/* for all below /tmp, or %s for every file.",
                              kind, kind, kind);
        if (strspn(value, "*") == n)
                return refuse(s, "%s=%s names every file; write %s alone.", kind, QUOTE(value), kind);
        if (value[0] == '*' && value[last] == '*') {
                p.kind = PATTERN_SUBSTRING;
                p.text = strndup(value + 1, n - 2);
        } else if (value[last] == '*') {
                p.kind = PATTERN_PREFIX;
                p.text = strndup(value, n - 1);
        } else if (value[0] == '*') {
                p.kind = PATTERN_SUFFIX;
                p.text = strdup(value + 1);
        } else
                return refuse(s, "%s=%s has no *; write %s=%s* for paths that begin so, or %s=*%s for those that end so.",
                              kind, QUOTE(value), kind, QUOTE(value), kind, QUOTE(value));
        if (!p.text)
                return -ENOMEM;
        p.size = strlen(p.text);
        if (strchr(p.text, '*') || p.size > PATTERN_MAX) {
                free(p.text);
                return refuse(s, "%s=%s has a * in its middle or more than %u bytes; write /beginning*, *end or *part*.",
                              kind, QUOTE(value), PATTERN_MAX);
        }
        k->wanted = true;
        k->path.condition.class = CONDITION_STRING;
        return condition_builder_add_pattern(&k->path, &p) < 0 ? -ENOMEM : 0;
}

/* One word of a list with commas. */
typedef int (*AddWord)(ParseState *s, KindState *k, const ExpressionRow *row, const char *word);

static int add_words(ParseState *s, const ExpressionRow *row, const char *value, const char *example, AddWord add) {
        _cleanup_free_ char *copy = strdup(value);
        int r;

        if (!copy)
                return -ENOMEM;
        if (isempty(value))
                return refuse(s, "%s has no value; write %s%s.", row->name, row->name, example);
        for (char *next = copy, *word; (word = strsep(&next, ","));) {
                if (isempty(word))
                        return refuse(s, "%s%s has an empty item; write %s%s.", row->name, QUOTE(value), row->name,
                                      example);
                r = add(s, s->kinds + row->kind, row, word);
                if (r < 0)
                        return r;
        }
        s->kinds[row->kind].wanted = true;
        return 0;
}

static int add_type(ParseState *s, KindState *k, const ExpressionRow *row, const char *word) {
        static const struct {
                const char *name;
                mode_t type;
        } types[] = {
                { "regular", S_IFREG }, { "pipe", S_IFIFO }, { "socket", S_IFSOCK },
                { "char", S_IFCHR }, { "block", S_IFBLK },
        };

        k->type.condition.class = CONDITION_MASK;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(word, types[i].name))
                        return condition_builder_add_mask(&k->type, false, S_IFMT, types[i].type) < 0 ? -ENOMEM : 0;
        return refuse(s, "%s is not a type of file that can be asked for; write regular, pipe, socket, char or block.",
                      QUOTE(word));
}

static int parse_types(ParseState *s, const ExpressionRow *row, const char *value) {
        return add_words(s, row, value, "regular", add_type);
}

static int add_fd(ParseState *s, KindState *k, const ExpressionRow *row, const char *word) {
        static const char *const names[] = { "stdin", "stdout", "stderr" };
        uint32_t fd = UINT32_MAX;

        for (uint32_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(word, names[i]))
                        fd = i;
        if (fd == UINT32_MAX && (parse_u32(word, &fd) < 0 || fd > INT32_MAX))
                return refuse(s, "%s is not a descriptor; write stdin, stdout, stderr or a number.", QUOTE(word));
        k->fd.condition.class = CONDITION_NUMBER;
        k->fd.condition.is_signed = true;
        return condition_builder_add_number(&k->fd, FILTER_OP_EQ, fd, 0, INT32_MAX) < 0 ? -ENOMEM : 0;
}

static int parse_fds(ParseState *s, const ExpressionRow *row, const char *value) {
        return add_words(s, row, value, "stdout,stderr", add_fd);
}

/* ---- mem ---- */

static int add_transition(ParseState *s, KindState *k, const ExpressionRow *row, const char *word) {
        static const struct {
                const char *name;
                unsigned bits;
        } transitions[] = {
                { "unpacked", CAPTURE_MEM_UNPACKED },
                { "mmap-wx", CAPTURE_MEM_MMAP_WX },
                { "to-exec", CAPTURE_MEM_TO_EXEC },
                { "exec-to-wx", CAPTURE_MEM_EXEC_TO_WX },
                { "all", _CAPTURE_MEM_ALL },
        };

        for (size_t i = 0; i < ELEMENTSOF(transitions); i++)
                if (streq(word, transitions[i].name)) {
                        k->spec.mem_transitions |= transitions[i].bits;
                        return 0;
                }
        return refuse(s, "%s is not a change of a region's protection; write unpacked (written and executable, now "
                      "executable alone), mmap-wx, to-exec, exec-to-wx or all.", QUOTE(word));
}

static int parse_transitions(ParseState *s, const ExpressionRow *row, const char *value) {
        return add_words(s, row, value, "unpacked", add_transition);
}

/* ---- packets ---- */

static int want_packets(ParseState *s, const ExpressionRow *row, const char *value) {
        s->kinds[CAPTURE_NETWORK].wanted = s->kinds[CAPTURE_NETWORK].any_packet = true;
        return 0;
}

static int add_split(ParseState *s, KindState *k, const ExpressionRow *row, const char *word) {
        static const struct {
                const char *name;
                CapturePcap split;
        } splits[] = {
                { "single", CAPTURE_PCAP_SINGLE },
                { "process", CAPTURE_PCAP_PROCESS },
                { "container", CAPTURE_PCAP_CONTAINER },
                { "command", CAPTURE_PCAP_COMMAND },
        };

        k->any_packet = true;
        for (size_t i = 0; i < ELEMENTSOF(splits); i++)
                if (streq(word, splits[i].name)) {
                        k->spec.pcap_split |= splits[i].split;
                        return 0;
                }
        return refuse(s, "%s is no way to divide packets over files; write single, process, container or command.",
                      QUOTE(word));
}

static int parse_splits(ParseState *s, const ExpressionRow *row, const char *value) {
        return add_words(s, row, value, "process,container", add_split);
}

static int parse_pcap_options(ParseState *s, const ExpressionRow *row, const char *value) {
        if (!streq(value, "none") && !streq(value, "filtered"))
                return refuse(s, "%s is no option of packet captures; write %snone (every packet) or %sfiltered (those of "
                              "the packet events that the policy selects).", QUOTE(value), row->name, row->name);
        s->kinds[CAPTURE_NETWORK].spec.pcap_filtered = streq(value, "filtered");
        return 0;
}

/* default, headers, max, or a number with b, kb or k. */
static int parse_snaplen(ParseState *s, const ExpressionRow *row, const char *value) {
        static const struct {
                const char *name;
                uint32_t bytes;
        } names[] = {
                { "default", CAPTURE_SNAPLEN_DEFAULT }, { "headers", CAPTURE_SNAPLEN_HEADERS },
                { "max", CAPTURE_SNAPLEN_MAX },
        };
        KindState *k = s->kinds + CAPTURE_NETWORK;
        size_t digits = strspn(value, "0123456789");
        _cleanup_free_ char *number = NULL;
        uint64_t factor, n;

        k->snaplen_given = true;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(value, names[i].name)) {
                        k->spec.pcap_snaplen = names[i].bytes;
                        return 0;
                }
        factor = streq(value + digits, "b") ? 1 : streq(value + digits, "kb") || streq(value + digits, "k") ? 1024 : 0;
        if (digits == 0 || factor == 0)
                return refuse(s, "%s is no length of a packet; write default (%u bytes), headers, max, or a number with its "
                              "unit: 120b, 2kb.", QUOTE(value), CAPTURE_SNAPLEN_DEFAULT);
        number = strndup(value, digits);
        if (!number)
                return -ENOMEM;
        if (parse_u64(number, &n) < 0 || n > CAPTURE_SNAPLEN_MAX || n * factor > CAPTURE_SNAPLEN_MAX || n == 0)
                return refuse(s, "%s is no length of a packet; write 1b to %ub, or max.", QUOTE(value),
                              CAPTURE_SNAPLEN_MAX);
        k->spec.pcap_snaplen = (uint32_t) (n * factor);
        return 0;
}

static int parse_pcap_filter(ParseState *s, const ExpressionRow *row, const char *value) {
        CaptureSpec *spec = &s->kinds[CAPTURE_NETWORK].spec;
        int r;

        if (isempty(value))
                return refuse(s, "The expression of pcap-filter: is empty; write one as for tcpdump, for example "
                              "pcap-filter:tcp port 443.");
        if (spec->pcap_filter)
                return refuse(s, "A policy has one pcap-filter:; join the two with `and` or `or`.");
        if (packet_filter_check) {
                r = packet_filter_check(value, s->reterr);
                if (r < 0)
                        return r;
        }
        spec->pcap_filter = strdup(value);
        return spec->pcap_filter ? 0 : -ENOMEM;
}

static int parse_interface(ParseState *s, const ExpressionRow *row, const char *value) {
        KindState *k = s->kinds + CAPTURE_NETWORK;

        if (isempty(value) || strlen(value) > INTERFACE_MAX || strpbrk(value, "/ \t\n"))
                return refuse(s, "%s is not the name of a network interface; write for example net=eth0.", QUOTE(value));
        k->wanted = true;
        return strv_extend(&k->spec.interfaces, value);
}

/* ---- where ---- */

static int parse_directory(ParseState *s, const ExpressionRow *row, const char *value) {
        if (isempty(value))
                return refuse(s, "The directory of %s is empty; write %s/path/to/directory.", row->name, row->name);
        return free_and_strdup(&s->directory, value);
}

static int parse_clear(ParseState *s, const ExpressionRow *row, const char *value) {
        s->clear_dir = true;
        return 0;
}

static int refuse_bpf(ParseState *s, const ExpressionRow *row, const char *value) {
        return refuse(s, "BPF programs are not captured; write exec, module, mem, write, read or network, and "
                      "event=bpf_attach to learn of programs.");
}

/* ---- all ---- */

static int parse_expression(ParseState *s, const char *expression) {
        const char *text = startswith(expression, "artifact:") ?: expression;
        Suggest suggest;

        suggest_begin(&suggest, text);
        for (size_t i = 0; i < n_expression_table; i++) {
                const ExpressionRow *row = expression_table + i;
                size_t n = strlen(row->name);
                bool has_value = IN_SET(row->name[n - 1], '=', ':');

                suggest_try(&suggest, row->name);
                if (has_value ? strncmp(text, row->name, n) == 0 : streq(text, row->name))
                        return row->parse(s, row, text + n);
        }
        return refuse(s, "%s is nothing that can be captured%s", QUOTE(expression), suggest.best[0] ? SUGGESTION(&suggest)
                      : "; write write, read, exec, mem, module or network.");
}

static const char *const kind_table[] = {
        [CAPTURE_WRITE] = "write",
        [CAPTURE_READ] = "read",
        [CAPTURE_EXEC] = "exec",
        [CAPTURE_MEM] = "mem",
        [CAPTURE_NETWORK] = "network",
        [CAPTURE_MODULE] = "module",
};
assert_cc(ELEMENTSOF(kind_table) == _CAPTURE_KIND_MAX);

const char *capture_kind_to_string(CaptureKind k) {
        return k >= 0 && k < _CAPTURE_KIND_MAX ? kind_table[k] : NULL;
}

CaptureKind capture_kind_from_string(const char *s) {
        for (CaptureKind k = 0; k < _CAPTURE_KIND_MAX; k++)
                if (streq_ptr(s, kind_table[k]))
                        return k;
        return _CAPTURE_KIND_INVALID;
}

static const uint16_t events_by_kind[] = {
        [CAPTURE_WRITE] = SCT_EVENT_CAPTURE_WRITE,
        [CAPTURE_READ] = SCT_EVENT_CAPTURE_READ,
        [CAPTURE_EXEC] = SCT_EVENT_CAPTURE_EXEC,
        [CAPTURE_MEM] = SCT_EVENT_CAPTURE_MEM,
        [CAPTURE_NETWORK] = SCT_EVENT_CAPTURE_PACKET,
        [CAPTURE_MODULE] = SCT_EVENT_CAPTURE_MODULE,
};
assert_cc(ELEMENTSOF(events_by_kind) == _CAPTURE_KIND_MAX);

const EventSpec *capture_kind_event(CaptureKind k) {
        return k >= 0 && k < _CAPTURE_KIND_MAX ? event_spec_by_id(events_by_kind[k]) : NULL;
}

CaptureKind capture_kind_from_event(uint16_t event) {
        for (CaptureKind k = 0; k < _CAPTURE_KIND_MAX; k++)
                if (events_by_kind[k] == event)
                        return k;
        return _CAPTURE_KIND_INVALID;
}

static int finish_condition(KindState *k, CaptureKind kind, ConditionBuilder *b, const char *arg) {
        Condition *c = b->condition.n_patterns + b->condition.n_masks + b->condition.n_eq > 0
                               ? k->spec.conditions + k->spec.n_conditions
                               : NULL;

        if (!c)
                return 0;
        b->condition.field = SCT_FIELD_ARG + event_arg_index(capture_kind_event(kind), arg);
        if (condition_builder_finish(b, c) < 0)
                return -ENOMEM;
        k->spec.n_conditions++;
        return 0;
}

static int finish_network(KindState *k) {
        CaptureSpec *spec = &k->spec;

        if (k->any_packet && spec->pcap_split == 0)
                spec->pcap_split = CAPTURE_PCAP_SINGLE;
        if (!k->snaplen_given)
                spec->pcap_snaplen = CAPTURE_SNAPLEN_DEFAULT;
        if (k->any_packet)
                return 0;
        /* Interfaces alone: packets of others are not even looked at. */
        k->path.condition.class = CONDITION_STRING;
        STRV_FOREACH(i, spec->interfaces) {
                Pattern p = { .kind = PATTERN_EQUAL, .text = strdup(*i), .size = strlen(*i) };

                if (!p.text || condition_builder_add_pattern(&k->path, &p) < 0)
                        return -ENOMEM;
        }
        return finish_condition(k, CAPTURE_NETWORK, &k->path, "interface");
}

static int finish_mem(KindState *k) {
        k->spec.mem_transitions = k->spec.mem_transitions ?: CAPTURE_MEM_UNPACKED;
        k->type.condition.class = CONDITION_MASK;
        if (condition_builder_add_any_bit(&k->type, false, k->spec.mem_transitions) < 0)
                return -ENOMEM;
        return finish_condition(k, CAPTURE_MEM, &k->type, "transition");
}

static int finish_kind(ParseState *s, CaptureKind kind) {
        KindState *k = s->kinds + kind;
        int r;

        k->spec.kind = kind;
        k->spec.conditions = new0(Condition, 4);
        if (!k->spec.conditions)
                return -ENOMEM;
        if (kind == CAPTURE_NETWORK)
                return finish_network(k);
        if (kind == CAPTURE_MEM)
                return finish_mem(k);
        if (!IN_SET(kind, CAPTURE_WRITE, CAPTURE_READ))
                return 0;
        r = finish_condition(k, kind, &k->path, "pathname");
        if (r >= 0)
                r = finish_condition(k, kind, &k->type, "type");
        if (r >= 0)
                r = finish_condition(k, kind, &k->fd, "fd");
        return r;
}

int capture_spec_parse(char *const *expressions, CaptureSpecList *ret, size_t *ret_index, char **reterr) {
        _cleanup_(parse_state_done) ParseState s = { .reterr = reterr };
        _cleanup_(capture_spec_list_done) CaptureSpecList list = {};
        KindState *network = s.kinds + CAPTURE_NETWORK;
        size_t i = 0;
        int r;

        assert(ret && ret_index && reterr);

        *reterr = NULL;
        STRV_FOREACH(e, expressions) {
                *ret_index = i++;
                r = parse_expression(&s, *e);
                if (r < 0)
                        return r;
        }
        if (!network->wanted && (network->snaplen_given || network->spec.pcap_filter || network->spec.pcap_filtered))
                return refuse(&s, "pcap-snaplen:, pcap-filter: and pcap-options: say how packets are kept, but no packets "
                              "are asked for; add network.");

        list.items = new0(CaptureSpec, _CAPTURE_KIND_MAX);
        if (!list.items)
                return -ENOMEM;
        for (CaptureKind k = 0; k < _CAPTURE_KIND_MAX; k++) {
                if (!s.kinds[k].wanted)
                        continue;
                r = finish_kind(&s, k);
                if (r < 0)
                        return r;
                list.items[list.n++] = TAKE_STRUCT(s.kinds[k].spec);
        }
        list.directory = TAKE_PTR(s.directory);
        list.clear_dir = s.clear_dir;
        *ret = TAKE_STRUCT(list);
        return 0;
}

/* Rows whose name is the beginning of another's stand behind it. */
static const ExpressionRow expression_table[] = {
        { "write", CAPTURE_WRITE, want_kind },
        { "write=", CAPTURE_WRITE, add_path },
        { "write:path=", CAPTURE_WRITE, add_path },
        { "write:type=", CAPTURE_WRITE, parse_types },
        { "write:fd=", CAPTURE_WRITE, parse_fds },
        { "file-write", CAPTURE_WRITE, want_kind },
        { "file-write.filters=path=", CAPTURE_WRITE, add_path },
        { "file-write.filters=type=", CAPTURE_WRITE, parse_types },
        { "file-write.filters=fd=", CAPTURE_WRITE, parse_fds },
        { "read", CAPTURE_READ, want_kind },
        { "read=", CAPTURE_READ, add_path },
        { "read:path=", CAPTURE_READ, add_path },
        { "read:type=", CAPTURE_READ, parse_types },
        { "read:fd=", CAPTURE_READ, parse_fds },
        { "file-read", CAPTURE_READ, want_kind },
        { "file-read.filters=path=", CAPTURE_READ, add_path },
        { "file-read.filters=type=", CAPTURE_READ, parse_types },
        { "file-read.filters=fd=", CAPTURE_READ, parse_fds },
        { "exec", CAPTURE_EXEC, want_kind },
        { "executable", CAPTURE_EXEC, want_kind },
        { "module", CAPTURE_MODULE, want_kind },
        { "kernel-modules", CAPTURE_MODULE, want_kind },
        { "mem", CAPTURE_MEM, want_kind },
        { "mem=", CAPTURE_MEM, parse_transitions },
        { "memory-regions", CAPTURE_MEM, want_kind },
        { "network", CAPTURE_NETWORK, want_packets },
        { "net", CAPTURE_NETWORK, want_packets },
        { "pcap", CAPTURE_NETWORK, want_packets },
        { "netpcap", CAPTURE_NETWORK, want_packets },
        { "pcap:", CAPTURE_NETWORK, parse_splits },
        { "netpcap:", CAPTURE_NETWORK, parse_splits },
        { "network.pcap.split=", CAPTURE_NETWORK, parse_splits },
        { "pcap-options:", CAPTURE_NETWORK, parse_pcap_options },
        { "network.pcap.options=", CAPTURE_NETWORK, parse_pcap_options },
        { "pcap-snaplen:", CAPTURE_NETWORK, parse_snaplen },
        { "network.pcap.snaplen=", CAPTURE_NETWORK, parse_snaplen },
        { "pcap-filter:", CAPTURE_NETWORK, parse_pcap_filter },
        { "net=", CAPTURE_NETWORK, parse_interface },
        { "dir:", CAPTURE_WRITE, parse_directory },
        { "dir.path=", CAPTURE_WRITE, parse_directory },
        { "clear-dir", CAPTURE_WRITE, parse_clear },
        { "dir.clear", CAPTURE_WRITE, parse_clear },
        { "bpf", CAPTURE_WRITE, refuse_bpf },
        { "bpf-programs", CAPTURE_WRITE, refuse_bpf },
};
static const size_t n_expression_table = ELEMENTSOF(expression_table);
