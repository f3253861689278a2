/* Names of images, as a weights file lists those that it knows. */
#ifndef LSDN_CORE_IMAGE_NAMES_H
#define LSDN_CORE_IMAGE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cfg.h"
#include "core/error.h"

struct image_names {
	char **names; /* owned, as is what they point to; in order, without suffix */
	size_t count;
};

/* Reads an array of texts; none where `list` is NULL. path is used in messages. */
int image_names_read(struct image_names *n, const config_setting_t *list, const char *path, struct error *e);

/* Whether an image is among them. Suffixes do not count: a photograph that was converted is the same photograph. */
bool image_names_have(const struct image_names *n, const char *name);

void image_names_free(struct image_names *n);

#endif
