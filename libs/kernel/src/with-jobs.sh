#!/bin/sh
# Runs a program with a named pipe open as descriptor 3, from which make takes the right to start further jobs:
#   with-jobs.sh PIPE PROGRAM [ARGUMENT]...
set -eu
exec 3<>"$1"
shift
exec "$@"
