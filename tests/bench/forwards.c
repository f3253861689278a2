/* Forward passes alone, as a calibration makes them: images shared among threads, each with a session of its own.
 *
 *     forwards NETWORK.onnx IMAGES THREADS
 *
 * What is to be timed is the whole process, as lsdn-calibrate's. Numbers of the images are drawn, so nothing is read or decoded. */
#include "config.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/net/net.h"
#include "core/net/session.h"

static void fill(const struct plan *plan, struct session *session, unsigned int seed)
{
	float *input = session_tensor(session, plan->inputs[0], 0);
	size_t count = tensor_size(&plan->tensors[plan->inputs[0]]);
	for (size_t i = 0; i < count; i++) {
		seed = seed * 1664525 + 1013904223;
		input[i] = (float)(seed >> 8) / 0x1p22F - 2;
	}
}

static int run(const struct net *net, struct packed_weights *packed, int images, int threads, struct error *e)
{
	int failed = LSDN_OK;
#pragma omp parallel num_threads(threads)
	{
		struct session *session;
		struct error why;
		int code = LSDN_OK;
#pragma omp critical
		{
			session = session_open(&net->plan, packed, 1, 1, &why);
			if (session)
				fill(&net->plan, session, (unsigned int)omp_get_thread_num());
			else
				code = why.code;
		}
#pragma omp for schedule(dynamic, 1)
		for (int i = 0; i < images; i++)
			if (!code)
				code = session_run(session, &why);
		session_close(session);
#pragma omp critical
		if (code && !failed)
			failed = error_set(e, (enum lsdn_error)code, "%s", why.message);
	}
	return failed;
}

int main(int argc, char **argv)
{
	struct net net = {0};
	struct packed_weights *packed = NULL;
	struct error e;
	int images = argc == 4 ? atoi(argv[2]) : 0, threads = argc == 4 ? atoi(argv[3]) : 0;
	if (images < 1 || threads < 1) {
		fprintf(stderr, "usage: forwards NETWORK.onnx IMAGES THREADS\n");
		return 2;
	}
	int code = net_open(&net, argv[1], &e);
	if (!code && !(packed = packed_weights_open(&net.plan, &e)))
		code = e.code;
	if (!code)
		code = run(&net, packed, images, threads, &e);
	if (code)
		fprintf(stderr, "forwards: %s\n", e.message);
	packed_weights_close(packed);
	net_close(&net);
	return code ? EXIT_FAILURE : EXIT_SUCCESS;
}
