#include "config.h"

#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Under the address sanitizer nothing but the pieces may be touched, and there is a gap between them. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WATCHED
#endif
#if defined(WATCHED)
#include <sanitizer/asan_interface.h>
enum { GAP = 64 };
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)0)
enum { GAP = 0 };
#endif

enum { ALIGNMENT = 64, BLOCK_SIZE = 1 << 16, LARGE_PAGE = 2 << 20 };

struct arena_block {
	struct arena_block *next;
	size_t size;
};

/* What is large is in large pages, where the system has such: the processor looks up fewer of them, and the first touch costs less. */
static struct arena_block *block_alloc(size_t size)
{
	if (size < LARGE_PAGE)
		return aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
	size_t whole = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	struct arena_block *block = aligned_alloc(LARGE_PAGE, whole);
#if defined(MADV_HUGEPAGE)
	if (block)
		madvise(block, whole, MADV_HUGEPAGE); /* advice: where it is not taken, nothing is lost */
#endif
	return block;
}

/* A block of at least `size` bytes, a spare one where there is one so large. */
static struct arena_block *take_block(struct arena *a, size_t size)
{
	struct arena_block *block;
	for (struct arena_block **at = &a->spare; (block = *at); at = &block->next)
		if (block->size >= size) {
			*at = block->next;
			return block;
		}
	block = block_alloc(size);
	if (block)
		block->size = size;
	return block;
}

void *arena_take(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > (SIZE_MAX / 2) / size)
		return NULL;
	size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + GAP;
	if (a->most && bytes > a->most - a->taken) {
		a->exceeded = true;
		return NULL;
	}
	if (!a->blocks || a->size - a->used < bytes) {
		size_t least = a->block_size ? a->block_size : BLOCK_SIZE, block_size = bytes + ALIGNMENT > least ? bytes + ALIGNMENT : least;
		struct arena_block *block = take_block(a, block_size);
		if (!block)
			return NULL;
		block_size = block->size;
		block->next = a->blocks;
		a->blocks = block;
		a->used = ALIGNMENT;
		a->size = block_size;
		ASAN_POISON_MEMORY_REGION((char *)block + ALIGNMENT, block_size - ALIGNMENT);
	}
	void *piece = (char *)a->blocks + a->used;
	a->used += bytes;
	a->taken += bytes;
	ASAN_UNPOISON_MEMORY_REGION(piece, count * size);
	return piece;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	void *piece = arena_take(a, count, size);
	if (piece)
		memset(piece, 0, count * size);
	return piece;
}

char *arena_text(struct arena *a, const char *text, size_t length)
{
	char *copy = arena_alloc(a, length + 1, 1);
	if (copy && length)
		memcpy(copy, text, length);
	return copy;
}

void arena_clear(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *block = a->blocks;
		a->blocks = block->next;
		block->next = a->spare;
		a->spare = block;
	}
	a->used = a->size = a->taken = 0;
}

void arena_free(struct arena *a)
{
	arena_clear(a);
	while (a->spare) {
		struct arena_block *next = a->spare->next;
		free(a->spare);
		a->spare = next;
	}
}
