/* From names to small numbers: an open-addressing hash table. The names are not copied. */
#ifndef LSDN_CORE_NET_NAMES_H
#define LSDN_CORE_NET_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct names {
	struct names_entry {
		const char *name; /* NULL: free */
		int value;
	} *entries; /* owned */
	size_t count, room;
};

/* Sets name's value, replacing one that is there. Returns false where memory is short. A zero table is ready for use. */
bool names_put(struct names *table, const char *name, int value);

/* Returns name's value, or `otherwise` where it is not there. */
int names_get(const struct names *table, const char *name, int otherwise);

void names_free(struct names *table);

#endif
