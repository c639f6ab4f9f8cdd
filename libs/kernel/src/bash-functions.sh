# Read by each bash that make starts, by BASH_ENV. When Unikraft's make reads its build files it asks for the folder of
# each source, hundreds of times, and where tools are: bash can answer without starting further programs.
mkdir() {
	if [[ $1 == -p && $# == 2 && -d $2 ]]; then return; fi
	command mkdir "$@"
}
which() { type -P "$@"; }
