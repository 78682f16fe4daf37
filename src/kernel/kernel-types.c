/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which functions, structs and tracepoints the kernel has: by BTF, that of the kernel and those of modules, and by
 * /proc/kallsyms, where also those functions stand that have no type.
 *
 * It is megabytes, and many hooks ask it for many names: so there is one copy for all who hold it, read when it is first
 * asked and indexed by name, and gone with the last of them. One thread uses it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "../basic/string-util.h"
#include "kernel-types.h"

#define MODULES_MAX 64U                 /* that functions were looked for in, while the types are held */

typedef struct Name {
        const char *name;               /* of BTF, or of the symbols' text */
        uint32_t value;                 /* id of the type; offset of the module's name in the text, 0: the kernel itself */
        UT_hash_handle hh;
} Name;

typedef struct Names {
        Name *items;
        size_t n;
        Name *functions, *structs, *typedefs;
} Names;

typedef struct Btf {
        struct btf *btf;
        char module[64];
        Names names;                    /* without those of the BTF that it extends */
} Btf;

struct KernelTypes {
        size_t n_ref;
        Btf vmlinux, *modules;          /* MODULES_MAX */
        size_t n_modules;
        char *symbols;                  /* "\0" and then name, NUL, name, NUL, ... */
        Names symbol_names;
        bool symbols_read;
};

static KernelTypes *shared;

KernelTypes *kernel_types_ref(void) {
        if (!shared)
                shared = new0(KernelTypes, 1);
        if (shared)
                shared->n_ref++;
        return shared;
}

static void names_done(Names *n) {
        HASH_CLEAR(hh, n->functions);
        HASH_CLEAR(hh, n->structs);
        HASH_CLEAR(hh, n->typedefs);
        free(n->items);
        *n = (Names) {};
}

static void btf_done(Btf *b) {
        names_done(&b->names);
        btf__free(b->btf);
}

KernelTypes *kernel_types_unref(KernelTypes *t) {
        if (!t || --t->n_ref > 0)
                return NULL;
        for (size_t i = 0; i < t->n_modules; i++)
                btf_done(t->modules + i);
        btf_done(&t->vmlinux);
        names_done(&t->symbol_names);
        free(t->modules);
        free(t->symbols);
        free(t);
        shared = NULL;
        return NULL;
}

/* ---- BTF ---- */

static Name **names_of_kind(Names *n, uint32_t kind) {
        switch (kind) {
        case BTF_KIND_FUNC: return &n->functions;
        case BTF_KIND_STRUCT: return &n->structs;
        case BTF_KIND_TYPEDEF: return &n->typedefs;
        default: return NULL;
        }
}

/* The first of several that are called the same is the one that is found. */
static void names_put(Names *n, Name **head, const char *name, uint32_t value) {
        unsigned hash;
        Name *item;

        HASH_VALUE(name, strlen(name), hash);
        HASH_FIND_BYHASHVALUE(hh, *head, name, strlen(name), hash, item);
        if (item)
                return;
        item = n->items + n->n++;
        item->name = name;
        item->value = value;
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, *head, item->name, strlen(item->name), hash, item);
}

static bool is_indexed(const struct btf *btf, const struct btf_type *type, const char **ret_name) {
        uint32_t kind = btf_kind(type);

        if (!IN_SET(kind, BTF_KIND_FUNC, BTF_KIND_STRUCT, BTF_KIND_TYPEDEF))
                return false;
        *ret_name = btf__name_by_offset(btf, type->name_off);
        return !isempty(*ret_name) && (kind != BTF_KIND_TYPEDEF || startswith(*ret_name, "btf_trace_"));
}

static int btf_index(Btf *b) {
        const struct btf *base = btf__base_btf(b->btf);
        uint32_t first = base ? btf__type_cnt(base) : 1, n = btf__type_cnt(b->btf);
        const char *name;
        size_t wanted = 0;

        for (uint32_t id = first; id < n; id++)
                wanted += is_indexed(b->btf, btf__type_by_id(b->btf, id), &name);
        b->names.items = new0(Name, wanted + 1);
        if (!b->names.items)
                return -ENOMEM;
        for (uint32_t id = first; id < n; id++) {
                const struct btf_type *type = btf__type_by_id(b->btf, id);

                if (is_indexed(b->btf, type, &name))
                        names_put(&b->names, names_of_kind(&b->names, btf_kind(type)), name, id);
        }
        return 0;
}

int kernel_types_vmlinux(KernelTypes *t, const struct btf **ret) {
        int r = 0;

        if (!t)
                return -ENOMEM;
        if (!t->vmlinux.btf) {
                t->vmlinux.btf = btf__load_vmlinux_btf();
                if (!t->vmlinux.btf)
                        return -errno;
                r = btf_index(&t->vmlinux);
        }
        *ret = t->vmlinux.btf;
        return r;
}

int kernel_types_module(KernelTypes *t, const char *module, const struct btf **ret) {
        const struct btf *vmlinux;
        Btf *b;
        int r;

        r = kernel_types_vmlinux(t, &vmlinux);
        if (r < 0)
                return r;
        for (size_t i = 0; i < t->n_modules; i++)
                if (streq(t->modules[i].module, module)) {
                        *ret = t->modules[i].btf;
                        return 0;
                }
        if (!t->modules)
                t->modules = new0(Btf, MODULES_MAX);
        if (!t->modules)
                return -ENOMEM;
        if (t->n_modules >= MODULES_MAX)
                return -E2BIG;
        b = t->modules + t->n_modules;
        b->btf = btf__load_module_btf(module, t->vmlinux.btf);
        if (!b->btf)
                return -errno;
        t->n_modules++;
        snprintf(b->module, sizeof(b->module), "%s", module);
        *ret = b->btf;
        return btf_index(b);
}

static int32_t find_in(Btf *b, const char *name, uint32_t kind) {
        Name **head = names_of_kind(&b->names, kind), *item;

        HASH_FIND(hh, *head, name, strlen(name), item);
        return item ? (int32_t) item->value : -ENOENT;
}

/* The index that has all names of this kind that begin like this. NULL: there is none of this BTF. */
static Btf *indexed(const struct btf *btf, const char *name, uint32_t kind) {
        if (!shared || !names_of_kind(&shared->vmlinux.names, kind) ||
            (kind == BTF_KIND_TYPEDEF && !startswith(name, "btf_trace_")))
                return NULL;
        if (btf == shared->vmlinux.btf)
                return &shared->vmlinux;
        for (size_t i = 0; i < shared->n_modules; i++)
                if (shared->modules[i].btf == btf)
                        return shared->modules + i;
        return NULL;
}

int32_t kernel_types_find(const struct btf *btf, const char *name, uint32_t kind) {
        Btf *b = indexed(btf, name, kind);
        int32_t id;

        if (!b)
                return btf__find_by_name_kind(btf, name, kind);
        id = find_in(&shared->vmlinux, name, kind);
        return id < 0 && b != &shared->vmlinux ? find_in(b, name, kind) : id;
}

/* ---- Symbols ---- */

/* "ffffffffc0b7f000 t nf_nat_setup_info	[nf_nat]": where the name stands, NUL behind it. NULL: it is no code. */
static char *symbol_of_line(char *line, char **ret_module) {
        char *type = strchr(line, ' '), *name = type ? strchr(type + 1, ' ') : NULL, *module;

        if (!name || !strchr("tTwW", type[1]))
                return NULL;
        name++;
        name[strcspn(name, "\n")] = 0;
        module = strchr(name, '[');
        name[strcspn(name, " \t")] = 0;
        if (module) {
                module++;
                module[strcspn(module, "]")] = 0;
        }
        *ret_module = module;
        return name;
}

typedef struct SymbolText {
        FILE *out;
        size_t n;                       /* bytes */
        char module[64];                /* of the last line that had one; they stand together */
        uint32_t module_at;
} SymbolText;

static uint32_t text_put(SymbolText *s, const char *text) {
        uint32_t at = (uint32_t) s->n;

        fwrite(text, 1, strlen(text) + 1, s->out);
        s->n += strlen(text) + 1;
        return at;
}

/* One text of all names, then the index over it: the text moves while it grows. `values` has two numbers a symbol. */
static int read_symbols(FILE *f, char **ret_text, uint32_t **ret_values, size_t *ret_n) {
        _cleanup_free_ uint32_t *values = NULL;
        SymbolText s = {};
        size_t size = 0, n = 0, n_allocated = 0;
        char line[1024];
        bool bad;

        s.out = open_memstream(ret_text, &size);
        if (!s.out)
                return -ENOMEM;
        (void) text_put(&s, "");
        while (fgets(line, sizeof(line), f)) {
                char *module, *name = symbol_of_line(line, &module);

                if (!name)
                        continue;
                if (module && !streq(module, s.module)) {
                        snprintf(s.module, sizeof(s.module), "%s", module);
                        s.module_at = text_put(&s, s.module);
                }
                if (n == n_allocated) {
                        uint32_t *more = reallocarray(values, n_allocated + 65536, 2 * sizeof(*values));

                        if (!more)
                                break;
                        values = more;
                        n_allocated += 65536;
                }
                values[2 * n] = text_put(&s, name);
                values[2 * n++ + 1] = module ? s.module_at : 0;
        }
        bad = ferror(s.out) || !feof(f);
        if (fclose(s.out) != 0 || bad)
                return -ENOMEM;
        *ret_values = TAKE_PTR(values);
        *ret_n = n;
        return 0;
}

static int load_symbols(KernelTypes *t) {
        _cleanup_free_ uint32_t *values = NULL;
        size_t n = 0;
        FILE *f;
        int r;

        if (t->symbols_read)
                return 0;
        t->symbols_read = true;
        f = fopen("/proc/kallsyms", "re");
        if (!f)
                return -errno;
        r = read_symbols(f, &t->symbols, &values, &n);
        fclose(f);
        if (r < 0)
                return r;
        t->symbol_names.items = new0(Name, n + 1);
        if (!t->symbol_names.items)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                names_put(&t->symbol_names, &t->symbol_names.functions, t->symbols + values[2 * i], values[2 * i + 1]);
        return 0;
}

/* The module that has a function, "" for the kernel itself; NULL: there is none. */
static const char *find_symbol(KernelTypes *t, const char *name) {
        Name *item;

        if (load_symbols(t) < 0)
                return NULL;
        HASH_FIND(hh, t->symbol_names.functions, name, strlen(name), item);
        return item ? t->symbols + item->value : NULL;
}

/* ---- Questions ---- */

static const struct btf_type *find_proto(const struct btf *btf, const char *name) {
        int32_t id = kernel_types_find(btf, name, BTF_KIND_FUNC);

        return id < 0 ? NULL : btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t) id)->type);
}

int kernel_types_function(KernelTypes *t, const char *name, const struct btf **ret_btf, const struct btf_type **ret_proto) {
        const struct btf *btf;
        const char *module;
        int r;

        r = kernel_types_vmlinux(t, &btf);
        if (r < 0)
                return r;
        *ret_btf = btf;
        *ret_proto = find_proto(btf, name);
        if (*ret_proto)
                return 1;
        module = find_symbol(t, name);
        if (!module)
                return -ENOENT;
        if (*module && kernel_types_module(t, module, &btf) >= 0) {
                *ret_btf = btf;
                *ret_proto = find_proto(btf, name);
        }
        return *ret_proto ? 1 : 0;
}

/* btf_trace_NAME is a pointer to the type of a probe function, whose first argument is the probe's own. */
int kernel_types_tracepoint(KernelTypes *t, const char *name, const struct btf **ret_btf, const struct btf_type **ret_proto) {
        const struct btf_type *type;
        const struct btf *btf = NULL;
        char text[160];
        int32_t id;
        int r;

        r = kernel_types_vmlinux(t, &btf);
        if (r < 0)
                return r;
        snprintf(text, sizeof(text), "btf_trace_%s", name);
        id = kernel_types_find(btf, text, BTF_KIND_TYPEDEF);
        if (id < 0)
                return -ENOENT;
        type = btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t) id)->type);
        if (!type || !btf_is_ptr(type))
                return -ENOENT;
        *ret_btf = btf;
        *ret_proto = btf__type_by_id(btf, type->type);
        return 0;
}
