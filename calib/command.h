/* What lsdn-calibrate and lsdn-evaluate have in common. These are parts of programs: they print, each line with the program's name before it. */
#ifndef LSDN_CALIB_COMMAND_H
#define LSDN_CALIB_COMMAND_H

#include <signal.h>

#include "calib/source.h"
#include "core/command.h"

/* Opens the data set at path, or `generated` images made up where path is NULL; the source refers to dataset. */
int command_open_source(struct source *source, struct dataset *dataset, const char *program, const char *path, size_t generated, struct error *e);

/* Set by Ctrl-C and SIGTERM from command_catch_interrupts on; a second one ends the program at once. */
extern volatile sig_atomic_t command_interrupted;
void command_catch_interrupts(void);

#endif
