/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks for a reboot through PSCI. */
#include "tests/guest/arm64/guest.inc"

	psci PSCI_SYSTEM_RESET
1:	wfi
	b 1b
