#!/bin/sh
# lsdn-explain and lsdn-calibrate as their user meets them: main path, wrong usage, damaged input, full disks, Ctrl-C.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_programs.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

# Main path.
for program in "$explain" "$calibrate"; do
	name=${program##*/}
	works "$name --help" "$program" --help
	printed '^Usage: ' "$name --help says how to use it"
	works "$name --version" "$program" --version
	printed '[0-9]\.[0-9]' "$name --version has a number"
done
works "generate PNG" "$calibrate" --generate data --images 48
works "generate JPEG" "$calibrate" --generate jpegs --images 4 --jpeg
true_that "generated files have the names of a data set" test -f data/images/generated_00000047.png -a -f data/annotations/generated_00000047.xml \
	-a -f jpegs/images/generated_00000003.JPEG
photo=data/images/generated_00000001.png
jpeg=jpegs/images/generated_00000001.JPEG
learn="$calibrate --data data --images 40 --arms 5"
works "calibrate on photographs" $learn --threads 1 --output one.cfg
printed 'alpha = (' "the weights are printed"
works "calibrate again" $learn --threads 1 --output again.cfg
works "calibrate with two threads" $learn --threads 2 --output two.cfg
true_that "the same command writes the same bytes" cmp one.cfg again.cfg
true_that "with any number of threads" cmp one.cfg two.cfg
works "a smaller budget" $learn --trials 90 --threads 1 --output less.cfg
works "a smaller budget with two threads" $learn --trials 90 --threads 2 --output less2.cfg
true_that "a smaller budget writes the same bytes with any number of threads" cmp less.cfg less2.cfg
true_that "the budget is in the file" grep -q 'trials = 90;' less.cfg
for solver in agrawal kl-ucb thompson race sweep; do
	works "--solver $solver" $learn --trials 90 --solver $solver --threads 1 --output $solver.cfg
	works "--solver $solver with two threads" $learn --trials 90 --solver $solver --threads 2 --output $solver-2.cfg
	true_that "writes the same bytes" cmp $solver.cfg $solver-2.cfg
	true_that "and the solver's name" grep -q "solver = \"$solver\";" $solver.cfg
	works "which explain loads" "$explain" --weights $solver.cfg "$photo"
done
true_that "agrawal's factor is written" grep -q 'factor = 2.000000;' agrawal.cfg
works "a race to its end" $learn --solver race --delta 0.5 --output race.cfg
true_that "its delta is written" grep -q 'delta = 0.5;' race.cfg
works "ucb1 by its name" $learn --solver ucb1 --output again.cfg
true_that "is the default" cmp one.cfg again.cfg
works "held-out images" $learn --held-out 8 --output held.cfg
printed 'held-out photographs, which no arm has seen (8 images' "held-out images are scored"
true_that "and named in the file" grep -q 'held_out_images' held.cfg
works "one weight, log spacing" $learn --weight cur --spacing log --range 0.1:1 --output cur.cfg
true_that "the others stay at 1" grep -q 'pre = 1.000000;' cur.cfg
works "generated images where nothing is named" "$calibrate" --images 5 --arms 2
true_that "weights go to MODEL-weights.cfg" test -f embedded-weights.cfg
for file in one less held cur; do works "explain loads $file.cfg" "$explain" --weights $file.cfg "$photo"; done
printed "^$photo: .*probability" "text names the photograph"
works "--json of two photographs" "$explain" --json --weights one.cfg "$photo" "$jpeg"
true_that "one line each" test "$(wc -l <stdout)" -eq 2
true_that "each is JSON" is_json stdout
for key in image model_sha256 class wnid name probability points kept box policy preset ms; do printed "\"$key\":" "JSON has $key"; done
works "a name that is not UTF-8" cp "$photo" "$(printf 'b\351.png')"
works "is explained" "$explain" --json "$(printf 'b\351.png')"
printed '"image":"b?.png"' "and its JSON is UTF-8"
works "--alpha" "$explain" --json --alpha 0.5,0.25,0.125 "$photo"
printed '"cur":0.5,"pre":0.25,"suc":0.125' "--alpha is used"
for class in 3 g00000003 'striped triangle'; do
	works "--class $class" "$explain" --json --class "$class" "$photo"
	printed '"class":3,"wnid":"g00000003","name":"striped triangle"' "--class $class is explained"
done
works "--set" "$explain" --json --weights one.cfg --set k_conv=2 --set locate=center "$photo"
printed '"k_conv":"2".*"locate":"center"' "--set is over the weights file"
for threads in 1 2; do
	works "view=five with $threads threads" "$explain" --json --threads $threads --set view=five "$photo" "$jpeg"
	sed 's/"ms".*//' stdout >five$threads.json
done
printed '"view":"five"' "five crops are named"
true_that "and say the same with any number of threads" cmp five1.json five2.json
for threads in 1 2; do works "calibrate on five crops" $learn --images 6 --set view=five --threads $threads --output five$threads.cfg; done
true_that "five crops are in the weights file" grep -q 'view = "five";' five1.cfg
true_that "five crops: the same bytes with any number of threads" cmp five1.cfg five2.cfg
works "explain loads five crops" "$explain" --json --weights five1.cfg "$photo" "$jpeg"
printed '"view":"five"' "and uses them"
for suffix in png svg pdf; do works "--output why.$suffix" "$explain" --output why.$suffix "$jpeg"; done
true_that "a PNG" grep -aq '^.PNG' why.png
true_that "an SVG" grep -q '<svg' why.svg
true_that "a PDF" grep -aq '^%PDF-' why.pdf
npy zeros.npy '1, 3, 96, 96' 27648
works "--tensor" "$explain" --json --tensor zeros.npy --output tensor.png
true_that "is JSON" is_json stdout
cp "$source/weights/embedded.onnx" net.onnx && cp "$source/weights/embedded.cfg" net.cfg && cp "$source/weights/embedded-labels.txt" . && chmod u+w ./*
works "--model with its .cfg and labels" "$explain" --json --model net.onnx "$photo"
sed 's/"ms".*//' stdout >file.json
run "$explain" --json "$photo"
sed 's/"ms".*//' stdout >embedded.json
true_that "explains as the embedded one" cmp file.json embedded.json
cp net.onnx bare.onnx
gives 0 'no .cfg beside it' "a model without .cfg" "$explain" --model bare.onnx "$photo"

# Photographs of every kind.
for file in gray.jpg cmyk.jpg baseline.jpg progressive.jpg gray16.png rgb16.png palette.png alpha.png png-named.jpg; do
	if test -f "$source/tests/data/images/$file"; then works "$file is read" "$explain" "$source/tests/data/images/$file"
	else skip "$file: not in tests/data/images"; fi
done

# Wrong usage.
usage "no image" "$explain"
usage "unknown option" "$explain" --nonsense "$photo"
usage "unknown option of calibrate" "$calibrate" --nonsense
usage "an argument of calibrate" "$calibrate" "$photo"
usage "two images and --output" "$explain" --output never.png "$photo" "$jpeg"
usage "images and --tensor" "$explain" --tensor zeros.npy "$photo"
for alpha in a,b 1,2 1,2,3,4 -1,1,1 nan,1,1 ''; do usage "--alpha '$alpha'" "$explain" --alpha="$alpha" "$photo"; done
for set in nonsense=1 k_conv=0 k_conv=1.5 signed=1 radius=-1 k_conv; do
	usage "--set $set" "$explain" --set $set "$photo"
	usage "calibrate --set $set" "$calibrate" --set $set --output never.cfg
done
usage "--threads 0" "$explain" --threads 0 "$photo"
for wrong in --images=0 --images=x --images=-1 --images=99999999999999999999 --arms=0 --arms=1e3 --threads=0 --trials=0 --solver=ucb --solver= --delta=0 --delta=1 --factor=-1 --held-out=-1 --seed=x \
	--weight=alpha --weight= --range=1:0 --range= --range=5 --range=0:inf --spacing=cubic "--spacing=log --range=0:1" --set=method=cnn-fixations; do
	usage "calibrate $wrong" "$calibrate" $wrong --output never.cfg
done

# Damaged networks.
size=$(size_of net.onnx)
model() { what=$1 pattern=$2; gives 1 "bad.onnx.*$pattern" "model: $what" "$explain" --model bad.onnx --output never.png "$photo"; }
cp net.cfg bad.cfg
for part in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
	cut_to net.onnx $((size * part / 20)) bad.onnx
	model "cut to $part/20"
done
cut_to net.onnx $((size - 1)) bad.onnx && model "without its last byte"
for length in 1 2 5 16; do cut_to net.onnx $length bad.onnx; model "cut to $length bytes"; done
: >bad.onnx && model "empty" 'empty'
echo '<html>not here</html>' >bad.onnx && model "a web page"
cp "$photo" bad.onnx && model "a photograph"
rm bad.onnx && model "missing" 'No such file'
mkdir bad.onnx && model "a folder" 'not a regular file'
rmdir bad.onnx
# patch WHAT PATTERN FROM BYTES OFFSET NEW: NEW at OFFSET from where BYTES lie.
patch() {
	at=$(place_of net.onnx "$3" "$4")
	if test "$at" -lt 0; then skip "model: $1: the network has no such bytes"; return; fi
	cp net.onnx bad.onnx && overwrite bad.onnx $((at + $5)) "$6"
	model "$1" "$2"
}
patch "unknown operator" 'Relu.*Rely.*not supported' 0 '"\004Relu' 2 Rely
patch "a kernel that lies outside its weights" 'kernel_shape differs' 0 kernel_shape@ 13 '\005'
patch "no stride" 'strides is 0 x 2' 0 strides@ 8 '\000'
patch "more dimensions than numbers" 'damaged' 0 '\020\001B\015stem.0.weight' -1 '\005'
patch "a dimension of 0" 'damaged' 0 '\020\001B\015stem.0.weight' -1 '\000'
patch "an input that is made nowhere" 'made nowhere' 0 '\012\032/stem/stem.0/Conv_output_0' 2 '/step'
patch "another size of image" 'mend the .cfg' $((size - 1000)) '\012\002\010\140' 3 '\137'
patch "an image of four channels" '4 channels' $((size - 1000)) '\012\002\010\003' 3 '\004'
cp net.onnx bad.onnx && overwrite bad.onnx $((size / 2)) '\377\377\377\377\377\377\377\377' && model "NaN in its weights" 'NaN'
# Three kilobytes that would fill any memory.
grows() { cp "$source/tests/data/models/$1.onnx" bad.onnx && model "$1" "$2"; }
grows growing-constants 'grown to several times the file'
grows growing-pads 'grown to several times the file'
grows growing-maps 'million activations'
# Damage here and there: an explanation or a refusal that names the file, and no crash.
crashes=''
for part in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31; do
	for bytes in '\000' '\177' '\377\377\377\377\017'; do
		cp net.onnx bad.onnx
		if test $part -lt 16; then at=$((part * 9 + 1)); elif test $part -lt 24; then at=$((size - 20 * (part - 15))); else at=$((size * (part - 23) / 9)); fi
		overwrite bad.onnx $at "$bytes"
		run "$explain" --model bad.onnx "$photo"
		case $status in 0) ;; 1) grep -q 'bad\.onnx' stderr || crashes="$crashes $at(unnamed)" ;; *) crashes="$crashes $at($status)" ;; esac
	done
done
if test -z "$crashes"; then ok "model: 96 damaged places"; else no "model: damaged places" "at$crashes"; fi

# What stands beside a network.
beside() { what=$1 pattern=$2; cp net.onnx bad.onnx; gives 1 "$pattern" "$what" "$explain" --model bad.onnx --output never.png "$photo"; }
printf 'input = {\n  size = 96;\n  sighs = 2;\n};\n' >bad.cfg && beside "NAME.cfg: unknown key" 'bad.cfg:3:.*sighs'
printf 'colour = 1;\n' >bad.cfg && beside "NAME.cfg: unknown key outside" 'bad.cfg:1:.*colour'
printf 'input = {\n  size = "96";\n};\n' >bad.cfg && beside "NAME.cfg: a text for a number" 'bad.cfg:2:.*size'
printf 'input = {\n  mean = [ 1, 2 ];\n};\n' >bad.cfg && beside "NAME.cfg: two channels" 'bad.cfg:2:.*mean'
printf 'input = {\n  std = 0;\n};\n' >bad.cfg && beside "NAME.cfg: division by 0" 'bad.cfg:2:.*std'
printf 'input = {\n  order = 5;\n};\n' >bad.cfg && beside "NAME.cfg: a number for a text" 'bad.cfg:2:.*order'
printf 'input = 96;\n' >bad.cfg && beside "NAME.cfg: no group" 'bad.cfg:1:.*input'
printf 'input = {\n  size = 64;\n};\n' >bad.cfg && beside "NAME.cfg: another size" 'bad.onnx.*96.*64'
printf 'input = {\n' >bad.cfg && beside "NAME.cfg: cut short" 'bad.cfg:[0-9]'
printf '# ours\n@include "net.cfg"\n' >bad.cfg && beside "NAME.cfg: another file's settings" 'bad.cfg:2:.*@include'
sed 's/embedded-labels/few/' net.cfg >bad.cfg && head -n 5 embedded-labels.txt >few.txt && beside "too few labels" 'few.txt.*5 lines.*12 classes'
rm few.txt && beside "no labels file" 'few.txt.*No such file'
rm bad.cfg

# Weights files.
weights() { what=$1 pattern=$2; gives 1 "$pattern" "weights file: $what" "$explain" --weights bad.cfg --output never.png "$photo"; }
{ cat one.cfg; echo 'alpah = 1;'; } >bad.cfg && weights "unknown key" "bad.cfg:$(wc -l <bad.cfg | tr -d ' '):.*alpah"
sed 's/  cur = .*/  cur = ;/' one.cfg >bad.cfg && weights "syntax" 'bad.cfg:1[0-9]: syntax error'
sed 's/^format = 1/format = 99/' one.cfg >bad.cfg && weights "another format" 'bad.cfg.*99'
sed 's/^  pre = .*/  pre = -0.5;/' one.cfg >bad.cfg && weights "negative alpha" 'bad.cfg:1[0-9]:.*pre'
sed 's/^  pre = .*/  pre = "much";/' one.cfg >bad.cfg && weights "text for alpha" 'bad.cfg:1[0-9]:.*pre'
sed 's/k_conv = .*/k_conv = 0;/' one.cfg >bad.cfg && weights "a choice past its bounds" 'bad.cfg:[0-9]*:.*k_conv'
sed 's/k_conv = .*/k_cone = 1;/' one.cfg >bad.cfg && weights "unknown choice" 'bad.cfg:[0-9]*:.*k_cone'
sed '/^alpha/,/^}/d' one.cfg >bad.cfg && weights "no alpha" 'bad.cfg.*alpha'
cut_to one.cfg 900 bad.cfg && weights "cut short" 'bad.cfg:[0-9]'
{ cat one.cfg; printf '\000\000'; } >bad.cfg && weights "zero bytes" 'bad.cfg.*zero byte'
: >bad.cfg && weights "empty" 'bad.cfg.*empty'
cp "$photo" bad.cfg && weights "a photograph" 'bad.cfg'
rm bad.cfg && weights "missing" 'bad.cfg.*No such file'
sed 's/sha256 = "./sha256 = "x/' one.cfg >other.cfg
gives 0 'other.cfg.*another model' "weights of another model are used with a warning" "$explain" --weights other.cfg "$photo"

# Photographs and tensors.
image() { gives 1 "$1" "image: $1" "$explain" --output never.png "$1"; }
size=$(size_of "$jpeg")
cut_to "$jpeg" 100 head.jpg && image head.jpg
cut_to "$jpeg" $((size / 2)) half.jpg && image half.jpg
cut_to "$photo" 4000 half.png && image half.png
: >empty.png && image empty.png
echo 'not a picture' >text.png && image text.png
cp "$photo" huge.png && overwrite huge.png 16 '\000\001\000\000\000\001\000\000' && image huge.png
cp "$photo" zero.png && overwrite zero.png 16 '\000\000\000\000' && image zero.png
image missing.png
mkdir folder.png && image folder.png
mkfifo pipe.png && image pipe.png
gives 1 'text.png' "a bad photograph does not keep the good one from being explained" "$explain" text.png "$photo"
printed 'probability' "which is printed"
npy short.npy '3, 96, 96' 27647
npy shape.npy '3, 64, 64' 12288
{ cat zeros.npy; echo; } >long.npy
cp zeros.npy nan.npy && overwrite nan.npy 4096 '\377\377\377\377\377\377\377\377'
cp "$photo" photo.npy
for file in short shape long nan photo missing; do gives 1 $file.npy "tensor: $file.npy" "$explain" --tensor $file.npy --output never.png; done
gives 1 'no such class' "a class that is not there" "$explain" --class 12 "$photo"
gives 1 'no such class' "a class without name" "$explain" --class= "$photo"

# Data folders.
mkdir mixed mixed/images mixed/annotations
for n in 0 1 2 3 4 5; do
	cp data/images/generated_0000000$n.png mixed/images && cp data/annotations/generated_0000000$n.xml mixed/annotations
done
bad=0
for name in broken doctype entity laughs no-box no-size nan empty; do
	cp "$photo" mixed/images/$name.png && cp "$source/tests/data/annotations/$name.xml" mixed/annotations && bad=$((bad + 1))
done
cp text.png mixed/images && cp data/annotations/generated_00000000.xml mixed/annotations/text.xml && bad=$((bad + 1))
cp "$photo" mixed/images/alone.png
gives 0 ' images were skipped' "what cannot be used is skipped" "$calibrate" --data mixed --images 6 --arms 2 --output mixed.cfg
true_that "counted and listed" test "$(sed -n 's/ images were skipped:$//p' stderr)" -eq "$(grep -c '^  mixed/\|^  .*mixed/' stderr)"
true_that "and a photograph alone is counted" grep -q '1 images have no annotation' stderr
gives 1 "6 of $((bad + 6)) are usable" "too few are usable" "$calibrate" --data mixed --images 7 --arms 2 --output never.cfg
for name in broken doctype entity laughs no-box no-size nan empty text; do true_that "$name is listed" grep -q "^  .*$name\.[xp]" stderr; done
gives 1 'nowhere' "no data folder" "$calibrate" --data nowhere --output never.cfg
gives 1 'no data set' "a folder without data" "$calibrate" --data mixed/images --output never.cfg
gives 1 'bad.onnx' "calibrate with a damaged network" "$calibrate" --model bad.onnx.missing --output never.cfg

# Where nothing can be written.
gives 1 'nofolder/never.cfg' "calibrate: no such folder, said at once" "$calibrate" --images 100000 --output nofolder/never.cfg
gives 1 'nofolder/never.png' "explain: no such folder" "$explain" --output nofolder/never.png "$photo"
usage "no such kind of picture" "$explain" --output never.txt "$photo"
gives 1 'nofolder/x' "generate: no such folder" "$calibrate" --generate nofolder/x --images 1
if (trap '' XFSZ) 2>/dev/null && (ulimit -f 1) 2>/dev/null; then
	gives 1 'never.cfg' "full disk: weights file" limited 1 "$calibrate" --images 3 --arms 2 --output never.cfg
	for suffix in png svg pdf; do gives 1 "never.$suffix.*File too large" "full disk: $suffix" limited 1 "$explain" --output never.$suffix "$photo"; done
	gives 1 generated "full disk: generated images" limited 1 "$calibrate" --generate full --images 1
	true_that "full disk: an older file stays" cp one.cfg kept.cfg
	run limited 1 "$calibrate" --images 3 --arms 2 --output kept.cfg
	true_that "full disk: as it was" cmp one.cfg kept.cfg
else skip "full disk: this shell sets no file limits"; fi
full() { status=0; "$@" >/dev/full 2>stderr || status=$?; test $status -eq 1 && grep -q 'standard output' stderr; }
if test -c /dev/full; then
	true_that "full standard output: explain" full "$explain" "$photo"
	true_that "full standard output: JSON" full "$explain" --json "$photo"
	true_that "full standard output: calibrate" full "$calibrate" --images 3 --arms 2 --output stdout.cfg
else skip "full standard output: no /dev/full"; fi

interrupt "Ctrl-C leaves nothing behind" INT "$calibrate" --images 1000000 --arms 20 --progress --output never.cfg
interrupt "nor does SIGTERM" TERM "$calibrate" --images 1000000 --arms 20 --trials 1000000 --progress --output never.cfg
interrupt "Ctrl-C while generating" INT "$calibrate" --generate stopped --images 1000000
summary
