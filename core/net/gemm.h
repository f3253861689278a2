/* Fully connected layers, from the weights as the plan has them: they are read once for all images, and no second copy is kept. */
#ifndef LSDN_CORE_NET_GEMM_H
#define LSDN_CORE_NET_GEMM_H

#include <stddef.h>

struct gemm {
	const float *input;   /* images x inputs */
	const float *weights; /* outputs x inputs */
	const float *bias;    /* one an output, or NULL */
	float *output;        /* images x outputs */
	size_t images, inputs, outputs;
};

/* Fills the output on as many threads as OpenMP has. What an element is depends on its own row and image alone. */
void gemm_run(const struct gemm *g);

#endif
