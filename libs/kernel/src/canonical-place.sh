#!/bin/sh
# Runs a program where folders lie at paths that are the same on every machine:
#   canonical-place.sh STAGE [HOST_FOLDER NAME]... -- PROGRAM [ARGUMENT]...
# Each HOST_FOLDER becomes /mnt/NAME. It is started in a mount namespace of its own, so nobody else sees the mounts and
# they end with it. STAGE is an empty folder: the mounts are made there and then moved, so that folders which
# themselves lie below /mnt can be mounted too. With -n mount does not note them in /run, which ordinary users may not.
set -eu
stage=$1
shift
mount -n -t tmpfs -o mode=755 tmpfs "$stage"
while [ "$1" != -- ]; do
	mkdir -p "$stage/$2"
	mount -n --bind "$1" "$stage/$2"
	shift 2
done
shift
# What else lies below /mnt, such as the disks of Windows, and maybe all of this workspace, stays there.
for folder in /mnt/*/; do
	name=${folder%/}
	name=${name##*/}
	[ -d "$folder" ] && [ ! -e "$stage/$name" ] || continue
	mkdir "$stage/$name"
	mount -n --rbind "$folder" "$stage/$name"
done
mount -n --move "$stage" /mnt
exec "$@"
