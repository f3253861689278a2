#include "config.h"

#include "core/embedded.h"

int model_open(struct net *net, const char *path, struct error *e)
{
	if (path)
		return net_open(net, path, e);
	return net_open_bytes(net, EMBEDDED_ONNX, EMBEDDED_ONNX_SIZE, "embedded", (const char *)EMBEDDED_CFG, (const char *)EMBEDDED_LABELS, e);
}
