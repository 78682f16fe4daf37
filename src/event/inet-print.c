/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Network addresses as text, byte for byte what inet_ntop() writes (a test compares). No ports, no scopes: where an
 * address stands in brackets is the caller's business. */

#include "inet-print.h"

int inet_print4(Buffer *b, const uint8_t address[static 4]) {
        for (unsigned i = 0; i < 4; i++) {
                if (i > 0)
                        (void) buffer_add_char(b, '.');
                (void) buffer_add_u64(b, address[i]);
        }
        return b->failed ? -ENOMEM : 0;
}

int inet_print6(Buffer *b, const uint8_t address[static 16]) {
        unsigned groups[8], best = 8, best_n = 1;

        for (unsigned i = 0; i < 8; i++)
                groups[i] = (unsigned) address[2 * i] << 8 | address[2 * i + 1];

        /* The first of the longest runs of two zero groups or more becomes "::". */
        for (unsigned i = 0; i < 8; i++) {
                unsigned n = 0;

                while (i + n < 8 && groups[i + n] == 0)
                        n++;
                if (n > best_n) {
                        best = i;
                        best_n = n;
                }
                i += n;
        }

        for (unsigned i = 0; i < 8; i++) {
                if (i == best) {
                        (void) buffer_add(b, "::", 2);
                        i += best_n - 1;
                        continue;
                }
                if (i > 0 && !(best < 8 && i == best + best_n))
                        (void) buffer_add_char(b, ':');
                /* ::a.b.c.d and ::ffff:a.b.c.d hold an IPv4 address. */
                if (i == 6 && best == 0 && (best_n == 6 || (best_n == 5 && groups[5] == 0xffff)))
                        return inet_print4(b, address + 12);
                (void) buffer_add_hex(b, groups[i], 1);
        }
        return b->failed ? -ENOMEM : 0;
}
