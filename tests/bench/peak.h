/* What the machine itself can do: multiply-adds whose numbers never leave the registers. */
#ifndef LSDN_TESTS_BENCH_PEAK_H
#define LSDN_TESTS_BENCH_PEAK_H

/* Single precision operations (a multiply-add is two) that `threads` threads do together in a nanosecond: GFLOP/s. Takes about 0.1 s. */
double peak_gflops(int threads);

#endif
