/* SPDX-License-Identifier: GPL-2.0-only */
/* What the probe guests know of lkvm/probe.h, for assembly. */
#ifndef GUEST_PROBE_H
#define GUEST_PROBE_H

#define PROBE_SCRIPT_OFFSET 0x2000
#define PROBE_SCRIPT_BYTES  64

#define SCRIPT_NR   0
#define SCRIPT_DONE 8

#define OP_OP    0
#define OP_ARG0  8
#define OP_ARG1  16
#define OP_ARG2  24
#define OP_RET0  72
#define OP_RET1  80
#define OP_BYTES 96

#define PROBE_LOOP  0
#define PROBE_LOAD  1
#define PROBE_CALL  2
#define PROBE_INSN  3
#define PROBE_CPUID 4
#define PROBE_RDMSR 5
#define PROBE_WRMSR 6
#define PROBE_STORE 7

/* ppc_rtas_token("power-off") */
#define PROBE_RTAS_POWER_OFF 0x2002

#endif
