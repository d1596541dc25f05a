# --timeline: a picture of where the run's time went, of a good run and of one that could not start.
# arch: riscv64 arm64 x86_64 ppc
# native: yes
# timeout: 60
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

expect_status 0 lkvm run --name drawn --nodefaults --firmware "$guests/uart-hello.bin" --timeline run.svg --timeout 30
expect_grep '^<svg xmlns=' run.svg
expect_grep '^</svg>$' run.svg
expect_grep '>Guest drawn</text>' run.svg
expect_grep '>the guest powered off</text>' run.svg
for phase in 'lkvm sets the guest up' 'guest starts, in silence' 'guest speaks on its console' 'lkvm takes it apart'; do
	expect_grep ">$phase</text>" run.svg
done
expect_no_grep '>command<' run.svg
expect_grep '>KVM_EXIT_[A-Z_]*</text>' run.svg

expect_status 125 lkvm run --firmware /dev/null --timeline bad.svg
expect_grep '^</svg>$' bad.svg
expect_status 125 lkvm run --firmware "$guests/uart-hello.bin" --timeline /no/such/dir/svg
expect_grep '^lkvm: --timeline: cannot write /no/such/dir/svg' err
