/* Runs a plan with oneDNN, operator after operator, in NHWC.
 *
 * Only direct convolutions are used: Winograd's rounding would make near ties of the walk fall differently on different machines. */
#include "config.h"

#include "core/net/session.h"

#include <dnnl.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "core/net/session_ops.h"

enum { DENORMALS_ARE_ZERO = 0x8040, BETWEEN = 256, LINE = 16 };

struct session {
	const struct plan *plan;
	int batch, threads;
	float **tensors;        /* one a tensor; one that is another seen differently shares its memory */
	const struct op **readers; /* of what is not kept */
	struct stage *stages;
	struct step *steps;     /* one a stage */
	int stage_count;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	float *scratch;
	struct arena arena;
};

/* What the weights of all Convs take, about: they are to lie together, in large pages. */
static size_t weights_size(const struct plan *plan)
{
	size_t size = 0;
	for (int k = 0; k < plan->op_count; k++) {
		const struct op *op = &plan->ops[k];
		if (op->kind == OP_CONV)
			size += (size_t)plan->tensors[op->output].c * (size_t)op->window.height * (size_t)op->window.width
				* (size_t)(plan->tensors[op->inputs[0]].c / op->groups) * sizeof(float) + BETWEEN;
	}
	return size;
}

struct packed_weights *packed_weights_open(const struct plan *plan, struct error *e)
{
	struct packed_weights *p = calloc(1, sizeof *p);
	if (p)
		p->weights = calloc((size_t)plan->op_count + 1, sizeof *p->weights);
	if (!p || !p->weights || dnnl_engine_create(&p->engine, dnnl_cpu, 0) != dnnl_success) {
		packed_weights_close(p);
		error_memory(e, "weights");
		return NULL;
	}
	p->count = plan->op_count;
	p->arena.block_size = weights_size(plan);
	return p;
}

void packed_weights_close(struct packed_weights *p)
{
	if (!p)
		return;
	for (int k = 0; p->weights && k < p->count; k++)
		if (p->weights[k])
			dnnl_memory_destroy(p->weights[k]);
	if (p->engine)
		dnnl_engine_destroy(p->engine);
	arena_free(&p->arena);
	free(p->weights);
	free(p);
}

/* Places what is there until a Concat has run, and returns how much room that takes in all. Places are used again when all before are free. */
static size_t place_passing(const struct session *s, size_t *places)
{
	size_t end = 0, most = 0;
	int live = 0;
	for (int k = 0; k < s->stage_count; k++) {
		const struct stage *stage = &s->stages[k];
		if (s->readers[stage->output]) {
			places[stage->output] = end;
			end += ((size_t)stage->images * tensor_size(&s->plan->tensors[stage->output]) + LINE - 1) / LINE * LINE;
			live++;
		}
		most = end > most ? end : most;
		for (int i = 0; i < stage->op->input_count; i++)
			live -= s->readers[stage->op->inputs[i]] == stage->op;
		end = live ? end : 0;
	}
	return most;
}

static int take_tensors(struct session *s, struct error *e)
{
	const struct plan *plan = s->plan;
	size_t count = (size_t)plan->tensor_count, all = 0, passing = 0;
	s->tensors = arena_alloc(&s->arena, count, sizeof *s->tensors);
	s->readers = arena_alloc(&s->arena, count, sizeof *s->readers);
	s->stages = arena_alloc(&s->arena, (size_t)plan->op_count + 1, sizeof *s->stages);
	s->steps = arena_alloc(&s->arena, (size_t)plan->op_count + 1, sizeof *s->steps);
	size_t *places = arena_alloc(&s->arena, count, sizeof *places);
	if (!s->tensors || !s->readers || !s->stages || !s->steps || !places || (s->stage_count = stages_find(plan, s->batch, s->stages, s->readers)) < 0)
		return error_memory(e, "activations");
	for (size_t t = 0; t < count; t++)
		all += s->readers[t] ? 0 : (size_t)s->batch * tensor_size(&plan->tensors[t]) * sizeof(float) + BETWEEN;
	passing = place_passing(s, places);
	s->arena.block_size = all + passing * sizeof(float) + BETWEEN; /* together, in large pages */
	float *room = arena_alloc(&s->arena, passing, sizeof *room);
	if (!room)
		return error_memory(e, "activations: use a smaller batch or input");
	for (size_t t = 0; t < count; t++) {
		int maker = plan->tensors[t].maker;
		if (s->readers[t])
			s->tensors[t] = room + places[t];
		else if (maker >= 0 && op_shares_input(&plan->ops[maker]))
			s->tensors[t] = s->tensors[plan->ops[maker].inputs[0]];
		else
			s->tensors[t] = arena_alloc(&s->arena, (size_t)s->batch * tensor_size(&plan->tensors[t]), sizeof(float));
		if (!s->tensors[t])
			return error_memory(e, "activations: use a smaller batch or input");
	}
	s->arena.block_size = 0;
	return LSDN_OK;
}

static int make_steps(struct session *s, struct packed_weights *packed, struct error *e)
{
	size_t scratch = 0;
	if (dnnl_engine_create(&s->engine, dnnl_cpu, 0) != dnnl_success
		|| dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags) != dnnl_success)
		return error_memory(e, "oneDNN");
	for (int k = 0; k < s->stage_count; k++) {
		struct step_context context = {.plan = s->plan, .stage = &s->stages[k], .tensors = s->tensors, .readers = s->readers, .engine = s->engine,
			.stream = s->stream, .packed = packed, .error = e};
		int code = step_make(&context, &s->steps[k]);
		if (code)
			return code;
		if (s->steps[k].scratch_size > scratch)
			scratch = s->steps[k].scratch_size;
	}
	if (scratch && !(s->scratch = arena_alloc(&s->arena, scratch, 1)))
		return error_memory(e, "oneDNN's scratch space");
	for (int k = 0; k < s->stage_count; k++)
		step_set_scratch(&s->steps[k], s->scratch);
	return LSDN_OK;
}

struct session *session_open(const struct plan *plan, struct packed_weights *packed, int batch, int threads, struct error *e)
{
	struct session *s = calloc(1, sizeof *s);
	if (!s) {
		error_memory(e, "a session");
		return NULL;
	}
	*s = (struct session){.plan = plan, .batch = batch, .threads = threads};
	int before = omp_get_max_threads();
	omp_set_num_threads(threads);
	int code = take_tensors(s, e);
	if (!code)
		code = make_steps(s, packed, e);
	omp_set_num_threads(before);
	if (!code)
		return s;
	session_close(s);
	return NULL;
}

/* Stages of as many images at once follow each other on those, then on the next. Returns the stage that failed, or -1. */
static int run_stages(struct session *s)
{
	for (int from = 0, end; from < s->stage_count; from = end) {
		int images = s->stages[from].images;
		for (end = from; end < s->stage_count && s->stages[end].images == images;)
			end++;
		for (int first = 0; first < s->batch; first += images)
			for (int k = from; k < end; k++)
				if (!step_run(&s->steps[k], s->stream, first))
					return k;
	}
	return -1;
}

int session_run(struct session *s, struct error *e)
{
	int before = omp_get_max_threads();
	omp_set_num_threads(s->threads);
#if defined(__SSE__)
	unsigned int control = _mm_getcsr();
	_mm_setcsr(control | DENORMALS_ARE_ZERO);
#endif
	int failed = run_stages(s);
	if (dnnl_stream_wait(s->stream) != dnnl_success && failed < 0)
		failed = s->stage_count - 1;
#if defined(__SSE__)
	_mm_setcsr(control);
#endif
	omp_set_num_threads(before);
	if (failed >= 0)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "node '%s': oneDNN could not run it: report the model", s->stages[failed].op->name);
	return LSDN_OK;
}

float *session_tensor(const struct session *s, int t, int i)
{
	return !s->readers[t] ? s->tensors[t] + (size_t)i * tensor_size(&s->plan->tensors[t]) : NULL;
}

const float *session_view(const struct session *s, int t, int i, size_t *stride)
{
	size_t before = 0;
	for (const struct op *reader = s->readers[t]; reader && reader->kind == OP_CONCAT; reader = s->readers[t]) {
		for (int k = 0; reader->inputs[k] != t; k++)
			before += (size_t)s->plan->tensors[reader->inputs[k]].c;
		t = reader->output;
	}
	*stride = (size_t)s->plan->tensors[t].c;
	return s->readers[t] ? NULL : session_tensor(s, t, i) + before;
}

/* Element n of what a Conv of 1 x 1 makes of image i. */
static float conv_again(const struct session *s, const struct op *op, int i, size_t n)
{
	const struct tensor *in = &s->plan->tensors[op->inputs[0]], *out = &s->plan->tensors[op->output];
	size_t channels = (size_t)in->c, o = n % (size_t)out->c, x = n / (size_t)out->c % (size_t)out->w, y = n / (size_t)out->c / (size_t)out->w;
	size_t pixel = y * (size_t)op->window.stride_y * (size_t)in->w + x * (size_t)op->window.stride_x;
	const float *input = session_tensor(s, op->inputs[0], i) + pixel * channels, *weights = op->weights + o * channels;
	double sum = op->bias ? op->bias[o] : 0;
	for (size_t c = 0; c < channels; c++)
		sum += (double)input[c] * weights[c];
	return (float)sum;
}

int session_sum(const struct session *s, const struct op *add)
{
	const struct op *relu = s->readers[add->output];
	return relu && relu->kind == OP_ACTIVATION ? relu->output : add->output;
}

/* The sum of a stage where it is known from what is kept: a ReLU passes on what is above 0. */
static bool kept_sum(const struct session *s, const struct op *sum, int i, size_t n, float *value)
{
	int kept = session_sum(s, sum);
	*value = session_value(s, kept, i, n); /* perhaps in a Concat's output */
	return kept == sum->output || *value > 0;
}

float session_value(const struct session *s, int t, int i, size_t n)
{
	const struct op *reader = s->readers[t], *sum = reader;
	float value;
	if (!reader)
		return session_tensor(s, t, i)[n];
	if (reader->kind == OP_CONCAT) {
		size_t channels = (size_t)s->plan->tensors[t].c, before = 0;
		for (int k = 0; reader->inputs[k] != t; k++)
			before += (size_t)s->plan->tensors[reader->inputs[k]].c;
		return session_value(s, reader->output, i, n / channels * (size_t)s->plan->tensors[reader->output].c + before + n % channels);
	}
	if (reader->kind == OP_ACTIVATION) {
		sum = &s->plan->ops[s->plan->tensors[t].maker];
		return kept_sum(s, sum, i, n, &value) ? value : session_value(s, sum->inputs[0], i, n) + session_value(s, sum->inputs[1], i, n);
	}
	int other = sum->inputs[0] == t ? 1 : 0;
	if (kept_sum(s, sum, i, n, &value))
		return value - session_value(s, sum->inputs[other], i, n);
	return conv_again(s, &s->plan->ops[s->plan->tensors[t].maker], i, n);
}

void session_probabilities(const struct session *s, int i, double *probabilities)
{
	const float *scores = session_tensor(s, s->plan->scores, i);
	size_t count = tensor_size(&s->plan->tensors[s->plan->scores]);
	double highest = -DBL_MAX, sum = 0;
	for (size_t k = 0; k < count; k++)
		highest = fmax(highest, (double)scores[k]);
	for (size_t k = 0; k < count; k++)
		sum += probabilities[k] = exp(scores[k] - highest);
	for (size_t k = 0; k < count; k++)
		probabilities[k] /= sum;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	for (int k = 0; s->steps && k < s->stage_count; k++)
		step_close(&s->steps[k]);
	if (s->stream)
		dnnl_stream_destroy(s->stream);
	if (s->engine)
		dnnl_engine_destroy(s->engine);
	arena_free(&s->arena);
	free(s);
}

const char *session_engine(char text[SESSION_ENGINE])
{
	static const struct {
		int bits;
		const char *name;
	} INSTRUCTIONS[] = {{dnnl_cpu_isa_avx512_core, "AVX-512"}, {dnnl_cpu_isa_avx2, "AVX2"}, {dnnl_cpu_isa_avx, "AVX"}, {dnnl_cpu_isa_sse41, "SSE4.1"},
		{0, "no vectors"}};
	const dnnl_version_t *version = dnnl_version();
	int has = (int)dnnl_get_effective_cpu_isa(), i = 0;
	while ((has & INSTRUCTIONS[i].bits) != INSTRUCTIONS[i].bits)
		i++;
	snprintf(text, SESSION_ENGINE, "oneDNN %d.%d.%d, %s", version->major, version->minor, version->patch, INSTRUCTIONS[i].name);
	return text;
}
