#include "config.h"

#include "tests/bench/peak.h"

#include <omp.h>

/* Twelve sums are more than two units need with a latency of four or five cycles, and fit the sixteen registers of AVX2. */
#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
enum { SUMS = 12 };

#define START(i) vector sum##i = zero + (float)i;
#define STEP(i) sum##i = sum##i * factor + addend;
#define TAKE(i) zero += sum##i;

/* Rounds of SUMS multiply-adds on vectors of that many numbers; the sums stay near 1. */
#define LOOP(name, lanes, instructions) \
	instructions static float name(long rounds, float near_one) \
	{ \
		typedef float vector __attribute__((vector_size(lanes * sizeof(float)))); \
		vector zero = {0}, factor = zero + near_one, addend = zero + (1 - near_one); \
		EACH(START) \
		for (long i = 0; i < rounds; i++) { \
			EACH(STEP) \
		} \
		EACH(TAKE) \
		return zero[0]; \
	}

LOOP(loop_plain, 4, )
#if defined(__x86_64__)
LOOP(loop_avx2, 8, __attribute__((target("avx2,fma"))))
LOOP(loop_avx512, 16, __attribute__((target("avx512f"))))
#endif

struct kernel {
	float (*loop)(long rounds, float near_one);
	int lanes;
};

static struct kernel widest(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		return (struct kernel){loop_avx512, 16};
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return (struct kernel){loop_avx2, 8};
#endif
	return (struct kernel){loop_plain, 4};
}

double peak_gflops(int threads)
{
	struct kernel kernel = widest();
	volatile float near_one = 0.999F; /* or the compiler would compute the sums itself */
	double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
	{
		long rounds = 1 << 16, done = 0;
		volatile float sum = kernel.loop(rounds, near_one);
#pragma omp barrier
		double start = omp_get_wtime(), seconds;
		do {
			sum = sum + kernel.loop(rounds, near_one);
			done += rounds;
			seconds = omp_get_wtime() - start;
		} while (seconds < 0.1);
		rate += 2e-9 * SUMS * kernel.lanes * (double)done / seconds;
	}
	return rate;
}
