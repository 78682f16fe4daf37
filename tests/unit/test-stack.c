/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks as text: symbols of a list made here, our own frames cut away, mappings of this very process. */

#include <fcntl.h>
#include <unistd.h>

#include "daemon/stack.h"
#include "test.h"
#include "../../src/basic/macro.h"

static const char symbols[] =
        "0000000000000000 A fixed_percpu_data\n"
        "ffffffff81000000 T _text\n"
        "ffffffff81001000 t bpf_get_task_stack\n"
        "ffffffff81002000 T vfs_rename\n"
        "ffffffff81003000 D not_code\n"
        "ffffffff81004000 T do_syscall_64\n"
        "ffffffffc0000000 t nf_hook\t[nf_tables]\n";

static StackResolver *resolver(const char *text) {
        char path[] = "/tmp/test-stack.XXXXXX";
        StackResolver *s = NULL;
        int fd = mkstemp(path);

        ASSERT_TRUE(fd >= 0);
        ASSERT_EQ((size_t) write(fd, text, strlen(text)), strlen(text));
        close(fd);
        ASSERT_OK(stack_resolver_new(path, &s));
        /* The list is read when the first stack comes: it is made to come here. */
        stack_resolver_fill(s, &(Event) { .kernel_stack = { .addresses = (uint8_t *) &(uint64_t) { 1 }, .n = 1 } });
        unlink(path);
        return s;
}

static void fill(StackResolver *s, const uint64_t *addresses, size_t n, char *ret, size_t size) {
        Event e = { .kernel_stack = { .addresses = (const uint8_t *) addresses, .n = n } };

        stack_resolver_fill(s, &e);
        ASSERT_TRUE(e.kernel_stack.size < size);
        if (e.kernel_stack.size > 0)
                memcpy(ret, e.kernel_stack.text, e.kernel_stack.size);
        ret[e.kernel_stack.size] = 0;
}

TEST(kernel) {
        static const uint64_t addresses[] = { 0xffffffff81000010, 0xffffffff81001020, 0xffffffff81002030, 0xffffffffc0000001,
                                              0xffffffff81004040 };
        _cleanup_(stack_resolver_freep) StackResolver *s = resolver(symbols);
        char text[512];

        fill(s, addresses, ELEMENTSOF(addresses), text, sizeof(text));
        ASSERT_STREQ(text, "vfs_rename+0x30\nnf_hook+0x1 [nf_tables]\ndo_syscall_64+0x40");
}

/* Where the kernel lies is not told, neither by what lies in no symbol nor to those who may not read the symbols. */
TEST(kernel_unknown) {
        static const uint64_t addresses[] = { 0xffffffff80000000, 0xffffffff81002001 };
        _cleanup_(stack_resolver_freep) StackResolver *s = resolver(symbols), *none = resolver("0000000000000000 T _text\n");
        char text[512];

        fill(s, addresses, ELEMENTSOF(addresses), text, sizeof(text));
        ASSERT_STREQ(text, "?\nvfs_rename+0x1");
        fill(none, addresses, ELEMENTSOF(addresses), text, sizeof(text));
        ASSERT_STREQ(text, "?\n?");
}

TEST(user) {
        const uint64_t addresses[] = { (uint64_t) (uintptr_t) &resolver, 16 };
        struct sct_record h = { .host_pid = (uint32_t) getpid() };
        Event e = { .header = &h, .user_stack = { .addresses = (const uint8_t *) addresses, .n = 2 } };
        _cleanup_(stack_resolver_freep) StackResolver *s = NULL;
        char text[4096];

        ASSERT_OK(stack_resolver_new("/dev/null", &s));
        stack_resolver_fill(s, &e);
        snprintf(text, sizeof(text), "%.*s", (int) e.user_stack.size, e.user_stack.text);
        ASSERT_CONTAINS(text, "test-stack+0x");
        ASSERT_CONTAINS(text, "\n0x10");

        /* Gone: its addresses are left. */
        h.host_pid = 0x3ffffff;
        stack_resolver_fill(s, &e);
        snprintf(text, sizeof(text), "%.*s", (int) e.user_stack.size, e.user_stack.text);
        ASSERT_TRUE(text[0] == '0' && text[1] == 'x');
}

TEST_MAIN()
