/* Runs NAME.onnx on NAME.npy and compares its scores with NAME.scores, which tests/torchvision_networks.py and tests/converter_networks.py write.
 * Prints max |difference| / max(1, max |score|) and the number of operators; exits with 0 where that is at most 1e-4. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/image/npy.h"
#include "core/net/net.h"
#include "core/net/session.h"

static const double LARGEST = 1e-4;

static int compare(const char *name, const struct net *net, const struct session *session, struct error *e)
{
	char path[1000];
	const uint8_t *data;
	size_t size, count = tensor_size(&net->plan.tensors[net->plan.output]);
	snprintf(path, sizeof path, "%s.scores", name);
	if (file_map(path, &data, &size, e))
		return e->code;
	if (size != count * sizeof(float))
		return error_set(e, LSDN_ERROR_INPUT, "%s: has %zu bytes for %zu scores", path, size, count);
	const float *want = (const float *)(const void *)data, *got = session_tensor(session, net->plan.output, 0);
	double largest = 1, difference = 0;
	for (size_t i = 0; i < count; i++) {
		largest = fmax(largest, fabs((double)want[i]));
		/* NaN is not to be lost in a maximum. */
		difference = isnan(got[i]) ? INFINITY : fmax(difference, fabs((double)got[i] - (double)want[i]));
	}
	file_unmap(data, size);
	printf("%.1e %d\n", difference / largest, net->plan.op_count);
	if (difference / largest <= LARGEST)
		return LSDN_OK;
	return error_set(e, LSDN_ERROR_INPUT, "%s: scores differ by %g of the largest", path, difference / largest);
}

static int run(const char *name, struct error *e)
{
	char path[1000];
	struct net net;
	snprintf(path, sizeof path, "%s.onnx", name);
	int code = net_open(&net, path, e);
	if (code)
		return code;
	struct packed_weights *packed = packed_weights_open(&net.plan, e);
	struct session *session = packed ? session_open(&net.plan, packed, 1, 2, e) : NULL;
	const struct tensor *in = &net.plan.tensors[net.plan.inputs[0]];
	snprintf(path, sizeof path, "%s.npy", name);
	code = session ? npy_read(path, in->h, in->w, session_tensor(session, net.plan.inputs[0], 0), e) : e->code;
	if (!code)
		code = session_run(session, e);
	if (!code)
		code = compare(name, &net, session, e);
	session_close(session);
	packed_weights_close(packed);
	net_close(&net);
	return code;
}

int main(int argc, char **argv)
{
	struct error e;
	if (argc != 2) {
		fprintf(stderr, "usage: compare_scores NAME\n");
		return 2;
	}
	if (!run(argv[1], &e))
		return EXIT_SUCCESS;
	fprintf(stderr, "compare_scores: %s\n", e.message);
	return EXIT_FAILURE;
}
