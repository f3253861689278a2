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

# What the weights were tuned on.
works "weights with held-out images" "$calibrate" --data data --images 20 --held-out 10 --arms 2 --seed 5 --output part.cfg
gives 0 'part.cfg: was tuned on 20 of the 40 measured images.*--unseen' "images that they were tuned on are noticed" "$evaluate" --data data --images 40 --seed 5 --weights part.cfg
printed 'WARNING: the weights were tuned on 20 of these images; 10 were held out then$' "in the table too"
works "in JSON" "$evaluate" --data data --images 40 --seed 5 --weights part.cfg --json
true_that "in every line" test "$(grep -c '"tuned_on":20}' stdout)" -eq "$(grep -c . stdout)"
works "--unseen" "$evaluate" --data data --images 28 --seed 5 --weights part.cfg --unseen
printed 'embedded (28 images)' "measures as many others"
printed 'tuned on none of these images; 10 were held out then; 20 others are left out' "and says so"
true_that "without a warning" test ! -s stderr
works "all that are left" "$evaluate" --data data --weights part.cfg --unseen
printed 'embedded (28 images)' "are what is measured"
gives 0 '29 images are wanted, 28 of 28' "not more" "$evaluate" --data data --images 29 --weights part.cfg --unseen
true_that "none of them is one that it was tuned on" test "$(sed -n '/calibration_images/,/\]/p' part.cfg | grep -c generated_)" -eq 20
mkdir seen seen/images seen/annotations
for stem in $(sed -n '/calibration_images/,/\]/s/.*"\(generated_[0-9]*\).*/\1/p' part.cfg); do
	cp "data/images/$stem.png" "seen/images/$stem.PNG" && cp "data/annotations/$stem.xml" seen/annotations
done
gives 1 'part.cfg was tuned on all 20 images' "nothing unseen is left" "$evaluate" --data seen --weights part.cfg --unseen
works "all of them, in other files" "$evaluate" --data seen --weights part.cfg
printed 'WARNING: the weights were tuned on all 20 of these images$' "are known by their names"
sed '/calibration_images/,$d' part.cfg >unlisted.cfg && echo '};' >>unlisted.cfg
gives 0 'unlisted.cfg: does not list the images' "weights that do not say" "$evaluate" --data data --images 5 --weights unlisted.cfg
sed '/calibration_images/,/\]/d; s/held_out_images/calibration_images = [ 3 ]; &/' part.cfg >bad.cfg
gives 1 "bad.cfg:[0-9]*: 'calibration_images': must be an array of texts" "a damaged list" "$evaluate" --data data --images 5 --weights bad.cfg
works "weights of generated images" "$calibrate" --images 30 --arms 2 --output made.cfg
works "--unseen makes others up" "$evaluate" --images 25 --weights made.cfg --unseen
printed 'embedded (25 images)' "as many as are wanted"
usage "--unseen without weights" "$evaluate" --images 5 --unseen

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
