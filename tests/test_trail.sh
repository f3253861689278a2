#!/bin/sh
# Audit trails and chains of neurons as their reader meets them: lsdn-explain --trace, --replay and --why.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_trail.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "generate" "$calibrate" --generate data --images 4
set -- data/images/*
one=$1 two=$2

works "a trail" "$explain" --trace trail.jsonl "$one" "$two"
cp stdout plain.txt
true_that "every line is JSON" is_json trail.jsonl
true_that "a head for every image" test "$(grep -c '^{"trail":1,' trail.jsonl)" -eq 2
true_that "an end for every image" test "$(grep -c '^{"points":' trail.jsonl)" -eq 2
works "without a trail" "$explain" "$one" "$two"
true_that "it says the same" cmp stdout plain.txt
works "its replay" "$explain" --replay trail.jsonl
true_that "agrees in every line" test "$(grep -c ' 0 where rounding decides, 0 differ$' stdout)" -eq 2
works "its replay as JSON" "$explain" --replay trail.jsonl --json
true_that "is JSON" is_json stdout
printed '"differ":0,' "and agrees"

for choices in k_conv=2 method=cnn-fixations scale=max view=five gate=none suc_form=power residual=both top_n=3 locate=center k_gap=all; do
	works "a trail with $choices" "$explain" --set $choices --alpha 0.3,0.8,0.5 --trace choice.jsonl "$one"
	works "its replay agrees" "$explain" --replay choice.jsonl
done
npy tensor.npy '3, 96, 96' 27648
works "a trail of a tensor" "$explain" --tensor tensor.npy --trace choice.jsonl
works "its replay agrees" "$explain" --replay choice.jsonl
printf 'format = 1;\nalpha = { cur = 1.0; pre = 0.5; suc = 1.0; };\nlayers = ( { name = "%s"; k = 3; alpha = { cur = 0; pre = 1; suc = 1; }; } );\n' \
	"$(sed -n 's/.*"layer":"\([^"]*\)","operator":"Conv".*/\1/p' trail.jsonl | tail -n 1)" >layers.cfg
works "a trail with a layer's own weights" "$explain" --weights layers.cfg --trace choice.jsonl "$one"
printed ' points,' "explains"
true_that "says so" grep -q '"layers":\[{.*"k":3' choice.jsonl
works "its replay agrees" "$explain" --replay choice.jsonl

# Whatever is changed is found.
conv=$(grep -n '"operator":"Conv"' trail.jsonl | tail -n 1 | cut -d: -f1)
tampered() { gives 1 '' "$1 is found" "$explain" --replay bad.jsonl; printed "bad.jsonl:.*DIFFERS" "and named"; }
sed -e "$conv"'s/"z_cur":[^,]*/"z_cur":123.5/' trail.jsonl >bad.jsonl
tampered "another Z_cur"
sed -e "$conv"'s/"z_suc":[^,]*/"z_suc":77/' trail.jsonl >bad.jsonl
tampered "another Z_suc"
sed -e "$conv"'s/"omega":[^,]*/"omega":77.5/' trail.jsonl >bad.jsonl
tampered "another Omega"
sed -e "$conv"'s/"runner_up":[^,}]*/"runner_up":1e9/' trail.jsonl >bad.jsonl
tampered "another runner-up"
sed -e "$conv"'s/"neuron":\[[0-9]*,/"neuron":[0,/' -e "$((conv - 1))"'s/"neuron":\[[0-9]*,/"neuron":[1,/' trail.jsonl >bad.jsonl
tampered "another neuron"
sed -e "$conv"d trail.jsonl >bad.jsonl
tampered "a line left out"
sed -e '$s/"kept":[0-9]*/"kept":1/' trail.jsonl >bad.jsonl
tampered "another number of points"

# What is no trail of this network and image is refused, with its line.
refused() { gives 1 "$1" "refused: $2" "$explain" --replay bad.jsonl; }
head -n "$conv" trail.jsonl >bad.jsonl
refused "bad.jsonl:$((conv + 1)): the trail breaks off" "a trail cut short"
cut_to trail.jsonl 3000 bad.jsonl
refused 'bad.jsonl:' "half a line"
sed -e '1s/"model_sha256":"./"model_sha256":"x/' trail.jsonl >bad.jsonl
refused 'another network' "another network's trail"
sed -e '1s/"classes":\[[0-9]*/"classes":[999999/' trail.jsonl >bad.jsonl
refused 'bad.jsonl:1:.*class' "a class that is none"
sed -e '2s/"number":[0-9]*/"number":-1/' trail.jsonl >bad.jsonl
refused 'bad.jsonl:2:' "an operator that is none"
sed -e '2s/"neuron":\[[0-9]*,/"neuron":[99999999,/' trail.jsonl >bad.jsonl
refused 'bad.jsonl:2:.*neuron' "a neuron that is none"
sed -e '1s/"gate":"[a-z]*"/"gate":"shut"/' trail.jsonl >bad.jsonl
refused 'bad.jsonl:1:.*gate' "a choice that is none"
sed -e "1s|\"image\":\"[^\"]*\"|\"image\":\"$two\"|" -e '1s/"classes":\[[0-9]*/"classes":[0/' trail.jsonl >bad.jsonl
gives 1 '' "refused: another image" "$explain" --replay bad.jsonl
printf 'no trail\n' >bad.jsonl
refused 'bad.jsonl:1:' "no JSON"
gives 1 'missing.jsonl: No such file' "refused: no file" "$explain" --replay missing.jsonl
usage "--replay with an image" "$explain" --replay trail.jsonl "$one"

gives 1 '' "a trail on a full disk" limited 1 "$explain" --trace never.jsonl --set k_conv=all "$one"
gives 1 '' "a trail of an image that cannot be read" "$explain" --trace broken.jsonl missing.png "$one"
true_that "holds those that can" test "$(grep -c '^{"trail":1,' broken.jsonl)" -eq 1

works "why" "$explain" --why 20,20 "$one"
printed '  why the point (x ' "names the point"
printed '^    class [0-9]*, ' "begins with the class"
printed ' (Conv) .*: Z_cur .*Omega .*rank 1' "goes through the layers"
works "why as JSON" "$explain" --why 20,20 --json "$one"
true_that "is JSON" is_json stdout
printed '"why":{"point":\[' "and has a point"
usage "--why without a pixel" "$explain" --why 20 "$one"
summary
