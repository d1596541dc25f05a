/* SPDX-License-Identifier: GPL-2.0-only */
/* Suspends the system until something is typed on the UART. */
#define UART_IER_BITS 1
#include "tests/guest/arm64/suspend.S"
