/* The network that is built into the programs: generated from weights/embedded.onnx and its two texts. */
#ifndef LSDN_CORE_EMBEDDED_H
#define LSDN_CORE_EMBEDDED_H

#include <stddef.h>

#include "core/net/net.h"

extern const unsigned char EMBEDDED_ONNX[];
extern const size_t EMBEDDED_ONNX_SIZE;
extern const unsigned char EMBEDDED_CFG[];    /* text with a final NUL */
extern const unsigned char EMBEDDED_LABELS[]; /* the same */

/* Opens the model file at path, or the embedded network where path is NULL. */
int model_open(struct net *net, const char *path, struct error *e);

#endif
