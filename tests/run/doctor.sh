# `lkvm doctor`: a host on which Linux guests run gets status 0, with how fast guests are; one without KVM does not.
# arch: riscv64 arm64 x86_64 ppc64le ppc
# timeout: 120
. "${CASES:-/cases}/lib.sh"
expect_status 0 lkvm doctor
expect_grep '^lkvm run works here\.$' out
expect_grep '^ *ok +speed +about [1-9][0-9]+ million instructions/s$' out
expect_status 0 lkvm doctor --json
expect_grep '"linux": true' out
expect_grep '"instructions_per_second": [1-9][0-9]{7,}' out
expect_status 125 lkvm doctor --dev /no/such/device
expect_grep "^lkvm run can't work here: 1 problem above\.$" out
