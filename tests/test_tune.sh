#!/bin/sh
# lsdn-calibrate's schedules, --tune and --per-layer as their user meets them.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_tune.sh
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"

works "generate" "$calibrate" --generate data --images 40
photo=data/images/generated_00000001.png
learn="$calibrate --data data --images 30"

# twice NAME ARGUMENTS...: one thread and two write the same bytes, which lsdn-explain loads.
twice() {
	name=$1
	shift
	works "$name with two threads" $learn "$@" --threads 2 --output $name-2.cfg
	works "$name" $learn "$@" --threads 1 --output $name.cfg
	true_that "$name: the same bytes with any number of threads" cmp $name.cfg $name-2.cfg
	run "$explain" --json --weights $name.cfg "$photo"
	true_that "$name: explain loads it" test "$status" -eq 0
}
# written NAME PATTERN WHAT
written() { true_that "$1: $3" grep -q -- "$2" $1.cfg; }
# steps NAME COUNT
steps() { true_that "$1: $2 steps are written" test "$(grep -c '^    { name = ' $1.cfg)" -eq "$2"; }

works "the plain command" $learn --arms 4 --output plain.cfg
printed '^The tuned weights were not shown to be better than the weights (1, 1, 1): no photographs were held out' "what was not shown is said in one sentence"
true_that "which is the last but one line" test "$(tail -n 3 "$work/stdout" | grep -c '^The tuned')" -eq 1
printed 'regret after .* 120  trials' "what learning cost is printed"
printed "Not told apart from the chosen one .* of the 3 others" "and how many arms a paired test does not tell apart"
written plain 'verdict = "The tuned weights were not shown' "the weights file has the sentence"
written plain 'choice = "pre"; values = \[ "0", "0.25", "0.5", "0.75" \]; first = "1"; tuned = ' "and what was tuned"
written plain 'alike = \[ ' "and the arms that are not told apart"
written plain 'regret = ( { trials = 10;' "and the regret against the sweep"
works "by its schedule's name" $learn --arms 4 --schedule independent --output independent.cfg
true_that "independent is the default" cmp plain.cfg independent.cfg
works "its weights on values of their own" $learn --tune cur=0.25,0.5,0.75,1 --tune suc=0.25:1:4 --tune pre=0:0.75:4 --output listed.cfg
true_that "which find the same" test "$(sed -n '/^alpha/,/^}/p' plain.cfg)" = "$(sed -n '/^alpha/,/^}/p' listed.cfg)"

twice alone --arms 3 --tune k_fc=10,all --tune view=full,five --tune blur=0.1,0.2 --held-out 10
steps alone 6
written alone 'choice = "k_fc"; values = \[ "10", "all" \]; first = "all"; tuned = ' "the choices that were tuned are written"
written alone 'verdict = "The tuned settings were not shown to be better than the settings at first: .* percent of 10 held-out photographs' "what 10 images do not show is said"
written alone 'name = "blur"; trials = 60; identifiable = false; best = -1;' "what changes nothing is no parameter that can be identified"
written alone 'k_fc = "10";' "k_fc is tuned"
run $learn --arms 2 --tune blur=0.1,0.2 --output again.cfg
printed 'changes nothing here. It stays as it was' "and that is said"
printed 'blur as it was' "it keeps its value"
printed 'tuned settings' "rows speak of settings"

twice coordinate --schedule coordinate --weight cur --arms 2 --tune k_fc=all,10 --tune margin=0:0.1:3 --rounds 3
written coordinate 'schedule = "coordinate";' "its schedule is written"
written coordinate 'name = "k_fc"; round = 2;' "and its rounds"
written coordinate '{ value = "0.05"; pulls = 30;' "and its arms"
twice budget --schedule coordinate --arms 3 --tune k_fc=all,10 --trials 40 --solver kl-ucb
written budget 'trials = 40' "its budget is written"
true_that "without a sweep there is no regret" test "$(grep -c 'regret = ' budget.cfg)" -eq 0

twice joint --schedule joint --weight none --tune pre=0,0.1,1 --tune k_fc=5,10,all --held-out 10
steps joint 1
written joint '{ value = "pre=0.1 k_fc=10"; pulls = 30;' "every combination is an arm"
written joint 'cur = 1.000000;' "weights that are not tuned stay at 1"
twice raced --schedule joint --arms 3 --solver race

twice layers --arms 3 --per-layer --rounds 1
steps layers 12
written layers 'groups = 9;' "every layer has a step"
twice groups --arms 4 --tune k_fc=10,all --schedule coordinate --per-layer --groups 2 --held-out 10
written groups 'Conv to ' "a group is named by its first and last layer"
written groups '"shared settings"' "and held against weights that all layers share"
true_that "layers get weights of their own" grep -q '^layers = (' layers.cfg groups.cfg

usage "--weight none alone" $learn --weight none --output never.cfg
for wrong in --tune=k_conv --tune=colour=1,2 --tune=k_conv=1,1 --tune=k_conv=0,1 --tune=margin=0:1 --tune=margin=1:0:3 --tune=locate=here --tune=method=lsdn --tune=pre=-1 \
	--schedule=random --rounds=0 --groups=0 --groups=2 "--per-layer --weight=none --tune=k_conv=1,2" "--tune=k_conv=1,2 --tune=k_conv=3"; do
	usage "calibrate $wrong" $learn $wrong --output never.cfg
done
gives 2 'colour: is no choice; these are: .*; and the weights cur, pre, suc' "a name that is none lists those that are" $learn --tune colour=1 --output never.cfg
gives 1 'combinations of values are more than 1000 different settings' "too many combinations" $learn --schedule joint --tune margin=0:0.1:9 --output never.cfg
gives 1 'the network has 9 layers with weights' "more groups than layers" $learn --per-layer --groups 10 --output never.cfg
interrupt "Ctrl-C leaves nothing behind" INT "$calibrate" --images 1000000 --schedule coordinate --tune k_conv=1,2 --progress --output never.cfg
summary
