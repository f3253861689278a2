/* What stb_image.c may take. */
#ifndef LSDN_CORE_IMAGE_STB_MEMORY_H
#define LSDN_CORE_IMAGE_STB_MEMORY_H

#include <stddef.h>

/* The largest piece of memory that stb_image gets on this thread: its allocator knows no context, and it inflates whatever a PNG holds. */
extern _Thread_local size_t stb_memory_most;

#endif
