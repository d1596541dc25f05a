# shellcheck shell=dash
# Helpers for test cases. They run in busybox sh inside a KVM host; see docs/testing.md.
# Given: $CASE (name), $ARCH (riscv64 ...), $BED (name of the host), $TMP (empty directory, also the current one).

# What the guest's platform has, and less RAM than its kernel takes (MiB).
# shellcheck disable=SC2034 # for cases
case $ARCH in
ppc) CPUS=1 TRANSPORTS=mmio TOO_SMALL=4 ;;
ppc64le) CPUS="1 2 4" TRANSPORTS=pci TOO_SMALL=16 ;; # and mmio: ppc-virtio-mmio.sh
*) CPUS="1 2 4" TRANSPORTS="pci mmio" TOO_SMALL=16 ;;
esac

fail() {
	echo "FAIL: $*"
	exit 1
}

skip() {
	echo "SKIP: $*"
	exit 77
}

# expect_status N CMD...: runs CMD, stdout and stderr into the files out and err, and fails unless it exits with N.
expect_status() {
	local want=$1 got=0
	shift
	"$@" >out 2>err </dev/null || got=$?
	[ "$got" = "$want" ] || {
		echo "--- stdout (tail)"
		tail -n 40 out
		echo "--- stderr (tail)"
		tail -n 40 err
		fail "exit status $got instead of $want: $*"
	}
}

# expect_grep PATTERN FILE: fails unless FILE has a line that matches the extended regular expression.
expect_grep() {
	grep -qE -- "$1" "$2" || {
		echo "--- $2 (tail)"
		tail -n 40 "$2"
		fail "no line in $2 matches: $1"
	}
}

expect_no_grep() {
	! grep -E -- "$1" "$2" || fail "a line in $2 matches: $1"
}

expect_same() { # FILE FILE
	cmp "$1" "$2" || fail "$1 and $2 differ"
}

# guest_initrd FILE [modules] <SCRIPT: an initrd whose init runs SCRIPT (busybox sh) in the guest before it ends as
# lkvm.test= says; with "modules", the virtio drivers of the guest's kernel are loaded before.
guest_initrd() {
	local dir=$TMP/.initrd
	rm -rf "$dir"
	mkdir -p "$dir"
	cat >"$dir/case.sh"
	(cd "$dir" && echo case.sh | cpio -o -H newc 2>/dev/null) >"$dir.cpio"
	if [ "${2:-}" = modules ]; then
		cat /guest/initrd /guest/modules.cpio "$dir.cpio" >"$1"
	else
		cat /guest/initrd "$dir.cpio" >"$1"
	fi
	rm -rf "$dir" "$dir.cpio"
}

# modules_dir DIR: the virtio modules of the guest's kernel as depmod would leave them, packed; each needs all that are
# loaded before it. Fails if there are none.
modules_dir() {
	local before='' name
	mkdir -p "$1"
	(cd "$1" && cpio -idm </guest/modules.cpio 2>/dev/null && mv modules/* . && [ -s order ]) || return 1
	while read -r name; do
		gzip "$1/$name.ko"
		echo "$name.ko.gz:$before"
		before=" $name.ko.gz$before"
	done <"$1/order" >"$1/modules.dep"
}

# command_options: what `lkvm run -- CMD` needs with the guest's kernel, in $for_command: --modules, or nothing.
command_options() {
	for_command=
	if modules_dir "$TMP/.modules" && grep -q '^virtio_console' "$TMP/.modules/modules.dep"; then
		# shellcheck disable=SC2034 # for the caller
		for_command="--modules $TMP/.modules"
	fi
}

# elapsed CMD...: runs CMD; its wall time in tenths of a second is in $TENTHS, its status is returned.
elapsed() {
	local start status=0
	start=$(sed -E 's/([0-9]+)\.([0-9]).*/\1\2/' /proc/uptime)
	"$@" || status=$?
	# shellcheck disable=SC2034 # for the caller
	TENTHS=$(($(sed -E 's/([0-9]+)\.([0-9]).*/\1\2/' /proc/uptime) - start))
	return $status
}

# exit_row FAILURE STATUS PATTERN KVM GUEST [OPTIONS...]: runs the bare-metal guest GUEST, which does FAILURE. lkvm must
# exit with STATUS and say a line that matches PATTERN; KVM must have said KVM ("nothing", or an exit with its errno).
# Prints the row of the table that tests/exit-table collects.
exit_row() {
	local failure=$1 status=$2 pattern=$3 want=$4 guest=$5 kvm err said
	shift 5
	expect_status "$status" lkvm run --firmware "${GUEST_TESTS:-/guest-tests}/$guest.bin" --timeout 60 "$@"
	expect_grep "$pattern" err
	kvm=$(sed -nE 's/^  exit +([^ ,]+).*/\1/p; s/.*warning: vCPU 0: (KVM_EXIT_[A-Z0-9_]+): .*/\1/p' err | head -n 1)
	[ "$kvm" != none: ] || kvm= # a report about a vCPU of which KVM said nothing
	err=$(sed -nE 's/.*\(KVM_RUN: ([^)]+)\).*/\1/p' err | head -n 1)
	kvm=${kvm:-nothing}${err:+, KVM_RUN: $err}
	[ "$kvm" = "$want" ] || fail "KVM said '$kvm' instead of '$want'"
	said=$(grep -E -- "$pattern" err | head -n 1 | sed 's/^lkvm: //; s/^warning: //; s/ (exit status [0-9]*)$//')
	echo "row: $BED | $failure | $kvm | $said | $status"
}

# recipe PATTERN: the only example line of docs/test.md that matches the extended regular expression, word for word.
recipe() {
	sed -n 's/^    //p' "${CASES:-/cases}/../../docs/test.md" | grep -E -- "$1" >.recipe
	[ "$(wc -l <.recipe)" = 1 ] || fail "docs/test.md: not one line matches $1: $(cat .recipe)"
	cat .recipe
	rm .recipe
}

# recipe_suites: the suite.toml of the recipes with 6 cases that pass, and bad.toml with one that fails.
recipe_suites() {
	cat >suite.toml <<-SUITE
		args = ["--nodefaults"]
		timeout = "60s"
		[[case]]
		name = "ends"
		firmware = ["${GUEST_TESTS:?}/poweroff.bin", "$GUEST_TESTS/reboot.bin"]
		cpus = [1, 2, 3]
	SUITE
	sed 's/timeout = .*/&\nexpect = "panic"/; s/, "[^"]*reboot.bin"//; s/, 2, 3//' suite.toml >bad.toml
}

# junit_cases WORD FILE...: the sum of an attribute of test suites: tests, failures.
junit_cases() {
	local word=$1
	shift
	sed -nE "s/.*<testsuite .* $word=\"([0-9]+)\".*/\1/p" "$@" | awk '{ n += $1 } END { print n + 0 }'
}
