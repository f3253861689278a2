#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/net/session.h"
#include "tests/conformance.h"

enum { MAX_INPUTS = 16, TYPE_FLOAT = 1 };

/* ONNX's own backend test allows 1e-3 of the value and 1e-7, which all cases keep with AVX-512; 1e-5 leaves room where another instruction set adds a
 * convolution's products in another order and the sum is near 0. */
static const double RELATIVE = 1e-3, ABSOLUTE = 1e-5;

/* One data set of a case, and all that is open for it. */
struct run {
	struct onnx graph;
	struct plan plan;
	struct packed_weights *packed;
	struct session *session;
	struct arena arena;
	struct {
		const uint8_t *data;
		size_t size;
	} files[MAX_INPUTS + 2]; /* tensors point into them */
	int file_count;
	struct constant inputs[MAX_INPUTS]; /* one a graph input */
	bool fed[MAX_INPUTS];               /* the others are constants of the graph */
	struct constant expected;
	int batch;
	struct outcome *outcome;
};

static bool stop(struct run *r, enum verdict verdict, const char *why, ...)
{
	va_list arguments;
	va_start(arguments, why);
	r->outcome->verdict = verdict;
	vsnprintf(r->outcome->reason, sizeof r->outcome->reason, why, arguments);
	va_end(arguments);
	return false;
}

static bool map(struct run *r, const char *path, const uint8_t **data, size_t *size)
{
	struct error e;
	if (file_map(path, data, size, &e))
		return stop(r, FAILED, "%s", e.message);
	r->files[r->file_count].data = *data;
	r->files[r->file_count++].size = *size;
	return true;
}

static bool read_tensor(struct run *r, const char *set, const char *kind, size_t number, struct constant *tensor)
{
	char path[1300];
	const uint8_t *data;
	size_t size;
	struct error e;
	snprintf(path, sizeof path, "%s/%s_%zu.pb", set, kind, number);
	if (!map(r, path, &data, &size))
		return false;
	return !onnx_read_tensor(tensor, &r->arena, data, size, path, &e) || stop(r, FAILED, "%s", e.message);
}

static bool one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

static const struct value *find_input(const struct onnx *g, const char *name)
{
	for (size_t i = 0; i < g->input_count; i++)
		if (strcmp(g->inputs[i].name, name) == 0)
			return &g->inputs[i];
	return NULL;
}

static double size_of(const struct value *v)
{
	double size = 1;
	for (int d = 0; d < v->rank; d++)
		size *= (double)v->dims[d];
	return size;
}

/* ONNX's cases have weights and parameters as graph inputs; a network has them as constants. So it is with the smaller operand of broadcasting. */
static bool is_constant_operand(const struct onnx *g, const struct value *input)
{
	static const char *const WEIGHTED[] = {"Conv", "Gemm", "MatMul", "BatchNormalization", "PRelu", "Clip", "Reshape", "Squeeze", "Unsqueeze",
		"Pad", "Slice", "Gather", "Dropout", "LayerNormalization", "Split", NULL}, *const BROADCASTING[] = {"Add", "Sub", "Mul", "Div", "Sum", NULL};
	for (size_t n = 0; n < g->node_count; n++) {
		const struct node *node = &g->nodes[n];
		for (size_t k = 0; k < node->input_count; k++) {
			if (strcmp(node->inputs[k], input->name) != 0)
				continue;
			if (k > 0 && one_of(node->op_type, WEIGHTED))
				return true;
			const struct value *other = node->input_count == 2 ? find_input(g, node->inputs[1 - k]) : NULL;
			if (other && one_of(node->op_type, BROADCASTING) && size_of(input) < size_of(other))
				return true;
		}
	}
	return false;
}

static bool keeps_positions(const struct onnx *g)
{
	static const char *const KEEPING[] = {"Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Dropout",
		"Identity", "Add", "Sub", "Sum", "Mul", "Div", NULL};
	for (size_t n = 0; n < g->node_count; n++)
		if (!one_of(g->nodes[n].op_type, KEEPING))
			return false;
	return true;
}

static bool is_initializer(const struct onnx *g, size_t initializers, const char *name)
{
	for (size_t i = 0; i < initializers; i++)
		if (strcmp(g->constants[i].name, name) == 0)
			return true;
	return false;
}

static bool add_constant(struct run *r, const struct constant *c, const char *name)
{
	struct onnx *g = &r->graph;
	struct constant *larger = arena_alloc(&g->arena, g->constant_count + 1, sizeof *larger);
	if (!larger)
		return stop(r, FAILED, "out of memory");
	if (g->constant_count)
		memcpy(larger, g->constants, g->constant_count * sizeof *larger);
	larger[g->constant_count] = *c;
	larger[g->constant_count++].name = name;
	g->constants = larger;
	return true;
}

/* Reads the inputs (their files are numbered without the initializers) and makes constants of those that a network has as such. */
static bool read_inputs(struct run *r, const char *set)
{
	struct onnx *g = &r->graph;
	size_t initializers = g->constant_count, number = 0;
	if (g->input_count > MAX_INPUTS)
		return stop(r, LEFT_OUT, "has %zu inputs", g->input_count);
	for (size_t i = 0; i < g->input_count; i++) {
		const struct value *v = &g->inputs[i];
		if (is_initializer(g, initializers, v->name))
			continue;
		r->fed[i] = !is_constant_operand(g, v);
		if (r->fed[i] && v->elem_type != TYPE_FLOAT)
			return stop(r, LEFT_OUT, "input '%s' is not a float32 tensor", v->name);
		if (!read_tensor(r, set, "input", number++, &r->inputs[i]))
			return false;
		if (r->inputs[i].rank != v->rank || memcmp(r->inputs[i].dims, v->dims, (size_t)v->rank * sizeof *v->dims) != 0)
			return stop(r, LEFT_OUT, "input '%s' has another shape than the model says", v->name);
		if (r->fed[i] && r->inputs[i].type != CONSTANT_FLOAT)
			return stop(r, FAILED, "the data of input '%s' are not float32, as the model says", v->name);
		if (!r->fed[i] && !add_constant(r, &r->inputs[i], v->name))
			return false;
	}
	return true;
}

/* Declares tensors without a batch as one image where that changes nothing, and finds the batch. */
static bool declare_shapes(struct run *r)
{
	struct onnx *g = &r->graph;
	bool any = false;
	for (size_t i = 0; i < g->input_count; i++) {
		struct value *v = &g->inputs[i];
		if (!r->fed[i])
			continue;
		bool without_batch = (v->rank == 1 || v->rank == 3) && keeps_positions(g);
		if (v->rank < 1 || v->rank > 4)
			return stop(r, LEFT_OUT, "input '%s' has %d dimensions: neither maps nor vectors", v->name, v->rank);
		if (v->rank == 1 && !without_batch)
			return stop(r, LEFT_OUT, "input '%s' has one dimension and the operator does not keep positions", v->name);
		if (without_batch) {
			memmove(v->dims + 1, v->dims, (size_t)v->rank++ * sizeof *v->dims);
			v->dims[0] = 1;
			r->outcome->as_image = true;
		}
		if (any && v->dims[0] != r->batch)
			return stop(r, LEFT_OUT, "its inputs have different batches");
		r->batch = (int)v->dims[0];
		any = true;
	}
	return any || stop(r, LEFT_OUT, "has no tensor to feed");
}

/* Where element (c, y, x) of an H x W x C tensor lies. */
static size_t place(const struct tensor *t, int c, int y, int x)
{
	return ((size_t)y * (size_t)t->w + (size_t)x) * (size_t)t->c + (size_t)c;
}

static void feed(const struct run *r)
{
	for (int k = 0; k < r->plan.input_count; k++) {
		int number = r->plan.inputs[k];
		const struct tensor *t = &r->plan.tensors[number];
		const float *from = r->inputs[find_input(&r->graph, t->name) - r->graph.inputs].floats;
		for (int n = 0; n < r->batch; n++)
			for (int c = 0; c < t->c; c++)
				for (int y = 0; y < t->h; y++)
					for (int x = 0; x < t->w; x++)
						session_tensor(r->session, number, n)[place(t, c, y, x)] = *from++;
	}
}

static bool compare(struct run *r)
{
	const struct tensor *t = &r->plan.tensors[r->plan.output];
	const struct constant *want = &r->expected;
	int64_t dims[] = {r->batch, t->c, t->h, t->w}, *shape = r->outcome->as_image ? dims + 1 : dims;
	int rank = r->outcome->as_image ? t->rank - 1 : t->rank;
	if (want->type != CONSTANT_FLOAT)
		return stop(r, FAILED, "the data of its output are not float32, as the model says");
	if (want->rank != rank || memcmp(want->dims, shape, (size_t)rank * sizeof *shape) != 0)
		return stop(r, FAILED, "its output is %d x %d x %d x %d, of rank %d, and should be another of rank %d", r->batch, t->c, t->h, t->w, t->rank,
			want->rank);
	const float *from = want->floats;
	for (int n = 0; n < r->batch; n++)
		for (int c = 0; c < t->c; c++)
			for (int y = 0; y < t->h; y++)
				for (int x = 0; x < t->w; x++, from++) {
					double got = session_tensor(r->session, r->plan.output, n)[place(t, c, y, x)];
					/* Written so that NaN is wrong. */
					if (!(fabs(got - *from) <= ABSOLUTE + RELATIVE * fabs((double)*from)))
						return stop(r, FAILED, "at n %d, c %d, y %d, x %d it is %.9g and should be %.9g", n, c, y, x, got, (double)*from);
				}
	return true;
}

/* What ONNX's older cases say of these operators still holds in opset 7, the lowest that is read: their models' copies are declared to be of it. (Their
 * writer puts the opset last: opset_import { [domain: ""] version }.) */
static const uint8_t *raise_opset(struct run *r, const uint8_t *data, size_t size)
{
	static const uint8_t SHORT[] = {0x42, 0x02, 0x10}, LONG[] = {0x42, 0x04, 0x0a, 0x00, 0x10};
	bool found = (size > 6 && memcmp(data + size - 4, SHORT, sizeof SHORT) == 0) || (size > 6 && memcmp(data + size - 6, LONG, sizeof LONG) == 0);
	if (!found || data[size - 1] >= ONNX_OPSET_LOWEST)
		return data;
	uint8_t *copy = arena_alloc(&r->arena, size, 1);
	if (!copy)
		return data;
	memcpy(copy, data, size);
	copy[size - 1] = ONNX_OPSET_LOWEST;
	r->outcome->raised = true;
	return copy;
}

static bool run_set(struct run *r, const char *folder, const char *set)
{
	char path[1300];
	const uint8_t *data;
	size_t size;
	struct error e;
	snprintf(path, sizeof path, "%s/model.onnx", folder);
	if (!map(r, path, &data, &size))
		return false;
	int code = onnx_read(&r->graph, raise_opset(r, data, size), size, "model", &e);
	if (code)
		return stop(r, code == LSDN_ERROR_UNSUPPORTED ? LEFT_OUT : FAILED, "%s", e.message);
	if (r->graph.outputs[0].elem_type != TYPE_FLOAT)
		return stop(r, LEFT_OUT, "output '%s' is not a float32 tensor", r->graph.outputs[0].name);
	if (!read_inputs(r, set) || !declare_shapes(r) || !read_tensor(r, set, "output", 0, &r->expected))
		return false;
	code = plan_make(&r->plan, &r->graph, 0, 0, &e);
	if (code)
		return stop(r, code == LSDN_ERROR_UNSUPPORTED ? LEFT_OUT : FAILED, "%s", e.message);
	/* What is planned must run: nothing is left out from here on. */
	r->packed = packed_weights_open(&r->plan, &e);
	r->session = r->packed ? session_open(&r->plan, r->packed, r->batch, 1, &e) : NULL;
	if (!r->session)
		return stop(r, FAILED, "%s", e.message);
	feed(r);
	if (session_run(r->session, &e))
		return stop(r, FAILED, "%s", e.message);
	return compare(r);
}

struct outcome case_run(const char *folder)
{
	struct outcome outcome = {.verdict = PASSED};
	char set[1250];
	int number = 0;
	for (;; number++) {
		snprintf(set, sizeof set, "%s/test_data_set_%d", folder, number);
		if (access(set, F_OK) != 0)
			break;
		struct run r = {.outcome = &outcome};
		bool passed = run_set(&r, folder, set);
		session_close(r.session);
		packed_weights_close(r.packed);
		plan_free(&r.plan);
		onnx_close(&r.graph);
		arena_free(&r.arena);
		while (r.file_count-- > 0)
			file_unmap(r.files[r.file_count].data, r.files[r.file_count].size);
		if (!passed)
			return outcome;
	}
	if (number == 0)
		return (struct outcome){.verdict = LEFT_OUT, .reason = "has no data"};
	return outcome;
}
