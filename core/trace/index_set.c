#include "config.h"

#include "core/trace/index_set.h"

#include <stdlib.h>
#include <string.h>

static size_t start(const struct index_set *set, uint32_t key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (set->table_size - 1);
}

static bool grow(struct index_set *set)
{
	size_t room = set->room ? 2 * set->room : 64;
	uint32_t *keys = realloc(set->keys, room * sizeof *keys);
	if (keys)
		set->keys = keys;
	uint32_t *table = keys ? calloc(2 * room, sizeof *table) : NULL;
	if (!table)
		return false;
	free(set->table);
	set->table = table;
	set->room = room;
	set->table_size = 2 * room;
	for (size_t slot = 0; slot < set->count; slot++) {
		size_t i = start(set, set->keys[slot]);
		while (table[i])
			i = (i + 1) & (set->table_size - 1);
		table[i] = (uint32_t)slot + 1;
	}
	return true;
}

int64_t index_set_find(const struct index_set *set, uint32_t key)
{
	if (!set->count)
		return -1;
	for (size_t i = start(set, key); set->table[i]; i = (i + 1) & (set->table_size - 1))
		if (set->keys[set->table[i] - 1] == key)
			return (int64_t)set->table[i] - 1;
	return -1;
}

int64_t index_set_add(struct index_set *set, uint32_t key)
{
	if (set->count == set->room && !grow(set))
		return -1;
	size_t i = start(set, key);
	for (; set->table[i]; i = (i + 1) & (set->table_size - 1))
		if (set->keys[set->table[i] - 1] == key)
			return (int64_t)set->table[i] - 1;
	set->keys[set->count] = key;
	set->table[i] = (uint32_t)++set->count;
	return (int64_t)set->count - 1;
}

void index_set_clear(struct index_set *set)
{
	if (set->count)
		memset(set->table, 0, set->table_size * sizeof *set->table);
	set->count = 0;
}

void index_set_free(struct index_set *set)
{
	free(set->keys);
	free(set->table);
	*set = (struct index_set){0};
}
