/* SPDX-License-Identifier: GPL-2.0-only */
/* Powers off through PSCI. */
#include "tests/guest/arm64/guest.inc"

	poweroff
