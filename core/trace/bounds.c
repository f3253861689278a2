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
	struct norms *norms; /* by op, */
	float **depthwise;   /* weights, likewise: made by bounds_prepare */
	bool borrowed;       /* both are another's */
	struct arena arena;  /* of the rows */
	float *scratch;
};

static struct bounds *open_bounds(const struct plan *plan, const struct bounds *first, struct error *e)
{
	struct bounds *b = calloc(1, sizeof *b);
	if (b) {
		b->plan = plan;
		b->slots = calloc((size_t)plan->tensor_count, sizeof *b->slots);
		b->borrowed = first;
		b->norms = first ? first->norms : calloc((size_t)plan->op_count + 1, sizeof *b->norms);
		b->depthwise = first ? first->depthwise : calloc((size_t)plan->op_count + 1, sizeof *b->depthwise);
		b->scratch = malloc(support_scratch(plan) * sizeof *b->scratch);
	}
	if (b && b->slots && b->norms && b->depthwise && b->scratch)
		return b;
	bounds_close(b);
	error_memory(e, "a walk");
	return NULL;
}

struct bounds *bounds_open(const struct plan *plan, struct error *e)
{
	return open_bounds(plan, NULL, e);
}

struct bounds *bounds_open_beside(const struct bounds *first, struct error *e)
{
	return open_bounds(first->plan, first, e);
}

static void free_weights(struct bounds *b)
{
	for (int k = 0; b->norms && b->depthwise && k < b->plan->op_count; k++) {
		norms_free(&b->norms[k]);
		free(b->depthwise[k]);
	}
	free(b->norms);
	free(b->depthwise);
}

void bounds_close(struct bounds *b)
{
	if (!b)
		return;
	for (int t = 0; b->slots && t < b->plan->tensor_count; t++)
		free(b->slots[t]);
	if (!b->borrowed)
		free_weights(b);
	arena_free(&b->arena);
	free(b->slots);
	free(b->scratch);
	free(b);
}

size_t bounds_size(const struct bounds *b)
{
	return b->arena.taken;
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

LSDN_KERNEL static void fill(float *values, float value, int count)
{
	for (int c = 0; c < count; c++)
		values[c] = value;
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
void bounds_know_row(struct bounds_row *row, int channels)
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
	bounds_know_row(row, channels);
}

LSDN_KERNEL static void bound_operand(float *restrict bound, const float *restrict exact, const float *restrict other, int count)
{
	for (int c = 0; c < count; c++)
		bound[c] = exact[c] >= -INFINITY ? exact[c] : fabsf(other[c]) * (1 + 0x1p-20f);
}

/* An Add's highest operand; where a ReLU passed nothing of the sum on, an operand that is not kept is not above minus the other. */
static void bound_sum(struct bounds *b, int t, struct place n, struct bounds_row *row)
{
	const struct op *op = maker_of(b, t);
	const struct tensor *tensor = &b->plan->tensors[t];
	const float *first = session_tensor(b->session, op->inputs[0], b->image), *second = session_tensor(b->session, op->inputs[1], b->image);
	if (!first == !second) {
		know_all(b, t, n, row);
		return;
	}
	support_preceding_row(b->session, b->plan, b->image, t, n.y, n.x, row->exact);
	bound_operand(row->bound, row->exact, (first ? first : second) + (size_t)(n.y * tensor->w + n.x) * (size_t)tensor->c, tensor->c);
	row->finite = all_finite(row->bound, tensor->c);
	if (!row->finite)
		know_all(b, t, n, row);
}

static void know_depthwise(struct bounds *b, const struct op *op, struct place n, struct bounds_row *row)
{
	depthwise_row(b->plan, op, b->depthwise[op - b->plan->ops], session_tensor(b->session, op->inputs[0], b->image), n, row->exact);
	bounds_know_row(row, b->plan->tensors[op->output].c);
}

/* The activations under a kernel of one tap; NULL where it is in the padding. */
static const float *under_one_tap(const struct bounds *b, const struct op *op, struct place n)
{
	const struct tensor *in = &b->plan->tensors[op->inputs[0]];
	const float *input = session_tensor(b->session, op->inputs[0], b->image);
	if (op->kind == OP_GEMM)
		return input;
	int y = n.y * op->window.stride_y - op->window.top, x = n.x * op->window.stride_x - op->window.left;
	return y < 0 || x < 0 || y >= in->h || x >= in->w ? NULL : input + (size_t)(y * in->w + x) * (size_t)in->c;
}

/* Bounds of several taps, which norms of the activations under the kernel make closer later on. */
static int bound_patch(struct bounds *b, const struct op *op, const struct norms *norms, struct place n, struct bounds_row *row, struct error *e)
{
	size_t inputs = (size_t)b->plan->tensors[op->inputs[0]].c;
	row->positive = arena_alloc(&b->arena, 2 * inputs, sizeof *row->positive);
	row->close = arena_alloc(&b->arena, (size_t)norms->outputs, sizeof *row->close);
	if (!row->positive || !row->close)
		return error_memory(e, "a walk");
	row->negative = row->positive + inputs;
	row->finite = norms_of_patch(b->plan, op, session_tensor(b->session, op->inputs[0], b->image), n, row->positive, row->negative);
	if (row->finite)
		norms_bound(norms, row->positive, row->negative, row->bound);
	return LSDN_OK;
}

static int bound_conv(struct bounds *b, int t, struct place n, struct bounds_row *row, struct error *e)
{
	const struct op *op = maker_of(b, t);
	const struct norms *norms = &b->norms[op - b->plan->ops];
	if (!norms->outputs) { /* all that were wanted are known; this is another */
		know_all(b, t, n, row);
		return LSDN_OK;
	}
	const float *activations = norms->taps == 1 ? under_one_tap(b, op, n) : NULL;
	int code = norms->taps > 1 ? bound_patch(b, op, norms, n, row, e) : LSDN_OK;
	if (code)
		return code;
	if (norms->taps == 1)
		row->finite = activations && norms_bound_one(norms, activations, row->bound);
	row->finite = row->finite && all_finite(row->bound, norms->outputs);
	if (row->finite) {
		fill(row->exact, NAN, norms->outputs);
	} else {
		row->positive = NULL;
		row->close = NULL;
		know_all(b, t, n, row);
	}
	return LSDN_OK;
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

int bounds_prepare(struct bounds *b, int t, struct error *e)
{
	const struct op *op = maker_of(b, plan_layer_tensor(b->plan, t));
	int code = LSDN_OK, k = op ? (int)(op - b->plan->ops) : 0;
	if (op && depthwise_is(b->plan, op)) {
		if (!b->depthwise[k] && !(b->depthwise[k] = depthwise_weights(b->plan, op)))
			code = error_memory(e, "a walk");
	} else if (op && (op->kind == OP_CONV || op->kind == OP_GEMM)) {
		code = b->norms[k].outputs ? LSDN_OK : norms_make(&b->norms[k], b->plan, op, e);
	}
	for (int i = 0; op && op->kind == OP_CONCAT && i < op->input_count && !code; i++)
		code = bounds_prepare(b, op->inputs[i], e);
	return code;
}

static struct slot *slot_of(struct bounds *b, int t, uint32_t pixel)
{
	const struct tensor *tensor = &b->plan->tensors[t];
	if (!b->slots[t])
		b->slots[t] = calloc((size_t)tensor->h * (size_t)tensor->w, sizeof *b->slots[t]);
	return b->slots[t] ? &b->slots[t][pixel] : NULL;
}

bool bounds_complete(const struct bounds *b, int t, uint32_t pixel)
{
	const struct slot *slot = b->slots[t] ? &b->slots[t][pixel] : NULL;
	return slot && slot->start == b->start && slot->row->bound == slot->row->exact;
}

int bounds_share(struct bounds *other, int t, uint32_t pixel, struct bounds_row *row, struct error *e)
{
	struct slot *slot = slot_of(other, t, pixel);
	if (!slot)
		return error_memory(e, "a walk");
	*slot = (struct slot){row, other->start};
	return LSDN_OK;
}

struct bounds_row *bounds_new_row(struct bounds *b, int t, uint32_t pixel, struct error *e)
{
	size_t channels = (size_t)b->plan->tensors[t].c;
	struct bounds_row *row = arena_alloc(&b->arena, 1, sizeof *row);
	float *numbers = row ? arena_alloc(&b->arena, 2 * channels, sizeof *numbers) : NULL;
	if (!numbers) {
		error_memory(e, "a walk");
		return NULL;
	}
	*row = (struct bounds_row){.bound = numbers, .exact = numbers + channels};
	return bounds_share(b, t, pixel, row, e) ? NULL : row;
}

const struct bounds_row *bounds_of(struct bounds *b, int t, uint32_t pixel, struct error *e)
{
	t = plan_layer_tensor(b->plan, t);
	struct slot *slot = slot_of(b, t, pixel);
	if (slot && slot->start == b->start)
		return slot->row;
	const struct tensor *tensor = &b->plan->tensors[t];
	const struct op *op = maker_of(b, t);
	struct bounds_row *row = bounds_new_row(b, t, pixel, e);
	if (!row)
		return NULL;
	int code = LSDN_OK;
	if (op && depthwise_is(b->plan, op))
		know_depthwise(b, op, place_of(tensor, pixel), row);
	else if (op && (op->kind == OP_CONV || op->kind == OP_GEMM))
		code = bound_conv(b, t, place_of(tensor, pixel), row, e);
	else if (op && op->kind == OP_CONCAT)
		code = bound_concat(b, op, pixel, row, e);
	else if (op && op->kind == OP_ADD && op->input_count == 2)
		bound_sum(b, t, place_of(tensor, pixel), row);
	else
		know_all(b, t, place_of(tensor, pixel), row);
	return code ? NULL : row;
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
	if (op->kind == OP_CONCAT) {
		int branch = branch_of(b, op, &n.c);
		row->exact[c] = bounds_exact(b, branch, pixel, n.c);
	} else if (row->positive)
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
	if (op && op->kind == OP_CONCAT && isnan(row->exact[c])) {
		int own = c, branch = branch_of(b, op, &own);
		row->bound[c] = bounds_closer(b, branch, pixel, own);
	} else if (row->close && !row->close[c] && isnan(row->exact[c])) {
		float bound = norms_closer(&b->norms[op - b->plan->ops], support_first_channel(b->plan, op, c), c, row->positive, row->negative);
		row->bound[c] = bound < row->bound[c] ? bound : row->bound[c];
		row->close[c] = true;
	}
	return row->bound[c];
}
