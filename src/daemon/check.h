/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads and compiles the policies of files and directories as the service would, for a kernel that grants everything, and
 * prints what it finds. Returns how many errors there are, or a negative errno. */
int check_policies(char *const *paths);
