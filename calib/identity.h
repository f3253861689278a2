/* What must be the same for a reward to mean the same. */
#ifndef LSDN_CALIB_IDENTITY_H
#define LSDN_CALIB_IDENTITY_H

#include <stdbool.h>

#include "calib/source.h"
#include "core/net/net.h"

enum { IDENTITY_VALUE = 256 };

struct identity_field {
	const char *name;
	bool must; /* be the same; the others are for people */
	char value[IDENTITY_VALUE];
};

enum { IDENTITY_FIELDS = 7 };

struct identity {
	struct identity_field fields[IDENTITY_FIELDS];
};

/* The network, its input and classes, what computes, and what kind of images they are. Which images is theirs to say, one by one (source_digest), and
 * the choices of an explanation belong to each reward. */
void identity_of(struct identity *identity, const struct net *net, const struct source *source);

#endif
