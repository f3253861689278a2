#include "config.h"

#include "calib/crew.h"

#include <omp.h>

int crew_run(const struct crew *crew, bool explain, size_t count, crew_work *work, void *context, struct error *e)
{
	int failed = LSDN_OK;
#pragma omp parallel num_threads(crew->threads)
	{
		struct explainer x = {0};
		struct error why;
		int code = LSDN_OK;
#pragma omp critical(lsdn_crew)
		{
			if (explain)
				code = explainer_open(&x, crew->net, crew->packed, 1, &why);
		}
#pragma omp for schedule(dynamic, 1)
		for (size_t i = 0; i < count; i++) {
			if (code || *crew->stop)
				continue;
			code = work(context, &x, i, &why);
			progress_step(crew->progress);
		}
		explainer_close(&x);
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
