#!/bin/sh
# Installs the npm packages of a folder from its lock file, unless that was done since the lock file changed.
#   npm-packages.sh FOLDER
set -eu
cd -- "$1"
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
	echo "Installing npm packages of $(basename -- "$PWD")"
	npm ci --no-audit --no-fund --loglevel=error
fi
