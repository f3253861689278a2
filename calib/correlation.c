#include "config.h"

#include "calib/correlation.h"

#include <math.h>
#include <stdlib.h>

struct ranked {
	float value;
	size_t place;
};

static int by_value(const void *first, const void *second)
{
	const struct ranked *a = first, *b = second;
	return (a->value > b->value) - (a->value < b->value);
}

/* Ranks from 0 less their mean. */
static void rank(const float *values, size_t count, struct ranked *room, double *ranks)
{
	for (size_t i = 0; i < count; i++)
		room[i] = (struct ranked){values[i], i};
	qsort(room, count, sizeof *room, by_value);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && room[end].value <= room[i].value; end++)
			;
		for (size_t k = i; k < end; k++)
			ranks[room[k].place] = ((double)i + (double)end - (double)count) / 2;
	}
}

int rank_correlation(const float *a, const float *b, size_t count, double *correlation, struct error *e)
{
	struct ranked *room = malloc((count + 1) * sizeof *room);
	double *ranks = malloc((2 * count + 1) * sizeof *ranks), both = 0, first = 0, second = 0;
	if (room && ranks) {
		rank(a, count, room, ranks);
		rank(b, count, room, ranks + count);
	}
	for (size_t i = 0; room && ranks && i < count; i++) {
		both += ranks[i] * ranks[count + i];
		first += ranks[i] * ranks[i];
		second += ranks[count + i] * ranks[count + i];
	}
	int code = room && ranks ? LSDN_OK : error_memory(e, "ranks");
	*correlation = first > 0 && second > 0 ? both / sqrt(first) / sqrt(second) : NAN;
	free(room);
	free(ranks);
	return code;
}
