#!/bin/sh
# lsdn-evaluate as its user meets it, where it measures an explainer. (Files of boxes: tests/test_boxes.c.)
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_evaluate.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "lsdn-evaluate --help" "$evaluate" --help
printed '^Usage: ' "--help says how to use it"
for word in Wilson 'normal approximation' Jaccard Ctrl-C 'Exit status'; do printed "$word" "--help says $word"; done

# The same images give the same numbers, and those that a calibration gives.
works "generate" "$calibrate" --generate data --images 48
works "calibrate" "$calibrate" --data data --images 40 --arms 2 --seed 5 --output one.cfg
hits() { sed -n "s/.*row = \"$1\".*hits = \([0-9]*\).*/\1/p" one.cfg; }
count() { sed -n "s/.*\"row\":\"$1\",\"measure\":\"$2\".*\"count\":\([0-9]*\),\"images\":40.*/\1/p" ones.json; }
for threads in 1 2; do
	works "with $threads threads" "$evaluate" --data data --images 40 --seed 5 --threads $threads
	cp stdout ones$threads.txt
	works "--json with $threads threads" "$evaluate" --data data --images 40 --seed 5 --threads $threads --json
	cp stdout ones$threads.json
done
true_that "any number of threads prints the same" cmp ones1.txt ones2.txt
true_that "and the same JSON" cmp ones1.json ones2.json
mv ones1.json ones.json
true_that "every line is JSON" is_json ones.json
true_that "the explainer's hits are the calibration's" test "$(count explainer 'IoU > 0.5, predicted class')" -eq "$(hits 'weights (1, 1, 1)')"
true_that "so are the centre box's" test "$(count 'centre box' 'IoU > 0.5')" -eq "$(hits 'centre box')"
true_that "and the whole photograph's" test "$(count 'whole photograph' 'IoU > 0.5')" -eq "$(hits 'whole photograph')"
both=$(count explainer 'IoU > 0.5 and right class')
true_that "the localisation error is what is left" test "$(count explainer 'localisation error')" -eq $((40 - both))
true_that "means have no count" test "$(grep -c '"mean":.*"images":40' ones.json)" -eq 4 -a "$(grep '"mean":' ones.json | grep -c '"count"')" -eq 0
true_that "alpha is printed" grep -q 'alpha = (1.0000, 1.0000, 1.0000).*alpha_suc changes no selection' ones1.txt

works "a weights file" "$evaluate" --data data --images 40 --seed 5 --weights one.cfg
printed "alpha = ($(sed -n 's/^  cur = \(0\.....\).*/\1/p' one.cfg)" "its alpha is used"
gives 0 'another model' "weights of another model are used with a warning" "$evaluate" --data data --images 3 --weights "$source/weights/googlenet.cfg"
works "five crops" "$evaluate" --data data --images 10 --set view=five
true_that "say something else" test "$(grep -c . stdout)" -gt 10 -a "$(cat stdout)" != "$(cat ones1.txt)"
works "generated images" "$evaluate" --images 12
printed 'embedded (12 images)' "and the embedded network where nothing is named"
works "CNN-Fixations" "$evaluate" --images 12 --set method=cnn-fixations
true_that "has no gate" test "$(grep -c 'gate = evidence' stdout)" -eq 0 -a "$(grep -c 'gate = none' stdout)" -eq 4
cp "$source/weights/embedded.onnx" net.onnx && grep -v labels "$source/weights/embedded.cfg" >net.cfg
works "a network without labels" "$evaluate" --model net.onnx --data data --images 12
true_that "is right about no class" test "$(grep -c 'right class\|annotated class\|localisation error' stdout)" -eq 0
printed 'IoU > 0.5, predicted class' "but about boxes"

# Fewer images than are wanted, and such as cannot be used.
gives 0 '100 images are wanted, 48 of 48' "more images than there are" "$evaluate" --data data --images 100
mkdir mixed mixed/images mixed/annotations
for n in 0 1 2; do cp data/images/generated_0000000$n.png mixed/images && cp data/annotations/generated_0000000$n.xml mixed/annotations; done
echo 'not a picture' >mixed/images/text.png && cp data/annotations/generated_00000000.xml mixed/annotations/text.xml
cp data/images/generated_00000003.png mixed/images/nan.png && cp "$source/tests/data/annotations/nan.xml" mixed/annotations
gives 0 '^2 images were skipped' "what cannot be used is skipped" "$evaluate" --data mixed
true_that "and listed" test "$(grep -c '^  .*text.png\|^  .*nan.xml' stderr)" -eq 2
printed '(3 images)' "the rest is measured"
rm mixed/images/generated_*
gives 1 'none of 2 images is usable' "nothing to measure" "$evaluate" --data mixed

# What is wrong.
for wrong in --images=0 --images=x --seed=-1 --threads=0 --set=gate=open stray '--ids x' '--names x' '--boxes x' '--boxes x --ids x' \
	'--boxes x --ids x --data x --images 5' '--boxes x --ids x --data x --model x' '--boxes x --ids x --data x --set gate=none'; do
	usage "$wrong" "$evaluate" $wrong
done
gives 1 'nowhere' "no such data" "$evaluate" --data nowhere
gives 1 'nowhere.onnx' "no such model" "$evaluate" --model nowhere.onnx
gives 1 'nowhere.cfg' "no such weights" "$evaluate" --weights nowhere.cfg
sed 's/k_conv = .*/k_conv = 0;/' one.cfg >bad.cfg
gives 1 'bad.cfg:[0-9]*:.*k_conv' "damaged weights" "$evaluate" --weights bad.cfg --images 3
full() { status=0; "$@" >/dev/full 2>stderr || status=$?; test $status -eq 1 && grep -q 'standard output' stderr; }
if test -c /dev/full; then
	true_that "full standard output" full "$evaluate" --images 3
	true_that "full standard output: JSON" full "$evaluate" --images 3 --json
else skip "full standard output: no /dev/full"; fi

interrupt "Ctrl-C" INT "$evaluate" --images 1000000 --progress
printed 'IoU > 0.5, predicted class' "prints what was measured so far"
true_that "and on how much" grep -q 'interrupted: [1-9][0-9]* of 1000000 images were measured' stderr
summary
