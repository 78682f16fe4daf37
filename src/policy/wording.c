/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Helpers for sentences about policies. Text that a policy brought is hostile until quoted: it may hold terminal
 * escapes, half characters, or a megabyte in one word. Nothing here allocates, so a message never fails for it. */

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "wording.h"

/* Bytes of the valid UTF-8 character at `s`, 0 when it is none or a control character. */
static size_t printable_size(const char *s, size_t size) {
        unsigned char c = (unsigned char) s[0];
        size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;

        if (n == 0 || n > size || c < 0x20 || c == 0x7f)
                return 0;
        if (n == 2 && c == 0xc2 && (unsigned char) s[1] < 0xa0) /* C1 controls: some terminals obey them */
                return 0;
        return n == 1 || utf8_is_valid(s, n) ? n : 0;
}

const char *quote(char buffer[static QUOTE_MAX], const char *text, size_t size) {
        const size_t room = QUOTE_MAX - sizeof("...");
        size_t used = 0, i = 0;

        assert(text || size == 0);

        while (i < size) {
                size_t n = printable_size(text + i, size - i);

                if (used + MAX(n, (size_t) 4) > room)
                        break;
                if (n > 0) {
                        memcpy(buffer + used, text + i, n);
                        used += n;
                        i += n;
                } else {
                        used += (size_t) sprintf(buffer + used, "\\x%02x", (unsigned) (unsigned char) text[i]);
                        i++;
                }
        }
        strcpy(buffer + used, i < size ? "..." : "");
        return buffer;
}

/* Levenshtein's distance with one extra step, two neighbours swapped; case is put aside. */
static size_t word_distance(const char *a, const char *b) {
        size_t n = strlen(a), m = strlen(b), rows[3][SUGGEST_WORD_MAX + 1];

        for (size_t j = 0; j <= m; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        int x = tolower((unsigned char) a[i - 1]), y = tolower((unsigned char) b[j - 1]);

                        row[j] = MIN(MIN(above[j], row[j - 1]) + 1, above[j - 1] + (x == y ? 0U : 1U));
                        if (i > 1 && j > 1 && x == tolower((unsigned char) b[j - 2]) &&
                            tolower((unsigned char) a[i - 2]) == y)
                                row[j] = MIN(row[j], above2[j - 2] + 1);
                }
        }
        return rows[n % 3][m];
}

void suggest_begin(Suggest *s, const char *word) {
        size_t n;

        assert(s);
        assert(word);

        n = strlen(word);
        *s = (Suggest) {
                .word = n > 0 && n <= SUGGEST_WORD_MAX ? word : NULL,
                .distance = 1 + n / 4,  /* this far away is no longer the same word */
        };
        s->distance = MIN(s->distance, (size_t) 3) + 1;
}

void suggest_try(Suggest *s, const char *candidate) {
        size_t n, m, d;

        assert(s);
        assert(candidate);

        if (!s->word)
                return;
        n = strlen(s->word);
        m = strlen(candidate);
        if (m > SUGGEST_WORD_MAX)
                return;

        if (n >= 3 && m > n && strncasecmp(s->word, candidate, n) == 0)
                d = MIN(m - n, (size_t) 2);    /* its beginning: at most as far as two slips */
        else if ((n > m ? n - m : m - n) >= s->distance)
                return;
        else
                d = word_distance(s->word, candidate);
        if (d < s->distance && d < n) {  /* all letters changed: no relation */
                memcpy(s->best, candidate, m + 1);
                s->distance = d;
        }
}

const char *suggest_end(const Suggest *s, char buffer[static QUOTE_MAX]) {
        assert(s);

        if (s->best[0])
                (void) snprintf(buffer, QUOTE_MAX, "; did you mean %s?", s->best);
        else
                buffer[0] = '\0';
        return buffer;
}
