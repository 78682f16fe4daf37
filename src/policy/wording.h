/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What sentences about a policy are made of: text of others made fit to print, and the word that was probably meant. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define QUOTE_MAX 128        /* bytes of quoted text, NUL included: longer text ends in "..." */
#define SUGGEST_WORD_MAX 64  /* longer words get no suggestion */

/* `text` without control characters and invalid UTF-8, cut to what fits. Returns `buffer`. */
const char *quote(char buffer[static QUOTE_MAX], const char *text, size_t size);
#define QUOTE_N(text, size) quote((char[QUOTE_MAX]) {}, (text), (size))
#define QUOTE(text) QUOTE_N((text), strlen(text))

/* The candidate nearest to a word, case put aside. */
typedef struct Suggest {
        const char *word;
        char best[SUGGEST_WORD_MAX + 1];   /* empty: none */
        size_t distance;
} Suggest;

void suggest_begin(Suggest *s, const char *word);
void suggest_try(Suggest *s, const char *candidate);

/* "; did you mean X?" or "", for the end of a sentence. Returns `buffer`. */
const char *suggest_end(const Suggest *s, char buffer[static QUOTE_MAX]);
#define SUGGESTION(s) suggest_end((s), (char[QUOTE_MAX]) {})
