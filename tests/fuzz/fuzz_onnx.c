/* A model: parsed, folded and planned, for inputs whose size is left open. */
#include "config.h"

#include <math.h>

#include "core/net/plan.h"
#include "tests/fuzz/fuzz.h"

/* What the rest of the program relies on without asking again. */
static void check_plan(const struct plan *plan)
{
	FUZZ_TRUE(plan->output >= 0 && plan->output < plan->tensor_count && plan->scores >= 0 && plan->scores < plan->tensor_count);
	for (int t = 0; t < plan->tensor_count; t++) {
		const struct tensor *tensor = &plan->tensors[t];
		FUZZ_TRUE(tensor->c > 0 && tensor->h > 0 && tensor->w > 0 && (double)tensor->c * tensor->h * tensor->w <= INT32_MAX);
		FUZZ_TRUE(tensor->maker >= -1 && tensor->maker < plan->op_count);
	}
	for (int k = 0; k < plan->op_count; k++) {
		const struct op *op = &plan->ops[k];
		FUZZ_TRUE(op->output >= 0 && op->output < plan->tensor_count && plan->tensors[op->output].maker == k);
		FUZZ_TRUE(op->input_count >= 1 && op->input_count <= OP_MAX_INPUTS);
		for (int i = 0; i < op->input_count; i++)
			FUZZ_TRUE(op->inputs[i] >= 0 && op->inputs[i] < op->output);
		const struct tensor *in = &plan->tensors[op->inputs[0]], *out = &plan->tensors[op->output];
		size_t each = op->kind == OP_GEMM ? (size_t)in->c : op->kind == OP_CONV
			? (size_t)(op->window.height * op->window.width) * (size_t)(in->c / op->groups) : 0;
		for (size_t i = 0; i < each * (size_t)out->c; i++)
			FUZZ_TRUE(op->weights[i] == op->weights[i]);
		for (int c = 0; op->bias && c < out->c; c++)
			FUZZ_TRUE(op->bias[c] == op->bias[c]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct onnx graph;
	struct plan plan;
	struct error e;
	if (fuzz_answer(onnx_read(&graph, data, size, "model", &e), &e))
		return 0;
	if (!fuzz_answer(plan_make(&plan, &graph, 16, 24, &e), &e)) {
		check_plan(&plan);
		plan_free(&plan);
	}
	onnx_close(&graph);
	return 0;
}
