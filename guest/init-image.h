/* SPDX-License-Identifier: GPL-2.0-only */
/* guest/init.c as a program for the guest, built into lkvm. */
#ifndef GUEST_INIT_IMAGE_H
#define GUEST_INIT_IMAGE_H

extern const char guest_init_start[];
extern const char guest_init_end[];

#endif
