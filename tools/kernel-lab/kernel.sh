#!/usr/bin/env bash
# kernel.sh - turns kernel packages into what the lab boots, in its cache.
#
#   kernel.sh [--name NAME] DEB...   unpack the packages of one kernel, print its folder;
#                                    NAME then also stands for it
#   kernel.sh --initrd FOLDER        build the initramfs of an unpacked kernel unless there is one,
#                                    print its path
#
# A kernel's folder holds lib/modules, vmlinux (uncompressed: loading that rather than the bzImage
# saves seconds under emulation) and initrd-HASH.img, whose HASH is that of what it is made from, so
# that several checkouts can share the cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernels=${XDG_CACHE_HOME:-$HOME/.cache}/sock-kernel-lab/kernels
PATH=$PATH:/usr/sbin:/sbin
# what is needed before the host's files can be seen; all else comes from lib/modules then
boot_modules=(virtio_pci virtio_console 9pnet_virtio 9p overlay)

die() { echo "lab: $*" >&2; exit 1; }

build_initrd() { # FOLDER
  local folder=$1 version hash image work module kind path file
  hash=$(cat "$here/guest/init" "$here/kernel.sh" | sha256sum | cut -c1-12)
  image=$folder/initrd-$hash.img
  if [ ! -s "$image" ]; then
    version=$(basename "$folder"/lib/modules/*)
    work=$(mktemp -d "$folder/initrd.XXXXXX")
    mkdir -p "$work"/root/{bin,dev,proc,sys,ctl,low,up,new,modules}
    cp "$(command -v busybox)" "$work/root/bin/busybox"
    ln -s busybox "$work/root/bin/sh"
    install -m 755 "$here/guest/init" "$work/root/init"
    for module in "${boot_modules[@]}"; do
      # "insmod PATH [parameters]" or "builtin NAME", dependencies first
      modprobe -d "$folder" -S "$version" --show-depends "$module"
    done | while read -r kind path _; do
      [ "$kind" = insmod ] || continue
      file=$(basename "$path"); file=${file%.ko*}.ko
      [ ! -e "$work/root/modules/$file" ] || continue
      case $path in
        *.xz) xz -dc "$path" ;;
        *.zst) zstd -dcq "$path" ;;
        *.gz) gzip -dc "$path" ;;
        *) cat "$path" ;;
      esac > "$work/root/modules/$file"
      echo "$file" >> "$work/root/modules/order"
    done
    touch "$work/root/modules/order"
    (cd "$work/root" && find . | cpio --quiet -o -H newc -R 0:0) > "$work/image"
    mv "$work/image" "$image"
    rm -rf "$work"
  fi
  echo "$image"
}

unpack() { # NAME DEB...
  local name=$1 folder work deb version
  shift
  # the signed image is the package that names the kernel; modules may come in packages of their own
  for deb in "$@"; do
    [ -r "$deb" ] || die "cannot read $deb"
    folder=$(dpkg-deb -f "$deb" Package)_$(dpkg-deb -f "$deb" Version)
    [[ $folder != linux-image-* ]] || break
  done
  [[ $folder == linux-image-* ]] || die "none of these is a kernel image package: $*"
  # a version number has ~ and : in it, which qemu's options and shells are better spared
  folder=$kernels/${folder//[^A-Za-z0-9._+-]/-}
  mkdir -p "$kernels"
  if [ ! -s "$folder/vmlinux" ]; then
    work=$(mktemp -d "$kernels/.unpack.XXXXXX")
    for deb in "$@"; do dpkg-deb -x "$deb" "$work"; done
    # newer packages keep their modules below usr/lib
    [ -e "$work/lib/modules" ] || { rm -rf "${work:?}/lib"; ln -s usr/lib "$work/lib"; }
    version=$(basename "$work"/boot/vmlinuz-*)
    version=${version#vmlinuz-}
    [ -d "$work/lib/modules/$version" ] || die "no modules for $version in $*"
    depmod -b "$work" "$version"
    node "$here/src/extract-vmlinux.js" "$work/boot/vmlinuz-$version" "$work/vmlinux"
    rm -f "$work/boot/vmlinuz-$version" "$work"/boot/System.map-*
    rm -rf "$work/usr/share/doc"
    chmod 755 "$work"
    # another process may have been quicker: then its folder is as good
    mv -T "$work" "$folder" 2> /dev/null || rm -rf "$work"
    [ -s "$folder/vmlinux" ] || die "could not write $folder"
  fi
  build_initrd "$folder" > /dev/null
  [ -z "$name" ] || ln -sfn "$(basename "$folder")" "$kernels/$name"
  echo "$folder"
}

name=
[ "${1:-}" != --name ] || { name=${2:?}; shift 2; }
case ${1:-} in
  --initrd) build_initrd "${2:?}" ;;
  '' | -*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  *) unpack "$name" "$@" ;;
esac
