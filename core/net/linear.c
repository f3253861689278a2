/* As in a session, only direct convolutions are used, and scratchpads are the user's. */
#include "config.h"

#include "core/net/linear.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/net/session_ops.h"

enum { WEIGHTS_BLOCK = 8 << 20, DIRECTIONS = 2 };

struct linear_weights {
	const struct plan *plan;
	int threads;
	dnnl_engine_t engine;
	pthread_mutex_t making;
	dnnl_memory_t (*packed)[DIRECTIONS][WEIGHT_SIGNS]; /* an op; NULL until they are first used */
	struct arena arena;
};

/* One direction of an op. */
struct map {
	dnnl_primitive_t primitive;
	dnnl_memory_desc_t wanted, plain; /* layouts of the weights */
	dnnl_memory_t source, target, scratch;
	dnnl_memory_t weights[WEIGHT_SIGNS]; /* the shared ones, once they are known to be there */
};

struct linear {
	struct linear_weights *shared;
	dnnl_stream_t stream;
	struct map (*maps)[DIRECTIONS]; /* an op */
	void *scratch;
	size_t scratch_size;
};

struct linear_weights *linear_weights_open(const struct plan *plan, int threads, struct error *e)
{
	struct linear_weights *w = calloc(1, sizeof *w);
	if (w && pthread_mutex_init(&w->making, NULL) == 0) {
		w->plan = plan;
		w->threads = threads;
		w->arena.block_size = WEIGHTS_BLOCK;
		w->packed = calloc((size_t)plan->op_count + 1, sizeof *w->packed);
		if (w->packed && dnnl_engine_create(&w->engine, dnnl_cpu, 0) == dnnl_success)
			return w;
		linear_weights_close(w);
	} else {
		free(w);
	}
	error_memory(e, "weights");
	return NULL;
}

void linear_weights_close(struct linear_weights *w)
{
	if (!w)
		return;
	for (int k = 0; w->packed && k < w->plan->op_count * DIRECTIONS * WEIGHT_SIGNS; k++)
		if ((&w->packed[0][0][0])[k])
			dnnl_memory_destroy((&w->packed[0][0][0])[k]);
	if (w->engine)
		dnnl_engine_destroy(w->engine);
	pthread_mutex_destroy(&w->making);
	arena_free(&w->arena);
	free(w->packed);
	free(w);
}

struct linear *linear_open(struct linear_weights *w, struct error *e)
{
	struct linear *l = calloc(1, sizeof *l);
	if (l) {
		l->shared = w;
		l->maps = calloc((size_t)w->plan->op_count + 1, sizeof *l->maps);
		if (l->maps && dnnl_stream_create(&l->stream, w->engine, dnnl_stream_default_flags) == dnnl_success)
			return l;
	}
	linear_close(l);
	error_memory(e, "a backward pass");
	return NULL;
}

static void close_map(struct map *m)
{
	dnnl_memory_t memories[] = {m->source, m->target, m->scratch};
	for (int i = 0; i < 3; i++)
		if (memories[i])
			dnnl_memory_destroy(memories[i]);
	if (m->primitive)
		dnnl_primitive_destroy(m->primitive);
}

void linear_close(struct linear *l)
{
	if (!l)
		return;
	for (int k = 0; l->maps && k < l->shared->plan->op_count; k++)
		for (int direction = 0; direction < DIRECTIONS; direction++)
			close_map(&l->maps[k][direction]);
	if (l->stream)
		dnnl_stream_destroy(l->stream);
	free(l->maps);
	free(l->scratch);
	free(l);
}

static dnnl_status_t describe(const struct conv_form *f, bool transposed, dnnl_engine_t engine, dnnl_primitive_attr_t attributes,
	dnnl_primitive_desc_t *description)
{
	dnnl_convolution_desc_t forward, backward;
	dnnl_primitive_desc_t hint;
	dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(&forward, transposed ? dnnl_forward_training : dnnl_forward_inference,
		dnnl_convolution_direct, &f->source, &f->any, NULL, &f->target, f->strides, f->dilates, f->begin, f->end);
	if (status == dnnl_success)
		status = dnnl_primitive_desc_create(transposed ? &hint : description, &forward, transposed ? NULL : attributes, engine, NULL);
	if (status != dnnl_success || !transposed)
		return status;
	status = dnnl_dilated_convolution_backward_data_desc_init(&backward, dnnl_convolution_direct, &f->source, &f->any, &f->target, f->strides, f->dilates,
		f->begin, f->end);
	if (status == dnnl_success)
		status = dnnl_primitive_desc_create(description, &backward, attributes, engine, hint);
	dnnl_primitive_desc_destroy(hint);
	return status;
}

/* Room for a primitive's scratch: the most that any has asked for. */
static dnnl_status_t make_scratch(struct linear *l, struct map *m, const dnnl_memory_desc_t *md)
{
	size_t size = md ? dnnl_memory_desc_get_size(md) : 0;
	if (size > l->scratch_size) {
		free(l->scratch);
		l->scratch = aligned_alloc(64, (size + 63) / 64 * 64);
		l->scratch_size = l->scratch ? size : 0;
	}
	return !size ? dnnl_success : l->scratch ? dnnl_memory_create(&m->scratch, md, l->shared->engine, NULL) : dnnl_out_of_memory;
}

static dnnl_status_t make_map(struct linear *l, const struct op *op, bool transposed, struct map *m)
{
	struct conv_form f;
	dnnl_primitive_attr_t attributes = NULL;
	dnnl_primitive_desc_t description = NULL;
	conv_form_of(l->shared->plan, op, 1, &f);
	dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
	if (status == dnnl_success)
		status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
	if (status == dnnl_success)
		status = describe(&f, transposed, l->shared->engine, attributes, &description);
	if (status == dnnl_success) {
		m->plain = f.plain;
		m->wanted = *dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
		status = make_scratch(l, m, dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0));
	}
	if (status == dnnl_success)
		status = dnnl_memory_create(&m->source, &f.source, l->shared->engine, NULL);
	if (status == dnnl_success)
		status = dnnl_memory_create(&m->target, &f.target, l->shared->engine, NULL);
	if (status == dnnl_success)
		status = dnnl_primitive_create(&m->primitive, description);
	if (description)
		dnnl_primitive_desc_destroy(description);
	if (attributes)
		dnnl_primitive_attr_destroy(attributes);
	return status;
}

/* A copy of the weights of one sign, as the plan has them. */
static float *weights_of_sign(const float *weights, size_t count, enum weight_sign sign)
{
	float *copy = malloc(count * sizeof *copy);
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = (sign == WEIGHTS_POSITIVE) == (weights[i] > 0) ? weights[i] : 0;
	return copy;
}

static dnnl_status_t pack(struct linear_weights *w, const struct op *op, enum weight_sign sign, const struct map *m, dnnl_stream_t stream,
	dnnl_memory_t *packed)
{
	size_t count = dnnl_memory_desc_get_size(&m->plain) / sizeof(float);
	float *copy = sign == WEIGHTS_ALL ? NULL : weights_of_sign(op->weights, count, sign);
	void *plain = copy ? copy : (void *)(uintptr_t)op->weights, *room = arena_alloc(&w->arena, 1, dnnl_memory_desc_get_size(&m->wanted));
	dnnl_memory_t from, to;
	dnnl_status_t status = room && (copy || sign == WEIGHTS_ALL) ? dnnl_memory_create(&from, &m->plain, w->engine, plain) : dnnl_out_of_memory;
	if (status == dnnl_success) {
		status = dnnl_memory_create(&to, &m->wanted, w->engine, room);
		if (status == dnnl_success && (status = weights_reorder(from, to, w->engine, stream)) != dnnl_success)
			dnnl_memory_destroy(to);
		dnnl_memory_destroy(from);
	}
	free(copy);
	if (status == dnnl_success)
		*packed = to;
	return status;
}

static dnnl_status_t find_weights(struct linear *l, const struct op *op, enum weight_sign sign, bool transposed, struct map *m)
{
	struct linear_weights *w = l->shared;
	dnnl_memory_t *packed = &w->packed[op - w->plan->ops][transposed][sign];
	dnnl_status_t status = dnnl_success;
	pthread_mutex_lock(&w->making);
	if (!*packed)
		status = pack(w, op, sign, m, l->stream, packed);
	m->weights[sign] = *packed;
	pthread_mutex_unlock(&w->making);
	return status;
}

static dnnl_status_t run(struct linear *l, const struct map *m, enum weight_sign sign, bool transposed, const float *from, float *to)
{
	dnnl_exec_arg_t arguments[] = {{transposed ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, m->source}, {DNNL_ARG_WEIGHTS, m->weights[sign]},
		{transposed ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST, m->target}, {DNNL_ARG_SCRATCHPAD, m->scratch}};
	void *ends[] = {(void *)(uintptr_t)from, to};
	dnnl_status_t status = dnnl_memory_set_data_handle(m->source, ends[transposed]);
	if (status == dnnl_success)
		status = dnnl_memory_set_data_handle(m->target, ends[!transposed]);
	if (status == dnnl_success && m->scratch)
		status = dnnl_memory_set_data_handle(m->scratch, l->scratch);
	if (status == dnnl_success)
		status = dnnl_primitive_execute(m->primitive, l->stream, m->scratch ? 4 : 3, arguments);
	return status == dnnl_success ? dnnl_stream_wait(l->stream) : status;
}

int linear_apply(struct linear *l, const struct op *op, enum weight_sign sign, bool transposed, const float *from, float *to, struct error *e)
{
	struct map *m = &l->maps[op - l->shared->plan->ops][transposed];
	int before = omp_get_max_threads();
	dnnl_status_t status = dnnl_success;
	omp_set_num_threads(l->shared->threads);
	if (!m->primitive && (status = make_map(l, op, transposed, m)) != dnnl_success) {
		close_map(m);
		*m = (struct map){0};
	}
	if (status == dnnl_success && !m->weights[sign])
		status = find_weights(l, op, sign, transposed, m);
	if (status == dnnl_success)
		status = run(l, m, sign, transposed, from, to);
	omp_set_num_threads(before);
	if (status == dnnl_out_of_memory)
		return error_memory(e, "a backward pass");
	return status == dnnl_success ? LSDN_OK : error_set(e, LSDN_ERROR_UNSUPPORTED, "node '%.100s': %.40s: oneDNN cannot compute its gradient in this form "
		"(status %d)", op->name, op->op_type, (int)status);
}
