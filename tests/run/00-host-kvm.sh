# The bed itself: the host's kernel offers KVM.
# timeout: 20
. /cases/lib.sh

test -c /dev/kvm || fail "/dev/kvm is missing"
: <>/dev/kvm || fail "/dev/kvm does not open"
