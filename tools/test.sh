#!/bin/sh
# Sets a fresh machine up and runs every check of the project: format, lint, types, unit and end-to-end tests.
set -eu
cd -- "$(dirname -- "$0")/.."
tools/setup/setup.sh tools/setup/programs.txt tools/setup/test-programs.txt
tools/setup/npm-packages.sh tools/release/test
PATH=$PWD/node_modules/.bin:$PATH:/usr/sbin:/sbin

npm run --silent check
vitest run "$@"
