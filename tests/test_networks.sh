#!/bin/sh
# Networks as PyTorch and other converters write them: loaded, run (scores within 1e-4 of PyTorch's) and walked, or refused with operator and node.
# Run by make check on some of torchvision's networks; make check-networks takes all of them (or those whose line of `torchvision_networks.py --list`
# LSDN_NETWORKS matches) and prints the tables of the README and of core/README.md.
srcdir=${srcdir-.}
tests=$PWD/tests
. "$srcdir/tests/programs_lib.sh"
if ! /usr/bin/python3 -c 'import torch, torchvision, onnx' 2>/dev/null; then
	echo "skipped: networks of torchvision and converters: python3-torch, python3-torchvision or python3-onnx is not there"
	exit 77
fi

# How many points lsdn-explain finds.
points_of() { "$explain" --json --model "$1.onnx" --tensor "$1.npy" 2>/dev/null | sed 's/.*"points":\[\(.*\)\],"kept".*/\1/' | tr -cd '[' | wc -c; }

# network FAMILY NAME: scores and walk; a line "family name difference points" goes into results.
network() {
	run "$tests/compare_scores" "$2"
	read -r difference operators <stdout || difference=
	points=$(points_of "$2")
	if test "$status" -ne 0 || test "$points" -lt 1; then no_run "$2 runs as in PyTorch and is walked ($points points)" 0
	else ok "$2: $operators operators, scores within $difference, $points points"; fi
	echo "$1 $2 ${difference:-wrong} $points" >>results
}

# The walk agrees with the plain kernels.
replayed() {
	"$explain" --model "$1.onnx" --tensor "$1.npy" --trace "$1.jsonl" >/dev/null 2>&1
	works "$1: the plain kernels select the same" "$explain" --model "$1.onnx" --replay "$1.jsonl"
}

# refused FAMILY NAME TEXT...: loading fails with one line that holds every text.
refused() {
	family=$1 name=$2
	shift 2
	run "$tests/compare_scores" "$name"
	missing=
	for text; do grep -qF -- "$text" stderr || missing="$missing $text"; done
	if test "$status" -eq 0 || test -n "$missing"; then no "$name is refused" "exit status $status, not said:$missing" "$(head -n 1 stderr)"
	else ok "$name is refused: $(sed 's/.*onnx: //' stderr)"; fi
	echo "$family $name refused $(sed -n "s/.*node '[^']*': \([^:]*\):.*/\1/p" stderr)" >>results
}

written() { run "$source/tests/torchvision_networks.py" . "$@"; test "$status" -eq 0; }

all_networks() {
	"$source/tests/torchvision_networks.py" --list | grep -E "$LSDN_NETWORKS" >list || exit 1
	while read -r family name <&3; do
		if test "$name" = regnet_y_128gf || test "$name" = vit_h_14; then
			skip "$name: its weights are past the 2 GiB of an ONNX file"
			echo "$family $name unwritten size" >>results
		elif ! written "$name" && grep -q UnsupportedOperator stderr; then
			skip "$name: PyTorch does not export it: $(sed -n "s/.*UnsupportedOperatorError: //p" stderr | cut -c1-100)"
			echo "$family $name unwritten export" >>results
		elif test "$status" -ne 0; then
			no "$name is written" "$(tail -n 1 stderr)"
		else
			case $family in
			maxvit | swin_transformer | vision_transformer) refused "$family" "$name" "node '" ;;
			*)
				network "$family" "$name"
				"$tests/network_operators" "$name.onnx" | sed "s/^/$family /" >>families
				;;
			esac
		fi
		rm -f "$name".*
	done 3<list
}

# One row a family: its networks, the largest difference, the points.
network_table() {
	echo "| torchvision.models | networks | scores within | points |"
	echo "| --- | --- | --- | --- |"
	awk '
		!($1 in names) { order[++count] = $1 }
		{ names[$1] = names[$1] sep[$1] $2; sep[$1] = ", " }
		$3 == "unwritten" { names[$1] = names[$1] ($4 == "size" ? " (past the 2 GiB of a file)" : " (PyTorch does not export it)"); next }
		$3 == "refused" { sub(/,$/, "", $4); if (!index(why[$1], $4)) why[$1] = why[$1] (why[$1] ? ", " : "") $4; next }
		{ if (!($1 in most) || $3 + 0 > most[$1] + 0) most[$1] = $3 }
		{ if (!($1 in low) || $4 < low[$1]) low[$1] = $4; if ($4 > high[$1]) high[$1] = $4 }
		END { for (i = 1; i <= count; i++) { f = order[i]
			if (f in why) print "| " f " | " names[f] " | refused: " why[f] " | |"
			else print "| " f " | " names[f] " | " most[f] " | " (low[f] == high[f] ? low[f] : low[f] " to " high[f]) " |" } }' results
}

# One row an operator: ONNX's own cases, the shared networks and torchvision's families that have it.
operator_table() {
	for model in "$LSDN_MODELS"/*.onnx; do
		test ! -f "$model" || "$tests/network_operators" "$model" | sed "s/^/$(basename "$model" .onnx) /" >>shared
	done
	touch shared families
	(cd "$tests/.." && "$tests/test_conformance") | sed -n 's|^\([A-Za-z]*\): \([0-9]*\)/\([0-9]*\) of \([0-9]*\)$|\1 \2 \3 \4|p' >conformance
	echo "| operator | ONNX's cases: pass, run, all | networks of \`../shared\` | families of torchvision |"
	echo "| --- | --- | --- | --- |"
	awk '
		FILENAME == "shared" { shared[$2] = shared[$2] (shared[$2] ? ", " : "") $1; next }
		FILENAME == "families" { if (!seen[$1, $2]++) families[$2] = families[$2] (families[$2] ? ", " : "") $1; next }
		{ print "| " $1 " | " $3 ", " $2 ", " $4 " | " shared[$1] " | " families[$1] " |" }' shared families conformance
}

if test -n "${LSDN_NETWORKS-}"; then
	all_networks
	network_table
	operator_table
	summary
	exit
fi
if "$source/tests/converter_networks.py" . >list 2>stderr; then
	while read -r name <&3; do
		if test -f "$name.refused"; then
			set --
			while read -r text; do set -- "$@" "$text"; done <"$name.refused"
			refused converter "$name" "$@"
		else
			network converter "$name"
			replayed "$name"
		fi
	done 3<list
else
	no "small networks are written" "$(tail -n 3 stderr)"
fi
set -- alexnet squeezenet1_1-opset9 densenet121-unfolded mobilenet_v3_small-opset17 efficientnet_b0-opset11 shufflenet_v2_x0_5-batch-unfolded \
	convnext_tiny-64 convnext_tiny-64-opset17-batch regnet_y_400mf mnasnet0_5-batch googlenet-transform-unfolded inception_v3 swin_t
if written "$@"; then
	for name; do
		case $name in
		swin*) refused transformer "$name" "node '" ;;
		*) network torchvision "$name" ;;
		esac
	done
	replayed convnext_tiny-64
	replayed shufflenet_v2_x0_5-batch-unfolded
else
	no "torchvision's networks are written" "$(tail -n 3 stderr)"
fi
summary
