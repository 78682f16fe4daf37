/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Packets: files divided as the rules ask. */

#include "capture.h"

extern const CaptureHandler capture_pcap_handler;
