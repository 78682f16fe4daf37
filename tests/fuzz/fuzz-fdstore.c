/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as the state that a predecessor left: it is refused, or it can be written and read again to the same. */

#include <stdlib.h>
#include <string.h>

#include "basic/macro.h"
#include "daemon/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(saved_state_done) SavedState state = {};
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_free_ char *text = NULL;
        const char *again;
        RuleMap *map;

        text = malloc(size + 1);
        if (!text)
                abort();
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        if (state_load(text, size, &state) < 0)
                return 0;
        for (size_t i = 0; i < state.n_maps; i++) {
                buffer_reset(&b);
                if (rule_map_save(state.maps[i], &b) < 0)
                        abort();
                again = buffer_cstring(&b);
                if (rule_map_load(&again, &map) < 0 || *again ||
                    rule_map_n_rules(map) != rule_map_n_rules(state.maps[i]))
                        abort();
                rule_map_free(map);
        }
        return 0;
}
