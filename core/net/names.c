#include "config.h"

#include "core/net/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, G. Fowler, L. C. Noll, K.-P. Vo. */
static size_t hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3u;
	return (size_t)(h ^ (h >> 32));
}

static struct names_entry *slot(const struct names *table, const char *name)
{
	size_t i = hash(name) & (table->room - 1);
	while (table->entries[i].name && strcmp(table->entries[i].name, name) != 0)
		i = (i + 1) & (table->room - 1);
	return &table->entries[i];
}

static bool grow(struct names *table)
{
	struct names larger = {.room = table->room ? 2 * table->room : 64};
	larger.entries = calloc(larger.room, sizeof *larger.entries);
	if (!larger.entries)
		return false;
	for (size_t i = 0; i < table->room; i++)
		if (table->entries[i].name)
			*slot(&larger, table->entries[i].name) = table->entries[i];
	larger.count = table->count;
	free(table->entries);
	*table = larger;
	return true;
}

bool names_put(struct names *table, const char *name, int value)
{
	if (2 * table->count >= table->room && !grow(table))
		return false;
	struct names_entry *entry = slot(table, name);
	table->count += entry->name == NULL;
	*entry = (struct names_entry){name, value};
	return true;
}

int names_get(const struct names *table, const char *name, int otherwise)
{
	if (!table->room)
		return otherwise;
	const struct names_entry *entry = slot(table, name);
	return entry->name ? entry->value : otherwise;
}

void names_free(struct names *table)
{
	free(table->entries);
	*table = (struct names){0};
}
