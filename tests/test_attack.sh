#!/bin/sh
# lsdn-evaluate --attack as its user meets it. (The attack itself: tests/test_attack.c.)
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_attack.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

for threads in 1 2; do
	works "an attack with $threads threads" "$evaluate" --attack deepfool --images 12 --seed 3 --threads $threads --pictures pictures$threads
	cp stdout attack$threads.txt
	works "--json with $threads threads" "$evaluate" --attack deepfool --images 12 --seed 3 --threads $threads --json
	cp stdout attack$threads.json
done
true_that "any number of threads prints the same" cmp attack1.txt attack2.txt
true_that "and the same JSON" cmp attack1.json attack2.json
true_that "and draws the same pictures" diff -r pictures1 pictures2
true_that "every line is JSON" is_json attack1.json
fooled=$(sed -n 's/.*"row":"attack","measure":"another class".*"count":\([0-9]*\),"images":12.*/\1/p' attack1.json)
true_that "most images are fooled" test "$fooled" -ge 10
true_that "each of those has a picture" test "$(ls pictures1 | wc -l)" -eq "$fooled"
value() { sed -n "s/.*\"row\":\"$1\",\"measure\":\"$2\",\"mean\":\([0-9.e-]*\).*/\1/p" attack1.json; }
higher() { awk "BEGIN { exit !($1 > $2) }"; }
true_that "the original class loses" higher "$(value 'original class' 'probability before')" "$(value 'original class' 'probability after')"
true_that "the new one gains" higher "$(value 'new class' 'probability after')" "$(value 'new class' 'probability before')"
true_that "the change is small" higher 5 "$(value attack 'perturbation, percent of image')"
true_that "noise of the same size fools less" test "$(sed -n 's/.*"row":"same noise","measure":"another class".*"count":\([0-9]*\).*/\1/p' attack1.json)" -lt "$fooled"
true_that "and moves the maps less" higher "$(value 'same noise' 'maps: rank correlation')" "$(value 'original class' 'maps: rank correlation')"
true_that "what is attacked is said" grep -q 'DeepFool: 10 classes, overshoot 0.02, at most 50 iterations' attack1.txt
works "the centre of photographs" "$evaluate" --attack deepfool --images 2 --set view=center
gives 1 'one picture: set view=full' "five crops" "$evaluate" --attack deepfool --images 2 --set view=five
echo text >file
gives 1 'file/.*png' "pictures where no folder is" "$evaluate" --attack deepfool --images 2 --pictures file
gives 1 'nowhere' "no such data" "$evaluate" --attack deepfool --data nowhere
for wrong in '--attack other' '--attack deepfool stray' '--attack deepfool --unseen --weights x' '--attack deepfool --boxes x' '--pictures x' \
	'--attack deepfool --weights x --weights y'; do
	usage "$wrong" "$evaluate" $wrong
done
interrupt "Ctrl-C" INT "$evaluate" --attack deepfool --images 100000 --progress
printed 'another class' "prints what was measured so far"
summary
