#include "config.h"

#include "core/trace/dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/bounds.h"
#include "core/trace/depthwise.h"
#include "core/trace/lanes.h"
#include "core/trace/pair.h"
#include "core/trace/supports_inside.h"

enum { MOST_PARTS = 16, VECTOR = 16 };

/* Roughly, in vectors of products: what an output costs besides its own, and what a selected neuron costs where bounds choose the few that are computed. */
static const double OUTPUT = 20, NEURON = 1500, NEURON_PRODUCTS = 15;

/* A Conv or Gemm that made candidates, alone or as a branch of a Concat. */
struct part {
	int tensor, outputs;
	const struct op *op;
	size_t first_row, past_row;
};

/* A pixel of what a part made. */
struct row {
	struct bounds_row *known;
	size_t first_tap, past_tap;
};

/* A tap of a kernel at such a pixel: what it reads, and where its weights are in a filter. */
struct tap {
	const float *input;
	size_t weights;
};

struct dense {
	struct part parts[MOST_PARTS];
	int part_count;
	bool *marked;     /* by pixel of the candidates' tensor */
	size_t mark_room;
	uint32_t *pixels; /* those that are marked */
	size_t pixel_count;
	struct row *rows;
	size_t row_count, row_room;
	struct tap *taps;
	size_t tap_count, tap_room;
};

struct dense *dense_open(void)
{
	return calloc(1, sizeof(struct dense));
}

void dense_close(struct dense *d)
{
	if (!d)
		return;
	free(d->marked);
	free(d->pixels);
	free(d->rows);
	free(d->taps);
	free(d);
}

/* Finds the Convs and Gemms that made tensor t; false where there are too many. Z_pre of what other layers make costs little. */
static bool find_parts(struct dense *d, const struct plan *plan, int t)
{
	t = plan_layer_tensor(plan, t);
	const struct op *op = plan->tensors[t].maker < 0 ? NULL : &plan->ops[plan->tensors[t].maker];
	bool all = true;
	for (int i = 0; op && op->kind == OP_CONCAT && i < op->input_count && all; i++)
		all = find_parts(d, plan, op->inputs[i]);
	if (!op || (op->kind != OP_CONV && op->kind != OP_GEMM) || depthwise_is(plan, op))
		return all;
	if (d->part_count == MOST_PARTS)
		return false;
	d->parts[d->part_count++] = (struct part){.tensor = t, .op = op, .outputs = plan->tensors[t].c};
	return true;
}

static void mark(struct dense *d, uint32_t pixel)
{
	if (!d->marked[pixel])
		d->pixels[d->pixel_count++] = pixel;
	d->marked[pixel] = true;
}

/* Finds the pixels at which candidates may be: those under the kernels of the selected neurons, and their centres. */
static int find_pixels(struct walk *w, const struct layer *l)
{
	struct dense *d = w->dense;
	const struct tensor *in = &w->plan->tensors[l->op->inputs[0]], *out = &w->plan->tensors[l->op->output];
	const struct window *window = &l->op->window;
	size_t pixels = (size_t)(in->h * in->w);
	if (pixels > d->mark_room) {
		free(d->marked);
		free(d->pixels);
		d->marked = malloc(pixels * sizeof *d->marked);
		d->pixels = malloc(pixels * sizeof *d->pixels);
		d->mark_room = d->marked && d->pixels ? pixels : 0;
		if (!d->mark_room)
			return error_memory(w->error, "a walk");
	}
	memset(d->marked, 0, pixels * sizeof *d->marked);
	d->pixel_count = 0;
	if (l->op->kind == OP_GEMM)
		mark(d, 0);
	uint32_t last = UINT32_MAX;
	for (size_t k = 0; k < l->from->neurons.count && l->op->kind == OP_CONV && d->pixel_count < pixels; k++) {
		neuron_t n = l->from->neurons.keys[walk_slot(w, k)];
		if (n / (uint32_t)out->c == last)
			continue;
		last = n / (uint32_t)out->c;
		struct place s = neuron_place(out, n);
		struct tap_range r = taps_of(in, window, s);
		for (int i = r.i_from; i < r.i_to; i++)
			for (int j = r.j_from; j < r.j_to; j++)
				mark(d, (uint32_t)((r.y0 + i * window->dilation_y) * in->w + r.x0 + j * window->dilation_x));
		mark(d, support_center(w->plan, l->op, s));
	}
	return LSDN_OK;
}

static int taps_of_kernel(const struct op *op)
{
	return op->kind == OP_GEMM ? 1 : op->window.height * op->window.width;
}

int dense_pays(struct walk *w, const struct layer *l, bool search, bool *pays)
{
	struct dense *d = w->dense;
	double outputs = 0, products = 0, neurons = (double)l->from->neurons.count, neuron = NEURON, asked = NEURON_PRODUCTS;
	d->part_count = 0;
	*pays = false;
	if (!find_parts(d, w->plan, l->op->inputs[0]) || !d->part_count)
		return LSDN_OK;
	int code = find_pixels(w, l);
	for (int i = 0; i < d->part_count; i++) {
		const struct part *part = &d->parts[i];
		outputs += part->outputs;
		int inputs = support_count(w->plan, part->op);
		products += part->outputs * (double)taps_of_kernel(part->op) * (inputs / VECTOR + inputs % VECTOR);
	}
	if (!search) {
		neuron = 0;
		asked = support_count(w->plan, l->op);
	}
	*pays = (double)d->pixel_count * (products + OUTPUT * outputs) < neurons * (neuron + asked * products / outputs);
	return code;
}

static int add_tap(struct walk *w, const float *input, size_t weights)
{
	struct dense *d = w->dense;
	struct tap *taps = with_room(d->taps, &d->tap_room, d->tap_count + 1, sizeof *taps);
	if (!taps)
		return error_memory(w->error, "a walk");
	d->taps = taps;
	d->taps[d->tap_count++] = (struct tap){input, weights};
	return LSDN_OK;
}

/* The taps that are inside the input, in raster order. */
static int add_taps(struct walk *w, const struct op *op, struct place s)
{
	const struct tensor *in = &w->plan->tensors[op->inputs[0]];
	const float *input = session_tensor(w->session, op->inputs[0], w->image);
	size_t count = (size_t)support_count(w->plan, op);
	int code = LSDN_OK;
	if (op->kind == OP_GEMM)
		return add_tap(w, input, 0);
	struct tap_range r = taps_of(in, &op->window, s);
	for (int i = r.i_from; i < r.i_to; i++)
		for (int j = r.j_from; j < r.j_to && !code; j++) {
			size_t pixel = (size_t)((r.y0 + i * op->window.dilation_y) * in->w + r.x0 + j * op->window.dilation_x);
			code = add_tap(w, input + pixel * (size_t)in->c, (size_t)(i * op->window.width + j) * count);
		}
	return code;
}

static int add_row(struct walk *w, const struct part *part, uint32_t pixel)
{
	struct dense *d = w->dense;
	struct row *rows = with_room(d->rows, &d->row_room, d->row_count + 1, sizeof *rows);
	if (!rows)
		return error_memory(w->error, "a walk");
	d->rows = rows;
	struct bounds_row *known = bounds_new_row(w->bounds, part->tensor, pixel, w->error);
	if (!known)
		return (int)w->error->code;
	struct row *row = &d->rows[d->row_count++];
	*row = (struct row){known, d->tap_count, 0};
	int code = add_taps(w, part->op, neuron_place(&w->plan->tensors[part->tensor], pixel * (neuron_t)part->outputs));
	row->past_tap = d->tap_count;
	return code || !w->second ? code : bounds_share(w->second->bounds, part->tensor, pixel, known, w->error);
}

#if defined(LSDN_VECTORS)
static inline __attribute__((always_inline)) void raise(vector_float *highest, vector_float values)
{
	vector_int higher = values > *highest;
	*highest = (vector_float)((higher & (vector_int)values) | (~higher & (vector_int)*highest));
}
#endif

/* The highest of `count` sums over the taps, to the last bit the highest that support_current has. `first` is the first input channel. */
LSDN_KERNEL static float highest_sum(const struct tap *taps, size_t tap_count, size_t first, const float *filter, int count)
{
	float highest = -INFINITY;
	int c = 0;
#if defined(LSDN_VECTORS)
	enum { BLOCK = 4 };
	vector_float all[BLOCK], a, f; /* several, so that none waits for the other */
	for (int k = 0; k < BLOCK; k++)
		all[k] = (vector_float){0} - INFINITY;
	for (; c + BLOCK * LSDN_VECTOR <= count; c += BLOCK * LSDN_VECTOR) {
		vector_float sums[BLOCK] = {{0}};
		for (size_t t = 0; t < tap_count; t++) {
			const float *input = taps[t].input + first + c, *weights = filter + taps[t].weights + c;
			for (int k = 0; k < BLOCK; k++) {
				memcpy(&a, input + k * LSDN_VECTOR, sizeof a);
				memcpy(&f, weights + k * LSDN_VECTOR, sizeof f);
				sums[k] += a * f;
			}
		}
		for (int k = 0; k < BLOCK; k++)
			raise(&all[k], sums[k]);
	}
	for (; c + LSDN_VECTOR <= count; c += LSDN_VECTOR) {
		vector_float sum = {0};
		for (size_t t = 0; t < tap_count; t++) {
			memcpy(&a, taps[t].input + first + c, sizeof a);
			memcpy(&f, filter + taps[t].weights + c, sizeof f);
			sum += a * f;
		}
		raise(&all[0], sum);
	}
	raise(&all[0], all[1]);
	raise(&all[2], all[3]);
	raise(&all[0], all[2]);
	for (int k = 0; k < LSDN_VECTOR; k++)
		highest = all[0][k] > highest ? all[0][k] : highest;
#endif
	for (; c < count; c++) {
		float sum = 0;
		for (size_t t = 0; t < tap_count; t++)
			sum += taps[t].input[first + (size_t)c] * filter[taps[t].weights + (size_t)c];
		highest = sum > highest ? sum : highest;
	}
	return highest;
}

/* Output k, as the outputs of all parts are counted, at all pixels. */
static int know_output(struct walk *w, const struct layer *l, size_t k)
{
	(void)l;
	const struct part *part = w->dense->parts;
	while (k >= (size_t)part->outputs)
		k -= (size_t)part++->outputs;
	const struct dense *d = w->dense;
	int count = support_count(w->plan, part->op);
	size_t first = (size_t)support_first_channel(w->plan, part->op, (int)k);
	const float *filter = part->op->weights + k * (size_t)taps_of_kernel(part->op) * (size_t)count;
	for (size_t i = part->first_row; i < part->past_row; i++) {
		const struct row *row = &d->rows[i];
		row->known->exact[k] = highest_sum(d->taps + row->first_tap, row->past_tap - row->first_tap, first, filter, count);
	}
	return LSDN_OK;
}

int dense_know(struct walk *w, const struct layer *l)
{
	struct dense *d = w->dense;
	size_t outputs = 0;
	int code = LSDN_OK;
	d->row_count = 0;
	d->tap_count = 0;
	for (int i = 0; i < d->part_count; i++) {
		struct part *part = &d->parts[i];
		part->first_row = d->row_count;
		for (size_t k = 0; k < d->pixel_count && !code; k++)
			if (!bounds_complete(w->bounds, part->tensor, d->pixels[k]))
				code = add_row(w, part, d->pixels[k]);
		part->past_row = d->row_count;
		outputs += (size_t)part->outputs;
	}
	if (!code && d->row_count)
		code = pair_run(w, l, know_output, outputs);
	for (int i = 0; i < d->part_count && !code; i++)
		for (size_t k = d->parts[i].first_row; k < d->parts[i].past_row; k++)
			bounds_know_row(d->rows[k].known, d->parts[i].outputs);
	return code;
}
