#!/bin/sh
# lsdn-evaluate --survey and --survey-score as people meet them; the page itself in Chromium, where it is there (tests/survey_browser.py).
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_survey.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "generate" "$calibrate" --generate data --images 24
cp "$source/weights/embedded.onnx" "$source/weights/embedded.cfg" "$source/weights/embedded-labels.txt" .
cp embedded.onnx second.onnx
sed 's/mean = .*/mean = [ 110.0, 120.0, 130.0 ];/' embedded.cfg >second.cfg
for threads in 1 2; do
	works "a survey with $threads threads" "$evaluate" --survey survey$threads embedded.onnx second.onnx --data data --images 7 --threads $threads
	printed 'survey.html: 7 photographs that both embedded and second get right' "says what it has"
done
true_that "any number of threads writes the same page" cmp survey1/survey.html survey2/survey.html
true_that "with as many photographs" test "$(grep -c 'class="item"' survey1/survey.html)" -eq 7
true_that "and two maps for each" test "$(grep -c '<img ' survey1/survey.html)" -eq 21
true_that "and nothing from elsewhere" sh -c '! grep -q "https\{0,1\}://\|<link\|@import\|url(" survey1/survey.html'
works "one of other choices" "$evaluate" --survey survey3 embedded.onnx second.onnx --data data --images 7 --set blur=0.1
id() { sed -n 's/.*"survey":"\([0-9a-f]*\)".*/\1/p' "$1"; }
true_that "is another survey" test "$(id survey1/survey.html)" != "$(id survey3/survey.html)" -a -n "$(id survey1/survey.html)"
mkdir odd odd/images odd/annotations
name=$(sed -n 's/.*data-image="\([^"]*\)\.png".*/\1/p' survey1/survey.html | head -n 1)
odd='"><script>x&amp;'
cp "data/images/$name.png" "odd/images/$odd.png" && cp "data/annotations/$name.xml" "odd/annotations/$odd.xml"
works "a photograph with an odd name" "$evaluate" --survey survey4 embedded.onnx second.onnx --data odd --images 1
true_that "is no part of the page" grep -q 'data-image="&quot;&gt;&lt;script&gt;x&amp;amp;.png"' survey4/survey.html
works "generated photographs" "$evaluate" --survey survey5 embedded.onnx second.onnx --images 2
gives 1 'cannot be made' "a folder that cannot be" "$evaluate" --survey nowhere/survey embedded.onnx second.onnx --data data --images 2
sed 's/mean = .*/mean = [ -9000.0, -9000.0, -9000.0 ];/' embedded.cfg >blind.cfg && cp embedded.onnx blind.onnx
mkdir one one/images one/annotations
cp "data/images/$name.png" one/images && cp "data/annotations/$name.xml" one/annotations
gives 1 'none of 1 images is one that both networks get right' "nothing to ask" "$evaluate" --survey never embedded.onnx blind.onnx --data one
true_that "writes no page" test ! -f never/survey.html
rmdir never

mkdir answers
if test -x /usr/bin/python3; then run timeout 300 /usr/bin/python3 "$source/tests/survey_browser.py" survey1/survey.html answers; else status=77; fi
if test "$status" -eq 77; then skip "the page in a browser: apt-get install chromium chromium-driver python3"
elif test "$status" -ne 0; then no "the page in a browser" "$(tail -n 3 stderr)"
else
	ok "the page in a browser, with the mouse and with the keyboard alone"
	works "what was answered there" "$evaluate" --survey-score answers/*.json
	printed '^embedded and second: 2 persons, 7 images, 14 answers' "is read"
fi

answer() { printf '{"image":"%s","best":%s,"reliability":[%s],"left":%s}' "$1" "$2" "$3" "$4"; }
person() { printf '{"format":"lsdn-survey-answers","version":1,"survey":"0f","networks":["alexnet","vgg16"],"person":"%s","answers":[%s]}\n' "$1" "$2"; }
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	person "$n" "$(answer x 1 3,4 0),$(answer y 1 2,$((n % 2 + 3)) 1),$(answer z 0 3,3 0)" >person$n.json
done
works "twelve persons" "$evaluate" --survey-score person*.json
cp stdout score.txt
printed '^alexnet and vgg16: 12 persons, 3 images, 36 answers$' "are counted"
printed 'vgg16  *persons who prefer it  *100.000  \[75.751, 100.000\]' "all prefer one, with Wilson's interval"
printed 'sign test of persons: p  *0.000488' "which is no chance"
printed 'alexnet  *reliability, 1 to 5  *2.667  \[2.667, 2.667\]' "reliability"
printed 'alexnet  *normalised: sum over persons  *32.000' "as the paper has it"
printed "Krippendorff's alpha, nominal  *1\.000  \[1\.000, 1\.000\]$" "they agree"
printed "Krippendorff's alpha, ordinal  *0\.[0-9]*  \[-*0\.[0-9]*, [0-9.]*\]$" "less on how reliable maps are"
printed 'map on the left  *answers  *66.667' "sides"
works "the same as JSON" "$evaluate" --survey-score --json person*.json
true_that "every line is JSON" is_json stdout
printed '"row":"vgg16","measure":"persons who prefer it","percent":100.0,.*"persons":12}' "with its numbers"
works "one person" "$evaluate" --survey-score person1.json
printed 'there is none' "agrees with nobody"
cp person1.json again.json
gives 1 'files 1 and 2 are of one person' "a person twice" "$evaluate" --survey-score person1.json again.json
sed 's/0f/0e/' person2.json >other.json
gives 1 'different surveys' "two surveys" "$evaluate" --survey-score person1.json other.json
gives 1 'nowhere.json' "no such file" "$evaluate" --survey-score nowhere.json
head -c 100 person1.json >cut.json
gives 1 'cut.json:1: ' "half a file" "$evaluate" --survey-score person2.json cut.json
sed 's/"reliability":\[3,4\]/"reliability":[3,6]/' person1.json >bad.json
gives 1 'bad.json: answer 1: .reliability. must be whole numbers from 1 to 5' "a number out of range" "$evaluate" --survey-score bad.json
for wrong in '--survey x embedded.onnx' '--survey x' '--survey x a b --compare' '--survey-score' '--survey-score a --data x' '--survey-score a --model x' '--survey x a b --pictures y' \
	'--survey-score a --images 3'; do
	usage "$wrong" "$evaluate" $wrong
done
summary
