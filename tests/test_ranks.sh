#!/bin/sh
# Calibrations on several ranks: the same bytes with any number of them, and with any of them killed.
# Run by make check in the build folder, where it was configured --with-mpi. LSDN_KILLS: how often ranks are killed; LSDN_SEED names other moments.
srcdir=${srcdir-.}
if test "${WITH_MPI-yes}" != yes || ! command -v mpirun >/dev/null; then echo "skipped: not configured --with-mpi, or no mpirun"; exit 77; fi
. "$srcdir/tests/programs_lib.sh"
kills=${LSDN_KILLS-4} seed=${LSDN_SEED-$(date +%s)}
echo "seed $seed: $kills kills"
state=$((seed % 2147483647))
random() { state=$(((state * 48271 + 11) % 2147483647)); random=$((state % $1)); }
# As root and on few cores, as tests are.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export ASAN_OPTIONS="${ASAN_OPTIONS+$ASAN_OPTIONS:}detect_leaks=0" # Open MPI keeps what it has for the life of the process
# on RANKS COMMAND...
on() { ranks=$1; shift; timeout 300 mpirun -n "$ranks" "$@"; }

works "generate" "$calibrate" --generate data --images 60
echo 'not a picture' >data/images/generated_00000007.png
compare() {
	case=$1
	shift
	works "$case, without ranks" "$@" --output plain.cfg
	cp stderr plain.err
	forwards=$(sed -n 's/ forward passes.*//p' stdout)
	for ranks in 1 2 3; do
		works "$case, $ranks ranks" on $ranks "$@" --output ranks.cfg
		true_that "the same bytes" cmp plain.cfg ranks.cfg
		true_that "the same words on standard error" cmp plain.err stderr
		true_that "and not one forward pass more" test "$(sed -n 's/ forward passes.*//p' stdout)" -eq "$forwards"
		printed "^$ranks ranks; the first sent and got" "its messages are counted"
	done
}
compare "photographs" "$calibrate" --data data --images 40 --arms 4 --held-out 12 --threads 2
compare "a budget" "$calibrate" --data data --images 30 --arms 6 --trials 50 --solver thompson --held-out 4 --threads 1
compare "no images at all on disk" "$calibrate" --images 150 --arms 20 --threads 1
compare "too many triples for one pass" "$calibrate" --images 20 --arms 30 --threads 1
compare "weights a layer, and other choices" "$calibrate" --data data --images 20 --arms 3 --per-layer --groups 3 --tune=k_conv=1,2 --tune=view=full,five --threads 1
works "other ranks do their share" on 3 "$calibrate" --images 200 --arms 20 --threads 1 --output ranks.cfg
true_that "as messages show" test "$(sed -n 's/.* got \([0-9]*\) messages.*/\1/p' stdout)" -ge 100

# A study is rank 0's.
long="$calibrate --images 1000 --arms 20 --threads 1"
works "a long one" $long --output long.cfg
works "with a study and ranks" on 2 $long --study done.study --output ranks.cfg
true_that "the same bytes" cmp long.cfg ranks.cfg
works "which serves others" on 3 $long --resume done.study --output ranks.cfg
true_that "the same bytes" cmp long.cfg ranks.cfg
printed '^0 forward passes' "and computes nothing"

# rank N PID: the process of rank N of an mpirun.
rank() {
	for process in $(cat "/proc/$2/task/$2/children" 2>/dev/null); do
		if tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$1"; then echo "$process"; fi
	done
}
started=0 killed=0 wrong=0
while test $started -lt "$kills"; do
	rm -f killed.study killed.cfg
	count=$((started % 2 + 2))
	timeout 300 mpirun -n $count $long --study killed.study --output killed.cfg >killed.out 2>&1 &
	while ! test -s killed.study && kill -0 $! 2>/dev/null; do sleep 0.05; done
	random 1000
	sleep "$(printf '0.%03d' "$random")"
	whole=$(cat "/proc/$!/task/$!/children")
	victim=$(rank $((started % count)) "${whole% }")
	status=0
	if test -n "$victim" && kill -9 "$victim"; then killed=$((killed + 1)); fi
	wait $! || status=$?
	if test -n "$victim" && { test $status -eq 0 || test -e killed.cfg; }; then wrong=$((wrong + 1)) && cp killed.out wrong.out; fi
	if test $((started % 3)) -eq 0; then set -- $long; else set -- on 2 $long; fi
	"$@" --resume killed.study --output killed.cfg >killed.out 2>&1 && cmp -s long.cfg killed.cfg || { wrong=$((wrong + 1)); cp killed.out wrong.out; }
	started=$((started + 1))
done
if test $wrong -eq 0 && test $killed -gt 0; then ok "$killed ranks killed, each calibration with the same bytes at its end"
else no "killed ranks" "seed $seed: $wrong of $started went wrong, $killed were killed" "$(tail -n 3 wrong.out)"; fi

# What goes wrong is said once, by rank 0.
once() { true_that "said once" test "$(grep -c "^lsdn-calibrate: \|^$1" stderr)" -eq 1; }
gives 2 'Try' "wrong usage" on 3 "$calibrate" --images x
true_that "said once" test "$(grep -c 'lsdn-calibrate: --images' stderr)" -eq 1
gives 1 'nowhere.onnx' "no such model" on 3 "$calibrate" --model nowhere.onnx
once nothing
gives 1 'nowhere' "no such data" on 3 "$calibrate" --data nowhere --output never.cfg
once nothing
gives 1 'done.study.*is there already' "a study that is there" on 2 "$calibrate" --images 5 --study done.study --output never.cfg
once nothing
works "generate in one rank" on 2 "$calibrate" --generate made --images 3
true_that "all of them" test -f made/images/generated_00000002.png

# Ranks that are not like the first. other ARGUMENTS...: those of rank 1 alone.
cat >other.sh <<'END'
if test "$OMPI_COMM_WORLD_RANK" = 1; then exec "$calibrate" $other; else exec "$calibrate" "$@"; fi
END
export calibrate other
different() {
	what=$1 pattern=$2 other=$3
	gives 1 "$pattern" "$what" on 3 sh other.sh --data data --images 10 --arms 2 --output never.cfg
	once nothing
}
cp -r data fewer && rm fewer/images/generated_00000011.png
different "other photographs in one rank" 'rank 1 on .*: there are 59 photographs there, and 60 on ' '--data fewer --images 10 --arms 2'
cp "$source/weights/embedded.onnx" net.onnx && sed 's/127\.5/127.0/; /labels/d' "$source/weights/embedded.cfg" >net.cfg
different "another input in one rank" "rank 1 on .*: the network's input is .*mean 127 .*mean 127.5" '--model net.onnx --data data --images 10 --arms 2'
different "no model in one rank" 'rank 1 on .*nowhere.onnx' '--model nowhere.onnx --data data --images 10 --arms 2'

if (trap '' XFSZ) 2>/dev/null && (ulimit -f 1) 2>/dev/null; then
	gives 1 'full.study.*kept' "full disk" on 2 sh -c 'if test "$OMPI_COMM_WORLD_RANK" = 0; then trap "" XFSZ; ulimit -f 300; fi; exec "$@"' sh $long \
		--study full.study --output never.cfg
	works "with room again" on 2 $long --resume full.study --output full.cfg
	true_that "the same bytes" cmp long.cfg full.cfg
else skip "full disk: this shell sets no file limits"; fi

longer="$calibrate --images 2500 --arms 20 --threads 1"
timeout 300 mpirun -n 2 $longer --study stopped.study --output stopped.cfg >stdout 2>stderr &
while ! test -s stopped.study && kill -0 $! 2>/dev/null; do sleep 0.05; done
sleep 0.3
kill -INT "$(cat /proc/$!/task/$!/children)"
status=0
wait $! || status=$?
true_that "Ctrl-C" test $status -ne 0 -a ! -e stopped.cfg
works "goes on" on 3 $longer --resume stopped.study --output stopped.cfg
works "without ranks" $longer --output plain.cfg
true_that "to the same bytes" cmp plain.cfg stopped.cfg
summary
