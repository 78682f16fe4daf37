/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks of events as text. The kernel's symbols are read once, when the first kernel stack comes, and again when an
 * address lies in none of them (a module may have been loaded). Mappings of a few processes are kept and read anew when
 * an address is in none. Symbols of programs are not looked up: a file and an offset is what addr2line wants. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../basic/buffer.h"
#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "stack.h"

#define PROCESSES_MAX 16U
#define MAPS_MAX 1024U                  /* executable mappings of one process */
#define RELOAD_NSEC (10 * NSEC_PER_SEC) /* between two readings of the kernel's symbols */
#define OWN_FRAMES_MAX 40U              /* how deep our own part of a kernel stack can be */
#define SYMBOL_SIZE_MAX 0x400000U       /* an address farther behind a symbol does not belong to it */

typedef struct Symbol {
        uint64_t address;
        uint32_t name;                  /* offset in names: NUL-terminated, then the module's, empty for none */
} Symbol;

typedef struct Mapping {
        uint64_t start, end, offset;
        char *path;                     /* NULL: no file */
} Mapping;

typedef struct Process {
        uint32_t pid;
        uint64_t start_ns, used;
        Mapping *maps;
        size_t n_maps, n_allocated;
} Process;

struct StackResolver {
        char *kallsyms;
        Symbol *symbols;
        size_t n_symbols, n_symbols_allocated;
        Buffer names;
        uint64_t loaded_ns;
        Process processes[PROCESSES_MAX];
        uint64_t n_used;
        Buffer kernel_text, user_text;
};

static void process_clear(Process *p) {
        for (size_t i = 0; i < p->n_maps; i++)
                free(p->maps[i].path);
        p->n_maps = 0;
}

StackResolver *stack_resolver_free(StackResolver *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < PROCESSES_MAX; i++) {
                process_clear(s->processes + i);
                free(s->processes[i].maps);
        }
        free(s->kallsyms);
        free(s->symbols);
        buffer_done(&s->names);
        buffer_done(&s->kernel_text);
        buffer_done(&s->user_text);
        free(s);
        return NULL;
}

int stack_resolver_new(const char *kallsyms, StackResolver **ret) {
        StackResolver *s = new0(StackResolver, 1);

        if (!s)
                return -ENOMEM;
        s->kallsyms = strdup(kallsyms ?: "/proc/kallsyms");
        if (!s->kallsyms) {
                free(s);
                return -ENOMEM;
        }
        *ret = s;
        return 0;
}

/* ---- The kernel ---- */

static int symbol_compare(const void *a, const void *b) {
        const Symbol *x = a, *y = b;

        return x->address < y->address ? -1 : x->address > y->address;
}

static int add_symbol(StackResolver *s, uint64_t address, const char *name, const char *module) {
        if (!GREEDY_REALLOC(s->symbols, s->n_symbols_allocated, s->n_symbols + 1))
                return -ENOMEM;
        s->symbols[s->n_symbols++] = (Symbol) { .address = address, .name = (uint32_t) s->names.size };
        (void) buffer_add(&s->names, name, strlen(name) + 1);
        return buffer_add(&s->names, module, strlen(module) + 1);
}

/* Lines `address type name [module]`; without CAP_SYSLOG all addresses are 0. */
static void load_symbols(StackResolver *s) {
        FILE *f = fopen(s->kallsyms, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        s->n_symbols = 0;
        buffer_reset(&s->names);
        s->loaded_ns = now_nsec(CLOCK_MONOTONIC);
        while (f && getline(&line, &size, f) > 0) {
                char name[512], module[64] = "", type;
                uint64_t address;

                if (sscanf(line, "%" SCNx64 " %c %511s [%63[^]]", &address, &type, name, module) < 3 || address == 0 ||
                    !strchr("tTwW", type))
                        continue;
                if (add_symbol(s, address, name, module) < 0)
                        break;
        }
        if (f)
                fclose(f);
        if (s->n_symbols > 0)
                qsort(s->symbols, s->n_symbols, sizeof(s->symbols[0]), symbol_compare);
}

static const Symbol *find_symbol(const StackResolver *s, uint64_t address) {
        size_t low = 0, high = s->n_symbols;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (s->symbols[middle].address <= address)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == 0 || address - s->symbols[low - 1].address > SYMBOL_SIZE_MAX)
                return NULL;
        return s->symbols + low - 1;
}

/* What stands between the hooked place and our own program: the ways on which the kernel calls programs. */
static bool is_own_frame(const char *name) {
        static const char *const prefixes[] = {
                "bpf_", "__bpf_", "___bpf_", "trace_call_bpf", "perf_call_bpf", "perf_trace_", "perf_syscall_", "perf_tp_",
                "kprobe_", "kretprobe_", "__kretprobe", "fprobe_", "ftrace_", "arch_ftrace", "__ftrace", "rethook_",
                "opt_kprobe", "optimized_callback", "get_perf_callchain", "get_callchain", "stack_trace_save",
                "arch_rethook", "arch_stack_walk", "__traceiter_", "uprobe_", "handler_chain",
        };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (startswith(name, prefixes[i]))
                        return true;
        return false;
}

static uint64_t address_at(const EventStack *stack, size_t i) {
        uint64_t address;

        memcpy(&address, stack->addresses + i * sizeof(address), sizeof(address));
        return address;
}

static void add_kernel_frame(StackResolver *s, uint64_t address) {
        const Symbol *symbol = find_symbol(s, address);
        Buffer *b = &s->kernel_text;
        const char *name, *module;

        if (b->size > 0)
                (void) buffer_add_char(b, '\n');
        /* No bare addresses: where the kernel lies in memory is nobody's business. */
        if (!symbol) {
                (void) buffer_add_string(b, "?");
                return;
        }
        name = s->names.data + symbol->name;
        module = name + strlen(name) + 1;
        (void) buffer_printf(b, "%s+0x%" PRIx64, name, address - symbol->address);
        if (*module)
                (void) buffer_printf(b, " [%s]", module);
}

static void fill_kernel(StackResolver *s, EventStack *stack) {
        size_t first = 0;

        if (s->loaded_ns == 0)
                load_symbols(s);
        for (size_t i = 0; i < stack->n; i++)
                if (!find_symbol(s, address_at(stack, i)) && now_nsec(CLOCK_MONOTONIC) - s->loaded_ns > RELOAD_NSEC) {
                        load_symbols(s);
                        break;
                }
        for (size_t i = 0; i < MIN(stack->n, (size_t) OWN_FRAMES_MAX); i++) {
                const Symbol *symbol = find_symbol(s, address_at(stack, i));

                if (symbol && is_own_frame(s->names.data + symbol->name))
                        first = i + 1;
        }
        buffer_reset(&s->kernel_text);
        for (size_t i = first; i < stack->n; i++)
                add_kernel_frame(s, address_at(stack, i));
        stack->text = s->kernel_text.data;
        stack->size = s->kernel_text.size;
}

/* ---- Processes ---- */

static void read_maps(Process *p) {
        _cleanup_free_ char *line = NULL;
        char path[64];
        size_t size = 0;
        FILE *f;

        process_clear(p);
        (void) snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", p->pid);
        f = fopen(path, "re");
        while (f && p->n_maps < MAPS_MAX && getline(&line, &size, f) > 0) {
                Mapping m = {};
                char access[5];
                int used = 0;

                if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &m.start, &m.end, access, &m.offset,
                           &used) < 4 || access[2] != 'x')
                        continue;
                if (!GREEDY_REALLOC(p->maps, p->n_allocated, p->n_maps + 1))
                        break;
                line[strcspn(line, "\n")] = '\0';
                if (used > 0 && line[used])
                        m.path = strdup(line + used);
                p->maps[p->n_maps++] = m;
        }
        if (f)
                fclose(f);
}

static const Mapping *find_mapping(const Process *p, uint64_t address) {
        for (size_t i = 0; i < p->n_maps; i++)
                if (address >= p->maps[i].start && address < p->maps[i].end)
                        return p->maps + i;
        return NULL;
}

static Process *find_process(StackResolver *s, uint32_t pid, uint64_t start_ns) {
        Process *oldest = s->processes;

        for (size_t i = 0; i < PROCESSES_MAX; i++) {
                Process *p = s->processes + i;

                if (p->pid == pid && p->start_ns == start_ns) {
                        p->used = ++s->n_used;
                        return p;
                }
                if (p->used < oldest->used)
                        oldest = p;
        }
        oldest->pid = pid;
        oldest->start_ns = start_ns;
        oldest->used = ++s->n_used;
        read_maps(oldest);
        return oldest;
}

static void fill_user(StackResolver *s, const Event *e, EventStack *stack) {
        Process *p = find_process(s, e->header->host_pid, e->header->start_ns);
        Buffer *b = &s->user_text;

        /* The innermost frame is where the program surely was; the outer ones may be guesses of the unwinder. */
        if (!find_mapping(p, address_at(stack, 0)))
                read_maps(p);
        buffer_reset(b);
        for (size_t i = 0; i < stack->n; i++) {
                uint64_t address = address_at(stack, i);
                const Mapping *m = find_mapping(p, address);

                if (i > 0)
                        (void) buffer_add_char(b, '\n');
                if (m && m->path)
                        (void) buffer_printf(b, "%s+0x%" PRIx64, m->path, address - m->start + m->offset);
                else
                        (void) buffer_printf(b, "0x%" PRIx64, address);
        }
        stack->text = b->data;
        stack->size = b->size;
}

void stack_resolver_fill(StackResolver *s, Event *e) {
        if (e->kernel_stack.n > 0)
                fill_kernel(s, &e->kernel_stack);
        if (e->user_stack.n > 0)
                fill_user(s, e, &e->user_stack);
}
