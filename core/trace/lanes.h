/* Loops that compilers turn into vector instructions only when the lanes are written out: maxima, whose order is theirs to keep. To be used in LSDN_KERNEL
 * functions, so that they are compiled for every processor that those are. */
#ifndef LSDN_CORE_TRACE_LANES_H
#define LSDN_CORE_TRACE_LANES_H

#include <math.h>
#include <stdbool.h>

enum { LANES = 16 };

#define LANES_INLINE static inline __attribute__((always_inline))

LANES_INLINE void lanes_raise(float lanes[LANES], const float *values)
{
	for (int k = 0; k < LANES; k++)
		lanes[k] = values[k] > lanes[k] ? values[k] : lanes[k];
}

LANES_INLINE float lanes_highest(float lanes[LANES])
{
	for (int half = LANES / 2; half; half /= 2)
		for (int k = 0; k < half; k++)
			lanes[k] = lanes[k + half] > lanes[k] ? lanes[k + half] : lanes[k];
	return lanes[0];
}

/* The highest of count values, which NaN is not; minus infinity where there is none. */
LANES_INLINE float lanes_maximum(const float *values, int count)
{
	float lanes[LANES], highest;
	int c = 0;
	for (int k = 0; k < LANES; k++)
		lanes[k] = -INFINITY;
	for (; c + LANES <= count; c += LANES)
		lanes_raise(lanes, values + c);
	highest = lanes_highest(lanes);
	for (; c < count; c++)
		highest = values[c] > highest ? values[c] : highest;
	return highest;
}

/* The first place of value among count values; count where it is not there. */
LANES_INLINE int lanes_find(const float *values, int count, float value)
{
	int c = 0;
	for (; c + LANES <= count; c += LANES) {
		int hits = 0;
		for (int k = 0; k < LANES; k++)
			hits |= values[c + k] == value;
		if (hits)
			break;
	}
	while (c < count && values[c] != value)
		c++;
	return c;
}

#endif
