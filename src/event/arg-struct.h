/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Arguments that are kernel objects (bpf/abi/arg-struct.h) as text and JSON. Private to src/event. */

#include <stdbool.h>

#include "arg-type.h"

/* {name: value, ...} without members that say nothing. */
int arg_struct_text(Buffer *b, const EventArg *a, ArgStyle style, bool escape);
/* An object with every member. */
int arg_struct_json(Buffer *b, const EventArg *a);

/* File types: the path; as JSON the path with flags and mode. */
int arg_file_text(Buffer *b, const EventArg *a, bool escape);
int arg_file_json(Buffer *b, const EventArg *a);

/* The name of the system call whose number and ABI the value holds. */
int arg_syscall64_text(Buffer *b, const EventArg *a);
