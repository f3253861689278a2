#include "config.h"

#include "core/net/session_ops.h"

#include <string.h>

#include "core/net/gemm.h"

/* Collects what a primitive is made of; released together. */
struct making {
	const struct step_context *context;
	struct step *step;
	dnnl_primitive_attr_t attributes;
	dnnl_post_ops_t post_ops;
	dnnl_primitive_desc_t description;
	dnnl_status_t status;
};

static const struct tensor *tensor_of(const struct making *m, int t)
{
	return &m->context->plan->tensors[t];
}

/* N x C x H x W in words, NHWC in memory. */
static dnnl_memory_desc_t nhwc(int n, int c, int h, int w)
{
	dnnl_memory_desc_t md;
	dnnl_dims_t dims = {n, c, h, w};
	dnnl_memory_desc_init_by_tag(&md, 4, dims, dnnl_f32, dnnl_nhwc);
	return md;
}

static dnnl_memory_desc_t map_of(const struct making *m, int t)
{
	const struct tensor *tensor = tensor_of(m, t);
	return nhwc(m->context->stage->images, tensor->c, tensor->h, tensor->w);
}

static dnnl_memory_desc_t matrix(dnnl_dim_t rows, dnnl_dim_t columns)
{
	dnnl_memory_desc_t md;
	dnnl_dims_t dims = {rows, columns};
	dnnl_memory_desc_init_by_tag(&md, 2, dims, dnnl_f32, dnnl_ab);
	return md;
}

static void check(struct making *m, dnnl_status_t status)
{
	if (m->status == dnnl_success)
		m->status = status;
}

/* Adds an argument of memory at data (which oneDNN only reads where the op does), perhaps the first image of tensor t. */
static void add_argument(struct making *m, int kind, const dnnl_memory_desc_t *md, const float *data, int t)
{
	struct step *step = m->step;
	dnnl_memory_t memory;
	if (m->status != dnnl_success)
		return;
	check(m, dnnl_memory_create(&memory, md, m->context->engine, (void *)(uintptr_t)data));
	if (m->status != dnnl_success)
		return;
	step->tensors_of[step->argument_count] = t;
	step->arguments[step->argument_count++] = (dnnl_exec_arg_t){kind, memory};
}

static void argument(struct making *m, int kind, const dnnl_memory_desc_t *md, const float *data)
{
	add_argument(m, kind, md, data, -1);
}

/* Tensor t, seen in that form. */
static void tensor_argument_as(struct making *m, int kind, const dnnl_memory_desc_t *md, int t)
{
	add_argument(m, kind, md, m->context->tensors[t], t);
}

static void tensor_argument(struct making *m, int kind, int t)
{
	dnnl_memory_desc_t md = map_of(m, t);
	tensor_argument_as(m, kind, &md, t);
}

static void add_eltwise(struct making *m, dnnl_alg_kind_t kind, float alpha, float beta)
{
	check(m, dnnl_post_ops_append_eltwise(m->post_ops, 1, kind, alpha, beta));
}

static void fuse_relu(struct making *m)
{
	if (m->context->stage->relu)
		add_eltwise(m, dnnl_eltwise_relu, 0, 0);
}

/* oneDNN's name of an activation; HardSigmoid is a linear function with a clip behind it. */
static dnnl_alg_kind_t eltwise_of(const struct activation *a, float *alpha, float *beta)
{
	*alpha = a->alpha;
	*beta = a->beta;
	switch (a->kind) {
	case ACTIVATION_RELU: *alpha = 0; return dnnl_eltwise_relu;
	case ACTIVATION_LEAKY: return dnnl_eltwise_relu;
	case ACTIVATION_CLIP: return dnnl_eltwise_clip;
	case ACTIVATION_SIGMOID: return dnnl_eltwise_logistic;
	case ACTIVATION_HARD_SIGMOID: return dnnl_eltwise_linear;
	case ACTIVATION_HARD_SWISH: return dnnl_eltwise_hardswish;
	case ACTIVATION_SWISH: *alpha = 1; return dnnl_eltwise_swish;
	case ACTIVATION_GELU: return dnnl_eltwise_gelu_erf;
	case ACTIVATION_TANH: return dnnl_eltwise_tanh;
	case ACTIVATION_ELU: return dnnl_eltwise_elu;
	case ACTIVATION_NONE:
	case ACTIVATION_PRELU: break;
	}
	return dnnl_alg_kind_undef;
}

static void fuse_activation(struct making *m)
{
	const struct activation *a = &m->context->stage->op->activation;
	float alpha, beta;
	dnnl_alg_kind_t kind = eltwise_of(a, &alpha, &beta);
	if (kind != dnnl_alg_kind_undef)
		add_eltwise(m, kind, alpha, beta);
	if (a->kind == ACTIVATION_HARD_SIGMOID)
		add_eltwise(m, dnnl_eltwise_clip, 0, 1);
}

static void describe(struct making *m, const void *description)
{
	if (m->status == dnnl_success)
		check(m, dnnl_primitive_attr_set_post_ops(m->attributes, m->post_ops));
	if (m->status == dnnl_success)
		check(m, dnnl_primitive_desc_create(&m->description, description, m->attributes, m->context->engine, NULL));
}

dnnl_status_t weights_reorder(dnnl_memory_t from, dnnl_memory_t to, dnnl_engine_t engine, dnnl_stream_t stream)
{
	dnnl_primitive_desc_t description;
	dnnl_primitive_t primitive;
	dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
	const dnnl_memory_desc_t *from_md, *to_md;
	dnnl_memory_get_memory_desc(from, &from_md);
	dnnl_memory_get_memory_desc(to, &to_md);
	dnnl_status_t status = dnnl_reorder_primitive_desc_create(&description, from_md, engine, to_md, engine, NULL);
	if (status != dnnl_success)
		return status;
	status = dnnl_primitive_create(&primitive, description);
	dnnl_primitive_desc_destroy(description);
	if (status != dnnl_success)
		return status;
	status = dnnl_primitive_execute(primitive, stream, 2, arguments);
	if (status == dnnl_success)
		status = dnnl_stream_wait(stream);
	dnnl_primitive_destroy(primitive);
	return status;
}

/* Weights in the layout that the primitive asks for: the plan's own, the shared packed ones, or (another layout than the shared one's) a copy. */
static void weights_argument(struct making *m, const dnnl_memory_desc_t *plain)
{
	const struct step_context *context = m->context;
	if (m->status != dnnl_success)
		return;
	const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(m->description, dnnl_query_weights_md, 0);
	dnnl_memory_t *shared = &context->packed->weights[context->stage->op - context->plan->ops];
	const dnnl_memory_desc_t *have = NULL;
	if (dnnl_memory_desc_equal(wanted, plain)) {
		argument(m, DNNL_ARG_WEIGHTS, plain, context->stage->op->weights);
		return;
	}
	if (*shared)
		dnnl_memory_get_memory_desc(*shared, &have);
	dnnl_memory_t packed = have && dnnl_memory_desc_equal(wanted, have) ? *shared : NULL;
	if (!packed) {
		dnnl_memory_t from;
		void *room = arena_alloc(*shared ? &m->step->arena : &context->packed->arena, 1, dnnl_memory_desc_get_size(wanted));
		check(m, room ? dnnl_memory_create(&packed, wanted, context->engine, room) : dnnl_out_of_memory);
		if (m->status != dnnl_success)
			return;
		check(m, dnnl_memory_create(&from, plain, context->engine, (void *)(uintptr_t)context->stage->op->weights));
		if (m->status == dnnl_success) {
			check(m, weights_reorder(from, packed, context->engine, context->stream));
			dnnl_memory_destroy(from);
		}
		if (!*shared)
			*shared = packed;
	}
	m->step->tensors_of[m->step->argument_count] = -1;
	m->step->arguments[m->step->argument_count++] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, packed};
	if (packed == *shared)
		m->step->shared = packed;
}

void conv_form_of(const struct plan *plan, const struct op *op, int images, struct conv_form *f)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]], *out = &plan->tensors[op->output];
	bool gemm = op->kind == OP_GEMM;
	const struct window row = {.height = 1, .width = 1, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1}, *w = gemm ? &row : &op->window;
	dnnl_dim_t g = gemm ? 1 : op->groups, o = out->c / g, c = in->c / g, kh = w->height, kw = w->width;
	dnnl_dims_t grouped = {g, o, c, kh, kw}, grouped_strides = {o * kh * kw * c, kh * kw * c, 1, kw * c, c}, bias_dims = {out->c};
	int skip = g == 1; /* without groups the first dimension goes */
	*f = (struct conv_form){.source = gemm ? nhwc(1, in->c, 1, images) : nhwc(images, in->c, in->h, in->w),
		.target = gemm ? nhwc(1, out->c, 1, images) : nhwc(images, out->c, out->h, out->w), .strides = {w->stride_y, w->stride_x},
		.dilates = {w->dilation_y - 1, w->dilation_x - 1}, .begin = {w->top, w->left}, .end = {w->bottom, w->right}};
	dnnl_memory_desc_init_by_strides(&f->plain, 5 - skip, grouped + skip, dnnl_f32, grouped_strides + skip);
	dnnl_memory_desc_init_by_tag(&f->any, 5 - skip, grouped + skip, dnnl_f32, dnnl_format_tag_any);
	dnnl_memory_desc_init_by_tag(&f->bias, 1, bias_dims, dnnl_f32, dnnl_a);
}

static void make_conv(struct making *m)
{
	const struct stage *stage = m->context->stage;
	const struct op *op = stage->op;
	struct conv_form f;
	conv_form_of(m->context->plan, op, stage->images, &f);
	fuse_activation(m);
	int sum_at = dnnl_post_ops_len(m->post_ops);
	if (stage->sum)
		check(m, dnnl_post_ops_append_binary(m->post_ops, dnnl_binary_add, &f.target));
	fuse_relu(m);
	dnnl_convolution_desc_t description;
	check(m, dnnl_dilated_convolution_forward_desc_init(&description, dnnl_forward_inference, dnnl_convolution_direct, &f.source, &f.any,
		op->bias ? &f.bias : NULL, &f.target, f.strides, f.dilates, f.begin, f.end));
	describe(m, &description);
	tensor_argument_as(m, DNNL_ARG_SRC, &f.source, op->inputs[0]);
	weights_argument(m, &f.plain);
	if (op->bias)
		argument(m, DNNL_ARG_BIAS, &f.bias, op->bias);
	if (stage->sum)
		tensor_argument(m, DNNL_ARG_ATTR_MULTIPLE_POST_OP(sum_at) | DNNL_ARG_SRC_1, stage->addend);
	tensor_argument_as(m, DNNL_ARG_DST, &f.target, stage->output);
}

/* Tensor t of image i of those that the step is at. */
static float *image_of(const struct step *step, int t, int i)
{
	return step->tensors[t] + (size_t)(step->readers[t] ? i : step->first + i) * tensor_size(&step->plan->tensors[t]);
}

/* An average with the padding counted divides by what of the window lies within the padded map: where ceil_mode hangs over that, oneDNN's divisor
 * is too large. Averages over real pixels are made, then put in proportion here. */
static void count_padding(const struct step *step)
{
	const struct op *op = step->op;
	const struct window *w = &op->window;
	const struct tensor *in = &step->plan->tensors[op->inputs[0]], *out = &step->plan->tensors[op->output];
	const struct {
		int y, x;
	} end = {in->h + w->bottom - w->over_bottom, in->w + w->right - w->over_right};
	for (int y = 0; y < out->h; y++)
		for (int x = 0; x < out->w; x++) {
			int y0 = y * w->stride_y - w->top, x0 = x * w->stride_x - w->left;
			int y1 = y0 + w->height, x1 = x0 + w->width;
			int real_h = (y1 < in->h ? y1 : in->h) - (y0 > 0 ? y0 : 0), real_w = (x1 < in->w ? x1 : in->w) - (x0 > 0 ? x0 : 0);
			int all_h = (y1 < end.y ? y1 : end.y) - y0, all_w = (x1 < end.x ? x1 : end.x) - x0;
			float factor = (float)(real_h * real_w) / (float)(all_h * all_w);
			for (int n = 0; n < step->images; n++) {
				float *values = image_of(step, op->output, n) + ((size_t)y * (size_t)out->w + (size_t)x) * (size_t)out->c;
				for (int c = 0; c < out->c; c++)
					values[c] *= factor;
			}
		}
}

static void make_pool(struct making *m)
{
	const struct op *op = m->context->stage->op;
	const struct tensor *in = tensor_of(m, op->inputs[0]);
	struct window w = op->window;
	bool average = op->kind == OP_AVERAGE_POOL || op->kind == OP_GLOBAL_AVERAGE_POOL;
	if (op->kind == OP_GLOBAL_AVERAGE_POOL || op->kind == OP_GLOBAL_MAX_POOL)
		w = (struct window){.height = in->h, .width = in->w, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1};
	dnnl_memory_desc_t source = map_of(m, op->inputs[0]), target = map_of(m, op->output);
	dnnl_dims_t strides = {w.stride_y, w.stride_x}, kernel = {w.height, w.width}, dilation = {w.dilation_y - 1, w.dilation_x - 1},
		begin = {w.top, w.left}, end = {w.bottom, w.right};
	dnnl_pooling_v2_desc_t description;
	check(m, dnnl_pooling_v2_forward_desc_init(&description, dnnl_forward_inference,
		average ? dnnl_pooling_avg_exclude_padding : dnnl_pooling_max, &source, &target, strides, kernel, dilation, begin, end));
	describe(m, &description);
	tensor_argument(m, DNNL_ARG_SRC, op->inputs[0]);
	tensor_argument(m, DNNL_ARG_DST, op->output);
	if (op->kind == OP_AVERAGE_POOL && op->count_include_pad)
		m->step->correct = count_padding;
}

static void make_concat(struct making *m)
{
	const struct op *op = m->context->stage->op;
	dnnl_memory_desc_t sources[OP_MAX_INPUTS], target = map_of(m, op->output);
	for (int i = 0; i < op->input_count; i++)
		sources[i] = map_of(m, op->inputs[i]);
	check(m, dnnl_concat_primitive_desc_create(&m->description, &target, op->input_count, 1, sources, m->attributes, m->context->engine));
	for (int i = 0; i < op->input_count; i++)
		tensor_argument(m, DNNL_ARG_MULTIPLE_SRC + i, op->inputs[i]);
	tensor_argument(m, DNNL_ARG_DST, op->output);
}

static void make_long_sum(struct making *m)
{
	const struct op *op = m->context->stage->op;
	dnnl_memory_desc_t sources[OP_MAX_INPUTS], target = map_of(m, op->output);
	float scales[OP_MAX_INPUTS];
	for (int i = 0; i < op->input_count; i++) {
		sources[i] = map_of(m, op->inputs[i]);
		scales[i] = 1;
	}
	check(m, dnnl_sum_primitive_desc_create(&m->description, &target, op->input_count, scales, sources, m->attributes, m->context->engine));
	for (int i = 0; i < op->input_count; i++)
		tensor_argument(m, DNNL_ARG_MULTIPLE_SRC + i, op->inputs[i]);
	tensor_argument(m, DNNL_ARG_DST, op->output);
}

/* Of two tensors, the second perhaps C x 1 x 1. */
static void make_binary(struct making *m, dnnl_alg_kind_t kind)
{
	const struct op *op = m->context->stage->op;
	dnnl_memory_desc_t left = map_of(m, op->inputs[0]), right = map_of(m, op->inputs[1]), target = map_of(m, op->output);
	dnnl_binary_desc_t description;
	fuse_relu(m);
	check(m, dnnl_binary_desc_init(&description, kind, &left, &right, &target));
	describe(m, &description);
	tensor_argument(m, DNNL_ARG_SRC_0, op->inputs[0]);
	tensor_argument(m, DNNL_ARG_SRC_1, op->inputs[1]);
	tensor_argument(m, DNNL_ARG_DST, m->context->stage->output);
}

static void make_mul(struct making *m)
{
	make_binary(m, dnnl_binary_mul);
}

static void make_add(struct making *m)
{
	if (m->context->stage->op->input_count == 2)
		make_binary(m, dnnl_binary_add);
	else
		make_long_sum(m);
}

static void make_scale(struct making *m)
{
	const struct op *op = m->context->stage->op;
	dnnl_memory_desc_t source = map_of(m, op->inputs[0]), channels = nhwc(1, tensor_of(m, op->output)->c, 1, 1);
	dnnl_binary_desc_t description;
	check(m, dnnl_post_ops_append_binary(m->post_ops, dnnl_binary_add, &channels));
	check(m, dnnl_binary_desc_init(&description, dnnl_binary_mul, &source, &channels, &source));
	describe(m, &description);
	tensor_argument(m, DNNL_ARG_SRC_0, op->inputs[0]);
	argument(m, DNNL_ARG_SRC_1, &channels, op->scale);
	argument(m, DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, &channels, op->shift);
	tensor_argument(m, DNNL_ARG_DST, op->output);
}

static void make_prelu(struct making *m)
{
	const struct op *op = m->context->stage->op;
	dnnl_memory_desc_t source = map_of(m, op->inputs[0]), channels = nhwc(1, tensor_of(m, op->output)->c, 1, 1);
	dnnl_prelu_desc_t description;
	check(m, dnnl_prelu_forward_desc_init(&description, dnnl_forward_inference, &source, &channels));
	describe(m, &description);
	argument(m, DNNL_ARG_WEIGHTS, &channels, op->activation.slopes);
	tensor_argument(m, DNNL_ARG_SRC, op->inputs[0]);
	tensor_argument(m, DNNL_ARG_DST, op->output);
}

/* The op's activation of a tensor, perhaps in place. */
static void make_eltwise(struct making *m, int from)
{
	const struct op *op = m->context->stage->op;
	dnnl_memory_desc_t source = map_of(m, from);
	float alpha, beta;
	dnnl_alg_kind_t kind = eltwise_of(&op->activation, &alpha, &beta);
	dnnl_eltwise_desc_t description;
	if (op->activation.kind == ACTIVATION_HARD_SIGMOID)
		add_eltwise(m, dnnl_eltwise_clip, 0, 1);
	check(m, dnnl_eltwise_forward_desc_init(&description, dnnl_forward_inference, kind, &source, alpha, beta));
	describe(m, &description);
	tensor_argument(m, DNNL_ARG_SRC, from);
	tensor_argument(m, DNNL_ARG_DST, op->output);
}

static void make_activation(struct making *m)
{
	if (m->context->stage->op->activation.kind == ACTIVATION_PRELU)
		make_prelu(m);
	else
		make_eltwise(m, m->context->stage->op->inputs[0]);
}

static void multiply(const struct step *step)
{
	const struct op *op = step->op;
	gemm_run(&(struct gemm){.input = image_of(step, op->inputs[0], 0), .weights = op->weights, .bias = op->bias, .output = image_of(step, op->output, 0),
		.images = (size_t)step->images, .inputs = (size_t)step->plan->tensors[op->inputs[0]].c, .outputs = (size_t)step->plan->tensors[op->output].c});
}

/* oneDNN's inner product sums in an order that depends on the threads, and its convolutions would keep the weights once more. */
static void make_gemm(struct making *m)
{
	const struct op *op = m->context->stage->op;
	m->step->compute = multiply;
	if (op->activation.kind != ACTIVATION_NONE)
		make_eltwise(m, op->output);
}

static void make_lrn(struct making *m)
{
	const struct op *op = m->context->stage->op;
	dnnl_memory_desc_t source = map_of(m, op->inputs[0]);
	dnnl_lrn_desc_t description;
	check(m, dnnl_lrn_forward_desc_init(&description, dnnl_forward_inference, dnnl_lrn_across_channels, &source, op->lrn.size, op->lrn.alpha,
		op->lrn.beta, op->lrn.bias));
	describe(m, &description);
	tensor_argument(m, DNNL_ARG_SRC, op->inputs[0]);
	tensor_argument(m, DNNL_ARG_DST, op->output);
}

static void make_layer_norm(struct making *m)
{
	const struct op *op = m->context->stage->op;
	const struct tensor *in = tensor_of(m, op->inputs[0]);
	dnnl_memory_desc_t source = matrix((dnnl_dim_t)m->context->stage->images * in->h * in->w, in->c), channels;
	dnnl_dims_t dims = {in->c};
	dnnl_layer_normalization_desc_t description;
	dnnl_memory_desc_init_by_tag(&channels, 1, dims, dnnl_f32, dnnl_a);
	check(m, dnnl_layer_normalization_forward_desc_init(&description, dnnl_forward_inference, &source, NULL, op->epsilon,
		dnnl_use_scale | dnnl_use_shift));
	describe(m, &description);
	tensor_argument_as(m, DNNL_ARG_SRC, &source, op->inputs[0]);
	argument(m, DNNL_ARG_SCALE, &channels, op->scale);
	argument(m, DNNL_ARG_SHIFT, &channels, op->shift);
	tensor_argument_as(m, DNNL_ARG_DST, &source, op->output);
}

static void reindex(const struct step *step)
{
	const struct op *op = step->op;
	size_t size = tensor_size(&step->plan->tensors[op->output]);
	for (int n = 0; n < step->images; n++) {
		const float *from = image_of(step, op->inputs[0], n);
		float *to = image_of(step, op->output, n);
		for (size_t i = 0; i < size; i++)
			to[i] = op->from[i] == OP_FILL ? op->fill : from[op->from[i]];
	}
}

/* No primitive: oneDNN has none that takes elements from anywhere. */
static void make_reindex(struct making *m)
{
	m->step->correct = reindex;
}

static void make_softmax(struct making *m)
{
	const struct op *op = m->context->stage->op;
	dnnl_dim_t classes = tensor_of(m, op->inputs[0])->c;
	dnnl_memory_desc_t md = matrix(m->context->stage->images, classes);
	dnnl_softmax_desc_t softmax;
	dnnl_logsoftmax_desc_t log_softmax;
	bool logarithm = op->kind == OP_LOG_SOFTMAX;
	check(m, logarithm ? dnnl_logsoftmax_forward_desc_init(&log_softmax, dnnl_forward_inference, &md, 1)
		: dnnl_softmax_forward_desc_init(&softmax, dnnl_forward_inference, &md, 1));
	describe(m, logarithm ? &log_softmax : &softmax);
	tensor_argument_as(m, DNNL_ARG_SRC, &md, op->inputs[0]);
	tensor_argument_as(m, DNNL_ARG_DST, &md, op->output);
}

static void (*const MAKERS[])(struct making *) = {
	[OP_CONV] = make_conv, [OP_GEMM] = make_gemm, [OP_MAX_POOL] = make_pool, [OP_AVERAGE_POOL] = make_pool,
	[OP_GLOBAL_AVERAGE_POOL] = make_pool, [OP_GLOBAL_MAX_POOL] = make_pool, [OP_CONCAT] = make_concat, [OP_ADD] = make_add,
	[OP_MUL] = make_mul, [OP_REINDEX] = make_reindex, [OP_ACTIVATION] = make_activation, [OP_LRN] = make_lrn,
	[OP_LAYER_NORM] = make_layer_norm, [OP_SCALE] = make_scale,
	[OP_GATE] = make_mul, [OP_SOFTMAX] = make_softmax, [OP_LOG_SOFTMAX] = make_softmax,
};

int step_make(const struct step_context *context, struct step *step)
{
	struct making m = {.context = context, .step = step};
	*step = (struct step){.op = context->stage->op, .plan = context->plan, .tensors = context->tensors, .readers = context->readers, .images = context->stage->images};
	step->arguments = arena_alloc(&step->arena, STEP_MAX_ARGUMENTS, sizeof *step->arguments);
	step->tensors_of = arena_alloc(&step->arena, STEP_MAX_ARGUMENTS, sizeof *step->tensors_of);
	if (!step->arguments || !step->tensors_of)
		return error_memory(context->error, "a session");
	check(&m, dnnl_primitive_attr_create(&m.attributes));
	check(&m, dnnl_post_ops_create(&m.post_ops));
	if (m.status == dnnl_success)
		check(&m, dnnl_primitive_attr_set_scratchpad_mode(m.attributes, dnnl_scratchpad_mode_user));
	if (m.status == dnnl_success)
		MAKERS[context->stage->op->kind](&m);
	if (m.status == dnnl_success && m.description)
		check(&m, dnnl_primitive_create(&step->primitive, m.description));
	if (m.status == dnnl_success && m.description) {
		const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(m.description, dnnl_query_scratchpad_md, 0);
		step->scratch_size = md ? dnnl_memory_desc_get_size(md) : 0;
		if (step->scratch_size)
			check(&m, dnnl_memory_create(&step->scratch, md, context->engine, NULL));
	}
	if (step->scratch) {
		step->tensors_of[step->argument_count] = -1;
		step->arguments[step->argument_count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, step->scratch};
	}
	if (m.description)
		dnnl_primitive_desc_destroy(m.description);
	if (m.post_ops)
		dnnl_post_ops_destroy(m.post_ops);
	if (m.attributes)
		dnnl_primitive_attr_destroy(m.attributes);
	if (m.status == dnnl_success)
		return LSDN_OK;
	if (m.status == dnnl_out_of_memory)
		return error_memory(context->error, "oneDNN: use a smaller batch or input");
	return error_set(context->error, LSDN_ERROR_UNSUPPORTED, "node '%.100s': %.40s: oneDNN cannot compute it in this form (status %d)",
		context->stage->op->name, context->stage->op->op_type, (int)m.status);
}

void step_set_scratch(struct step *step, void *scratch)
{
	if (step->scratch)
		dnnl_memory_set_data_handle(step->scratch, scratch);
}

static bool move_to(struct step *step, int first)
{
	bool ok = true;
	step->first = first;
	for (int i = 0; i < step->argument_count && ok; i++)
		if (step->tensors_of[i] >= 0)
			ok = dnnl_memory_set_data_handle(step->arguments[i].memory, image_of(step, step->tensors_of[i], 0)) == dnnl_success;
	return ok;
}

bool step_run(struct step *step, dnnl_stream_t stream, int first)
{
	bool ok = step->first == first || move_to(step, first);
	if (ok && step->compute)
		step->compute(step);
	if (ok && step->primitive)
		ok = dnnl_primitive_execute(step->primitive, stream, step->argument_count, step->arguments) == dnnl_success;
	if (ok && step->correct)
		step->correct(step);
	return ok;
}

void step_close(struct step *step)
{
	if (step->primitive)
		dnnl_primitive_destroy(step->primitive);
	for (int i = 0; i < step->argument_count; i++)
		if (step->arguments[i].memory != step->shared)
			dnnl_memory_destroy(step->arguments[i].memory);
	arena_free(&step->arena);
}
