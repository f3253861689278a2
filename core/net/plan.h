/* A network as a list of operators in the order in which they run, with every shape known and every constant folded.
 *
 * Shapes are per image: a tensor is C x H x W, (c, y, x) in words and NHWC in memory: element (c, y, x) at (y * W + x) * C + c. A vector is C x 1 x 1.
 * Activations are fused into the Conv or Gemm before them where nothing else reads it; BatchNormalization is folded there likewise. */
#ifndef LSDN_CORE_NET_PLAN_H
#define LSDN_CORE_NET_PLAN_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/net/onnx.h"

enum op_kind {
	OP_CONV,
	OP_GEMM,
	OP_MAX_POOL,
	OP_AVERAGE_POOL,
	OP_GLOBAL_AVERAGE_POOL,
	OP_GLOBAL_MAX_POOL,
	OP_CONCAT,
	OP_ADD,        /* any number of operands of one shape */
	OP_MUL,        /* two operands of one shape */
	OP_REINDEX,    /* every element is one of the input's: Flatten, Transpose, Slice, Pad and the like, where their places matter */
	OP_ACTIVATION, /* here and below: through operators, which keep (c, y, x) of inputs[0] */
	OP_LRN,
	OP_LAYER_NORM, /* over the channels of every place, then y = scale[c] * x + shift[c] */
	OP_SCALE, /* y = scale[c] * x + shift[c]: BatchNormalization, Mul, Add, Sub and Div with constants */
	OP_GATE,  /* inputs[0] times inputs[1], a C x 1 x 1 branch (squeeze-excitation) */
	OP_SOFTMAX,
	OP_LOG_SOFTMAX
};

enum activation_kind {
	ACTIVATION_NONE,
	ACTIVATION_RELU,
	ACTIVATION_LEAKY,        /* alpha: slope below 0 */
	ACTIVATION_PRELU,        /* slopes[c] below 0 */
	ACTIVATION_CLIP,         /* alpha, beta: bounds */
	ACTIVATION_SIGMOID,
	ACTIVATION_HARD_SIGMOID, /* max(0, min(1, alpha * x + beta)) */
	ACTIVATION_HARD_SWISH,
	ACTIVATION_SWISH,        /* x / (1 + exp(-x)) */
	ACTIVATION_GELU,         /* x / 2 * (1 + erf(x / sqrt(2))) */
	ACTIVATION_TANH,
	ACTIVATION_ELU
};

struct activation {
	enum activation_kind kind;
	float alpha, beta;
	const float *slopes;
};

/* A kernel's geometry, for Conv and pools. */
struct window {
	int height, width;
	int stride_y, stride_x;
	int dilation_y, dilation_x;       /* 1: dense */
	int top, left, bottom, right;     /* padding, */
	int over_bottom, over_right;      /* of which ceil_mode hangs over */
};

/* True where a kernel is of one tap, which never lies in padding. */
static inline bool window_is_one_tap(const struct window *w)
{
	return w->height == 1 && w->width == 1 && !w->top && !w->left && !w->bottom && !w->right;
}

enum { OP_MAX_INPUTS = 64 };

#define OP_FILL UINT32_MAX

struct op {
	enum op_kind kind;
	const char *name;    /* of the ONNX node */
	const char *op_type; /* as in the file */
	int inputs[OP_MAX_INPUTS];
	int input_count;
	int output;
	struct activation activation; /* fused behind Conv and Gemm, or OP_ACTIVATION's own */
	struct window window;
	int groups;             /* Conv */
	const float *weights;   /* the plan's own. Conv: O x kh x kw x I/groups (OHWI), BatchNormalization folded in; Gemm: O x I */
	const float *bias;      /* O, or NULL */
	bool count_include_pad; /* AveragePool */
	const float *scale, *shift;
	float epsilon;          /* LayerNorm */
	const uint32_t *from;   /* Reindex: which element of the input each is, as both lie in memory, or OP_FILL; NULL: the same one */
	float fill;             /* of those that are none */
	struct {
		int size;
		float alpha, beta, bias;
	} lrn;
};

struct tensor {
	const char *name; /* ONNX's name of the value, after what was fused */
	int c, h, w;
	int rank;   /* in ONNX: 4 for maps, 2 for vectors; 3 is N x C x H */
	int maker;  /* the op that writes it; -1 for an input of the network */
};

struct plan {
	struct tensor *tensors;
	int tensor_count;
	struct op *ops;
	int op_count;
	int *inputs; /* tensors that are fed */
	int input_count;
	int output; /* what the network gives */
	int scores; /* the class scores: the output, or what its Softmax reads */
	struct arena arena;
};

/* Plans a graph for inputs of height x width (used where the file leaves them open; otherwise they must agree or be 0). Names and
 * small constants stay where the graph has them, so it must outlive the plan; the bytes that it was read from need not. */
int plan_make(struct plan *plan, const struct onnx *graph, int height, int width, struct error *e);

void plan_free(struct plan *plan);

/* Elements of a tensor of one image. */
size_t tensor_size(const struct tensor *t);

/* Reindex: the element of the input that element i of the output is, or OP_FILL. */
uint32_t op_source(const struct op *op, uint32_t i);

/* True for the operators that keep (c, y, x) of their first input. */
bool op_is_through(const struct op *op);

/* The tensor of the same neurons that a layer made (or that is an input): back from t over through operators. */
int plan_layer_tensor(const struct plan *plan, int t);

/* The Conv or Gemm of that name, or -1. */
int plan_find_layer(const struct plan *plan, const char *name);

#endif
