#include "config.h"

#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, BLOCK_SIZE = 1 << 16 };

struct arena_block {
	struct arena_block *next;
};

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > (SIZE_MAX / 2) / size)
		return NULL;
	size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!a->blocks || a->size - a->used < bytes) {
		size_t block_size = bytes + ALIGNMENT > BLOCK_SIZE ? bytes + ALIGNMENT : BLOCK_SIZE;
		struct arena_block *block = aligned_alloc(ALIGNMENT, block_size);
		if (!block)
			return NULL;
		block->next = a->blocks;
		a->blocks = block;
		a->used = ALIGNMENT;
		a->size = block_size;
	}
	void *piece = (char *)a->blocks + a->used;
	a->used += bytes;
	memset(piece, 0, bytes);
	return piece;
}

char *arena_text(struct arena *a, const char *text, size_t length)
{
	char *copy = arena_alloc(a, length + 1, 1);
	if (copy && length)
		memcpy(copy, text, length);
	return copy;
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;
		free(a->blocks);
		a->blocks = next;
	}
	a->used = a->size = 0;
}
