# The recipe of docs/test.md for GNU parallel, word for word: no case is lost or run twice, a failure gets through.
# arch: native
# native: yes
# timeout: 60
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
parallel --version 2>/dev/null | grep -q '^GNU parallel' || skip "GNU parallel is not installed (package parallel)"
export HOME="$TMP" XDG_RUNTIME_DIR="$TMP"

recipe '^parallel ' >line
recipe_suites
expect_status 0 sh line
[ "$(ls results-*.xml | wc -l)" = 16 ] || fail "reports: $(ls)"
[ "$(junit_cases tests results-*.xml)" = 6 ] || fail "cases: $(cat results-*.xml)"
[ "$(cat results-*.xml | grep -o '<testcase [^>]*name="[^"]*"' | sort -u | wc -l)" = 6 ] || fail "cases: $(cat results-*.xml)"

# Its status is the number of the jobs that failed.
mv bad.toml suite.toml
expect_status 1 sh line
[ "$(junit_cases failures results-*.xml)" = 1 ] || fail "failures: $(cat results-*.xml)"
