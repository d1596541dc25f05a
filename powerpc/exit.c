// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/exit.h"

void ppc_exit_decode(const struct exit_info *info, struct exit_record *rec)
{
	exit_decode_generic(info, rec);
}
