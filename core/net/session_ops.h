/* One stage of a plan as a oneDNN primitive with its memory. */
#ifndef LSDN_CORE_NET_SESSION_OPS_H
#define LSDN_CORE_NET_SESSION_OPS_H

#include <dnnl.h>

#include "core/net/stages.h"

struct packed_weights {
	dnnl_engine_t engine;
	dnnl_memory_t *weights; /* one an op, NULL until a session needs it; owned */
	int count;
	struct arena arena;     /* of their numbers */
};

enum { STEP_MAX_ARGUMENTS = OP_MAX_INPUTS + 8 };

/* A primitive with its arguments. */
struct step {
	dnnl_primitive_t primitive;
	int argument_count;
	dnnl_exec_arg_t *arguments; /* memories are owned, but for packed weights */
	int *tensors_of;            /* one an argument: the tensor that it is, or -1 */
	dnnl_memory_t shared;       /* the one that is not */
	dnnl_memory_t scratch;
	size_t scratch_size;
	void (*compute)(const struct step *); /* what is computed before the primitive, or NULL */
	void (*correct)(const struct step *); /* what it leaves to do, or NULL */
	const struct op *op;
	const struct plan *plan;
	float *const *tensors;
	const struct op *const *readers;
	int images; /* that it computes at once, */
	int first;  /* and of them the first one in the batch */
	struct arena arena;
};

struct step_context {
	const struct plan *plan;
	const struct stage *stage;
	float *const *tensors;           /* one a tensor */
	const struct op *const *readers; /* of what is not kept, and there for the images that are being computed only */
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct packed_weights *packed;
	struct error *error;
};

/* A Conv, or a Gemm as one of 1 x 1 over a row of the images, as oneDNN describes it. */
struct conv_form {
	dnnl_memory_desc_t source, target;     /* NHWC */
	dnnl_memory_desc_t plain, any, bias;   /* weights as the plan has them; in whatever layout is best */
	dnnl_dims_t strides, dilates, begin, end;
};
void conv_form_of(const struct plan *plan, const struct op *op, int images, struct conv_form *form);

/* The same weights in another layout. */
dnnl_status_t weights_reorder(dnnl_memory_t from, dnnl_memory_t to, dnnl_engine_t engine, dnnl_stream_t stream);

int step_make(const struct step_context *context, struct step *step);
void step_set_scratch(struct step *step, void *scratch);
/* Computes the images from `first` on. */
bool step_run(struct step *step, dnnl_stream_t stream, int first);
void step_close(struct step *step);

#endif
