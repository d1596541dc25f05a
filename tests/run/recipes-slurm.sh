# The recipe of docs/test.md for a Slurm array, word for word, on a cluster of one node made for it: no case is lost or run twice,
# a failure gets through.
# arch: native
# native: yes
# timeout: 300
# needs: lkvm guest-tests
. "${CASES:-/cases}/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd sbatch scontrol; do
	command -v $program >/dev/null || skip "$program is not installed (packages slurmctld, slurmd, slurm-client)"
done

host=$(hostname -s)
user=$(id -un)
export SLURM_CONF="$TMP/slurm.conf"
cat >slurm.conf <<CONF
ClusterName=lkvm
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$((20000 + $$ % 10000))
SlurmdPort=$((30000 + $$ % 10000))
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/none
CredType=cred/none
StateSaveLocation=$TMP/state
SlurmdSpoolDir=$TMP/spool
SlurmctldPidFile=$TMP/slurmctld.pid
SlurmdPidFile=$TMP/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=10 State=UP
CONF
mkdir state spool
slurmctld -D >slurmctld.log 2>&1 &
controller=$!
slurmd -D -N "$host" >slurmd.log 2>&1 &
node=$!
trap 'kill $node $controller 2>/dev/null; wait' EXIT
tries=100
until sinfo -h -o %T 2>/dev/null | grep -q '^idle$'; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || fail "Slurm does not come up: $(tail -n 20 slurmctld.log slurmd.log)"
	sleep 0.2
done

array=$(grep -oE 'sbatch --array=[0-9-]+' "$CASES/../../docs/test.md")
{
	echo '#!/bin/sh'
	recipe 'SLURM_ARRAY_TASK_ID'
} >script
recipe_suites
# shellcheck disable=SC2086 # words
expect_status 0 $array --wait script
[ "$(ls results-*.xml | wc -l)" = 16 ] || fail "reports: $(ls; cat slurm-*.out)"
[ "$(junit_cases tests results-*.xml)" = 6 ] || fail "cases: $(cat results-*.xml)"
[ "$(cat results-*.xml | grep -o '<testcase [^>]*name="[^"]*"' | sort -u | wc -l)" = 6 ] || fail "cases: $(cat results-*.xml)"

mv bad.toml suite.toml
# shellcheck disable=SC2086 # words
expect_status 1 $array --wait script
[ "$(junit_cases failures results-*.xml)" = 1 ] || fail "failures: $(cat results-*.xml)"
