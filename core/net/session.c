/* Runs a plan with oneDNN, operator after operator, in NHWC.
 *
 * Only direct convolutions are used: Winograd's rounding would make near ties of the walk fall differently on different machines. */
#include "config.h"

#include "core/net/session.h"

#include <dnnl.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "core/net/session_ops.h"

enum { DENORMALS_ARE_ZERO = 0x8040 };

struct session {
	const struct plan *plan;
	int batch, threads;
	float **tensors;        /* one a tensor; one that is another seen differently shares its memory */
	struct step *steps;     /* one an op */
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	float *scratch;
	struct arena arena;
};

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
	free(p->weights);
	free(p);
}

/* The same numbers in the same order are the same memory. */
static bool shares_input(const struct op *op)
{
	return op->kind == OP_REINDEX && !op->from;
}

static int take_tensors(struct session *s, struct error *e)
{
	const struct plan *plan = s->plan;
	s->tensors = arena_alloc(&s->arena, (size_t)plan->tensor_count, sizeof *s->tensors);
	s->steps = arena_alloc(&s->arena, (size_t)plan->op_count + 1, sizeof *s->steps);
	if (!s->tensors || !s->steps)
		return error_memory(e, "activations");
	for (int t = 0; t < plan->tensor_count; t++) {
		int maker = plan->tensors[t].maker;
		if (maker >= 0 && shares_input(&plan->ops[maker]))
			s->tensors[t] = s->tensors[plan->ops[maker].inputs[0]];
		else
			s->tensors[t] = arena_alloc(&s->arena, (size_t)s->batch * tensor_size(&plan->tensors[t]), sizeof(float));
		if (!s->tensors[t])
			return error_memory(e, "activations: use a smaller batch or input");
	}
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
	if (!code && (dnnl_engine_create(&s->engine, dnnl_cpu, 0) != dnnl_success
			|| dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags) != dnnl_success))
		code = error_memory(e, "oneDNN");
	size_t scratch = 0;
	for (int k = 0; !code && k < plan->op_count; k++) {
		if (shares_input(&plan->ops[k]))
			continue;
		struct step_context context = {.plan = plan, .op = &plan->ops[k], .batch = batch, .tensors = s->tensors, .engine = s->engine,
			.stream = s->stream, .packed = packed, .error = e};
		code = step_make(&context, &s->steps[k]);
		if (s->steps[k].scratch_size > scratch)
			scratch = s->steps[k].scratch_size;
	}
	if (!code && scratch && !(s->scratch = arena_alloc(&s->arena, scratch, 1)))
		code = error_memory(e, "oneDNN's scratch space");
	for (int k = 0; !code && k < plan->op_count; k++)
		step_set_scratch(&s->steps[k], s->scratch);
	omp_set_num_threads(before);
	if (!code)
		return s;
	session_close(s);
	return NULL;
}

int session_run(struct session *s, struct error *e)
{
	int before = omp_get_max_threads();
	omp_set_num_threads(s->threads);
#if defined(__SSE__)
	unsigned int control = _mm_getcsr();
	_mm_setcsr(control | DENORMALS_ARE_ZERO);
#endif
	int failed = -1;
	for (int k = 0; failed < 0 && k < s->plan->op_count; k++)
		if (!step_run(&s->steps[k], s->stream))
			failed = k;
	if (dnnl_stream_wait(s->stream) != dnnl_success && failed < 0)
		failed = s->plan->op_count - 1;
#if defined(__SSE__)
	_mm_setcsr(control);
#endif
	omp_set_num_threads(before);
	if (failed >= 0)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "node '%s': oneDNN could not run it: report the model", s->plan->ops[failed].name);
	return LSDN_OK;
}

float *session_tensor(const struct session *s, int t, int i)
{
	return s->tensors[t] + (size_t)i * tensor_size(&s->plan->tensors[t]);
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
	for (int k = 0; s->steps && k < s->plan->op_count; k++)
		step_close(&s->steps[k]);
	if (s->stream)
		dnnl_stream_destroy(s->stream);
	if (s->engine)
		dnnl_engine_destroy(s->engine);
	arena_free(&s->arena);
	free(s);
}
