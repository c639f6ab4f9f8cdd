#!/bin/sh
# Makes a fresh machine ready: npm packages from the lock file, and the host's programs.
#   setup.sh FILE...   each FILE lists programs, one a line: the program, then Debian's package that has it
# It installs with apt where it may; elsewhere it names exactly what is missing and ends with status 1.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(dirname -- "$(dirname -- "$here")")

missing() { # missing FILE...: the Debian packages of the programs that are not there, without repeats
	# Some programs live where only root's PATH looks.
	PATH=$PATH:/usr/sbin:/sbin
	cat "$@" | grep -v '^#' | while read -r program package; do
		[ -z "$program" ] || command -v "$program" >/dev/null || printf '%s\n' "$package"
	done | sort -u
}

install() { # install PACKAGE...
	if [ "$(id -u)" = 0 ]; then
		as_root=
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		as_root=sudo
	else
		return 1
	fi
	command -v apt-get >/dev/null || return 1
	$as_root apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

wanted=$(missing "$@")
if [ -n "$wanted" ]; then
	# One word a package, on purpose.
	# shellcheck disable=SC2086
	echo "Installing for this machine:" $wanted
	# shellcheck disable=SC2086
	install $wanted || true
	wanted=$(missing "$@")
	if [ -n "$wanted" ]; then
		echo "These packages (by Debian's names) are missing and could not be installed here:" >&2
		# shellcheck disable=SC2086
		printf '  %s\n' $wanted >&2
		exit 1
	fi
fi

"$here/npm-packages.sh" "$top"
