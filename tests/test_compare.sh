#!/bin/sh
# lsdn-evaluate --compare as its user meets it: the embedded network, and the same with a wrong mean.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_compare.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "generate" "$calibrate" --generate data --images 30
cp "$source/weights/embedded.onnx" "$source/weights/embedded.cfg" "$source/weights/embedded-labels.txt" .
# The same network whose means are wrong is another one.
cp embedded.onnx other.onnx
sed 's/mean = .*/mean = [ 20.0, 20.0, 20.0 ];/' embedded.cfg >other.cfg
true_that "the other network's input is another" test "$(cat other.cfg)" != "$(cat embedded.cfg)"

for threads in 1 2; do
	works "a comparison with $threads threads" "$evaluate" --compare embedded.onnx other.onnx --data data --images 30 --threads $threads --pictures pictures$threads
	cp stdout compared$threads.txt
	works "--json with $threads threads" "$evaluate" --compare embedded.onnx other.onnx --data data --images 30 --threads $threads --json
	cp stdout compared$threads.json
done
true_that "any number of threads prints the same" cmp compared1.txt compared2.txt
true_that "and the same JSON" cmp compared1.json compared2.json
true_that "and draws the same" diff -r pictures1 pictures2
true_that "every line is JSON" is_json compared1.json
count() { sed -n "1s/.*\"$1\":\([0-9]*\).*/\1/p" compared1.json; }
only=$(($(count only_first) + $(count only_second)))
true_that "every image is counted once" test $((only + $(count both) + $(count neither))) -eq 30
true_that "they differ" test "$only" -gt 0
true_that "each image on which they differ is listed" test "$(grep -c '"annotated"' compared1.json)" -eq "$only"
true_that "by one that is right and one that is not" test "$(grep -c '"annotated".*"right":true.*"right":false\|"annotated".*"right":false.*"right":true' compared1.json)" -eq "$only"
true_that "and printed" test "$(grep -c '^  generated_.*; A .*; B ' compared1.txt)" -eq "$only"
true_that "and drawn" test "$(ls pictures1 | grep -c '\.png\.png$')" -eq "$only"
true_that "the page has each" test "$(grep -c '<img ' pictures1/index.html)" -eq "$only"
true_that "and nothing from elsewhere" sh -c '! grep -o "src=\"[^\"]\{5\}\|href\|url(" pictures1/index.html | grep -v "src=\"data:"'

# The counts are those of the networks alone.
right() { "$evaluate" --model "$1" --data data --images 30 --json 2>/dev/null | sed -n 's/.*"measure":"right class".*"count":\([0-9]*\).*/\1/p'; }
true_that "the first is as often right as it is alone" test "$(right embedded.onnx)" -eq $(($(count both) + $(count only_first)))
true_that "so is the second" test "$(right other.onnx)" -eq $(($(count both) + $(count only_second)))
works "a network and itself" "$evaluate" --compare embedded.onnx embedded.onnx --data data --images 10
printed "McNemar's exact p = 1$" "are no different"
printed 'Only A is right: none' "and differ on nothing"
works "calibrate" "$calibrate" --data data --images 20 --arms 2 --output one.cfg
sed 's/k_fc = .*/k_fc = 1;/' one.cfg >two.cfg
works "a weights file for each" "$evaluate" --compare embedded.onnx embedded.onnx --weights one.cfg --weights two.cfg --data data --images 3
gives 1 'nowhere.cfg' "no second weights file" "$evaluate" --compare embedded.onnx embedded.onnx --weights one.cfg --weights nowhere.cfg --data data --images 3

grep -v labels embedded.cfg >bare.cfg && cp embedded.onnx bare.onnx
gives 1 'bare.onnx: has no labels' "a network without labels" "$evaluate" --compare embedded.onnx bare.onnx --data data --images 3
gives 1 'nowhere.onnx' "no such network" "$evaluate" --compare embedded.onnx nowhere.onnx --data data
for wrong in '--compare embedded.onnx' '--compare' '--compare a b c' '--compare a b --model c' '--compare a b --attack deepfool' '--compare a b --weights x --weights y --weights z' \
	'--compare a b --unseen' '--weights x --weights y'; do
	usage "$wrong" "$evaluate" $wrong
done
summary
