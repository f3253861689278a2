#!/bin/sh
# lsdn-bandit as its user meets it: arms, tables, what it prints and plots, wrong usage, damaged tables, full disks.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_bandit.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "--help" "$bandit" --help
printed '^Usage: ' "--help says how to use it"
printed '^  ucb1 .*sqrt(2 ln t / n)' "and what each solver does"
works "--version" "$bandit" --version
small='--arms 0.2,0.5,0.6 --trials 500 --runs 40'
works "arms of probabilities" "$bandit" $small
printed '^3 arms, the best with mean 0.6; Lai-Robbins ' "the arms are described"
printed '^Mean cumulative regret' "regret is printed"
printed '^ *500 ' "up to the last trial"
printed '^Runs whose answer is the best arm' "and how often the answer is right"
for threads in 1 2 5; do
	works "--json with $threads threads" "$bandit" $small --json --threads $threads
	cp stdout $threads.jsonl
done
true_that "is JSON" is_json 1.jsonl
for key in solver trials runs regret regret_error correct drawn lai_robbins; do printed "\"$key\":" "JSON has $key"; done
for solver in ucb1 agrawal kl-ucb thompson race sweep; do
	true_that "$solver is in it, up to the last trial" grep -q "{\"solver\":\"$solver\",\"trials\":500,\"runs\":40," 1.jsonl
	works "--solver $solver" "$bandit" $small --json --solver $solver
	grep "\"$solver\"" 1.jsonl >alone
	true_that "$solver says the same alone" cmp alone stdout
done
true_that "any number of threads gives the same bytes" cmp 1.jsonl 2.jsonl
true_that "more threads than cores too" cmp 1.jsonl 5.jsonl
works "another seed" "$bandit" $small --json --seed 2
true_that "is another result" sh -c '! cmp -s 1.jsonl stdout'
works "--factor 0" "$bandit" $small --json --solver agrawal,kl-ucb --factor 0
grep agrawal stdout | sed 's/agrawal/kl-ucb/' >factor0
grep kl-ucb stdout >klucb
true_that "makes agrawal kl-ucb" cmp factor0 klucb
works "a race" "$bandit" --arms 0.1,0.9 --solver race --delta 0.1 --runs 20
printed '^race drew [0-9.]* of 10000 rewards on average' "says what it drew"
works "arms that are all the same" "$bandit" --arms 0,0 --trials 50 --runs 3 --output same.png
printed 'Lai-Robbins 0 ln t' "have no regret"
works "two trials" "$bandit" --arms 1,0 --trials 2 --runs 1 --output two.svg

awk 'BEGIN { print "0.05,0.10,last"; for (i = 0; i < 60; i++) print (i % 2) "," (i % 3 == 0) "," (i % 4 != 0) }' >rewards.csv
works "a table of rewards" "$bandit" --table rewards.csv --runs 30
printed '^3 arms, the best with mean 0.75 (last, of 60 rewards)' "names its best arm"
printed '^ *180 ' "and draws it to the end"
works "its JSON" "$bandit" --table rewards.csv --runs 30 --json
true_that "is right in every run then" test "$(grep '"trials":180,' stdout | grep -c '"correct":1.0,')" -eq 6
for suffix in png svg pdf; do
	works "--output plot.$suffix" "$bandit" $small --output plot.$suffix
	cp plot.$suffix again.$suffix
	works "again" "$bandit" $small --output plot.$suffix --threads 1
	true_that "is the same file" cmp plot.$suffix again.$suffix
done
true_that "a PNG" grep -aq '^.PNG' plot.png
true_that "an SVG" grep -q '<svg' plot.svg
true_that "a PDF" grep -aq '^%PDF-' plot.pdf
cp rewards.csv "$(printf 'b\351.csv')"
works "a name that is not UTF-8" "$bandit" --table "$(printf 'b\351.csv')" --runs 2 --output bad-name.png
works "--progress" "$bandit" $small --solver ucb1 --progress
true_that "shows progress" grep -q 'ucb1: 40 of 40' stderr
works "no terminal" "$bandit" $small
true_that "no progress" test ! -s stderr

usage "no arms" "$bandit"
usage "two kinds of arms" "$bandit" --arms 0.1,0.2 --table rewards.csv
usage "an argument" "$bandit" --arms 0.1,0.2 rewards.csv
for arms in 0.5 '' 0.1, ,0.1 0.1,1.1 0.1,-0.1 0.1,nan 0.1,x 0.1:0.2; do usage "--arms '$arms'" "$bandit" --arms="$arms"; done
for wrong in --solver= --solver=ucb2 --solver=ucb1,ucb1 --solver=ucb1, --solver=ucb1ucb1ucb1ucb1ucb1 --trials=1 --trials=x --runs=0 --delta=0 --delta=1 --delta=nan \
	--factor=-1 --factor=x --seed=-1 --threads=0 --output=never.jpg --output=never; do
	usage "$wrong" "$bandit" $small "$wrong"
done

# table WHAT PATTERN TEXT (as printf writes it)
table() { printf "$3" >bad.csv; gives 1 "lsdn-bandit: bad.csv$2" "table: $1" "$bandit" --table bad.csv --output never.png; }
table "empty" ': is empty' ''
table "names alone" ': 0 rows' 'a,b\n'
table "one arm" ':1: 1 arms' 'a\n1\n'
table "a row that is short" ':3: 1 fields' 'a,b\n0,1\n1\n'
table "a row that is long" ':2: 3 fields' 'a,b\n0,1,0\n'
table "no number" ':2: "x" for b' 'a,b\n0,x\n'
table "another number" ':3: "0.5" for a' 'a,b\n0,1\n0.5,1\n'
table "two of a name" ':1: two arms' 'a,a\n0,1\n'
table "binary" ': holds a zero byte' 'a,b\n0,\000\n'
gives 1 'No such file' "no table" "$bandit" --table nowhere.csv
gives 1 'not a regular file' "a folder" "$bandit" --table .
gives 1 'cannot be written' "a folder that is not there" "$bandit" $small --output nowhere/never.png
gives 1 'cannot be written' "a full disk" limited 1 "$bandit" $small --output never.png
if test -c /dev/full; then
	full() { status=0; "$@" >/dev/full 2>stderr || status=$?; test $status -eq 1 && grep -q 'standard output' stderr; }
	true_that "full standard output" full "$bandit" $small
	true_that "full standard output: JSON" full "$bandit" $small --json
else skip "full standard output: no /dev/full"; fi
summary
