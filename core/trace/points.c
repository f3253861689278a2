/* From the neurons at which a walk ends to pixels of the network's input. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/trace/walk_inside.h"

bool walk_ends(const struct plan *plan, int t, int stride)
{
	const struct tensor *image = &plan->tensors[plan->inputs[0]], *map = &plan->tensors[t];
	double most = sqrt(2) * stride;
	return t == plan->inputs[0] || (stride > 1 && map->h * map->w > 1 && image->h <= most * map->h && image->w <= most * map->w);
}

struct place walk_pixel(const struct plan *plan, int t, struct place p)
{
	const struct tensor *image = &plan->tensors[plan->inputs[0]], *map = &plan->tensors[t];
	return (struct place){.y = (int)((2 * (int64_t)p.y + 1) * image->h / (2 * map->h)), .x = (int)((2 * (int64_t)p.x + 1) * image->w / (2 * map->w))};
}

static uint32_t pixel_of(const struct plan *plan, int t, neuron_t n)
{
	struct place p = walk_pixel(plan, t, neuron_place(&plan->tensors[t], n));
	return (uint32_t)p.y * (uint32_t)plan->tensors[plan->inputs[0]].w + (uint32_t)p.x;
}

static int by_pixel(const void *left, const void *right)
{
	const struct end *a = left, *b = right;
	if (a->pixel != b->pixel)
		return a->pixel > b->pixel ? 1 : -1;
	return a->tensor != b->tensor ? (a->tensor > b->tensor) - (a->tensor < b->tensor) : (a->neuron > b->neuron) - (a->neuron < b->neuron);
}

static int make_room(struct walk *w, size_t count)
{
	struct pixels *points = &w->points;
	size_t masks = count * (size_t)w->words, masses = w->heavy ? count * (size_t)w->count : 0;
	if (count > points->room) {
		free(points->neurons);
		free(points->pixels);
		points->neurons = malloc(count * sizeof *points->neurons);
		points->pixels = malloc(count * sizeof *points->pixels);
		points->room = points->neurons && points->pixels ? count : 0;
	}
	if (masks > points->mask_room) {
		free(points->masks);
		points->masks = malloc(masks * sizeof *points->masks);
		points->mask_room = points->masks ? masks : 0;
	}
	if (masses > points->mass_room) {
		free(points->masses);
		points->masses = malloc(masses * sizeof *points->masses);
		points->mass_room = points->masses ? masses : 0;
	}
	bool room = count <= points->room && masks <= points->mask_room && masses <= points->mass_room;
	return room ? LSDN_OK : error_memory(w->error, "points");
}

/* The points of all policies at once: each is asked for its own then. */
int points_gather(struct walk *w)
{
	struct pixels *points = &w->points;
	size_t count = 0, words = (size_t)w->words, policies = w->heavy ? (size_t)w->count : 0;
	for (int t = 0; t < w->plan->tensor_count; t++)
		count += w->ends[t] ? w->selected[t].neurons.count : 0;
	int code = make_room(w, count);
	if (code)
		return code;
	struct end *end = points->neurons;
	for (int t = 0; t < w->plan->tensor_count; t++)
		for (size_t slot = 0; w->ends[t] && slot < w->selected[t].neurons.count; slot++, end++)
			*end = (struct end){pixel_of(w->plan, t, w->selected[t].neurons.keys[slot]), t, w->selected[t].neurons.keys[slot], slot};
	points->count = 0;
	if (count)
		qsort(points->neurons, count, sizeof *points->neurons, by_pixel);
	for (size_t i = 0; i < count; i++) {
		const struct end *own = &points->neurons[i];
		const struct selection *s = &w->selected[own->tensor];
		if (!points->count || points->pixels[points->count - 1] != own->pixel) {
			memset(points->masks + points->count * words, 0, words * sizeof *points->masks);
			for (size_t p = 0; p < policies; p++)
				points->masses[points->count * policies + p] = 0;
			points->pixels[points->count++] = own->pixel;
		}
		for (size_t k = 0; k < words; k++)
			points->masks[(points->count - 1) * words + k] |= s->masks[own->slot * words + k];
		for (size_t p = 0; p < policies; p++)
			points->masses[(points->count - 1) * policies + p] += s->masses[own->slot * policies + p];
	}
	return LSDN_OK;
}

void points_free(struct pixels *points)
{
	free(points->neurons);
	free(points->pixels);
	free(points->masks);
	free(points->masses);
}

void points_contrast(struct walk *w)
{
	size_t words = (size_t)w->words, policies = (size_t)w->count, k = 0;
	for (size_t i = 0; i < w->points.count; i++) {
		uint64_t *own = w->points.masks + i * words;
		while (k < w->rival.count && w->rival.pixels[k] < w->points.pixels[i])
			k++;
		if (k == w->rival.count || w->rival.pixels[k] != w->points.pixels[i])
			continue;
		const uint64_t *other = w->rival.masks + k * words;
		for (size_t p = 0; p < policies; p++) {
			uint64_t bit = (uint64_t)1 << (p % 64);
			if (!(own[p / 64] & other[p / 64] & bit))
				continue;
			double left = w->heavy ? w->points.masses[i * policies + p] - w->rival.masses[k * policies + p] : 0;
			if (w->heavy)
				w->points.masses[i * policies + p] = left;
			if (!(left > 0))
				own[p / 64] &= ~bit;
		}
	}
}

/* True where policy p, in the walk's own order, selected the i-th pixel. */
static bool has(const struct walk *w, size_t i, int p)
{
	return w->points.masks[i * (size_t)w->words + (size_t)p / 64] >> (p % 64) & 1;
}

size_t walk_points(const struct walk *w, int p, struct place *out)
{
	const struct tensor *input = &w->plan->tensors[w->plan->inputs[0]];
	size_t points = 0;
	p = w->own[p];
	for (size_t i = 0; i < w->points.count; i++) {
		if (!has(w, i, p))
			continue;
		int pixel = (int)w->points.pixels[i];
		if (out)
			out[points] = (struct place){.y = pixel / input->w, .x = pixel % input->w};
		points++;
	}
	return points;
}

bool walk_has_mass(const struct walk *w)
{
	return w->heavy;
}

void walk_masses(const struct walk *w, int p, double *out)
{
	size_t points = 0;
	p = w->own[p];
	for (size_t i = 0; i < w->points.count; i++)
		if (has(w, i, p))
			out[points++] = w->points.masses[i * (size_t)w->count + (size_t)p];
}
