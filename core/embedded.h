/* The network that is built into the programs: generated from weights/embedded.onnx and its two texts. */
#ifndef LSDN_CORE_EMBEDDED_H
#define LSDN_CORE_EMBEDDED_H

#include <stddef.h>

extern const unsigned char EMBEDDED_ONNX[];
extern const size_t EMBEDDED_ONNX_SIZE;
extern const unsigned char EMBEDDED_CFG[];    /* text with a final NUL */
extern const unsigned char EMBEDDED_LABELS[]; /* the same */

#endif
