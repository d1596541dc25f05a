# `lkvm explain` knows all arches on every host, and needs no KVM.
# native: yes
# needs: lkvm
# timeout: 60
. "${CASES:-/cases}/lib.sh"

expect_status 0 lkvm explain 0xffffffff7c0006ff
expect_grep "^hardware_exit_reason 0xffffffff7c0006ff \(ppc-booke\)$" out
expect_grep "^  cause     emulation-failed$" out
expect_grep "^  resume    yes" out
expect_grep "^  code      7c 00 06 ff" out
expect_grep "instruction +0x7c0006ff  primary opcode 31, extended opcode 895$" out

expect_status 0 lkvm explain "KVM: unknown exit, hardware reason ffffffffffffffea"
expect_grep "^KVM_EXIT_UNKNOWN \(ppc-book3s\)$" out
expect_grep "that is -EINVAL" out

# Options may stand anywhere; words need no quotes; -22 is no option.
expect_status 0 lkvm explain KVM_EXIT_FAIL_ENTRY --arch intel 0x80000021 cpu 3
expect_grep "^KVM_EXIT_FAIL_ENTRY \(x86-intel\)$" out
expect_grep "^ +cpu +3  host CPU$" out
expect_status 0 lkvm explain -22
expect_grep "EINVAL \(Invalid argument\)" out
expect_status 0 lkvm explain errno EOPNOTSUPP --arch riscv64
expect_grep "instruction fetch failed" out

# Every line in 100 columns.
for text in 1 "errno EFAULT" "KVM_EXIT_INTERNAL_ERROR 3 0x80000b0e 0x30" 0xfffffffe80008000; do
	# shellcheck disable=SC2086 # words
	expect_status 0 lkvm explain $text
	expect_no_grep "^.{101,}$" out
done

if lkvm version | grep -q "jansson.* built in"; then
	expect_status 0 lkvm explain --json trap 0x700
	expect_grep '"cause": "unexpected-trap"' out
	expect_grep '"resumable": false' out
	expect_grep '"arches": \[' out
	expect_grep '"name": "hardware_exit_reason"' out
fi

expect_status 125 lkvm explain
expect_grep "^lkvm: explain what" err
expect_status 125 lkvm explain hello world
expect_grep "^lkvm: nothing known in 'hello world'" err
expect_status 125 lkvm explain --arch vax 5
expect_grep "^lkvm: --arch: unknown value 'vax' \(all: riscv64, " err
expect_status 0 lkvm explain --help
expect_grep "^usage: lkvm explain" out
expect_status 0 lkvm help --man
expect_grep "^\.SS lkvm explain" out
