/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-records EVENT COMM PATH [N]: frames for the fake kernel layer, to stdout. PATH "": no arguments. */

#include <stdio.h>
#include <stdlib.h>

#include "fake-kernel.h"

int main(int argc, char *argv[]) {
        char frame[2048];
        size_t size;

        if (argc < 4)
                return EXIT_FAILURE;

        for (long n = argc > 4 ? atol(argv[4]) : 1; n > 0; n--) {
                size = fake_frame_event(&(FakeEvent) { .event = argv[1], .comm = argv[2], .retval = 0,
                                                       .path = argv[3][0] ? argv[3] : NULL }, frame, sizeof frame);
                if (fwrite(frame, 1, size, stdout) != size)
                        return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
