#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# scopectl against a service on the fake kernel layer: what each verb prints, its JSON, its exit codes and its errors.
TEST_PREFIX=bus/scopectl/
run_tests
