/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The argument types of TracingPolicy, one row each: how an argument of that type is read (its wire type) and what may be
 * asked of it. An operator that a row does not allow is refused with a sentence, never accepted and then wrong.
 *
 * Whether a function has such an argument is not known here: kernel/ compares with BTF when it attaches the hook. */

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../event/arg-type.h"
#include "tracing-internal.h"

#define FORMAT_ONLY (~(1U << HOOK_TRACEPOINT))

#define SIGNED(n, t, w) { .name = n, .type = SCT_ARG_##t, .bits = w, .flags = TRACING_NUMBER | TRACING_SIGNED }
#define UNSIGNED(n, t, w) { .name = n, .type = SCT_ARG_##t, .bits = w, .flags = TRACING_NUMBER }
#define TYPE(n, t, ...) { .name = n, .type = SCT_ARG_##t, __VA_ARGS__ }

static const TracingType types[] = {
        /* What it stands for, kernel/ says; conditions that it does not allow are refused then (hook-type.c). */
        { .name = "auto", .type = SCT_ARG_NONE, .bits = 64, .flags = TRACING_AUTO | TRACING_NUMBER | TRACING_SIGNED |
          TRACING_STRING | TRACING_NETWORK | TRACING_MODE | TRACING_CAPS, .hooks = 1U << HOOK_UPROBE },
        SIGNED("int", S32, 32),
        SIGNED("int32", S32, 32),
        SIGNED("sint32", S32, 32),
        UNSIGNED("uint32", U32, 32),
        SIGNED("long", S64, 64),
        SIGNED("int64", S64, 64),
        SIGNED("sint64", S64, 64),
        UNSIGNED("ulong", U64, 64),
        UNSIGNED("uint64", U64, 64),
        UNSIGNED("size_t", U64, 64),
        SIGNED("int16", S16, 16),
        SIGNED("sint16", S16, 16),
        UNSIGNED("uint16", U16, 16),
        SIGNED("int8", S8, 8),
        SIGNED("sint8", S8, 8),
        UNSIGNED("uint8", U8, 8),
        UNSIGNED("bool", BOOL, 8),
        UNSIGNED("ptr", PTR, 64),
        SIGNED("timespec", TIMESPEC, 64),
        TYPE("strv", STRV, .flags = TRACING_STRING),
        TYPE("int2", INT2),
        TYPE("string", STR, .flags = TRACING_STRING),
        TYPE("char_buf", BYTES, .flags = TRACING_STRING | TRACING_BYTES | TRACING_SIZED),
        TYPE("char_iovec", IOVEC, .flags = TRACING_STRING | TRACING_BYTES | TRACING_SIZED),
        TYPE("iov_iter", IOV_ITER, .flags = TRACING_STRING | TRACING_BYTES),
        TYPE("fd", FD, .bits = 32, .flags = TRACING_STRING | TRACING_PATH | TRACING_NUMBER | TRACING_SIGNED),
        TYPE("file", FILE, .flags = TRACING_STRING | TRACING_PATH | TRACING_MODE),
        TYPE("path", KPATH, .flags = TRACING_STRING | TRACING_PATH | TRACING_MODE),
        TYPE("dentry", DENTRY, .flags = TRACING_STRING | TRACING_PATH | TRACING_MODE),
        TYPE("kiocb", KIOCB, .flags = TRACING_STRING | TRACING_PATH | TRACING_MODE),
        TYPE("linux_binprm", BINPRM, .flags = TRACING_STRING | TRACING_PATH | TRACING_MODE),
        TYPE("filename", FILENAME, .flags = TRACING_STRING),
        TYPE("sock", SOCK, .flags = TRACING_NETWORK),
        TYPE("socket", SOCKET, .flags = TRACING_NETWORK),
        TYPE("skb", SKB, .flags = TRACING_NETWORK & ~TRACING_STATE),
        TYPE("sockaddr", KSOCKADDR, .flags = TRACING_FAMILY | TRACING_SOURCE),
        TYPE("sockaddr_un", KSOCKADDR, .flags = TRACING_FAMILY | TRACING_STRING),
        TYPE("nop", NOP),
        TYPE("cred", CRED),
        TYPE("capability", S32, .bits = 32, .printer = PRINTER_CAPABILITY, .flags = TRACING_NUMBER | TRACING_SIGNED),
        TYPE("kernel_cap_t", KCAP, .bits = 64, .printer = PRINTER_CAPABILITIES, .flags = TRACING_NUMBER | TRACING_CAPS),
        TYPE("cap_inheritable", KCAP, .bits = 64, .printer = PRINTER_CAPABILITIES,
             .flags = TRACING_NUMBER | TRACING_CAPS),
        TYPE("cap_permitted", KCAP, .bits = 64, .printer = PRINTER_CAPABILITIES,
             .flags = TRACING_NUMBER | TRACING_CAPS),
        TYPE("cap_effective", KCAP, .bits = 64, .printer = PRINTER_CAPABILITIES,
             .flags = TRACING_NUMBER | TRACING_CAPS),
        TYPE("user_namespace", USER_NS),
        TYPE("bpf_attr", BPF_ATTR),
        TYPE("bpf_prog", BPF_PROG),
        TYPE("bpf_map", BPF_MAP),
        TYPE("bpf_cmd", S32, .bits = 32, .printer = PRINTER_BPF_CMD, .flags = TRACING_NUMBER | TRACING_SIGNED),
        TYPE("perf_event", PERF_EVENT),
        TYPE("module", MODULE),
        TYPE("load_info", LOAD_INFO),
        TYPE("net_device", NET_DEVICE, .flags = TRACING_STRING),
        TYPE("data_loc", DATA_LOC, .flags = TRACING_STRING, .hooks = FORMAT_ONLY),
        TYPE("const_buf", CONST_BUF, .flags = TRACING_STRING | TRACING_BYTES, .hooks = FORMAT_ONLY),
        TYPE("syscall64", SYSCALL64, .bits = 64, .flags = TRACING_NUMBER | TRACING_SYSCALL,
             .hooks = ~(1U << HOOK_TRACEPOINT | 1U << HOOK_RAW_TRACEPOINT)),
};

const TracingType *tracing_type_find(const char *name) {
        assert(name);

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(types[i].name, name))
                        return types + i;
        return NULL;
}

const char *tracing_type_name(size_t i) {
        return i < ELEMENTSOF(types) ? types[i].name : NULL;
}
