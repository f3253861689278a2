#!/bin/sh
# Methods as their user meets them; then the backward pass and every method against PyTorch: gradients and maps within 1e-3 of the highest value on the
# networks of ../shared.
# Run by make check in the build folder; by hand: srcdir=SOURCES LSDN_SHARED=... LSDN_MODELS=... sh SOURCES/tests/test_methods.sh
srcdir=${srcdir-.}
tests=$PWD/tests
. "$srcdir/tests/programs_lib.sh"
works "generate photographs" "$calibrate" --generate data --images 2
photo=data/images/generated_00000001.png
run "$explain" --help
sed -n 's/^  \([a-z+-]*\): .*/\1/p' stdout >names
true_that "--help lists the methods" test "$(wc -l <names)" -ge 15
while read -r method <&3; do
	if test "$method" = cam; then
		gives 1 "node '.*grad-cam" "--method cam says what is in its way" "$explain" --method cam --output never.png "$photo"
		continue
	fi
	works "--method $method" "$explain" --method "$method" --output "$method.png" "$photo"
	true_that "draws a picture" test -s "$method.png"
	works "--method $method --json" "$explain" --json --method "$method" "$photo" data/images/generated_00000000.png
	true_that "prints JSON" is_json stdout
	printed '"box":\[' "with a box"
done 3<names
works "--layers" "$explain" --layers
printed '(target)' "marks the target layer"
layer=$(sed -n '2s/ .*//p' stdout)
works "--layer" "$explain" --json --method grad-cam --layer "$layer" --set view=five "$photo"
printed "\"layer\":\"$layer\"" "makes the map there"
works "a class of one's own" "$explain" --method grad-cam --class 0 --set map_threshold=0.5 "$photo"
printed 'at least 0.5 of the maximum' "the box's rule is printed"
gives 1 'is not in the network' "a layer that is not there" "$explain" --method grad-cam --layer nowhere "$photo"
usage "an unknown method" "$explain" --method nothing "$photo"
usage "a layer without a method" "$explain" --layer "$layer" "$photo"
usage "a layer for a method of the input" "$explain" --method gradient --layer "$layer" "$photo"
usage "an audit trail of a map" "$explain" --method gradient --trace never.jsonl "$photo"

# compared NAME MODEL.onnx IMAGE [METHOD...]
compared() {
	what=$1 model=$2 image=$3
	shift 3
	rm -rf made
	mkdir made
	case $image in *.npy) run cp "$image" made/input.npy ;; *) run "$source/tests/methods_reference.py" --input "$model" "$image" made/input.npy ;; esac
	test "$status" -ne 0 || run "$tests/compare_maps" "$model" made/input.npy --activations made
	test "$status" -ne 0 || run "$source/tests/methods_reference.py" "$model" made/input.npy made "$@"
	test "$status" -ne 0 || { cp stdout made/lines; run "$tests/compare_maps" "$model" made/input.npy made/lines; }
	if test "$status" -ne 0; then no "$what" "$(cat stdout)" "$(tail -n 3 stderr)"
	else ok "$what: $(awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }' stdout)"; fi
}

if ! /usr/bin/python3 -c 'import torch, onnx, PIL' 2>/dev/null; then
	skip "methods against PyTorch: python3-torch, python3-onnx or python3-pil is not there"
elif ! test -d "$LSDN_SHARED/vectors/real" || ! test -f "$LSDN_MODELS/googlenet.onnx"; then
	skip "methods against PyTorch: the networks and photographs of ../shared are not there"
else
	for network in grouped inception odd plain residual; do
		compared "$network" "$LSDN_SHARED/vectors/small/$network.onnx" "$LSDN_SHARED/vectors/small/$network-0.npy"
	done
	# Relevance takes PyTorch a minute each on the largest and on those with depthwise convolutions.
	gradients="logit logit-at-layer probability grad-cam grad-cam++ cam gradient deconvnet guided-backprop"
	for network in googlenet mobilenet_v1 mobilenet_v2 resnet18 resnet50 squeezenet1.1 tiny-darknet; do
		side=224 methods=
		test $network != squeezenet1.1 || side=227
		case $network in mobilenet* | resnet50) methods=$gradients ;; esac
		compared "$network" "$LSDN_MODELS/$network.onnx" "$LSDN_SHARED/vectors/real/ILSVRC2012_val_00023670-$side.png" $methods
	done
fi
summary
