#include "config.h"

#include "core/image/part.h"

#include <stdint.h>
#include <stdlib.h>

/* Pixels side by side in one row, and where a run is its part's first: the part. */
struct run {
	int first, last; /* columns */
	size_t parent;   /* a run of the same part, not after it; itself where it is the first */
	uint64_t pixels;
	struct box box;
};

struct runs {
	struct run *list;
	size_t count, room;
};

static size_t first_of(struct run *runs, size_t i)
{
	while (runs[i].parent != i)
		i = runs[i].parent = runs[runs[i].parent].parent;
	return i;
}

/* Makes one part of two; the earlier run stays the first, so that the first of a part has its first pixel. */
static void join(struct run *runs, size_t a, size_t b)
{
	a = first_of(runs, a);
	b = first_of(runs, b);
	runs[a < b ? b : a].parent = a < b ? a : b;
}

static int add_row(struct runs *runs, const float *row, int y, int width, double threshold, struct error *e)
{
	for (int x = 0; x < width; x++) {
		if (!((double)row[x] >= threshold))
			continue;
		if (runs->count == runs->room) {
			size_t room = 2 * runs->room + 256;
			struct run *list = realloc(runs->list, room * sizeof *list);
			if (!list)
				return error_memory(e, "a map's parts");
			runs->list = list;
			runs->room = room;
		}
		struct run *run = &runs->list[runs->count];
		*run = (struct run){.first = x, .parent = runs->count++};
		while (x + 1 < width && (double)row[x + 1] >= threshold)
			x++;
		run->last = x;
		run->pixels = (uint64_t)(x - run->first + 1);
		run->box = (struct box){run->first, y, x, y};
	}
	return LSDN_OK;
}

/* Joins the runs of a row with those of the row above that touch them, if by a corner. */
static void join_rows(struct run *runs, size_t above, size_t below, size_t past)
{
	for (size_t i = above, k = below; i < below && k < past;) {
		if (runs[i].first <= runs[k].last + 1 && runs[k].first <= runs[i].last + 1)
			join(runs, i, k);
		if (runs[i].last < runs[k].last)
			i++;
		else
			k++;
	}
}

static void gather(struct run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct run *first = &runs[first_of(runs, i)];
		if (first == &runs[i])
			continue;
		const struct box *b = &runs[i].box;
		first->pixels += runs[i].pixels;
		first->box.xmin = b->xmin < first->box.xmin ? b->xmin : first->box.xmin;
		first->box.xmax = b->xmax > first->box.xmax ? b->xmax : first->box.xmax;
		first->box.ymax = b->ymax > first->box.ymax ? b->ymax : first->box.ymax;
	}
}

int parts_find(struct parts *parts, const float *map, int width, int height, double threshold, struct error *e)
{
	struct runs runs = {0};
	size_t above = 0;
	uint64_t most = 0;
	int code = LSDN_OK;
	for (int y = 0; y < height && !code; y++) {
		size_t below = runs.count;
		code = add_row(&runs, map + (size_t)y * (size_t)width, y, width, threshold, e);
		join_rows(runs.list, above, below, runs.count);
		above = below;
	}
	gather(runs.list, runs.count);
	*parts = (struct parts){.boxes = code ? NULL : malloc((runs.count + 1) * sizeof *parts->boxes)};
	if (!code && !parts->boxes)
		code = error_memory(e, "a map's parts");
	for (size_t i = 0; i < runs.count && !code; i++) {
		if (runs.list[i].parent != i)
			continue;
		if (runs.list[i].pixels > most)
			parts->largest = parts->count;
		most = runs.list[i].pixels > most ? runs.list[i].pixels : most;
		parts->boxes[parts->count++] = runs.list[i].box;
	}
	free(runs.list);
	return code;
}

void parts_free(struct parts *parts)
{
	free(parts->boxes);
	*parts = (struct parts){0};
}

int part_largest(const float *map, int width, int height, double threshold, struct box *box, struct error *e)
{
	struct parts parts;
	int code = parts_find(&parts, map, width, height, threshold, e);
	if (!code)
		*box = parts.boxes[parts.largest];
	parts_free(&parts);
	return code;
}
