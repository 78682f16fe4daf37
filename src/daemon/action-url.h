/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GetUrl: asks addresses by GET, without waiting for the answers. */

#include <systemd/sd-event.h>

#include "remote-action.h"

typedef struct UrlClient UrlClient;

/* `done` is called from the loop, once for every url_client_start() that returned 0. */
int url_client_new(sd_event *event, RemoteDone done, void *userdata, UrlClient **ret);
UrlClient *url_client_free(UrlClient *c);
/* -ENOTSUP: built without libcurl. */
int url_client_start(UrlClient *c, const char *url);
