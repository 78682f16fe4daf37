/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The format files of classic tracepoints: which field is the n-th, where it stands in the record and how wide it is.
 * Fields count from 0 in the order of the file, the common ones too, as TracingPolicy counts them. */

#include <errno.h>
#include <stdio.h>

#include "kernel-internal.h"

/* "	field:const char * filename;	offset:24;	size:8;	signed:0;" */
static bool parse_field(const char *line, TracepointField *ret) {
        const char *declaration, *end, *name, *at;
        size_t n;

        declaration = strstr(line, "field:");
        end = declaration ? strchr(declaration, ';') : NULL;
        at = end ? strstr(end, "offset:") : NULL;
        if (!at)
                return false;
        *ret = (TracepointField) { .offset = strtoul(at + strlen("offset:"), NULL, 10) };
        at = strstr(end, "size:");
        ret->size = at ? strtoul(at + strlen("size:"), NULL, 10) : 0;
        at = strstr(end, "signed:");
        ret->is_signed = at && at[strlen("signed:")] == '1';

        declaration += strlen("field:");
        ret->is_data_loc = strncmp(declaration, "__data_loc", strlen("__data_loc")) == 0;
        ret->is_array = !ret->is_data_loc && memchr(declaration, '[', end - declaration);
        ret->is_pointer = memchr(declaration, '*', end - declaration);
        ret->is_text = memmem(declaration, end - declaration, "char ", 5);
        at = memmem(declaration, end - declaration, "struct ", 7);
        if (at) {
                n = strspn(at + 7, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
                memcpy(ret->object, at + 7, MIN(n, sizeof(ret->object) - 1));
        }
        while (end > declaration && (end[-1] == ']' || end[-1] == '[' || (end[-1] >= '0' && end[-1] <= '9' && ret->is_array)))
                end--;
        for (name = end; name > declaration && name[-1] != ' ' && name[-1] != '*'; name--)
                ;
        n = MIN((size_t) (end - name), sizeof(ret->name) - 1);
        memcpy(ret->name, name, n);
        ret->name[n] = 0;
        return true;
}

int tracepoint_field(const char *subsystem, const char *event, uint32_t index, TracepointField *ret) {
        char path[256], line[512];
        uint32_t n = 0;
        int r = -ERANGE;
        FILE *f;

        if (strchr(subsystem, '/') || strchr(event, '/'))
                return -EINVAL;
        snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s/%s/format", subsystem, event);
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (fgets(line, sizeof(line), f))
                if (parse_field(line, ret) && n++ == index) {
                        r = 0;
                        break;
                }
        fclose(f);
        return r;
}
