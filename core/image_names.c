#include "config.h"

#include "core/image_names.h"

#include <stdlib.h>
#include <string.h>

static size_t stem_length(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

int image_names_read(struct image_names *n, const config_setting_t *list, const char *path, struct error *e)
{
	*n = (struct image_names){0};
	if (!list)
		return LSDN_OK;
	size_t count = config_setting_is_array(list) ? (size_t)config_setting_length(list) : 0;
	n->names = calloc(count + 1, sizeof *n->names);
	if (!n->names)
		return error_memory(e, "names of images");
	for (; n->count < count; n->count++) {
		const char *name = config_setting_get_string_elem(list, (int)n->count);
		if (!name)
			break;
		n->names[n->count] = strndup(name, stem_length(name));
		if (!n->names[n->count])
			return error_memory(e, "names of images");
	}
	if (n->count < count || !config_setting_is_array(list))
		return error_set(e, LSDN_ERROR_INPUT, "%s:%u: '%s': must be an array of texts [ \"...\", ... ]", path, config_setting_source_line(list),
			config_setting_name(list));
	qsort(n->names, count, sizeof *n->names, by_name);
	return LSDN_OK;
}

struct stem {
	const char *name;
	size_t length;
};

static int by_stem(const void *key, const void *element)
{
	const struct stem *stem = key;
	const char *name = *(char *const *)element;
	int order = strncmp(stem->name, name, stem->length);
	return order ? order : -(name[stem->length] != 0);
}

bool image_names_have(const struct image_names *n, const char *name)
{
	struct stem stem = {name, stem_length(name)};
	return n->count && bsearch(&stem, n->names, n->count, sizeof *n->names, by_stem);
}

void image_names_free(struct image_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->names[i]);
	free(n->names);
	*n = (struct image_names){0};
}
