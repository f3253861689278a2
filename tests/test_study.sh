#!/bin/sh
# Studies as their user meets them: killed at any moment, resumed, shared, damaged, full disks.
# Run by make check in the build folder; by hand: srcdir=SOURCES sh SOURCES/tests/test_study.sh. More of it, as before a release:
#   make check TESTS=tests/test_study.sh LSDN_KILLS=100 LSDN_DAMAGES=300      (LSDN_SEED names other random moments)
srcdir=${srcdir-.}
. "$srcdir/tests/programs_lib.sh"
kills=${LSDN_KILLS-20} damages=${LSDN_DAMAGES-40} seed=${LSDN_SEED-$(date +%s)}
echo "seed $seed: $kills kills, $damages damaged files"

# random N: a whole number below N.
state=$((seed % 2147483647))
random() { state=$(((state * 48271 + 11) % 2147483647)); random=$((state % $1)); }

works "generate" "$calibrate" --generate data --images 60
small="$calibrate --data data --images 30 --arms 4 --held-out 10"
works "without a study" $small --output plain.cfg
works "with a study" $small --study small.study --output kept.cfg
true_that "writes the same bytes" cmp plain.cfg kept.cfg
works "resumed when it is done" $small --resume small.study --output again.cfg
true_that "writes the same bytes" cmp plain.cfg again.cfg
printed '^0 forward passes' "and computes nothing"
true_that "the closed study is one file" test ! -e small.study-wal -a ! -e small.study-journal
if command -v sqlite3 >/dev/null; then
	ones="text LIKE 'cur=1 pre=1 suc=1 method=lsdn %'"
	true_that "a person can ask it" test "$(sqlite3 small.study "SELECT sum(reward) FROM (SELECT reward FROM rewards JOIN settings USING (setting)
		WHERE $ones ORDER BY image LIMIT 30)")" -eq "$(sed -n '/held_out = /q; s/.*row = "weights (1, 1, 1)".*hits = \([0-9]*\).*/\1/p' plain.cfg)"
	true_that "also about images" test "$(sqlite3 small.study 'SELECT sum(center) FROM (SELECT center FROM images ORDER BY image LIMIT 30)')" \
		-eq "$(sed -n '/held_out = /q; s/.*row = "centre box".*hits = \([0-9]*\).*/\1/p' plain.cfg)"
else skip "a person asks: no sqlite3"; fi
gives 1 'small.study.*is there already.*--resume' "--study on a file that is there" $small --study small.study --output never.cfg
gives 1 'none.study.*--study' "--resume of none" $small --resume none.study --output never.cfg
usage "two studies" $small --study a --resume b

# What a study has serves others: more arms, more images, other solvers, other seeds; the bytes are those of a run without.
serves() {
	case=$1
	shift
	works "$case, without" "$calibrate" --data data "$@" --output plain-other.cfg
	plain=$(sed -n 's/ forward passes.*//p' stdout)
	works "$case, with" "$calibrate" --data data "$@" --resume small.study --output other.cfg
	true_that "$case: the same bytes" cmp plain-other.cfg other.cfg
	true_that "$case: less work" test "$(sed -n 's/ forward passes.*//p' stdout)" -lt "$plain"
}
serves "a solver and a budget" --images 30 --arms 4 --solver kl-ucb --trials 60 --threads 1
serves "more images" --images 45 --arms 4
works "more arms, without" "$calibrate" --data data --images 40 --arms 7 --output plain-other.cfg
works "more arms, with" "$calibrate" --data data --images 40 --arms 7 --resume small.study --output other.cfg
true_that "more arms: the same bytes" cmp plain-other.cfg other.cfg
serves "another seed" --images 50 --arms 7 --seed 9 --threads 1
works "it can be asked" $small --resume small.study --output again.cfg
true_that "and says the same" cmp plain.cfg again.cfg
works "another choice" $small --resume small.study --set k_conv=2 --output choice.cfg
works "another choice, without" $small --set k_conv=2 --output plain-choice.cfg
true_that "is another setting" cmp choice.cfg plain-choice.cfg
serves_choices() {
	case=$1
	shift
	works "$case, without" "$calibrate" --data strangers --images 24 "$@" --output plain-other.cfg
	works "$case, with" "$calibrate" --data strangers --images 24 "$@" --resume strangers.study --output other.cfg
	true_that "$case: the same bytes" cmp plain-other.cfg other.cfg
}
cp -r data strangers # some of which have no class of the network
for n in 00 07 13 21 30 44; do sed 's/<name>g[0-9]*/<name>g99/' data/annotations/generated_000000$n.xml >strangers/annotations/generated_000000$n.xml; done
works "some without a class" "$calibrate" --data strangers --images 60 --arms 3 --study strangers.study --output strangers.cfg
serves_choices "the annotated class" --arms 3 --set target=annotated
true_that "which some have not" grep -q 'none of the network' stderr
serves_choices "the annotated class on a budget" --arms 3 --set target=annotated --trials 20 --held-out 9
serves_choices "other choices" --weight none --tune box=points,spread --tune k_conv=1,2 --schedule coordinate
serves_choices "weights a layer" --arms 3 --per-layer --groups 3 --tune k_conv=1,2 --rounds 1

# Another network, input, or data set.
cp "$source/weights/embedded.onnx" net.onnx && cp "$source/weights/embedded-labels.txt" . && cp "$source/weights/embedded.cfg" net.cfg
on_net="$calibrate --model net.onnx --data data --images 10 --arms 2"
works "a study of a file's network" $on_net --study net.study --output net-weights.cfg
sed 's/127\.5/127.0/' net.cfg >other.net && mv other.net net.cfg
gives 1 "network's input.*mean 127.5.*mean 127 " "another input" $on_net --resume net.study --output never.cfg
grep -v labels "$source/weights/embedded.cfg" >net.cfg
gives 1 'classes.*12 labels.*0 labels' "other classes" $on_net --resume net.study --output never.cfg
printf x >>net.onnx
gives 1 '' "another network" $on_net --resume net.study --output never.cfg
gives 1 'kind of images.*photographs.*generated, seed' "other images" "$calibrate" --images 10 --arms 2 --resume small.study --output never.cfg
cp -r data changed && cp data/images/generated_00000001.png changed/images/generated_00000000.png
gives 1 'small.study.*photograph "generated_00000000.png".*there, but .* here' "a photograph that changed" "$calibrate" --data changed --images 10 \
	--arms 2 --resume small.study --output never.cfg
rm changed/images/generated_00000000.png
gives 1 'small.study.*has a photograph "generated_00000000.png".*not among the 59' "a photograph that went" "$calibrate" --data changed --images 10 \
	--arms 2 --resume small.study --output never.cfg
cp data/images/generated_00000000.png changed/images && sed 's/<xmin>[0-9]*/<xmin>1/' data/annotations/generated_00000002.xml >changed/annotations/generated_00000002.xml
gives 1 'small.study.*photograph "generated_00000002.png"' "an annotation that changed" "$calibrate" --data changed --images 10 --arms 2 \
	--resume small.study --output never.cfg
mkdir more && cp -r data/images data/annotations more && cp data/images/generated_00000003.png more/images/another.png \
	&& cp data/annotations/generated_00000003.xml more/annotations/another.xml
works "further photographs" "$calibrate" --data more --images 61 --arms 4 --resume small.study --output more.cfg
works "further photographs, without" "$calibrate" --data more --images 61 --arms 4 --output plain-more.cfg
true_that "are met with the others" cmp more.cfg plain-more.cfg
echo 'not a picture' >more/images/another.png
cp small.study broken.study
gives 1 'another.png' "one that is then broken" "$calibrate" --data more --images 30 --arms 4 --resume broken.study --output never.cfg
works "a broken one" "$calibrate" --data more --images 60 --arms 2 --study why.study --output why.cfg
true_that "is skipped" grep -q '1 images were skipped' stderr
cp data/images/generated_00000003.png more/images/another.png
works "mended, it is taken" "$calibrate" --data more --images 61 --arms 2 --resume why.study --output why.cfg
works "mended, without" "$calibrate" --data more --images 61 --arms 2 --output plain-why.cfg
true_that "as if it had never been broken" cmp why.cfg plain-why.cfg

# Two at once.
"$calibrate" --images 100000 --arms 20 --study busy.study --output never.cfg >/dev/null 2>&1 &
child=$!
while ! test -s busy.study; do sleep 0.1; done
gives 1 'busy.study.*another process' "two at once" "$calibrate" --images 10 --arms 2 --resume busy.study --output never.cfg
kill -9 $child && wait $child 2>/dev/null
works "the first was killed" "$calibrate" --images 10 --arms 2 --resume busy.study --output one.cfg

# Ctrl-C says how to go on, and that does.
run_long="--images 1500 --arms 5"
"$calibrate" $run_long --study 'odd name.study' --output long.cfg >stdout 2>stderr &
child=$!
while ! test -s 'odd name.study'; do sleep 0.1; done
sleep 1
kill -INT $child
status=0
wait $child || status=$?
true_that "Ctrl-C with a study" test $status -eq 1 -a ! -e long.cfg
command=$(sed -n 's/^  \(.*--resume.*\)/\1/p' stderr)
true_that "names the command" test -n "$command"
(eval "$command") >stdout 2>stderr
works "uninterrupted" "$calibrate" $run_long --output plain-long.cfg
true_that "with which it goes on to the same bytes" cmp long.cfg plain-long.cfg

# Nowhere to write.
if (trap '' XFSZ) 2>/dev/null && (ulimit -f 1) 2>/dev/null; then
	gives 1 'full.study.*kept' "full disk" limited 100 $small --study full.study --output never.cfg --arms 20
	true_that "says how to go on" grep -q -- '--resume full.study' stderr
	works "with room again" $small --arms 20 --resume full.study --output full.cfg
	works "without a study" $small --arms 20 --output plain-full.cfg
	true_that "nothing is lost or wrong" cmp full.cfg plain-full.cfg
	gives 1 'tiny.study' "a disk that was full before" limited 1 $small --study tiny.study --output never.cfg
	works "an empty file is a study that never began" $small --resume tiny.study --output tiny.cfg
	true_that "and ends as any" cmp tiny.cfg plain.cfg
else skip "full disk: this shell sets no file limits"; fi
gives 1 'nofolder' "no such folder" $small --study nofolder/a.study --output never.cfg
if test "$(id -u)" -ne 0; then
	chmod 400 small.study
	gives 1 'small.study.*writ' "a file that may not be written" $small --resume small.study --output never.cfg
	chmod 600 small.study
elif setpriv --reuid 65534 --clear-groups true 2>/dev/null; then
	cp small.study /tmp/lsdn-read-only.$$ && chmod 444 /tmp/lsdn-read-only.$$
	gives 1 'lsdn-read-only.*writ' "a file that may not be written" setpriv --reuid 65534 --clear-groups "$calibrate" --images 3 --arms 2 \
		--output /tmp/lsdn-never.cfg --resume /tmp/lsdn-read-only.$$
	rm -f /tmp/lsdn-read-only.$$
else skip "a file that may not be written: there is nobody else here"; fi

# Damaged files: refused, or the same bytes; never anything else.
works "a study to damage" "$calibrate" --images 12 --arms 3 --study sound.study --output sound.cfg
bytes=$(size_of sound.study) refused=0 same=0 wrong=0
while test $((refused + same + wrong)) -lt "$damages"; do
	cp sound.study damaged.study
	random 4
	if test "$random" -eq 0; then random "$bytes" && cut_to sound.study $((random + 1)) damaged.study
	else
		flips=$((random * random))
		while test $flips -gt 0; do random "$bytes" && place=$random && random 256 && overwrite damaged.study "$place" "\\$(printf %o "$random")"; flips=$((flips - 1)); done
	fi
	rm -f damaged.cfg
	run "$calibrate" --images 12 --arms 3 --resume damaged.study --output damaged.cfg
	if test $status -eq 0 && cmp -s sound.cfg damaged.cfg; then same=$((same + 1))
	elif test $status -eq 1 && test -s stderr && ! test -e damaged.cfg; then refused=$((refused + 1))
	else wrong=$((wrong + 1)) && cp damaged.study "wrong-$wrong.study"; fi
	rm -f damaged.study damaged.study-wal damaged.study-journal
done
if test $wrong -eq 0; then ok "$damages damaged studies: $refused refused, $same with the same bytes"; else no "damaged studies" "seed $seed: $wrong of $damages"; fi

# kill -9 at random moments, as often as it takes, then on to the end.
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
whole() { rm -f killed.study; start=$(milliseconds) && "$@" --study killed.study --output whole.cfg >/dev/null && took=$(($(milliseconds) - start)); }
killed=0 ended=0 wrong=0
while test $killed -lt "$kills"; do
	case $((ended % 3)) in
	0) set -- "$calibrate" --images 60 --arms 6 --held-out 20 --threads 2 ;;
	1) set -- "$calibrate" --images 25 --arms 5 --trials 40 --solver kl-ucb --held-out 5 --threads 2 ;;
	2) set -- "$calibrate" --data data --images 40 --arms 30 --threads 1 ;;
	esac
	"$@" --output plain.cfg >/dev/null
	whole "$@"
	cmp -s plain.cfg whole.cfg || wrong=$((wrong + 1))
	rm -f killed.study killed.cfg
	random 3
	for try in 0 1 2; do
		if test $try -gt "$random" || test $killed -ge "$kills"; then break; fi
		option=--resume
		test -e killed.study || option=--study
		before=$random
		random "$((took + 1))"
		"$@" $option killed.study --output killed.cfg >/dev/null 2>&1 &
		child=$!
		sleep "$(printf '%d.%03d' $((random / 1000)) $((random % 1000)))"
		random=$before
		if kill -9 $child 2>/dev/null; then
			wait $child 2>/dev/null
			test $? -ne 137 || killed=$((killed + 1))
		fi
	done
	option=--resume
	test -e killed.study || option=--study
	"$@" $option killed.study --output killed.cfg >/dev/null || wrong=$((wrong + 1))
	cmp -s plain.cfg killed.cfg || wrong=$((wrong + 1))
	ended=$((ended + 1))
done
if test $wrong -eq 0; then ok "$killed kills in $ended calibrations, each with the same bytes at its end"; else no "killed" "seed $seed: $wrong of $ended"; fi
summary
