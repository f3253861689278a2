#include "config.h"

#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *e, enum lsdn_error code, const char *format, ...)
{
	if (e) {
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(e->message, sizeof e->message, format, arguments);
		va_end(arguments);
		e->code = code;
	}
	return code;
}

int error_memory(struct error *e, const char *what)
{
	return error_set(e, LSDN_ERROR_MEMORY, "out of memory for %s: free some, or use a smaller network or fewer threads", what);
}
