# What the scripts that test programs check with: counts, runs, and files made or damaged by POSIX tools alone.
passed=0 failed=0 skipped=0
LC_ALL=C
export LC_ALL

# Every script works in a folder of its own in the build folder.
bandit=$PWD/lsdn-bandit explain=$PWD/lsdn-explain calibrate=$PWD/lsdn-calibrate evaluate=$PWD/lsdn-evaluate
mkdir -p tests
work=$PWD/tests/programs.$$
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work" || exit 1
case $srcdir in /*) source=$srcdir ;; *) source=$PWD/$srcdir ;; esac
cd "$work" || exit 1
# Where the programs are built with sanitizers: fontconfig keeps what it read for the life of the process.
echo 'leak:libfontconfig' >leaks
LSAN_OPTIONS=${LSAN_OPTIONS-suppressions=$work/leaks:print_suppressions=0}
export LSAN_OPTIONS

# Presets of the source tree are for those who use it: checks are of what their commands say.
LSDN_PRESETS=
export LSDN_PRESETS

ok() { passed=$((passed + 1)); echo "ok $((passed + failed)) - $1"; }
no() { failed=$((failed + 1)); echo "FAIL - $1"; shift; for line; do echo "  $line"; done; }
skip() { skipped=$((skipped + 1)); echo "skipped - $1"; }

# run COMMAND...: output and messages go into files, the exit status into $status.
run() { status=0; "$@" >"$work/stdout" 2>"$work/stderr" || status=$?; }

# Says what the last run did, after a failed check.
no_run() { no "$1" "exit status $status, wanted $2${3:+ and a message with \"$3\"}" "$(head -n 3 "$work/stderr")"; }

# No half-written file may stay: neither a temporary one nor the output that was asked for.
left_behind() { find "$work" -name '.lsdn-*' -o -name 'never.*'; }

# gives STATUS PATTERN WHAT COMMAND...: status and a message that the pattern (of grep) matches; nothing half-written may stay.
gives() {
	wanted=$1 pattern=$2 what=$3
	shift 3
	run "$@"
	left=$(left_behind)
	if test "$status" -ne "$wanted" || { test -n "$pattern" && ! grep -q -- "$pattern" "$work/stderr"; }; then no_run "$what" "$wanted" "$pattern"
	elif test -n "$left"; then no "$what" "left behind: $left"
	else ok "$what"; fi
	test -z "$left" || find "$work" \( -name '.lsdn-*' -o -name 'never.*' \) -exec rm -f {} +
}

works() { what=$1; shift; gives 0 '' "$what" "$@"; }
usage() { what=$1; shift; gives 2 'Try' "usage: $what" "$@"; }

# true_that WHAT COMMAND...
true_that() { what=$1; shift; if "$@" >/dev/null 2>&1; then ok "$what"; else no "$what" "not true: $*"; fi; }

# printed PATTERN WHAT: standard output of the last run.
printed() { if grep -q -- "$1" "$work/stdout"; then ok "$2"; else no "$2" "printed: $(head -n 2 "$work/stdout")"; fi; }

# is_json FILE: every line, reduced from the inside out, becomes one value.
is_json() {
	test -s "$1" && ! sed -e 's/\\["\\\/bfnrt]/x/g' -e 's/\\u[0-9a-fA-F]\{4\}/x/g' -e 's/"[^"\\]*"/S/g' \
		-e 's/-\{0,1\}[0-9][0-9]*\(\.[0-9][0-9]*\)\{0,1\}\([eE][-+]\{0,1\}[0-9][0-9]*\)\{0,1\}/V/g' -e 's/true/V/g' -e 's/false/V/g' -e 's/null/V/g' \
		-e ':again' -e 's/{S:[VS]\(,S:[VS]\)*}/V/g' -e 's/\[\([VS]\(,[VS]\)*\)\{0,1\}\]/V/g' -e 't again' "$1" | grep -qv '^V$'
}

# place_of FILE FROM BYTES (as printf writes them): where they first lie in the 32 KiB from there, in bytes from 0.
place_of() {
	tail -c +$(($2 + 1)) "$1" | od -An -v -tx1 -N 32768 | awk -v from="$2" -v bytes="$(printf "$3" | od -An -v -tx1 | tr -d '\n')" '
		{ all = all $0 } END { at = index(all, bytes); if (at) print from + (at - 1) / 3; else print -1 }'
}

size_of() { wc -c <"$1" | tr -d ' '; }

# cut_to FILE BYTES NEW
cut_to() { dd if="$1" of="$3" bs="$2" count=1 2>/dev/null; }

# overwrite FILE PLACE BYTES (as printf writes them)
overwrite() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }

# npy FILE SHAPE NUMBERS: zeros.
npy() {
	{
		printf '\223NUMPY\001\000\166\000'
		printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($2), }"
		dd if=/dev/zero bs=4 count="$3" 2>/dev/null
	} >"$1"
}

# limited BLOCKS COMMAND...: as on a full disk; the signal that a limit sends is ignored.
limited() { (trap '' XFSZ; ulimit -f "$1"; shift; exec "$@"); }

# interrupt WHAT SIGNAL COMMAND...: Ctrl-C, once the program says that it is at work.
interrupt() {
	what=$1 signal=$2
	shift 2
	"$@" >stdout 2>stderr &
	child=$! seconds=0
	while test $seconds -lt 20 && ! test -s stderr && ! test -d stopped; do sleep 1; seconds=$((seconds + 1)); done
	sleep 1
	kill -s "$signal" $child
	status=0
	wait $child || status=$?
	if test $status -ne 0 && grep -q 'interrupted' stderr && test -z "$(left_behind)"; then ok "$what"; else no_run "$what" "other than 0" interrupted; fi
}

summary() {
	echo "$passed passed, $failed failed, $skipped skipped"
	test "$failed" -eq 0
}
