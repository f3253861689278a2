#!/bin/sh
# Fuzzes targets one after the other: run.sh FOLDER SECONDS TARGET..., FOLDER being this one. Each starts from its corpus, its regressions and what
# earlier runs kept in tests/fuzz/found under the current folder, where findings go too. One line a target; fails where there is a finding.
set -u
folder=$1 seconds=$2
shift 2
status=0
for target; do
	name=${target##*/fuzz_}
	found=tests/fuzz/found/$name
	mkdir -p "$found" "$found-crash"
	more=
	test ! -f "$folder/$name.dict" || more=-dict=$folder/$name.dict
	test ! -d "$folder/regressions/$name" || more="$more $folder/regressions/$name"
	result=ok
	# shellcheck disable=SC2086
	"./$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$found-crash/" \
		"$found" "$folder/corpus/$name" $more >"$found.log" 2>&1 || result=FOUND
	awk -v name="$name" -v seconds="$seconds" -v result="$result" '
		/ cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "ft:") ft = $(i + 1) } }
		/^stat::number_of_executed_units/ { runs = $2 }
		END { printf "%-10s %5d s %10d runs  cov %5d  features %6d  %s\n", name, seconds, runs, cov, ft, result }' "$found.log"
	if test "$result" != ok; then
		grep -aE 'ERROR|error:|^ *#[0-9]+ 0x.*[.][ch]:|SUMMARY|not true|written to' "$found.log" | head -n 20
		status=1
	fi
done
exit $status
