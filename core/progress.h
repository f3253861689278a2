/* A line on standard error that says how far long work is, its rate and the time left. */
#ifndef LSDN_CORE_PROGRESS_H
#define LSDN_CORE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
	bool shown;
	const char *what;
	size_t total, done;
	double started, last;
};

/* Seconds of a clock that only goes forward. */
double progress_seconds(void);

/* Seconds that the calling thread has run. */
double progress_thread_seconds(void);

/* shown: whether anything is printed at all. */
void progress_start(struct progress *p, bool shown, const char *what, size_t total);

/* One more is done; may be called from any thread. Prints at most five times a second. */
void progress_step(struct progress *p);

/* Ends the line. */
void progress_end(struct progress *p);

#endif
