/* Presets: the weights files that are shipped, each for one network, which is known by its model file's SHA-256. */
#ifndef LSDN_CORE_PRESET_H
#define LSDN_CORE_PRESET_H

#include "core/net/net.h"

/* The folder where presets are: $LSDN_PRESETS; without it `weights` beside the program, as where it was built, or where they are installed. The caller
 * frees it; NULL where memory is short. Empty: there are none. */
char *preset_folder(void);

/* The first preset in a folder (by name) that was calibrated for the network; the caller frees *path, which is NULL where there is none. The network is
 * hashed where a preset's model has as many bytes. That the folder is not there is no error; a file that cannot be read is, where no other is found. */
int preset_find(const char *folder, const struct net *net, char **path, struct error *e);

#endif
