/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* DnsLookup: asks for names, without waiting for the answers. */

#include <systemd/sd-event.h>

#include "remote-action.h"

typedef struct DnsClient DnsClient;

/* servers: addresses with or without ports, separated by commas; empty: those of resolv.conf. `done` is called from the
 * loop, or from dns_client_start() itself, once for every dns_client_start() that returned 0. */
int dns_client_new(sd_event *event, const char *servers, RemoteDone done, void *userdata, DnsClient **ret);
DnsClient *dns_client_free(DnsClient *c);
/* -ENOTSUP: built without c-ares. */
int dns_client_start(DnsClient *c, const char *name);
