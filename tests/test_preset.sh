#!/bin/sh
# lsdn-explain's presets: found by the network's SHA-256 alone, said, and left out where something else is asked for.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_preset.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "generate" "$calibrate" --generate data --images 3
photo=data/images/generated_00000002.png
cp "$source/weights/embedded.onnx" net.onnx && cp "$source/weights/embedded.cfg" net.cfg && cp "$source/weights/embedded-labels.txt" . && chmod u+w ./*
mkdir presets elsewhere broken
works "a preset" "$calibrate" --model net.onnx --images 20 --weight none --tune pre=0.375 --tune k_conv=2 --output presets/b.cfg
works "and another one" "$calibrate" --model net.onnx --images 20 --weight none --tune pre=0.125 --output elsewhere/other.cfg
cp "$source/weights/embedded.cfg" "$source"/weights/googlenet.cfg presets
true_that "a preset knows how large its model is" grep -q "^  bytes = $(size_of net.onnx);" presets/b.cfg
LSDN_PRESETS=presets

# takes FILE|null WHAT ARGUMENTS...
takes() {
	wanted=$1 what=$2
	shift 2
	run "$explain" --json "$@" "$photo"
	if test "$wanted" = null; then told=0 name=null; else told=1 name="\"$wanted\""; fi
	if test "$status" -eq 0 && grep -q -F "\"preset\":$name" stdout && test "$(grep -c 'weights are those of the preset' stderr)" -eq $told; then ok "$what"
	else no "$what" "exit status $status, $(grep -o '"preset":[^,]*' stdout)" "$(head -n 1 stderr)"; fi
}
takes presets/b.cfg "the preset of the network is taken, and that is said" --model net.onnx
printed '"k_conv":"2"' "with its choices"
printed '"pre":0.375' "and its weights"
takes presets/b.cfg "the embedded network is the same one"
takes null "--no-preset" --no-preset
printed '"k_conv":"1"' "leaves the choices at their defaults"
takes presets/b.cfg "--alpha and --set are over it" --alpha 1,0.5,1 --set k_conv=3
printed '"pre":0.5.*"k_conv":"3"\|"k_conv":"3".*"pre":0.5' "and are taken"
run "$explain" --json --weights elsewhere/other.cfg "$photo"
printed '"preset":"elsewhere/other.cfg"' "--weights is taken instead"
true_that "of which nothing is said" test ! -s stderr
takes presets/b.cfg "the walk has weights" --method lsdn
takes null "CNN-Fixations has none" --method cnn-fixations
run "$explain" --method grad-cam "$photo"
true_that "nor has a map" test "$status" -eq 0 -a "$(grep -c preset stderr)" -eq 0
works "with an audit trail" "$explain" --trace trail.jsonl "$photo"
works "which replays with no preset" "$explain" --replay trail.jsonl
true_that "of which nothing is said" test "$(grep -c preset stderr)" -eq 0

cp net.onnx renamed.onnx && cp net.cfg renamed.cfg
takes presets/b.cfg "a model of another name" --model renamed.onnx
size=$(size_of net.onnx)
cp net.onnx changed.onnx && cp net.cfg changed.cfg && overwrite changed.onnx $((size / 2)) '\001'
true_that "one byte is another" test "$(cksum <net.onnx)" != "$(cksum <changed.onnx)"
takes null "is another model, of which no preset knows" --model changed.onnx

sed '/^  bytes = /d' presets/b.cfg >presets/a.cfg
takes presets/a.cfg "of two the first by name, though it does not say how large its model is"
rm presets/a.cfg
echo 'alpha = {' >presets/a.cfg
takes presets/b.cfg "a broken file hinders nobody"
cp presets/a.cfg broken
LSDN_PRESETS=broken
takes null "where it is alone"
true_that "it is named" grep -q 'no preset is used: broken/a.cfg:[0-9]*: syntax error' stderr
LSDN_PRESETS=missing
takes null "a folder that is not there"
true_that "is no news" test ! -s stderr
LSDN_PRESETS=presets/b.cfg
takes null "nor is a file"

# As where it was built.
mkdir -p built/weights && cp "$explain" built/lsdn-explain && cp presets/b.cfg built/weights
explain=$PWD/built/lsdn-explain
unset LSDN_PRESETS
takes "$PWD/built/weights/b.cfg" "weights beside the program"
LSDN_PRESETS= && export LSDN_PRESETS
takes null "an empty LSDN_PRESETS: none"

# What is shipped.
LSDN_PRESETS=$source/weights
found=0
for model in "$LSDN_MODELS"/*.onnx; do
	name=$(basename "$model" .onnx)
	test -f "$model" -a -f "$LSDN_PRESETS/$name.cfg" || continue
	takes "$LSDN_PRESETS/$name.cfg" "$name has its preset" --model "$model"
	found=1
done
test $found -eq 1 || skip "presets of the shared networks: they are not in LSDN_MODELS"
summary
