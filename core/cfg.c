#include "config.h"

#include "core/cfg.h"

#include <locale.h>
#include <string.h>

int cfg_parse(config_t *config, const char *text, const char *path, const char *remedy, struct error *e)
{
	static const char INCLUDE[] = "@include";
	int number = 1;
	for (const char *line = text; line; number++) {
		line += strspn(line, " \t\r\f\v");
		if (strncmp(line, INCLUDE, sizeof INCLUDE - 1) == 0)
			return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s:%d: %s is not followed: write the settings here", path, number, INCLUDE);
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	locale_t before = uselocale((locale_t)0); /* libconfig leaves the thread in the global locale */
	int read = config_read_string(config, text);
	uselocale(before);
	if (read)
		return LSDN_OK;
	return error_set(e, LSDN_ERROR_INPUT, "%s:%d: %s: %s", path, config_error_line(config), config_error_text(config), remedy);
}
