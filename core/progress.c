#include "config.h"

#include "core/progress.h"

#include <stdio.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double progress_seconds(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double progress_thread_seconds(void)
{
	return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

void progress_start(struct progress *p, bool shown, const char *what, size_t total)
{
	*p = (struct progress){.shown = shown, .what = what, .total = total, .started = progress_seconds()};
}

static void print(const struct progress *p, double now)
{
	double elapsed = now - p->started, rate = elapsed > 0 ? (double)p->done / elapsed : 0;
	long left = rate > 0 ? (long)((double)(p->done < p->total ? p->total - p->done : 0) / rate + 0.5) : 0;
	fprintf(stderr, "\r%s: %zu of %zu, %.1f a second, %ld:%02ld left ", p->what, p->done, p->total, rate, left / 60, left % 60);
	fflush(stderr);
}

void progress_step(struct progress *p)
{
#pragma omp critical(lsdn_progress)
	{
		p->done++;
		double now = progress_seconds();
		if (p->shown && (now - p->last > 0.2 || p->done == p->total)) {
			p->last = now;
			print(p, now);
		}
	}
}

void progress_end(struct progress *p)
{
	if (p->shown && p->done)
		fputc('\n', stderr);
}
