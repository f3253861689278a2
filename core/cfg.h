/* Configuration files in libconfig's language, without its @include: no file that comes from elsewhere may name others to be read. */
#ifndef LSDN_CORE_CFG_H
#define LSDN_CORE_CFG_H

#include <libconfig.h>

#include "core/error.h"

/* Parses text into config, which is initialised; path is for messages, which end with `remedy`. */
int cfg_parse(config_t *config, const char *text, const char *path, const char *remedy, struct error *e);

#endif
