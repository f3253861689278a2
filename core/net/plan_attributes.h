/* Which attributes the operators have, so that none is passed over. */
#ifndef LSDN_CORE_NET_PLAN_ATTRIBUTES_H
#define LSDN_CORE_NET_PLAN_ATTRIBUTES_H

#include "core/net/onnx.h"

/* The name of an attribute that the node's operator does not have in any opset that is read; NULL where there is none, or the operator is not
 * known. */
const char *attribute_unknown(const struct node *node);

#endif
