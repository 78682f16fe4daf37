/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only reader of the wire format. Invariant: after record_parse() has returned 0, every pointer of the Event lies
 * in the sample, payloads of fixed-size types have their size, strings end before the payload does, and indices are
 * those of the event's description. A record that breaks any of this is refused whole. Does not copy, allocate, or
 * interpret values.
 *
 * The sample must be aligned to 8 bytes, as samples of a BPF ring buffer are; others are refused. */

#include <stddef.h>

#include "../../bpf/abi/plan.h"
#include "../../bpf/abi/arg-struct.h"
#include "../basic/macro.h"
#include "record.h"

/* Payload sizes that a type allows. */
typedef struct PayloadSize {
        uint32_t min, max;
} PayloadSize;

#define STRUCT(name) { sizeof(struct name), sizeof(struct name) }

static const PayloadSize payload_sizes[_SCT_ARG_TYPE_MAX] = {
        [SCT_ARG_S32] = { 8, 8 },
        [SCT_ARG_U32] = { 8, 8 },
        [SCT_ARG_S64] = { 8, 8 },
        [SCT_ARG_U64] = { 8, 8 },
        [SCT_ARG_S16] = { 8, 8 },
        [SCT_ARG_U16] = { 8, 8 },
        [SCT_ARG_S8] = { 8, 8 },
        [SCT_ARG_U8] = { 8, 8 },
        [SCT_ARG_BOOL] = { 8, 8 },
        [SCT_ARG_PTR] = { 8, 8 },
        [SCT_ARG_FD] = { 8, 8 + SCT_STR_MAX },
        [SCT_ARG_STR] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_STRV] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_SOCKADDR] = { 0, 128 },
        [SCT_ARG_TIMESPEC] = { 16, 16 },
        [SCT_ARG_INT2] = { 8, 8 },
        [SCT_ARG_BYTES] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_PATH] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_KSTR] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_KSTRV] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_STR_OUT] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_SOCKADDR_OUT] = { 0, 128 },
        [SCT_ARG_FILE] = { sizeof(struct sct_file), SCT_RECORD_MAX },
        [SCT_ARG_KPATH] = { sizeof(struct sct_file), SCT_RECORD_MAX },
        [SCT_ARG_DENTRY] = { sizeof(struct sct_file), SCT_RECORD_MAX },
        [SCT_ARG_KIOCB] = { sizeof(struct sct_file), SCT_RECORD_MAX },
        [SCT_ARG_BINPRM] = { sizeof(struct sct_file), SCT_RECORD_MAX },
        [SCT_ARG_FILENAME] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_NOP] = { 0, 0 },
        [SCT_ARG_IOVEC] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_IOV_ITER] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_SOCK] = STRUCT(sct_sock),
        [SCT_ARG_SOCKET] = STRUCT(sct_sock),
        [SCT_ARG_SKB] = STRUCT(sct_skb),
        [SCT_ARG_KSOCKADDR] = { 0, 128 },
        [SCT_ARG_CRED] = STRUCT(sct_cred),
        [SCT_ARG_KCAP] = { 8, 8 },
        [SCT_ARG_USER_NS] = STRUCT(sct_user_ns),
        [SCT_ARG_BPF_ATTR] = STRUCT(sct_bpf_prog),
        [SCT_ARG_BPF_PROG] = STRUCT(sct_bpf_prog),
        [SCT_ARG_BPF_MAP] = STRUCT(sct_bpf_map),
        [SCT_ARG_PERF_EVENT] = STRUCT(sct_perf_event),
        [SCT_ARG_MODULE] = STRUCT(sct_module),
        [SCT_ARG_LOAD_INFO] = STRUCT(sct_module),
        [SCT_ARG_NET_DEVICE] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_DATA_LOC] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_CONST_BUF] = { 0, SCT_RECORD_MAX },
        [SCT_ARG_SYSCALL64] = { 8, 8 },
        [SCT_ARG_INET] = { 5, 17 },
        [SCT_ARG_PROTO_IPV4] = { SCT_IPV4_HEADER, SCT_IPV4_HEADER },
        [SCT_ARG_PROTO_IPV6] = { SCT_IPV6_HEADER, SCT_IPV6_HEADER },
        [SCT_ARG_PROTO_TCP] = { SCT_TCP_HEADER, SCT_TCP_HEADER },
        [SCT_ARG_PROTO_UDP] = { SCT_UDP_HEADER, SCT_UDP_HEADER },
        [SCT_ARG_PROTO_ICMP] = { SCT_ICMP_HEADER, SCT_ICMP_HEADER },
        [SCT_ARG_PROTO_ICMPV6] = { SCT_ICMPV6_HEADER, SCT_ICMPV6_HEADER },
};
#undef STRUCT

static int check_payload(const struct sct_arg *a, size_t left) {
        if (a->type == SCT_ARG_NONE || a->type >= _SCT_ARG_TYPE_MAX)
                return -EBADMSG;
        if (a->size > left || ALIGN8((size_t) a->size) > left)
                return -EBADMSG;
        if (a->flags & SCT_ARG_FAULT)
                return a->size == 0 ? 0 : -EBADMSG;
        if (a->size == 0)       /* nothing there, see is_absent() */
                return 0;
        /* What is cut short may have any size up to the type's; numbers are never cut. */
        if (a->size > payload_sizes[a->type].max || a->size < payload_sizes[a->type].min)
                return -EBADMSG;
        return 0;
}

/* The kernel side gives a size of 0 and no flag to what a failed call has not filled. Strings that are read at entry
 * may be empty in earnest. */
static bool is_absent(const struct sct_arg *a, const EventArgSpec *spec) {
        return a->size == 0 && !(a->flags & SCT_ARG_FAULT) &&
               (payload_sizes[a->type].min > 0 || (spec->flags & SCT_ARG_PLAN_EXIT));
}

static int add_exe(Event *e, const struct sct_arg *a, const uint8_t *payload) {
        if (e->exe || a->type == SCT_ARG_STRV || a->type == SCT_ARG_KSTRV)
                return -EBADMSG;
        if (a->flags & SCT_ARG_FAULT)
                return 0;
        e->exe = (const char *) payload;
        e->exe_size = strnlen(e->exe, a->size);
        return 0;
}

static int add_stack(EventStack *stack, const struct sct_arg *a, const uint8_t *payload) {
        if (stack->addresses || a->type != SCT_ARG_BYTES || a->size % sizeof(uint64_t) != 0)
                return -EBADMSG;
        if (a->size == 0)
                return 0;
        stack->addresses = payload;
        stack->n = a->size / sizeof(uint64_t);
        return 0;
}

static int parse_args(const uint8_t *data, size_t end, Event *e) {
        size_t offset = sizeof(struct sct_record);
        uint32_t seen = 0;
        int r;

        for (unsigned i = 0; i < e->header->n_args; i++) {
                const struct sct_arg *a;
                const uint8_t *payload;
                size_t at;

                if (end - offset < sizeof(struct sct_arg))
                        return -EBADMSG;
                a = (const struct sct_arg *) (data + offset);
                offset += sizeof(struct sct_arg);
                payload = data + offset;
                r = check_payload(a, end - offset);
                if (r < 0)
                        return r;
                offset += ALIGN8((size_t) a->size);

                if (a->index == SCT_ARG_INDEX_EXE) {
                        r = add_exe(e, a, payload);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (a->index == SCT_ARG_INDEX_KERNEL_STACK || a->index == SCT_ARG_INDEX_USER_STACK) {
                        r = add_stack(a->index == SCT_ARG_INDEX_KERNEL_STACK ? &e->kernel_stack : &e->user_stack, a,
                                      payload);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (a->index >= e->spec->n_args || a->index >= SCT_ARGS_MAX || (seen & 1U << a->index))
                        return -EBADMSG;
                seen |= 1U << a->index;
                if (is_absent(a, e->spec->args + a->index))
                        continue;
                /* In the order of the catalogue: what was read at exit stands behind the rest. */
                for (at = e->n_args++; at > 0 && e->args[at - 1].spec > e->spec->args + a->index; at--)
                        e->args[at] = e->args[at - 1];
                e->args[at] = (EventArg) {
                        .spec = e->spec->args + a->index,
                        .type = a->type,
                        .flags = a->flags,
                        .size = a->size,
                        .data = payload,
                };
        }
        return 0;
}

int record_parse(const void *data, size_t size, EventSpecLookup lookup, void *userdata, Event *ret) {
        const struct sct_record *h = data;
        size_t end;

        assert(data || size == 0);
        assert(ret);

        if (size < sizeof(struct sct_record) || (uintptr_t) data % 8 != 0)
                return -EBADMSG;
        if (h->type != SCT_RECORD_EVENT)
                return h->type > 0 && h->type < _SCT_RECORD_TYPE_MAX ? -EPROTO : -EBADMSG;
        if (h->n_banks > SCT_BANKS_MAX || h->bank_first + h->n_banks > SCT_BANKS_MAX ||
            h->n_args > SCT_ARGS_MAX + 3)     /* the executable, two stacks */
                return -EBADMSG;
        if ((size - sizeof(struct sct_record)) / sizeof(uint64_t) < h->n_banks)
                return -EBADMSG;
        end = size - sizeof(uint64_t) * h->n_banks;

        /* Not the arguments, which are most of it: those that count are written below. */
        memset((uint8_t *) ret + offsetof(Event, n_args), 0, sizeof(*ret) - offsetof(Event, n_args));
        ret->header = h;
        ret->spec = h->event < SCT_EVENT_HOOK_FIRST ? event_spec_by_id(h->event) :
                    lookup ? lookup(h->event, userdata) : NULL;
        ret->rules = (const uint8_t *) data + end;
        ret->priority = 6;              /* LOG_INFO, the policies' default */
        ret->container_id = "";
        ret->cgroup_path = "";
        if (!ret->spec)
                return -ENOENT;
        return parse_args(data, end, ret);
}
