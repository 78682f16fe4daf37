/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
#pragma once

/* What a generation asks of the kernel side at all. Programs are loaded with this as constants in read-only data, so
 * that the verifier takes out the branches that no policy uses. A generation that asks for more than the attached
 * programs know has all of them loaded anew, beside the old ones, before it becomes active; one that asks for less
 * does not. Types of arguments have a word of their own: bit N is type N of arg-types.def. */

enum sct_use {
        SCT_USE_BANKS = 1 << 0,         /* more than 64 rules */
        SCT_USE_RANGES = 1 << 1,        /* numbers between boundaries */
        SCT_USE_LISTS = 1 << 2,         /* masks; sets of bits: cgroups, tree, follow */
        SCT_USE_EQUAL = 1 << 3,         /* strings that equal, */
        SCT_USE_PREFIXES = 1 << 4,      /* begin, */
        SCT_USE_SUFFIXES = 1 << 5,      /* end, */
        SCT_USE_SUBSTRINGS = 1 << 6,    /* or hold others */
        SCT_USE_PARTS = 1 << 7,         /* parts of arguments that are structs, and texts made of them */
        SCT_USE_UTS = 1 << 8,           /* the node name as a string */
        SCT_USE_TASK_NUMBERS = 1 << 9,  /* namespaces but mnt and pid, and capabilities, of the current task */
        SCT_USE_PARENT_EXE = 1 << 10,
        SCT_USE_TREE = 1 << 11,
        SCT_USE_FOLLOW = 1 << 12,
        SCT_USE_KIN = 1 << 13,
        SCT_USE_ORIGIN = 1 << 14,
        SCT_USE_ARG_PATHS = 1 << 15,    /* values at the end of pointers */
        SCT_USE_SOCKS = 1 << 16,        /* sockets that are tracked */
        SCT_USE_FD_NAMES = 1 << 17,     /* descriptors that are followed */
        SCT_USE_RATES = 1 << 18,
        SCT_USE_STACKS = 1 << 19,
        SCT_USE_PACKET_EVENTS = 1 << 20,
        SCT_USE_PACKET_CAPTURES = 1 << 21,
        SCT_USE_INTERFACES = 1 << 22,   /* of packets that are events */
        SCT_USE_PACKETS_FILTERED = 1 << 23,     /* captures of packets that are events */
        /* What of a task that may change without a notice: its name, ids, cgroup, parent, namespaces. */
        SCT_USE_COMM = 1 << 24,
        SCT_USE_IDS = 1 << 25,
        SCT_USE_CGROUPS = 1 << 26,
        SCT_USE_PARENTS = 1 << 27,
        SCT_USE_NAMESPACES = 1 << 28,
};
