#include "config.h"

#include "core/trace/bounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/depthwise.h"
#include "core/trace/norms.h"
#include "core/trace/supports_inside.h"

/* The row of a pixel, which is of image `start`. */
struct slot {
	struct bounds_row *row;
	uint64_t start;
};

struct bounds {
	const struct plan *plan;
	const struct session *session;
	int image;
	uint64_t start;      /* counts images, so that rows of former ones need no clearing */
	struct slot **slots; /* by tensor that a layer made and pixel; NULL until it is asked for */
	struct norms *norms; /* by op; made when they are asked for, like */
	float **depthwise;   /* weights, likewise */
	struct arena arena;  /* of the rows */
	float *scratch;
};

struct bounds *bounds_open(const struct plan *plan, struct error *e)
{
	struct bounds *b = calloc(1, sizeof *b);
	if (b) {
		b->plan = plan;
		b->slots = calloc((size_t)plan->tensor_count, sizeof *b->slots);
		b->norms = calloc((size_t)plan->op_count + 1, sizeof *b->norms);
		b->depthwise = calloc((size_t)plan->op_count + 1, sizeof *b->depthwise);
		b->scratch = malloc(support_scratch(plan) * sizeof *b->scratch);
	}
	if (b && b->slots && b->norms && b->depthwise && b->scratch)
		return b;
	bounds_close(b);
	error_memory(e, "a walk");
	return NULL;
}

void bounds_close(struct bounds *b)
{
	if (!b)
		return;
	for (int t = 0; b->slots && t < b->plan->tensor_count; t++)
		free(b->slots[t]);
	for (int k = 0; b->norms && b->depthwise && k < b->plan->op_count; k++) {
		norms_free(&b->norms[k]);
		free(b->depthwise[k]);
	}
	arena_free(&b->arena);
	free(b->slots);
	free(b->norms);
	free(b->depthwise);
	free(b->scratch);
	free(b);
}

void bounds_start(struct bounds *b, const struct session *session, int image)
{
	b->session = session;
	b->image = image;
	b->start++;
	arena_clear(&b->arena);
}

LSDN_KERNEL static bool all_finite(const float *values, int count)
{
	int strange = 0;
#pragma omp simd reduction(| : strange)
	for (int c = 0; c < count; c++)
		strange |= !(fabsf(values[c]) < INFINITY);
	return !strange;
}

static struct place place_of(const struct tensor *t, uint32_t pixel)
{
	return (struct place){.y = (int)pixel / t->w, .x = (int)pixel % t->w};
}

/* The operator that made tensor t, or NULL for an image. */
static const struct op *maker_of(const struct bounds *b, int t)
{
	int maker = b->plan->tensors[t].maker;
	return maker < 0 ? NULL : &b->plan->ops[maker];
}

/* Known Z_pre is its own bound. */
static void know(struct bounds_row *row, int channels)
{
	row->finite = all_finite(row->exact, channels);
	row->bound = row->exact;
}

/* Z_pre of all channels, as the plain rows and neurons of supports.h have it. */
static void know_all(struct bounds *b, int t, struct place n, struct bounds_row *row)
{
	int channels = b->plan->tensors[t].c;
	support_preceding_row(b->session, b->plan, b->image, t, n.y, n.x, row->exact);
	for (n.c = 0; n.c < channels; n.c++)
		if (isnan(row->exact[n.c]))
			row->exact[n.c] = support_preceding(b->session, b->plan, b->image, t, n, b->scratch);
	know(row, channels);
}

static int know_depthwise(struct bounds *b, const struct op *op, struct place n, struct bounds_row *row, struct error *e)
{
	float **weights = &b->depthwise[op - b->plan->ops];
	if (!*weights && !(*weights = depthwise_weights(b->plan, op)))
		return error_memory(e, "a walk");
	depthwise_row(b->plan, op, *weights, session_tensor(b->session, op->inputs[0], b->image), n, row->exact);
	know(row, b->plan->tensors[op->output].c);
	return LSDN_OK;
}

static int bound_conv(struct bounds *b, int t, struct place n, struct bounds_row *row, struct error *e)
{
	const struct op *op = maker_of(b, t);
	struct norms *norms = &b->norms[op - b->plan->ops];
	size_t inputs = (size_t)b->plan->tensors[op->inputs[0]].c;
	float *positive = arena_alloc(&b->arena, 2 * inputs, sizeof *positive), *negative = positive + inputs;
	if (!positive)
		return error_memory(e, "a walk");
	if (!norms->outputs && norms_make(norms, b->plan, op, e))
		return (int)e->code;
	if (!norms_of_patch(b->plan, op, session_tensor(b->session, op->inputs[0], b->image), n, positive, negative)) {
		know_all(b, t, n, row);
		return LSDN_OK;
	}
	norms_bound(norms, positive, negative, row->bound);
	row->finite = all_finite(row->bound, norms->outputs);
	for (int c = 0; c < norms->outputs; c++)
		row->exact[c] = NAN;
	if (!row->finite)
		know_all(b, t, n, row);
	if (norms->taps == 1 || !row->finite)
		return LSDN_OK;
	row->positive = positive;
	row->negative = negative;
	row->close = arena_alloc(&b->arena, (size_t)norms->outputs, sizeof *row->close);
	return row->close ? LSDN_OK : error_memory(e, "a walk");
}

/* Side by side what the branches have. */
static int bound_concat(struct bounds *b, const struct op *op, uint32_t pixel, struct bounds_row *row, struct error *e)
{
	size_t at = 0;
	row->finite = true;
	for (int i = 0; i < op->input_count; i++) {
		size_t channels = (size_t)b->plan->tensors[op->inputs[i]].c;
		const struct bounds_row *branch = bounds_of(b, op->inputs[i], pixel, e);
		if (!branch)
			return (int)e->code;
		memcpy(row->bound + at, branch->bound, channels * sizeof *row->bound);
		memcpy(row->exact + at, branch->exact, channels * sizeof *row->exact);
		row->finite = row->finite && branch->finite;
		at += channels;
	}
	return LSDN_OK;
}

static struct slot *slot_of(struct bounds *b, int t, uint32_t pixel)
{
	const struct tensor *tensor = &b->plan->tensors[t];
	if (!b->slots[t])
		b->slots[t] = calloc((size_t)tensor->h * (size_t)tensor->w, sizeof *b->slots[t]);
	return b->slots[t] ? &b->slots[t][pixel] : NULL;
}

const struct bounds_row *bounds_of(struct bounds *b, int t, uint32_t pixel, struct error *e)
{
	t = plan_layer_tensor(b->plan, t);
	struct slot *slot = slot_of(b, t, pixel);
	if (slot && slot->start == b->start)
		return slot->row;
	const struct tensor *tensor = &b->plan->tensors[t];
	const struct op *op = maker_of(b, t);
	struct bounds_row *row = slot ? arena_alloc(&b->arena, 1, sizeof *row) : NULL;
	float *numbers = row ? arena_alloc(&b->arena, 2 * (size_t)tensor->c, sizeof *numbers) : NULL;
	if (!numbers) {
		error_memory(e, "a walk");
		return NULL;
	}
	*row = (struct bounds_row){.bound = numbers, .exact = numbers + tensor->c};
	int code = LSDN_OK;
	if (op && depthwise_is(b->plan, op))
		code = know_depthwise(b, op, place_of(tensor, pixel), row, e);
	else if (op && (op->kind == OP_CONV || op->kind == OP_GEMM))
		code = bound_conv(b, t, place_of(tensor, pixel), row, e);
	else if (op && op->kind == OP_CONCAT)
		code = bound_concat(b, op, pixel, row, e);
	else
		know_all(b, t, place_of(tensor, pixel), row);
	if (code)
		return NULL;
	*slot = (struct slot){row, b->start};
	return row;
}

/* The branch of a Concat that channel *c belongs to, in which it is *c then. */
static int branch_of(const struct bounds *b, const struct op *op, int *c)
{
	int i = 0;
	while (*c >= b->plan->tensors[op->inputs[i]].c)
		*c -= b->plan->tensors[op->inputs[i++]].c;
	return plan_layer_tensor(b->plan, op->inputs[i]);
}

float bounds_exact(struct bounds *b, int t, uint32_t pixel, int c)
{
	struct bounds_row *row = b->slots[t][pixel].row;
	if (!isnan(row->exact[c]))
		return row->exact[c];
	const struct op *op = maker_of(b, t);
	struct place n = place_of(&b->plan->tensors[t], pixel);
	n.c = c;
	if (op->kind == OP_CONCAT)
		row->exact[c] = bounds_exact(b, branch_of(b, op, &n.c), pixel, n.c);
	else if (row->positive)
		row->exact[c] = norms_highest_current(&b->norms[op - b->plan->ops], b->plan, op, session_tensor(b->session, op->inputs[0], b->image), n,
			row->positive, row->negative, b->scratch);
	else
		row->exact[c] = support_preceding(b->session, b->plan, b->image, t, n, b->scratch);
	row->bound[c] = row->exact[c];
	return row->exact[c];
}

float bounds_closer(struct bounds *b, int t, uint32_t pixel, int c)
{
	struct bounds_row *row = b->slots[t][pixel].row;
	const struct op *op = maker_of(b, t);
	int own = c;
	if (op && op->kind == OP_CONCAT && isnan(row->exact[c])) {
		row->bound[c] = bounds_closer(b, branch_of(b, op, &own), pixel, own);
	} else if (row->close && !row->close[c] && isnan(row->exact[c])) {
		float bound = norms_closer(&b->norms[op - b->plan->ops], support_first_channel(b->plan, op, c), c, row->positive, row->negative);
		row->bound[c] = bound < row->bound[c] ? bound : row->bound[c];
		row->close[c] = true;
	}
	return row->bound[c];
}
