/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Addresses of a stack → text, a frame a line: symbol+offset [module] in the kernel, file+offset in a process. */

#include "../event/record.h"

typedef struct StackResolver StackResolver;

int stack_resolver_new(const char *kallsyms, StackResolver **ret);    /* NULL: /proc/kallsyms */
StackResolver *stack_resolver_free(StackResolver *s);
static inline void stack_resolver_freep(StackResolver **s) {
        stack_resolver_free(*s);
}
/* Fills the texts of the event's stacks; they hold until the next call. A process that is gone has addresses alone. */
void stack_resolver_fill(StackResolver *s, Event *e);
