#include "config.h"

#include "calib/crew.h"

#include <omp.h>
#include <stdlib.h>

int crew_open(struct crew *crew, const struct net *net, struct packed_weights *packed, int threads, struct progress *progress,
	const volatile sig_atomic_t *stop, struct error *e)
{
	*crew = (struct crew){.net = net, .packed = packed, .threads = threads, .progress = progress, .stop = stop,
		.explainers = calloc((size_t)threads, sizeof *crew->explainers)};
	return crew->explainers ? LSDN_OK : error_memory(e, "explainers");
}

void crew_close(struct crew *crew)
{
	for (int i = 0; crew->explainers && i < crew->threads; i++)
		explainer_close(&crew->explainers[i]);
	free(crew->explainers);
	*crew = (struct crew){0};
}

int crew_explainer(const struct crew *crew, int thread, bool open, struct explainer **x, struct error *e)
{
	int code = LSDN_OK;
	*x = &crew->explainers[thread];
#pragma omp critical(lsdn_crew)
	{
		if (open && !(*x)->net)
			code = explainer_open(*x, crew->net, crew->packed, 1, e);
	}
	return code;
}

int crew_run(const struct crew *crew, bool explain, size_t count, crew_work *work, void *context, struct error *e)
{
	int failed = LSDN_OK;
	if (!count)
		return LSDN_OK;
#pragma omp parallel num_threads(count < (size_t)crew->threads ? (int)count : crew->threads)
	{
		struct explainer *x;
		struct error why;
		int code = crew_explainer(crew, omp_get_thread_num(), explain, &x, &why);
#pragma omp for schedule(dynamic, 1)
		for (size_t i = 0; i < count; i++) {
			if (code || *crew->stop)
				continue;
			code = work(context, x, i, &why);
			progress_step(crew->progress);
		}
#pragma omp critical(lsdn_crew)
		{
			if (code && !failed)
				failed = error_set(e, (enum lsdn_error)code, "%s", why.message);
		}
	}
	if (!failed && *crew->stop)
		failed = error_set(e, LSDN_ERROR_INTERRUPTED, "interrupted");
	return failed;
}
