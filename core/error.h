/* What went wrong, where, and what to do about it.
 *
 * Every function of the libraries that can fail returns 0 or an enum lsdn_error of core/lsdn.h and fills the caller's struct error.
 * The message is one line in the form "file:line: what: what to do" (without file or line where there is none). */
#ifndef LSDN_CORE_ERROR_H
#define LSDN_CORE_ERROR_H

#include "core/lsdn.h"

struct error {
	enum lsdn_error code;
	char message[LSDN_MESSAGE];
};

#if defined(__GNUC__)
#define LSDN_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define LSDN_PRINTF(at, first)
#endif

/* Fills e (if not NULL) and returns code, so that a caller can write `return error_set(e, ...)`. Too long a message is cut. */
int error_set(struct error *e, enum lsdn_error code, const char *format, ...) LSDN_PRINTF(3, 4);

/* The same for a failed allocation; `what` is what the memory was for. */
int error_memory(struct error *e, const char *what);

#endif
