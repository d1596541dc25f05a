# The recipes of docs/test.md for CI systems, word for word: the suite there is one, what a job is told to run goes well without
# anything but /dev/kvm, and what it is told to keep is there.
# arch: native
# native: yes
# timeout: 60
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"

sed -n '/^    # suite.toml/,/^[^ ]/{ s/^    //p; /^$/p; }' "$CASES/../../docs/test.md" >docs.toml
expect_status 0 lkvm test docs.toml --list
expect_same out - <<LIST
boots
smp[params=nokaslr,cpus=1]
smp[params=nokaslr,cpus=2]
smp[params=nokaslr,cpus=4]
smp[params=nokaslr nosmt,cpus=1]
smp[params=nokaslr nosmt,cpus=2]
smp[params=nokaslr nosmt,cpus=4]
panics as it should
LIST

# As a job: no terminal, no HOME, no XDG_RUNTIME_DIR, a session of its own.
job() { # STATUS LINE
	expect_status "$1" env -i PATH="$PATH" TMPDIR="$TMP" setsid -w sh -c "$2"
}

steps() { # KEY: the commands of a job
	case $1 in
	github) sed -nE 's/^    +- run: //p' "$CASES/../../docs/test.md" ;;
	gitlab) sed -nE '/^      script:/,/^      [a-rt-z]/s/^        - //p' "$CASES/../../docs/test.md" ;;
	esac
}

steps github >github
steps gitlab >gitlab
# The first step of GitHub's is for its runners; here /dev/kvm is as its owner wants it.
[ "$(head -n 1 github)" = "sudo chmod 666 /dev/kvm" ] || fail "the first step is $(head -n 1 github)"
sed -i 1d github
recipe '^lkvm test suite.toml -j 4 --junit results.xml$' >shell
# A KVM that interprets does not carry a job's Linux guests, and doctor says so. The guests here are tiny.
doctor=0
lkvm doctor >verdict 2>&1 || ! grep -q "^lkvm run can't do Linux guests here: this KVM is too slow" verdict || doctor=125
for recipe in github gitlab shell; do
	[ -s $recipe ] || fail "docs/test.md has no steps for $recipe"
	while read -r line; do
		rm -rf results.xml logs
		recipe_suites
		case $line in
		"lkvm doctor") job $doctor "$line" ;;
		*) job 0 "$line" ;;
		esac
		case $line in
		"lkvm test "*)
			[ "$(junit_cases tests results.xml)" = 6 ] || fail "$recipe: $(cat results.xml)"
			[ $recipe = shell ] || [ -s "logs/ends[firmware=poweroff.bin,cpus=1]/report.json" ] || fail "logs: $(ls logs)"
			# What fails must fail the job.
			mv bad.toml suite.toml
			job 1 "$line"
			[ "$(junit_cases failures results.xml)" = 1 ] || fail "$recipe: $(cat results.xml)"
			;;
		esac
	done <$recipe
done
