# Compilers and flags that build static programs for the test-bed hosts, for inclusion by the Makefile.
# For each ARCH of riscv64 arm64 ppc64le x86_64 ppc: CC_ARCH, CFLAGS_ARCH, LDFLAGS_ARCH, QEMU_USER_ARCH; ./setup ARCH
# makes the sysroot.  The same place for CACHE as in setup:
CACHE ?= $(or $(LKVM_CACHE),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME)/lkvm),$(if $(HOME),$(HOME)/.cache/lkvm),/var/tmp/lkvm-cache-$(shell id -u))

# The newest kernel headers, for every arch and also for native builds: $(call uapi_cflags,riscv|arm64|powerpc|x86).
# They must come before the compiler's own, older ones.
uapi_cflags = -isystem $(CACHE)/uapi/usr/lib/linux/uapi/$(1) -isystem $(CACHE)/uapi/usr/include

# $(call sysroot_cflags,SYSROOT,TRIPLET): without -isystem the cross compiler would take its own libc's headers.
sysroot_cflags = --sysroot=$(1) -isystem $(1)/usr/include/$(2) -isystem $(1)/usr/include
# -B: where the compiler finds crt1.o and the like.
sysroot_ldflags = --sysroot=$(1) -static -B$(1)/usr/lib/$(2) -L$(1)/usr/lib/$(2)

SYSROOT_riscv64 ?= $(CACHE)/sysroot/riscv64
CC_riscv64 = riscv64-linux-gnu-gcc
CFLAGS_riscv64 = $(call uapi_cflags,riscv) $(call sysroot_cflags,$(SYSROOT_riscv64),riscv64-linux-gnu)
# $(CACHE)/ld-riscv64 holds a newer linker where the installed one cannot read the sysroot's objects.
LDFLAGS_riscv64 = $(addprefix -B,$(wildcard $(CACHE)/ld-riscv64)) \
	$(call sysroot_ldflags,$(SYSROOT_riscv64),riscv64-linux-gnu)
QEMU_USER_riscv64 = qemu-riscv64-static

SYSROOT_arm64 ?= $(CACHE)/sysroot/arm64
CC_arm64 = aarch64-linux-gnu-gcc
CFLAGS_arm64 = $(call uapi_cflags,arm64) $(call sysroot_cflags,$(SYSROOT_arm64),aarch64-linux-gnu)
LDFLAGS_arm64 = $(call sysroot_ldflags,$(SYSROOT_arm64),aarch64-linux-gnu)
QEMU_USER_arm64 = qemu-aarch64-static

SYSROOT_ppc64le ?= $(CACHE)/sysroot/ppc64le
CC_ppc64le = powerpc64le-linux-gnu-gcc
CFLAGS_ppc64le = $(call uapi_cflags,powerpc) $(call sysroot_cflags,$(SYSROOT_ppc64le),powerpc64le-linux-gnu)
LDFLAGS_ppc64le = $(call sysroot_ldflags,$(SYSROOT_ppc64le),powerpc64le-linux-gnu)
QEMU_USER_ppc64le = qemu-ppc64le-static

SYSROOT_x86_64 ?= $(CACHE)/sysroot/x86_64
CC_x86_64 = x86_64-linux-gnu-gcc
CFLAGS_x86_64 = $(call uapi_cflags,x86) $(call sysroot_cflags,$(SYSROOT_x86_64),x86_64-linux-gnu)
LDFLAGS_x86_64 = $(call sysroot_ldflags,$(SYSROOT_x86_64),x86_64-linux-gnu)
QEMU_USER_x86_64 = qemu-x86_64-static

# 32-bit big-endian powerpc: the cross compiler's own libc, and libraries that setup builds from source.
# -latomic: 64-bit atomics are library calls there.
SYSROOT_ppc ?= $(CACHE)/sysroot/ppc
CC_ppc = powerpc-linux-gnu-gcc
CFLAGS_ppc = $(call uapi_cflags,powerpc) -isystem $(SYSROOT_ppc)/usr/include
LDFLAGS_ppc = -static -L$(SYSROOT_ppc)/usr/lib -latomic
QEMU_USER_ppc = qemu-ppc-static
