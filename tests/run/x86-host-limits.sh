# What the host does to lkvm is said, and is no success: a pipe without a writer, a full disk, one disk twice.
# arch: x86_64
# native: yes
# timeout: 60
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
guests=${GUEST_TESTS:-/guest-tests}

# --timeout holds while the kernel is loaded, too.
mkfifo pipe
expect_status 124 lkvm run --kernel pipe --timeout 1
expect_grep "^lkvm: --timeout ran out while the guest was being set up.* \(exit status 124\)$" err
expect_status 9 lkvm run --kernel pipe --timeout 1 --exit-code timeout=9
expect_status 0 lkvm run --nodefaults --firmware "$guests/poweroff.bin" --timeout 0

# Output that is lost.
status=0
lkvm run --nodefaults --firmware "$guests/uart-hello.bin" --timeout 30 >/dev/full 2>err </dev/null || status=$?
[ $status = 125 ] || fail "status $status although output was lost"
expect_grep "^lkvm: the guest's console output is not complete: No space left on device" err
status=0
lkvm run --nodefaults --firmware "$guests/uart-hello.bin" --timeout 30 >&- 2>err </dev/null || status=$?
[ $status = 125 ] || fail "status $status although standard output was closed"
expect_grep "^lkvm: the guest's console output is not complete: it is closed \(send it to a file, or to /dev/null\)" err
# A guest that says nothing loses nothing.
lkvm run --nodefaults --firmware "$guests/poweroff.bin" --timeout 30 >&- 2>err </dev/null || fail "status $? of a silent guest"
status=0
lkvm version >&- 2>err || status=$?
[ $status = 125 ] || fail "lkvm version >&- gives status $status"
expect_grep "^lkvm: cannot write to standard output: it is closed" err

# A report that is missing is no success, whatever --exit-code makes of the guest's end.
expect_status 125 lkvm run --nodefaults --firmware "$guests/poweroff.bin" --timeout 30 --report /dev/full \
	--exit-code poweroff=0
expect_grep "^lkvm: --report: cannot write /dev/full: No space left on device" err

truncate -s 1M disk
expect_status 125 lkvm run --firmware "$guests/poweroff.bin" -d disk -d ./disk
expect_grep "disk ./disk is given twice" err
expect_status 0 lkvm run --firmware "$guests/poweroff.bin" -d disk,ro -d ./disk,ro --timeout 30
expect_status 125 lkvm run --firmware "$guests/poweroff.bin" -p quiet
expect_grep "^lkvm: --params needs --kernel" err
