/* Memory that is taken piece by piece and given back at once. */
#ifndef LSDN_CORE_ARENA_H
#define LSDN_CORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
	struct arena_block *spare; /* cleared ones, to be taken again */
	size_t used, size; /* of the newest block */
	size_t taken;      /* in all */
	size_t most;       /* that may be taken; 0: no bound */
	size_t block_size; /* that is taken from the system at least, where a few large pieces are to lie in few large pages; 0: the usual */
	bool exceeded;     /* an allocation was refused for the bound */
};

/* Returns count * size zeroed bytes aligned to 64, or NULL where memory is short, the bound is passed or the product overflows. A zero
 * arena is ready for use. */
void *arena_alloc(struct arena *a, size_t count, size_t size);

/* The same with whatever is there: for what is filled at once and so large that to touch it twice would take time. */
void *arena_take(struct arena *a, size_t count, size_t size);

/* A copy of length bytes with a final NUL. */
char *arena_text(struct arena *a, const char *text, size_t length);

/* Takes all pieces back and keeps the memory for the next ones. */
void arena_clear(struct arena *a);

/* Gives everything back; a is as new. */
void arena_free(struct arena *a);

#endif
