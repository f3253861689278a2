/* What went wrong, where, and what to do about it.
 *
 * Every function of the libraries that can fail returns 0 or one of these codes and fills the caller's struct error.
 * The message is one line in the form "file:line: what: what to do" (without file or line where there is none). */
#ifndef LSDN_CORE_ERROR_H
#define LSDN_CORE_ERROR_H

enum lsdn_error {
	LSDN_OK = 0,
	LSDN_ERROR_MEMORY = -1,      /* an allocation failed */
	LSDN_ERROR_INPUT = -2,       /* a file or value does not say what it must */
	LSDN_ERROR_UNSUPPORTED = -3, /* well formed, but outside what is computed here */
	LSDN_ERROR_IO = -4,          /* the system refused to read or write */
	LSDN_ERROR_INTERRUPTED = -5  /* the user asked to stop */
};

struct error {
	enum lsdn_error code;
	char message[512];
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
