# A guest that hangs in user space is ended by --timeout with status 124.
# timeout: 900
. "${CASES:-/cases}/lib.sh"

# Long enough to get to user space on a machine as slow as this one.
limit=$((20 * SCALE))
elapsed expect_status 124 lkvm run -k /guest/kernel -i /guest/initrd -m 512 -p lkvm.test=hang --timeout $limit
expect_grep "hello from user space" out
expect_grep "^lkvm: .*--timeout" err
[ "$TENTHS" -lt $((10 * limit + 100)) ] || fail "took $TENTHS tenths of a second"
