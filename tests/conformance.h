/* One of ONNX's own test cases: a folder with model.onnx and, for every test_data_set_N, the inputs and outputs it must have. */
#ifndef LSDN_TESTS_CONFORMANCE_H
#define LSDN_TESTS_CONFORMANCE_H

#include <stdbool.h>
#include <stddef.h>

enum verdict { PASSED, FAILED, LEFT_OUT };

struct outcome {
	enum verdict verdict;
	bool as_image;    /* tensors without a batch were run as one image */
	bool raised;      /* its opset is below 7 and was declared 7 */
	char reason[600]; /* where it did not pass */
};

enum { MAX_OPERATORS = 64, MAX_OPERATOR = 40 };

/* The different operators of a model's graph (not of subgraphs). Reads the file's bytes itself: models that the product refuses must be counted
 * by their operators too. */
struct operators {
	char names[MAX_OPERATORS][MAX_OPERATOR];
	size_t count;
};

/* False where the file cannot be read or has more operators than there is room for. */
bool case_operators(const char *folder, struct operators *operators);

/* Runs all data sets of a case. */
struct outcome case_run(const char *folder);

#endif
