/* A set of small numbers that remembers the order in which they came: each has a slot 0, 1, 2, ... */
#ifndef LSDN_CORE_TRACE_INDEX_SET_H
#define LSDN_CORE_TRACE_INDEX_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_set {
	uint32_t *keys;  /* by slot */
	uint32_t *table; /* open addressing: slot + 1, 0 free */
	size_t count, room, table_size;
};

/* The slot of key, which is added where it is new; -1 where memory is short. */
int64_t index_set_add(struct index_set *set, uint32_t key);

/* The slot of key, or -1. */
int64_t index_set_find(const struct index_set *set, uint32_t key);

/* Forgets the keys and keeps the memory. */
void index_set_clear(struct index_set *set);
void index_set_free(struct index_set *set);

#endif
