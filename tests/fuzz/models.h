/* What the targets that read models do with one. */
#ifndef LSDN_TESTS_FUZZ_MODELS_H
#define LSDN_TESTS_FUZZ_MODELS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/protobuf.h"

/* Parses, folds and plans it, for inputs of 16 x 24 where the file leaves their size open. */
void fuzz_plan(const uint8_t *data, size_t size);

/* Runs it and explains what it says of a small image, as lsdn-explain does; not where that would take long. */
void fuzz_explain(const uint8_t *data, size_t size);

/* A model to try other files with: N x 3 x 6 x 6, Conv, Relu, MaxPool, Flatten, Gemm, three classes. */
void fuzz_model(struct message *model);

#endif
