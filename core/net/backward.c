#include "config.h"

#include "core/net/backward.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "core/kernel.h"
#include "core/net/backward_ops.h"

/* The room of a Conv's own gradient, before its activation, and that of what is added to a gradient that is there already. Rules have the others. */
enum { DENORMALS_ARE_ZERO = 0x8040, ROOM_OWN = BACKWARD_ROOMS, ROOM_VALUES, ROOM_MORE, ALL_ROOMS };

struct backward {
	const struct plan *plan;
	struct linear *linear;
	int threads;
	float **gradients; /* one a tensor, NULL until it is first asked for */
	bool *reached;     /* one a tensor: its gradient is of the last run */
	bool *leads;       /* one a tensor: it depends on the target */
	float *rooms[ALL_ROOMS];
	size_t largest;    /* elements of a tensor */
	struct arena arena;
};

struct backward *backward_open(const struct plan *plan, struct linear_weights *w, int threads, struct error *e)
{
	struct backward *b = calloc(1, sizeof *b);
	size_t count = (size_t)plan->tensor_count;
	if (!b) {
		error_memory(e, "a backward pass");
		return NULL;
	}
	*b = (struct backward){.plan = plan, .threads = threads, .gradients = calloc(count, sizeof *b->gradients), .reached = calloc(count, sizeof *b->reached),
		.leads = calloc(count, sizeof *b->leads)};
	for (size_t t = 0; t < count; t++)
		b->largest = tensor_size(&plan->tensors[t]) > b->largest ? tensor_size(&plan->tensors[t]) : b->largest;
	if (!b->gradients || !b->reached || !b->leads)
		error_memory(e, "a backward pass");
	else if ((b->linear = linear_open(w, e)))
		return b;
	backward_close(b);
	return NULL;
}

void backward_close(struct backward *b)
{
	if (!b)
		return;
	linear_close(b->linear);
	arena_free(&b->arena);
	free(b->gradients);
	free(b->reached);
	free(b->leads);
	free(b);
}

const struct plan *backward_plan(const struct backward *b)
{
	return b->plan;
}

static float *room_of(struct backward *b, int room)
{
	if (!b->rooms[room])
		b->rooms[room] = arena_alloc(&b->arena, b->largest, sizeof **b->rooms);
	return b->rooms[room];
}

float *backward_room(struct backward *b, int room)
{
	return room_of(b, room);
}

static float *gradient_of(struct backward *b, int t)
{
	if (!b->gradients[t])
		b->gradients[t] = arena_alloc(&b->arena, tensor_size(&b->plan->tensors[t]), sizeof **b->gradients);
	return b->gradients[t];
}

const float *backward_gradient(const struct backward *b, int t)
{
	return b->reached[t] ? b->gradients[t] : NULL;
}

int backward_linear(const struct backward_step *s, enum weight_sign sign, bool transposed, const float *from, float *to, struct error *e)
{
	return linear_apply(s->backward->linear, s->op, sign, transposed, from, to, e);
}

const float *backward_value(struct backward *b, const struct session *s, int image, int t, size_t *stride)
{
	const float *kept = session_view(s, t, image, stride);
	float *values = kept ? NULL : room_of(b, ROOM_VALUES);
	for (size_t n = 0; values && n < tensor_size(&b->plan->tensors[t]); n++)
		values[n] = session_value(s, t, image, n);
	return kept ? kept : values;
}

/* What a Conv or Gemm makes before its activation. */
static int sums_again(const struct backward_step *s, float *sums, struct error *e)
{
	const struct tensor *t = &s->backward->plan->tensors[s->op->output];
	int code = backward_linear(s, WEIGHTS_ALL, false, session_tensor(s->session, s->op->inputs[0], s->image), sums, e);
	for (size_t i = 0; !code && s->op->bias && i < tensor_size(t); i++)
		sums[i] += s->op->bias[i % (size_t)t->c];
	return code;
}

/* What a Conv made before its activation is computed again where what it made after it is not kept or does not tell the slope. */
static int conv_gradient(const struct backward_step *s, enum backward_rectifier rectifier, float *into, struct error *e)
{
	struct backward *b = s->backward;
	const struct activation *a = &s->op->activation;
	const struct tensor *t = &b->plan->tensors[s->op->output];
	if (a->kind == ACTIVATION_NONE)
		return backward_linear(s, WEIGHTS_ALL, true, s->out, into, e);
	size_t stride = (size_t)t->c;
	const float *made = slope_from_output(a) ? session_view(s->session, s->op->output, s->image, &stride) : NULL;
	float *own = room_of(b, ROOM_OWN), *sums = made ? NULL : room_of(b, ROOM_VALUES);
	int code = own && (made || sums) ? LSDN_OK : error_memory(e, "a backward pass");
	if (!code && sums)
		code = sums_again(s, sums, e);
	if (code)
		return code;
	activation_backward(a, rectifier, made ? made : sums, made ? stride : (size_t)t->c, made, (size_t)t->h * (size_t)t->w, t->c, s->out, own);
	return backward_linear(s, WEIGHTS_ALL, true, own, into, e);
}

/* A ReLU's input may be the sum of an Add, which is not kept: what it made says as much. */
static void activation_gradient(const struct backward_step *s, enum backward_rectifier rectifier, float *into)
{
	const struct tensor *t = &s->backward->plan->tensors[s->op->output];
	size_t stride;
	const float *read = session_view(s->session, s->op->inputs[0], s->image, &stride);
	const float *value = read ? read : session_view(s->session, s->op->output, s->image, &stride);
	activation_backward(&s->op->activation, rectifier, value, stride, !read, (size_t)t->h * (size_t)t->w, t->c, s->out, into);
}

static int lrn_gradient(const struct backward_step *s, float *into, struct error *e)
{
	float *rooms[LRN_ROOMS];
	for (int i = 0; i < LRN_ROOMS; i++)
		if (!(rooms[i] = room_of(s->backward, i)))
			return error_memory(e, "a backward pass");
	lrn_backward(s->backward->plan, s->op, session_tensor(s->session, s->op->inputs[0], s->image), s->out, into, rooms);
	return LSDN_OK;
}

/* What an op reads is always kept, but for Add, Concat, and the ReLU behind an Add. */
static int gradient(const struct backward_step *s, enum backward_rectifier rectifier, float *into, struct error *e)
{
	const struct plan *plan = s->backward->plan;
	const struct op *op = s->op;
	const float *input = session_tensor(s->session, op->inputs[0], s->image);
	const float *other = op->input_count == 2 ? session_tensor(s->session, op->inputs[1 - s->input], s->image) : NULL;
	switch (op->kind) {
	case OP_CONV:
	case OP_GEMM: return conv_gradient(s, rectifier, into, e);
	case OP_MAX_POOL:
	case OP_AVERAGE_POOL:
	case OP_GLOBAL_AVERAGE_POOL:
	case OP_GLOBAL_MAX_POOL: pool_backward(plan, op, input, s->out, into); break;
	case OP_CONCAT: concat_backward(plan, op, s->input, s->out, into); break;
	case OP_ADD: memcpy(into, s->out, tensor_size(&plan->tensors[op->output]) * sizeof *into); break;
	case OP_MUL: mul_backward(plan, op, other, s->out, into); break;
	case OP_REINDEX: reindex_backward(plan, op, s->out, into); break;
	case OP_ACTIVATION: activation_gradient(s, rectifier, into); break;
	case OP_LRN: return lrn_gradient(s, into, e);
	case OP_LAYER_NORM: layer_norm_backward(plan, op, input, s->out, into); break;
	case OP_SCALE: scale_backward(plan, op, s->out, into); break;
	case OP_GATE: gate_backward(plan, op, s->input, other, s->out, into); break;
	case OP_SOFTMAX:
	case OP_LOG_SOFTMAX: softmax_backward(plan, op, session_tensor(s->session, op->output, s->image), s->out, into); break;
	}
	return LSDN_OK;
}

LSDN_KERNEL static void add(float *into, const float *more, size_t count)
{
	for (size_t i = 0; i < count; i++)
		into[i] += more[i];
}

/* Gives one input what it gets from the op, beside what its other readers gave it. */
static int give(const struct backward_step *s, const struct backward_rule *rule, struct error *e)
{
	struct backward *b = s->backward;
	int t = s->op->inputs[s->input], code = 0;
	float *own = gradient_of(b, t), *into = b->reached[t] ? room_of(b, ROOM_MORE) : own;
	if (!own || !into)
		return error_memory(e, "a backward pass");
	if (rule && rule->propagate)
		code = rule->propagate(rule, s, into, e);
	if (code == 0)
		code = gradient(s, rule ? rule->rectifier : RECTIFIER_GRADIENT, into, e);
	if (code < 0)
		return code;
	if (into != own)
		add(own, into, tensor_size(&b->plan->tensors[t]));
	b->reached[t] = true;
	return LSDN_OK;
}

static int go_back(struct backward *b, const struct session *session, int image, int start, int target, const struct backward_rule *rule, struct error *e)
{
	const struct plan *plan = b->plan;
	for (int t = 0; t < plan->tensor_count; t++)
		b->leads[t] = t == target;
	for (int k = 0; k < plan->op_count; k++)
		for (int i = 0; i < plan->ops[k].input_count; i++)
			b->leads[plan->ops[k].output] |= b->leads[plan->ops[k].inputs[i]];
	for (int k = plan->tensors[start].maker, code; k >= 0; k--) {
		const struct op *op = &plan->ops[k];
		for (int i = 0; b->reached[op->output] && i < op->input_count; i++)
			if (b->leads[op->inputs[i]] && (code = give(&(struct backward_step){b, session, image, op, i, b->gradients[op->output]}, rule, e)))
				return code;
	}
	return LSDN_OK;
}

int backward_run(struct backward *b, const struct session *s, int image, int start, const float *seed, int target, const struct backward_rule *rule,
	struct error *e)
{
	float *first = gradient_of(b, start), *last = gradient_of(b, target);
	if (!first || !last)
		return error_memory(e, "a backward pass");
	memset(b->reached, 0, (size_t)b->plan->tensor_count * sizeof *b->reached);
	memmove(first, seed, tensor_size(&b->plan->tensors[start]) * sizeof *first);
	b->reached[start] = true;
	int before = omp_get_max_threads();
	omp_set_num_threads(b->threads);
#if defined(__SSE__)
	unsigned int control = _mm_getcsr();
	_mm_setcsr(control | DENORMALS_ARE_ZERO);
#endif
	int code = go_back(b, s, image, start, target, rule, e);
#if defined(__SSE__)
	_mm_setcsr(control);
#endif
	omp_set_num_threads(before);
	if (!code && !b->reached[target]) {
		memset(last, 0, tensor_size(&b->plan->tensors[target]) * sizeof *last);
		b->reached[target] = true;
	}
	return code;
}

int backward_class(struct backward *b, const struct session *s, int image, int class_index, enum backward_from from, int target,
	const struct backward_rule *rule, struct error *e)
{
	int scores = b->plan->scores;
	size_t count = tensor_size(&b->plan->tensors[scores]);
	float *seed = gradient_of(b, scores);
	double *p = calloc(count, sizeof *p);
	if (!seed || !p) {
		free(p);
		return error_memory(e, "a backward pass");
	}
	p[class_index] = 1;
	if (from == BACKWARD_PROBABILITY)
		session_probabilities(s, image, p);
	double own = p[class_index];
	for (size_t k = 0; k < count; k++) {
		double is = (int)k == class_index;
		seed[k] = (float)(from == BACKWARD_PROBABILITY ? own * (is - p[k]) : is);
	}
	free(p);
	return backward_run(b, s, image, scores, seed, target, rule, e);
}
