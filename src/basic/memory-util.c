/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "macro.h"
#include "memory-util.h"

static int let_go_of_constants(struct dl_phdr_info *info, size_t size, void *userdata) {
        uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);

        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *p = info->dlpi_phdr + i;
                uintptr_t begin = (info->dlpi_addr + p->p_vaddr + page - 1) & ~(page - 1);
                uintptr_t end = (info->dlpi_addr + p->p_vaddr + p->p_memsz) & ~(page - 1);

                /* Never written, not even by relocations: those stand in segments that are writable in the file. */
                if (p->p_type == PT_LOAD && p->p_flags == PF_R && begin < end)
                        (void) madvise((void *) begin, end - begin, MADV_DONTNEED);
        }
        return 1;       /* the executable comes first, others share their libraries' pages */
}

void memory_give_back(void) {
        (void) malloc_trim(0);
        (void) dl_iterate_phdr(let_go_of_constants, NULL);
}
