#!/usr/bin/env bash
# setup.sh - everything the kernel lab needs: packages, a kernel, an initramfs.
#
#   setup.sh [options]
#
#   --check         change nothing; status 0 when the lab is ready
#   --update        fetch the newest kernel package even if one is there
#   --no-packages   install nothing: only the kernel and the initramfs
#   --suite SUITE   the kernel of another suite beside the default one, such as bookworm-backports
#                   (afterwards: --kernel SUITE)
#   --packages      only print the packages' names
#
# Works on Debian and Ubuntu (x86-64), as root or with sudo. The kernel package is unpacked into
# ${XDG_CACHE_HOME:-~/.cache}/sock-kernel-lab, not installed; once it is there, a newer one on the
# mirror makes no difference. Done twice, the second time costs nothing.
#
# Status: 0 ready, 69 the lab cannot be set up here (what is missing is printed), 2 wrong use,
# anything else: a step failed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sock-kernel-lab
readonly EX_UNAVAILABLE=69

# what the lab itself is made of, and the programs and packages that bring them
needed=(qemu-system-x86_64:qemu-system-x86 busybox:busybox-static modprobe:kmod depmod:kmod cpio:cpio xz:xz-utils
  zstd:zstd dpkg-deb:dpkg setsid:util-linux ip:iproute2)
# counterparts that the tests talk to: the guest sees the host's files, so they are installed here
counterparts=(cansend:can-utils j1939cat:can-utils btvirt:bluez-test-tools btmgmt:bluez l2test:bluez
  tipc:iproute2 tcpdump:tcpdump socat:socat ncat:ncat kcapi-dgst:kcapi-tools sctp_test:lksctp-tools ping:iputils-ping
  arping:iputils-arping tshark:tshark tcpreplay:tcpreplay /usr/bin/python3:python3)

check=0 update=0 install=1 suite=
while [ $# -gt 0 ]; do
  case $1 in
    --check) check=1 ;;
    --update) update=1 ;;
    --no-packages) install=0 ;;
    --suite) suite=${2:?--suite wants a name}; shift ;;
    --packages) printf '%s\n' "${needed[@]#*:}" "${counterparts[@]#*:}" | sort -u; exit 0 ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "lab: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

say() { echo "lab: $*" >&2; }
unavailable() { say "$@"; exit "$EX_UNAVAILABLE"; }

# the administrator's folders are not in every user's PATH
PATH=$PATH:/usr/sbin:/sbin

missing_of() { # the packages of those "program:package" pairs whose program is not here
  local pair
  for pair in "$@"; do
    command -v "${pair%%:*}" > /dev/null || echo "${pair#*:}"
  done | sort -u | tr '\n' ' '
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
}
may_become_root() {
  [ "$(id -u)" = 0 ] || { command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; }; }
}

kernel_ready() { [ -s "$cache/kernels/$1/vmlinux" ]; }
lists_are_there() { apt-cache show busybox-static > /dev/null 2>&1; }

case $(uname -s)-$(uname -m) in
  Linux-x86_64) ;;
  *) unavailable "the lab runs on Linux on x86-64; this is $(uname -s) on $(uname -m)" ;;
esac
command -v node > /dev/null || unavailable "node is not in PATH"

missing=$(missing_of "${needed[@]}")
missing_counterparts=$(missing_of "${counterparts[@]}")
if [ $check = 1 ]; then
  [ -z "$missing" ] || unavailable "missing packages: $missing- 'npm run lab:setup' installs them"
  kernel_ready "${suite:-default}" || unavailable "no kernel in $cache - 'npm run lab:setup' fetches one"
  [ -z "$missing_counterparts" ] ||
    unavailable "missing counterparts of tests: $missing_counterparts- 'npm run lab:setup' installs them"
  exit 0
fi

# 1. packages
if [ -z "$missing" ] && [ -n "$missing_counterparts" ] && [ $install = 1 ] && ! may_become_root; then
  say "tests will miss their counterparts, as this is not root and sudo does not work: $missing_counterparts"
  install=0
fi
if [ -n "$missing$missing_counterparts" ] && [ $install = 1 ]; then
  command -v apt-get > /dev/null ||
    unavailable "no apt-get here; install what these Debian packages hold, then run this again with" \
      "--no-packages: $missing$missing_counterparts"
  may_become_root ||
    unavailable "not root, and sudo does not work here; have somebody run:" \
      "apt-get install --no-install-recommends $missing$missing_counterparts"
  lists_are_there || as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2
  wanted=()
  for package in $missing; do wanted+=("$package"); done
  for package in $missing_counterparts; do
    if apt-cache show "$package" > /dev/null 2>&1; then wanted+=("$package"); else say "no package $package here"; fi
  done
  say "installing ${wanted[*]}"
  apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends)
  as_root "${apt[@]}" "${wanted[@]}" >&2 || {
    # lists that are older than the mirror's packages end in "404 Not Found"
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2
    as_root "${apt[@]}" "${wanted[@]}" >&2
  }
fi
missing=$(missing_of "${needed[@]}")
[ -z "$missing" ] || unavailable "still missing: $missing"

# 2. the kernel
apt_options=()
use_suite() { # package lists of their own, so that the system's configuration stays as it is
  local lists=$cache/apt/$suite mirror keyring
  command -v apt-get > /dev/null || unavailable "--suite wants apt"
  # shellcheck disable=SC2016 # apt's own variable
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
    awk '/\/(debian|ubuntu)\/?$/ && !found { print; found = 1 }')
  [ -n "$mirror" ] || unavailable "apt's configuration names no mirror of Debian or Ubuntu"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [[ $mirror != *ubuntu* ]] || keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
  mkdir -p "$lists"/{lists/partial,cache/archives/partial}
  echo "deb [signed-by=$keyring] $mirror $suite main" > "$lists/sources.list"
  apt_options=(-o "Dir::Etc::SourceList=$lists/sources.list" -o Dir::Etc::SourceParts=-
    -o "Dir::State::Lists=$lists/lists" -o "Dir::Cache=$lists/cache" -o "APT::Sandbox::User=$(id -un)")
  apt-get "${apt_options[@]}" -q update >&2
}

kernel_packages() { # the newest image, and the packages that Ubuntu keeps its modules in
  local meta image package
  for meta in linux-image-amd64 linux-image-generic; do
    image=$(apt-cache "${apt_options[@]}" depends "$meta" 2> /dev/null |
      awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
    [ -n "$image" ] || continue
    echo "$image"
    for package in linux-modules linux-modules-extra; do
      package=$package-${image#linux-image-}
      if apt-cache "${apt_options[@]}" show "$package" > /dev/null 2>&1; then echo "$package"; fi
    done
    return
  done
  return 1
}

name=${suite:-default}
if [ $update = 1 ] || ! kernel_ready "$name"; then
  command -v apt-get > /dev/null ||
    unavailable "no kernel in $cache and no apt to fetch one: give 'kernel.sh --name default' a kernel package (.deb)"
  [ -z "$suite" ] || use_suite
  if [ -z "$suite" ] && ! lists_are_there; then
    may_become_root || unavailable "apt has no package lists: have somebody run 'apt-get update'"
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2
  fi
  packages=$(kernel_packages) || unavailable "apt knows neither linux-image-amd64 nor linux-image-generic"
  work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
  say "fetching ${packages//$'\n'/ }"
  # shellcheck disable=SC2086 # one word per package
  (cd "$work" && apt-get -q "${apt_options[@]}" -o "APT::Sandbox::User=$(id -un)" download $packages >&2)
  "$here/kernel.sh" --name "$name" "$work"/*.deb > /dev/null
fi

# 3. the initramfs
"$here/kernel.sh" --initrd "$(realpath "$cache/kernels/$name")" > /dev/null
say "ready: $(basename "$(realpath "$cache/kernels/$name")") in $cache"
