#!/bin/sh
# Sets a fresh machine up, builds and boots apps/hello, and then does it again to show that all came from the cache.
set -eu
cd -- "$(dirname -- "$0")/.."
tools/setup/setup.sh tools/setup/programs.txt
PATH=$PWD/node_modules/.bin:$PATH

echo
echo "1. Build and package apps/hello, then boot it"
nx run hello:package
nx run hello:run
echo
echo "2. Once more: everything that is built comes from the cache"
nx run hello:package
nx run hello:run
