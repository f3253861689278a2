#!/bin/sh
# The backward pass and every method of core/methods against PyTorch: gradients and maps within 1e-3 of the highest value on the networks of ../shared.
# Run by make check in the build folder; by hand: srcdir=SOURCES LSDN_SHARED=... LSDN_MODELS=... sh SOURCES/tests/test_methods.sh
srcdir=${srcdir-.}
tests=$PWD/tests
. "$srcdir/tests/programs_lib.sh"
if ! /usr/bin/python3 -c 'import torch, onnx, PIL' 2>/dev/null; then
	echo "skipped: methods against PyTorch: python3-torch, python3-onnx or python3-pil is not there"
	exit 77
fi
if ! test -d "$LSDN_SHARED/vectors/real" || ! test -f "$LSDN_MODELS/googlenet.onnx"; then
	echo "skipped: methods against PyTorch: the networks and photographs of ../shared are not there"
	exit 77
fi

# compared NAME MODEL.onnx IMAGE
compared() {
	rm -rf made
	mkdir made
	case $3 in *.npy) run cp "$3" made/input.npy ;; *) run "$source/tests/methods_reference.py" --input "$2" "$3" made/input.npy ;; esac
	test "$status" -ne 0 || run "$tests/compare_maps" "$2" made/input.npy --activations made
	test "$status" -ne 0 || run "$source/tests/methods_reference.py" "$2" made/input.npy made
	test "$status" -ne 0 || { cp stdout made/lines; run "$tests/compare_maps" "$2" made/input.npy made/lines; }
	if test "$status" -ne 0; then no "$1" "$(cat stdout)" "$(tail -n 3 stderr)"
	else ok "$1: $(awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }' stdout)"; fi
}

for network in grouped inception odd plain residual; do
	compared "$network" "$LSDN_SHARED/vectors/small/$network.onnx" "$LSDN_SHARED/vectors/small/$network-0.npy"
done
for network in googlenet mobilenet_v1 mobilenet_v2 resnet18 resnet50 squeezenet1.1 tiny-darknet; do
	side=224
	test $network != squeezenet1.1 || side=227
	compared "$network" "$LSDN_MODELS/$network.onnx" "$LSDN_SHARED/vectors/real/ILSVRC2012_val_00023670-$side.png"
done
summary
