# SPDX-License-Identifier: GPL-2.0-only
#
#   make                  lkvm for this machine, in build/<arch>/lkvm
#   make cross-ARCH       a static lkvm for riscv64, arm64, ppc64le, x86_64 or ppc (e500)
#   make run              boot Debian's kernel under lkvm, on this machine's KVM or on a test bed
#   make check            every test this machine can run; check-all adds the long ones
#   make matrix           Debian's kernels in every format, transport and number of vCPUs, as one table
#   make check-asan lint fuzz bench install clean
#
# Objects are listed, not globbed: what a binary is made of can be read here.

ARCHES := riscv64 arm64 ppc64le x86_64 ppc

uname_to_arch = $(patsubst aarch64,arm64,$(patsubst ppc,ppc,$(1)))
HOST_ARCH := $(call uname_to_arch,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
ifeq ($(filter $(ARCH),$(ARCHES)),)
$(error ARCH=$(ARCH) is not one of $(ARCHES))
endif

# CACHE: everything that setup downloads (sysroots, kernel headers, test-bed kernels); cross compilers.
include tests/hosts/cross.mk
VARIANT ?=
BUILD := build/$(ARCH)$(VARIANT)
OBJ := $(BUILD)/obj
VERSION := 0.1.0

# ---- what lkvm is made of ------------------------------------------------------------------------

OBJS_core := $(addprefix lkvm/, \
	options.o run-options.o config.o cpulist.o log.o outcome.o \
	memory.o place.o machine.o image.o unpack.o fdt.o exit.o exit-policy.o explain.o explain-log.o disasm.o doctor.o \
	bus.o loop.o registry.o control.o json.o device.o console.o console-input.o uart8250.o pvpanic.o pci.o disk.o \
	cfi-flash.o p9-server.o)
OBJS_core += guest/frame.o guest/init-image.o
OBJS_core += $(addprefix lkvm/, cpio.o elf-needs.o modules.o program.o virtiofsd.o guest-root.o guest-files.o command.o splat.o oops.o \
	toml.o suite.o)
OBJS_virtio := $(addprefix virtio/, \
	queue.o core.o mmio.o pci.o console.o rng.o blk.o 9p.o balloon.o vhost-user.o fs.o)

# Parts of the arches that need no KVM: the unit tests have those of all arches, on every host; lkvm has its
# own, and everybody's exit decoders.
PURE_riscv   := $(addprefix riscv/, platform.o fdt.o image.o plic.o sbi.o isa.o options.o exit.o)
PURE_arm     := $(addprefix arm/, platform.o fdt.o image.o pmu.o v2m.o pl011.o pl031.o esr.o exit.o)
PURE_powerpc := $(addprefix powerpc/, image.o host-cpu.o e500-platform.o e500-fdt.o e500-power.o e500-tlb.o exit.o hcall-names.o)
PURE_powerpc += $(addprefix powerpc/, pseries-platform.o pseries-cpu.o pseries-fdt.o hcall.o rtas.o xive-hcall.o)
PURE_x86     := $(addprefix x86/, platform.o boot.o acpi.o aml.o mptable.o cpuid.o ioapic.o i8042.o cmos.o \
	power.o image.o exit.o)
OBJS_pure    := $(PURE_riscv) $(PURE_arm) $(PURE_powerpc) $(PURE_x86)

# What becomes of a guest that went wrong: watchdog, reports.
OBJS_core += $(addprefix lkvm/, walk.o regs.o fetch.o progress.o symbols.o backtrace.o report-text.o report-json.o)
OBJS_report := $(addprefix lkvm/, report.o vm-progress.o)
OBJS_pure += $(addsuffix /mmu.o, riscv arm powerpc x86)

# Guests' performance counters: what `lkvm pmu` finds and prints.
OBJS_core += $(addprefix lkvm/, pmu-list.o pmu-stat.o stat-json.o svg.o stat-svg.o timeline-svg.o perf-event.o)
OBJS_pure += $(addsuffix /pmu-probe.o, riscv arm powerpc x86) $(addsuffix /reg-names.o, riscv arm powerpc) $(addsuffix /options.o, arm powerpc x86)

# Parts that talk to KVM: the arch's own, and the commands and the VM that call it.
OBJS_vm := $(addprefix lkvm/, main.o cmd-run.o cmd-control.o cmd-doctor.o cmd-version.o cmd-help.o client.o \
	cmd-explain.o vm.o vm-control.o vm-devices.o boot-fdt.o vcpu.o)
OBJS_vm += $(OBJS_report)
# Commands in guests.
OBJS_command := $(addprefix lkvm/, vm-command.o vm-balloon.o vm-fs.o vm-watch.o run-report.o)
OBJS_vm += $(OBJS_command) lkvm/cmd-exec.o lkvm/cmd-console.o lkvm/cmd-test.o
OBJS_kvm := lkvm/kvm-sys.o lkvm/kvm-util.o
OBJS_riscv64 := $(addprefix riscv/, arch.o vcpu.o aia.o)
OBJS_arm64   := $(addprefix arm/, arch.o vcpu.o gic.o)
OBJS_ppc64le := $(addprefix powerpc/, arch.o vcpu.o pseries.o irqchip.o xics.o xive.o)
OBJS_ppc     := $(addprefix powerpc/, arch.o vcpu.o e500.o mpic.o)
OBJS_x86_64  := $(addprefix x86/, arch.o vcpu.o irqchip.o)
OBJS_vm += lkvm/cmd-pmu.o lkvm/cmd-pmu-stat.o
OBJS_probe_vm := $(addprefix lkvm/, probe-vm.o registers.o vm-stat.o kvm-stats.o)
# A guest that is built into lkvm, as data that can be copied anywhere (lkvm/probe.h).
OBJS_guest := $(patsubst %.S,%.o,$(wildcard guest/probe-$(ARCH).S))

DIR_riscv64 := riscv
DIR_arm64   := arm
DIR_ppc64le := powerpc
DIR_ppc     := powerpc
DIR_x86_64  := x86
OBJS_lkvm := $(OBJS_core) $(OBJS_virtio) $(OBJS_vm) $(OBJS_kvm) $(OBJS_$(ARCH)) $(OBJS_probe_vm) $(OBJS_guest) \
	$(sort $(PURE_$(DIR_$(ARCH))) $(filter %/exit.o $(addprefix $(DIR_$(ARCH))/,mmu.o pmu-probe.o) arm/reg-names.o $(DIR_$(ARCH))/reg-names.o %/isa.o %/options.o %/esr.o %/hcall-names.o,$(OBJS_pure)))

# ---- tools and flags -----------------------------------------------------------------------------

CROSS := $(filter-out $(HOST_ARCH),$(ARCH))
ifneq ($(CROSS),)
CC            := $(CC_$(ARCH))
ARCH_CPPFLAGS := $(CFLAGS_$(ARCH))
ARCH_LDFLAGS  := $(LDFLAGS_$(ARCH))
OBJCOPY       := $(patsubst %gcc,%objcopy,$(CC))
else
CC            ?= cc
OBJCOPY       ?= objcopy
# The distribution's kernel headers may be older than the kernels that lkvm drives.
ARCH_CPPFLAGS := $(if $(wildcard $(CACHE)/uapi/usr/include/linux/kvm.h),$(call uapi_cflags,$(patsubst arm,arm64,$(DIR_$(ARCH)))))
ARCH_LDFLAGS  :=
endif

# A static binary starts faster and runs in any initramfs; STATIC=0 where static libraries are missing.
STATIC ?= 1
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wwrite-strings \
	-Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough
# In CI warnings of this machine's own compiler are errors; sanitizers and older cross compilers see ghosts.
ifneq ($(WERROR)$(if $(CROSS)$(VARIANT),,$(CI)),)
WARNINGS += -Werror
LINK_WARNINGS := -Wl,--fatal-warnings
endif
# Small before fast: the guest's speed is KVM's matter, and the time of a start is that of mapping code.
OPT ?= -Os -g
CPPFLAGS_all := -I. -I$(BUILD) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DLKVM_VERSION='"$(VERSION)"' $(ARCH_CPPFLAGS)
# -fno-merge-constants: the linker would mix strings with those of all libraries, page by page.
# -fno-pie: a static binary has its place, and code and tables are smaller for knowing it.
CFLAGS_all := -std=gnu11 $(OPT) $(WARNINGS) $(if $(filter 1,$(STATIC)),-fno-pie) -fno-strict-aliasing -ffunction-sections -fdata-sections \
	-fno-merge-constants -pthread $(SANITIZE) $(CFLAGS)
LDFLAGS_all := -pthread -Wl,--gc-sections $(SANITIZE) $(if $(filter 1,$(STATIC)),-static) $(ARCH_LDFLAGS) \
	$(LINK_WARNINGS) $(LDFLAGS)

Q := $(if $(V),,@)
comma := ,
# Silent under make -s.
quiet := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(V)$(quiet),,@printf '  %-8s%s\n' $(1) $(2))

.PHONY: all help run check check-all check-unit check-asan lint lint-headers lint-rules fuzz fuzz-bins \
	bench bench-bins matrix install clean $(addprefix cross-,$(ARCHES)) \
	unit-tests run-unit-tests asan-build asan-unit-tests guest-tests
.DELETE_ON_ERROR:
.SUFFIXES:

all: $(if $(OBJS_$(ARCH)),$(BUILD)/lkvm,$(BUILD)/unit-tests)

help: # the first lines of this file
	@sed -n '3,/^#$$/s/^# \{0,1\}//p' Makefile

# ---- optional libraries --------------------------------------------------------------------------

# probe NAME HEADER LIBS: one line of config.mk, HAVE_NAME and its libraries when a program links.
define probe
printf '#include <stddef.h>\n#include <stdio.h>\n#include <stdint.h>\n#include <%s>\nint main(void) { return 0; }\n' $(2) | \
	$(CC) $(CPPFLAGS_all) $(LDFLAGS_all) -x c - -o $(BUILD)/probe $(3) 2>>$(BUILD)/config.log \
	&& printf 'CPPFLAGS_have += -DHAVE_$(1)\nLIBS_have += $(3)\n' >>$@.new || true
endef

# Only goals that compile need it.
ifneq ($(filter-out clean lint% run help check% asan-% bench fuzz cross-%,$(or $(MAKECMDGOALS),all)),)
include $(BUILD)/config.mk
endif

$(BUILD)/config.mk: Makefile tests/hosts/cross.mk $(wildcard $(CACHE)/stamp)
	@mkdir -p $(BUILD)
	@: >$@.new; : >$(BUILD)/config.log
	@$(call probe,ZLIB,zlib.h,-lz)
	@$(call probe,ZSTD,zstd.h,-lzstd)
	@$(call probe,LZMA,lzma.h,-llzma)
	@$(call probe,JANSSON,jansson.h,-ljansson)
	@$(call probe,CAPSTONE,capstone/capstone.h,-lcapstone)
	@rm -f $(BUILD)/probe
	@mv $@.new $@

# Libraries that a cross toolchain needs must come after the objects.
LIBS := -lfdt $(LIBS_have) $(filter -l%,$(ARCH_LDFLAGS))

# ---- rules ---------------------------------------------------------------------------------------

# config.mk: other libraries or flags make other objects.
$(OBJ)/%.o: %.c $(BUILD)/config.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_all) $(CPPFLAGS_have) $(CFLAGS_all) -MMD -MP -c $< -o $@

$(OBJ)/guest/%.o: guest/%.S
	$(call say,GUEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -I. -fno-pie -MMD -MP -c $< -o $@

# The first process of guests that run a command. No C library: small, starts at once, and needs none to build.
GUEST_INIT_SRCS := guest/init.c guest/frame.c guest/passwd.c
$(BUILD)/guest-init: $(GUEST_INIT_SRCS) guest/frame.h guest/passwd.h guest/sys.h Makefile
	$(call say,GUEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -I. $(ARCH_CPPFLAGS) -std=gnu11 -O2 $(WARNINGS) $(GUEST_FLAGS_$(ARCH)) -ffreestanding -fno-stack-protector \
		-fno-pic -fno-strict-aliasing -fno-asynchronous-unwind-tables -nostdlib -nostartfiles -static -no-pie -s \
		-Wl,--build-id=none -Wl,-z,noexecstack $(GUEST_INIT_SRCS) -lgcc -o $@

$(OBJ)/guest/init-image.o: guest/init-image.S $(BUILD)/guest-init
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I$(BUILD) -c $< -o $@

# What a start runs lies together. Sanitizers have linkers and an order of their own.
START_LD := $(if $(SANITIZE),,lkvm/start.ld)
$(BUILD)/lkvm: $(addprefix $(OBJ)/,$(OBJS_lkvm)) $(START_LD)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_all) $(filter %.o,$^) $(LIBS) $(addprefix -Wl$(comma)-T$(comma),$(START_LD)) -o $@

$(addprefix cross-,$(ARCHES)): cross-%:
	$(Q)$(MAKE) --no-print-directory ARCH=$* all

# ---- unit tests ----------------------------------------------------------------------------------

TEST_SRCS := $(wildcard tests/unit/test-*.c)
TEST_SUITES := $(subst -,_,$(patsubst tests/unit/test-%.c,%,$(TEST_SRCS)))
# Tests of the VM as a whole run on a KVM that injects failures; they need an arch that has KVM code.
TEST_VM_SRCS_riscv64 := tests/unit/vm-riscv.c
TEST_VM_SRCS_arm64 := tests/unit/vm-arm.c
TEST_VM_SRCS_ppc := tests/unit/vm-e500.c
TEST_VM_SRCS_ppc64le := tests/unit/vm-pseries.c
TEST_VM_SRCS := tests/unit/vm-create.c tests/unit/vm-run.c tests/unit/vm-report.c tests/unit/vm-stats.c $(TEST_VM_SRCS_$(ARCH))
TEST_OBJS := tests/unit/main.o $(TEST_SRCS:.c=.o) \
	$(OBJS_core) $(OBJS_virtio) $(OBJS_pure) lkvm/cmd-help.o guest/passwd.o
TEST_FAKE_OBJS := $(if $(OBJS_$(ARCH)),$(TEST_VM_SRCS:.c=.o) tests/unit/fake-kvm.o tests/unit/vm-fixture.o lkvm/kvm-util.o \
	lkvm/vm.o lkvm/vm-devices.o lkvm/boot-fdt.o lkvm/vcpu.o $(OBJS_report) $(OBJS_$(ARCH)) $(OBJS_probe_vm) $(OBJS_guest))
TEST_FAKE_OBJS += $(if $(OBJS_$(ARCH)),$(OBJS_command))

$(BUILD)/suites.inc: $(TEST_SRCS) $(TEST_VM_SRCS) Makefile
	@mkdir -p $(@D)
	@printf 'SUITE(%s)\n' $(TEST_SUITES) $(if $(OBJS_$(ARCH)),$(subst -,_,$(patsubst tests/unit/%.c,%,$(TEST_VM_SRCS)))) >$@

$(OBJ)/tests/unit/main.o: $(BUILD)/suites.inc

$(BUILD)/unit-tests: $(addprefix $(OBJ)/,$(TEST_OBJS) $(TEST_FAKE_OBJS))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_all) $^ $(LIBS) -o $@

unit-tests: $(BUILD)/unit-tests

# ---- bare-metal guests ---------------------------------------------------------------------------

GUEST_FLAGS_ppc := -Wa,-mregnames
GUEST_SRCS := $(wildcard tests/guest/$(ARCH)/*.S)
GUEST_BINS := $(patsubst tests/guest/$(ARCH)/%.S,$(BUILD)/guest-tests/%.bin,$(GUEST_SRCS))

$(BUILD)/guest-tests/%.elf: tests/guest/$(ARCH)/%.S tests/guest/$(ARCH)/flat.lds
	$(call say,GUEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -nostdlib -nostartfiles -static -no-pie -I. -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		$(GUEST_FLAGS_$(ARCH)) -MMD -MP -MT $@ -MF $@.d -T tests/guest/$(ARCH)/flat.lds $< -o $@

$(BUILD)/guest-tests/%.bin: $(BUILD)/guest-tests/%.elf
	$(Q)$(OBJCOPY) -O binary $< $@
.PRECIOUS: $(BUILD)/guest-tests/%.elf

# A program of the hosts, which asks their KVM itself.
HOST_TOOLS_riscv64 := late-regs
HOST_TOOLS_arm64   := late-regs
HOST_TOOLS := $(addprefix $(BUILD)/guest-tests/,$(HOST_TOOLS_$(ARCH)))
$(HOST_TOOLS): $(BUILD)/guest-tests/%: tests/hosts/%.c lkvm/kvm-compat.h $(BUILD)/config.mk
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_all) $(CFLAGS_all) $< $(LDFLAGS_all) -static -o $@

guest-tests: $(GUEST_BINS) $(HOST_TOOLS)

# ---- checks --------------------------------------------------------------------------------------

run-unit-tests: $(BUILD)/unit-tests
	$(if $(CROSS),$(QEMU_USER_$(ARCH)) )$(BUILD)/unit-tests $(T)

# A build of its own with the sanitizers; they need the dynamic loader.
ASAN_MAKE = $(MAKE) --no-print-directory VARIANT=-asan STATIC=0 OPT='-O1 -g -fno-omit-frame-pointer' \
	SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined'

asan-build:
	$(Q)+$(ASAN_MAKE) unit-tests
asan-unit-tests: asan-build
	$(Q)ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 build/$(HOST_ARCH)-asan/unit-tests $(T)

check-asan: asan-unit-tests

check:
	@MAKE='$(MAKE)' tests/check
check-all:
	@MAKE='$(MAKE)' tests/check --all
check-unit:
	@MAKE='$(MAKE)' tests/check unit asan unit-user

LINT_ENV = DIR=$(DIR_$(ARCH)) CC='$(CC)' FLAGS='$(filter-out -I$(BUILD),$(CPPFLAGS_all)) -std=gnu11 $(WARNINGS) -Werror'
lint-headers:
	@$(LINT_ENV) tests/lint headers
lint-rules:
	@$(LINT_ENV) tests/lint rules
lint: lint-headers lint-rules
	@for a in $(filter-out $(HOST_ARCH),$(ARCHES)); do $(MAKE) --no-print-directory -s ARCH=$$a lint-headers || exit 1; done
	@tests/lint tools
	@echo 'lint: clean'

# ---- fuzzing -------------------------------------------------------------------------------------

FUZZ_SECONDS ?= 60
FUZZ_SRCS := $(wildcard tests/fuzz/fuzz-*.c)
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(FUZZ_SRCS))
FUZZ_OBJS := $(addprefix $(OBJ)/,$(OBJS_core) $(OBJS_virtio) $(OBJS_pure))

$(BUILD)/fuzz-%: $(OBJ)/tests/fuzz/fuzz-%.o $(FUZZ_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_all) -fsanitize=fuzzer $^ $(LIBS) -o $@
fuzz-bins: $(FUZZ_BINS)

fuzz:
	$(Q)$(MAKE) --no-print-directory VARIANT=-fuzz STATIC=0 CC=clang OPT='-O1 -g' \
		SANITIZE='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined' \
		CFLAGS='-Wno-ignored-optimization-argument -Wno-string-plus-int $(CFLAGS)' fuzz-bins
	@for f in $(FUZZ_SRCS:tests/fuzz/%.c=%); do \
		mkdir -p build/corpus/$$f; \
		echo "== $$f, $(FUZZ_SECONDS) s"; \
		build/$(HOST_ARCH)-fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=4096 \
			-artifact_prefix=build/corpus/ -print_final_stats=0 -verbosity=0 \
			build/corpus/$$f $$([ -d tests/fuzz/corpus/$$f ] && echo tests/fuzz/corpus/$$f) || exit 1; \
	done

# ---- speed ---------------------------------------------------------------------------------------

$(BUILD)/bench $(BUILD)/floor: $(BUILD)/%: tests/bench/%.c
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_all) $(CFLAGS_all) $< $(LDFLAGS_all) -o $@
bench-bins: all $(BUILD)/bench $(BUILD)/floor guest-tests

matrix:
	@MAKE='$(MAKE)' tests/hosts/matrix

bench:
	@MAKE='$(MAKE)' tests/bench/run

# ---- for users -----------------------------------------------------------------------------------

run:
	@MAKE='$(MAKE)' tests/hosts/demo

PREFIX ?= /usr/local
install: $(BUILD)/lkvm
	install -D -m 755 $(BUILD)/lkvm $(DESTDIR)$(PREFIX)/bin/lkvm
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	$(if $(CROSS),$(QEMU_USER_$(ARCH)) )$(BUILD)/lkvm help --man >$(DESTDIR)$(PREFIX)/share/man/man1/lkvm.1

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
