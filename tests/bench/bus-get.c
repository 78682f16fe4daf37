/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long `Get` of one property takes:
 *
 *     bus-get CALLS [USEC_BETWEEN]
 *
 * Asks the service on the bus of DBUS_SYSTEM_BUS_ADDRESS; prints `bus-get CALLS MEDIAN P99 MAX` in microseconds. */

#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "basic/macro.h"

static int compare(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static double now_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double) ts.tv_sec * 1e6 + (double) ts.tv_nsec / 1e3;
}

int main(int argc, char *argv[]) {
        size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
        unsigned pause_usec = argc > 2 ? (unsigned) strtoul(argv[2], NULL, 10) : 0;
        double *times = calloc(MAX(n, (size_t) 1), sizeof(double));
        sd_bus *bus = NULL;

        if (n == 0 || !times || sd_bus_open_system(&bus) < 0)
                return EXIT_FAILURE;
        for (size_t i = 0; i < n; i++) {
                sd_bus_error error = SD_BUS_ERROR_NULL;
                double begin = now_usec();
                uint64_t value;

                if (sd_bus_get_property_trivial(bus, "org.scopetrace.Scopetrace1", "/org/scopetrace/Scopetrace1",
                                                "org.scopetrace.Scopetrace1.Manager", "NEvents", &error, 't',
                                                &value) < 0) {
                        fprintf(stderr, "%s\n", error.message);
                        return EXIT_FAILURE;
                }
                times[i] = now_usec() - begin;
                if (pause_usec > 0)
                        (void) usleep(pause_usec);
        }
        qsort(times, n, sizeof(double), compare);
        printf("bus-get %zu %.0f %.0f %.0f\n", n, times[n / 2], times[n * 99 / 100], times[n - 1]);
        sd_bus_unref(bus);
        free(times);
        return EXIT_SUCCESS;
}
