#!/bin/sh
# lsdn-calibrate's page: complete, alone, safe with names of any kind, and shown by a browser without a complaint.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_report.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "generate" "$calibrate" --generate plain --images 30
# Every photograph and the network have names that would like to be HTML.
mkdir -p data/images data/annotations
for file in plain/images/*.png; do
	number=$(basename "$file" .png)
	evil="\"'><img src=x onerror=document.title=1>&amp;$(printf '\377\033')$number"
	cp "$file" "data/images/$evil.png" && cp "plain/annotations/$number.xml" "data/annotations/$evil.xml"
done
net='<b onclick="1">&net'
cp "$source/weights/embedded.onnx" "$net.onnx" && cp "$source/weights/embedded.cfg" "$net.cfg" && cp "$source/weights/embedded-labels.txt" . && chmod u+w ./*
learn="$calibrate --data data --images 20 --held-out 8 --arms 4"

# once NAME ARGUMENTS...
once() {
	name=$1
	shift
	works "$name" $learn --model "$net.onnx" --output "$name.cfg" --report "$name.html" "$@"
}
# lines NAME COUNT PATTERN WHAT: so many times in the page.
count() { true_that "$1: $4" test "$(grep -o -- "$3" "$1.html" | wc -l)" -eq "$2"; }

once one --tune k_conv=1,2 --threads 1
once two --tune k_conv=1,2 --threads 2
true_that "the same page with any number of threads" test "$(sed '/<dt>command/d' one.html | cksum)" = "$(sed '/<dt>command/d' two.html | cksum)"
verdict=$(sed -n 's/^  verdict = "\(.*\)";$/\1/p' one.cfg | sed -e "s/'/\&#39;/g" -e 's/>/\&gt;/g')
true_that "its sentence is that of the weights file" grep -q -F "<p class=\"verdict\">$verdict</p>" one.html
count one 2 '<caption>On ' "a table of held-out and one of tuned images"
count one 10 '^<tr><th scope="row">[A-Za-z][^0-9]*</th><td>[0-9]*</td><td>[0-9.]*</td><td>[0-9.]* to' "five rows in each"
count one 1 '<tr><th scope="row">k_conv</th><td>1, 2</td><td>1</td>' "what was tuned, and on which values"
count one 6 '<svg ' "arms and regret of three weights and a choice, one of which is not identifiable"
count one 3 'src="data:image/png;base64,' "the rewards of the three as pictures"
true_that "photographs, right and wrong ones" test "$(grep -c 'src="data:image/jpeg;base64,' one.html)" -ge 3 -a "$(grep -c 'src="data:image/jpeg;base64,' one.html)" -le 6
count one 1 'Cannot be identified: all 4 arms are one setting' "what cannot be identified is said"
true_that "the seed, the network's hash and the command" grep -q "<dd>$(sed -n 's/^  sha256 = "\(.*\)";$/\1/p' one.cfg)</dd>" one.html
true_that "the command is there" grep -q "^<dt>command</dt><dd><code>.*lsdn-calibrate --data data --images 20.*--model .*k_conv=1,2" one.html
count one "$(grep -o '<img ' one.html | wc -l)" ' alt="[^"]' "every picture says what it is"
once folds --solver race --weight pre --folds 2
count folds 1 '<caption>Cross-validated' "cross-validation has its table"
once layers --per-layer --groups 2 --rounds 1 --weight pre
count layers 1 'Then 2 groups of layers got weights of their own' "layers with weights of their own are told of"

# alone FILE: nothing in it that a browser would fetch, run or follow.
alone() { ! sed 's/src="data:image\/[a-z]*;base64,[A-Za-z0-9+\/=]*"//' "$1" | grep -q -i -e '<script' -e '<link' -e '<iframe' -e '<b onclick' -e '<img src' -e 'url(' -e '@import' -e 'href=' -e 'https\{0,1\}:'; }
for page in one folds layers; do true_that "$page: nothing comes from elsewhere" alone $page.html; done
{ cat one.html; echo '<img src=http://localhost/>'; } >other.html
if alone other.html; then no "what comes from elsewhere is found"; else ok "what comes from elsewhere is found"; fi

gives 1 'no/such/never.html' "a folder that is not there, before anything is computed" $learn --output never.cfg --report no/such/never.html
gives 1 'never.html' "full disk: no half page" limited 60 $learn --output small.cfg --report never.html
true_that "and the weights are there" "$explain" --weights small.cfg plain/images/generated_00000001.png

browser=$(command -v chromium || true)
if test -z "$browser"; then
	skip "in a browser: chromium is not there"
	summary
	exit
fi
# in_browser FILE: the page as the browser understood it, and what it complained of.
in_browser() {
	timeout 100 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/browser" --enable-logging=stderr --window-size=390,800 --dump-dom \
		"file://$work/$1" >shown 2>complaints
}
# tags FILE TAG: how many.
tags() { sed 's/ alt="[^"]*"//g' "$1" | grep -o "<$2[ >]" | wc -l; }
for page in one folds layers; do
	works "$page: a browser reads it" in_browser $page.html
	true_that "$page: to its end" grep -q '</html>' shown
	true_that "$page: and complains of nothing" test "$(grep -c CONSOLE complaints)" -eq 0
	true_that "$page: names are text" grep -q '<title>Calibration of &lt;b onclick="1"&gt;&amp;net</title>' shown
	for tag in tr td svg img figure circle h2 h3; do
		true_that "$page: as many <$tag> as were written" test "$(tags shown $tag)" -eq "$(tags $page.html $tag)"
	done
done
in_browser other.html
true_that "a browser complains of what comes from elsewhere" grep -q 'CONSOLE.*Content Security Policy' complaints
summary
