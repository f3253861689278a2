/* What lsdn-calibrate and lsdn-evaluate have in common. These are parts of programs: they print, each line with the program's name before it. */
#ifndef LSDN_CALIB_COMMAND_H
#define LSDN_CALIB_COMMAND_H

#include <argp.h>
#include <signal.h>

#include "calib/source.h"
#include "core/net/net.h"

enum { COMMAND_USAGE = 2 /* exit status of wrong usage */ };

/* The whole number of an option; anything else is wrong usage. */
uint64_t command_number(const struct argp_state *state, const char *name, const char *text, uint64_t least, uint64_t most);

/* Opens the model file at path, or the embedded network where path is NULL. */
int command_open_net(struct net *net, const char *program, const char *path, struct error *e);

/* Opens the data set at path, or `generated` images made up where path is NULL; the source refers to dataset. */
int command_open_source(struct source *source, struct dataset *dataset, const char *program, const char *path, size_t generated, struct error *e);

/* Set by Ctrl-C and SIGTERM from command_catch_interrupts on; a second one ends the program at once. */
extern volatile sig_atomic_t command_interrupted;
void command_catch_interrupts(void);

/* Prints e where code is a failure, makes sure that all of standard output was written, and returns the exit status. */
int command_end(const char *program, int code, const struct error *e);

#endif
