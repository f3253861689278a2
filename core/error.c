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
		/* Names and words out of files must neither break the line nor speak to a terminal. */
		for (char *at = e->message; *at; at++)
			if ((unsigned char)*at < ' ' || *at == 0x7f)
				*at = '?';
		e->code = code;
	}
	return code;
}

int error_memory(struct error *e, const char *what)
{
	return error_set(e, LSDN_ERROR_MEMORY, "out of memory for %s: free some, or use a smaller network or fewer threads", what);
}
