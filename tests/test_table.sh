#!/bin/sh
# lsdn-evaluate --methods as its user meets it. (What is measured: tests/test_contest.c.)
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_table.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "lsdn-evaluate --help" "$evaluate" --help
for word in --methods --map-threshold --repeats --costly --sanity --report --gallery McNemar MaxBoxAccV2 Spearman; do printed "$word" "--help says $word"; done

# All methods.
for threads in 1 2; do
	works "all methods with $threads threads" "$evaluate" --methods all --images 12 --costly 2 --sanity 2 --threads $threads
	cp stdout all$threads.txt
	works "all methods in JSON with $threads threads" "$evaluate" --methods all --images 12 --costly 2 --sanity 2 --threads $threads --json
	cp stdout all$threads.json
done
true_that "any number of threads prints the same" cmp all1.txt all2.txt
true_that "and the same JSON" cmp all1.json all2.json
true_that "every line is JSON" is_json all1.json
true_that "what cannot explain is named" grep -q '^lsdn-evaluate: 12 of 12 images are not explained by cam: cam needs' stderr
true_that "rates are said" grep -q '^  prediction-difference  *[0-9.]*$' stderr
for method in lsdn cnn-fixations grad-cam grad-cam++ gradient deconvnet guided-backprop excitation-backprop contrastive-excitation-backprop lrp-epsilon \
	lrp-alpha-beta lrp-argmax occlusion prediction-difference prediction-difference-conditional 'centre box' 'centre point' 'whole photograph'; do
	true_that "a row of $method" grep -q "^  $method  " all1.txt
done
true_that "cam has no figure" test "$(grep -c '"row":"cam"' all1.json)" -eq 0
for measure in 'pointing game, no tolerance' 'pointing game, 15 pixels' 'IoU > 0.5, class known' 'IoU > 0.5, predicted class' 'localisation error' MaxBoxAcc \
	MaxBoxAccV2 'increase in confidence' 'average drop' insertion deletion 'maps of two classes' 'sanity check'; do
	true_that "lsdn has $measure" grep -q "\"row\":\"lsdn\",\"measure\":\"$measure\"" all1.json
	true_that "with an interval and the rule" grep -q "\"row\":\"lsdn\",\"measure\":\"$measure\",\"rule\":\"..*\",\"[a-z]*\":.*\"low\":.*\"high\":.*\"interval\":.*\"images\":" all1.json
done
true_that "others are tested against lsdn" grep -q '"row":"grad-cam","measure":"deletion".*"p":.*"test":"sign flips","pairs":2' all1.json
true_that "shares by McNemar" grep -q '"row":"grad-cam","measure":"increase in confidence".*"test":"McNemar","pairs":12' all1.json
true_that "lsdn is not" test "$(grep '"row":"lsdn"' all1.json | grep -c '"p":')" -eq 0
true_that "costly methods have their images" grep -q '"row":"occlusion","measure":"pointing game, no tolerance".*"images":2' all1.json
true_that "thresholds are said" grep -q '"measure":"MaxBoxAccV2".*"thresholds":\[[0-9.]*,[0-9.]*,[0-9.]*\]' all1.json

# The same as without --methods.
count() { sed -n "s/.*\"row\":\"$1\",\"measure\":\"$2\".*\"count\":\([0-9]*\)[,}].*/\1/p" "$3"; }
works "the explainer alone" "$evaluate" --images 12 --json
cp stdout alone.json
for measure in 'localisation error' 'IoU > 0.5, predicted class'; do
	true_that "$measure is the explainer's own" test "$(count lsdn "$measure" all1.json)" = "$(count explainer "$measure" alone.json)"
done
true_that "so is the class known" test "$(count lsdn 'IoU > 0.5, class known' all1.json)" = "$(count explainer 'IoU > 0.5, annotated class' alone.json)"
true_that "so is the centre box's" test "$(count 'centre box' 'localisation error' all1.json)" = "$(count 'centre box' 'localisation error' alone.json)"

# Some methods, draws, thresholds.
works "one method" "$evaluate" --methods grad-cam --images 6 --costly 0 --sanity 0
true_that "has lsdn beside it" grep -q '^  lsdn ' stdout
true_that "and no other" test "$(grep -c '^  cnn-fixations\|^  occlusion' stdout)" -eq 0
true_that "nor curves" test "$(grep -ci 'area under\|Spearman' stdout)" -eq 0
works "another threshold" "$evaluate" --methods grad-cam --images 6 --costly 0 --sanity 0 --map-threshold 0.4
printed 'at or over 0.4 of its maximum' "is said"
works "draws" "$evaluate" --methods grad-cam++,lsdn --images 5 --costly 1 --sanity 1 --repeats 3
printed '^3 draws of 5 images' "are said"
printed 'draws [0-9.]* +- [0-9.]*' "with mean and deviation"
works "draws in JSON" "$evaluate" --methods grad-cam++ --images 5 --costly 1 --sanity 1 --repeats 3 --json
true_that "three of them" grep -q '"measure":"pointing game, no tolerance".*"draws":\[[0-9.]*,[0-9.]*,[0-9.]*\]' stdout
works "one image" "$evaluate" --methods all --images 1 --costly 1 --sanity 1
printed '^embedded (1 images)' "is enough"
works "five crops" "$evaluate" --methods gradient --images 2 --costly 1 --sanity 1 --set view=five
cp "$source/weights/embedded.onnx" net.onnx && grep -v labels "$source/weights/embedded.cfg" >net.cfg
works "a network without labels" "$evaluate" --model net.onnx --methods grad-cam --images 4 --costly 1 --sanity 1
true_that "is right about no class" test "$(grep -c 'class known\|Localisation error\|^MaxBoxAcc' stdout)" -eq 0

# The page.
without_rates() { sed '/<h2>Images a second/,$d' "$1"; }
for threads in 1 2; do
	works "a page with $threads threads" "$evaluate" --methods grad-cam,cam --images 5 --costly 2 --sanity 1 --threads $threads --report page$threads.html
	without_rates page$threads.html >same$threads.html
done
true_that "any number of threads writes the same but for rates" cmp same1.html same2.html
true_that "it is a whole page" test "$(tail -n 1 page1.html)" = '</html>' -a "$(head -n 1 page1.html)" = '<!DOCTYPE html>'
true_that "nothing is from elsewhere" test "$(grep -c 'src="[^d]\|href=\|url(\|@import\|<script\|<link' page1.html)" -eq 0
# three photographs, each with itself, lsdn, grad-cam and the centre point
true_that "pictures are within it" test "$(grep -o 'src="data:image/jpeg;base64,' page1.html | grep -c .)" -eq 12
true_that "a line a method and curve" test "$(grep -c '<polyline' page1.html)" -eq 6
true_that "every figure of the text is there" grep -q "<td>$(sed -n 's/^  grad-cam  *\([0-9.]*\)  \[.*p = .*/\1/p' stdout | head -n 1)</td>" page1.html
works "generate" "$calibrate" --generate data --images 6
mv data/images/generated_00000005.png 'data/images/a<b>&.png' && mv data/annotations/generated_00000005.xml 'data/annotations/a<b>&.xml'
works "chosen images" "$evaluate" --methods lsdn --data data --costly 0 --sanity 0 --report page3.html --gallery 'a<b>&.png,generated_00000001.png'
true_that "are shown" grep -q '<h3>generated_00000001.png: ' page3.html
true_that "names are text" grep -q '<h3>a&lt;b&gt;&amp;.png: ' page3.html
true_that "no others are" test "$(grep -c '<h3>generated_' page3.html)" -eq 1
gives 1 "'nothing.png' is none of the images" "no such image" "$evaluate" --methods lsdn --data data --report never.html --gallery nothing.png
gives 1 'no/such' "no such folder" "$evaluate" --methods lsdn --images 2 --report no/such/page.html
if limited 8 sh -c 'echo' >/dev/null 2>&1; then gives 1 'never.html' "a full disk" limited 8 "$evaluate" --methods lsdn --images 3 --costly 0 --sanity 0 --report never.html; fi
mv 'data/images/a<b>&.png' data/images/generated_00000005.png && mv 'data/annotations/a<b>&.xml' data/annotations/generated_00000005.xml

# Images that cannot be used.
echo 'not a picture' >data/images/text.png && cp data/annotations/generated_00000000.xml data/annotations/text.xml
cp "$source/tests/data/annotations/no-box.xml" data/annotations/generated_00000002.xml
gives 0 '^2 images were skipped' "what cannot be used is skipped" "$evaluate" --methods lsdn --data data
true_that "and listed" test "$(grep -c '^  .*text.png\|^  .*00000002.xml' stderr)" -eq 2
rm data/images/generated_0000000[013456789].png
gives 1 '--set target=predicted' "another class" "$evaluate" --methods lsdn --set target=annotated
works "the last word on it" "$evaluate" --methods grad-cam --images 2 --costly 0 --sanity 0 --set target=annotated --set target=predicted
gives 1 'none of 2 images is usable' "nothing to measure" "$evaluate" --methods lsdn --data data

for wrong in '--methods' '--methods nothing' '--methods grad-cam,' '--methods all --repeats 0' '--methods all --map-threshold 2' '--report x.html' '--methods all --gallery x.png' '--repeats 2' '--costly 2' '--sanity 2' \
	'--methods all --costly x' '--boxes x --ids x --data x --methods all'; do
	usage "$wrong" "$evaluate" $wrong
done
interrupt "Ctrl-C" INT "$evaluate" --methods grad-cam --images 1000000 --progress
printed '^  grad-cam  ' "prints what was measured so far"
true_that "and on how much" grep -q 'interrupted: [1-9][0-9]* of 1000000 images were measured' stderr
interrupt "Ctrl-C in a costly part" INT "$evaluate" --methods prediction-difference --images 3 --costly 3 --sanity 3 --progress --threads 1
printed '^embedded (3 images)' "prints the rest"
summary
