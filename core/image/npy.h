/* Tensors as NumPy's .npy files. */
#ifndef LSDN_CORE_IMAGE_NPY_H
#define LSDN_CORE_IMAGE_NPY_H

#include "core/error.h"

/* Reads a little-endian float32, C-ordered array of shape (3, height, width) or (1, 3, height, width) into tensor (NHWC: height x width x 3).
 * Anything else (other type, order, shape, truncated file, lying header) is an error that says what was found and what is needed. */
int npy_read(const char *path, int height, int width, float *tensor, struct error *e);

#endif
