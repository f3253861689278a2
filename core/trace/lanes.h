/* Maxima and places, which compilers turn into vector instructions only where they are told that the order does not matter. To be used in LSDN_KERNEL
 * functions, so that they are compiled for every processor that those are. */
#ifndef LSDN_CORE_TRACE_LANES_H
#define LSDN_CORE_TRACE_LANES_H

#include <math.h>

#define LANES_INLINE static inline __attribute__((always_inline))

/* The highest of count values, which NaN is not; minus infinity where there is none. */
LANES_INLINE float lanes_maximum(const float *values, int count)
{
	float highest = -INFINITY;
#pragma omp simd reduction(max : highest)
	for (int c = 0; c < count; c++)
		highest = values[c] > highest ? values[c] : highest;
	return highest;
}

/* The first place of value among count values; count where it is not there. */
LANES_INLINE int lanes_find(const float *values, int count, float value)
{
	int place = count;
#pragma omp simd reduction(min : place)
	for (int c = 0; c < count; c++)
		place = values[c] == value && c < place ? c : place;
	return place;
}

#endif
