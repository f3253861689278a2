/* What all programs have in common. These are parts of programs: they print, each line with the program's name before it. */
#ifndef LSDN_CORE_COMMAND_H
#define LSDN_CORE_COMMAND_H

#include <argp.h>
#include <stdint.h>

#include "core/net/net.h"
#include "core/weights_file.h"

enum { COMMAND_USAGE = 2 /* exit status of wrong usage */ };

/* The whole number of an option; anything else is wrong usage. */
uint64_t command_number(const struct argp_state *state, const char *name, const char *text, uint64_t least, uint64_t most);

/* The number of an option; anything else is wrong usage. */
double command_real(const struct argp_state *state, const char *name, const char *text, double least, double most);

/* Opens the model file at path, or the embedded network where path is NULL. */
int command_open_net(struct net *net, const char *program, const char *path, struct error *e);

/* The default choices, over them those of the weights file at path (where that is not NULL), over them sets[0..set_count), each NAME=VALUE. Choices may
 * point into weights, which is to be freed. */
int command_choose(struct choices *choices, struct weights_file *weights, const struct net *net, const char *program, const char *path,
	const char *const *sets, int set_count, struct error *e);

/* Prints e where code is a failure, makes sure that all of standard output was written, and returns the exit status. */
int command_end(const char *program, int code, const struct error *e);

#endif
