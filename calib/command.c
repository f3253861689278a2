#include "config.h"

#include "calib/command.h"

#include <stdio.h>

enum { GENERATED_SEED = 42 };

int command_open_source(struct source *source, struct dataset *dataset, const char *program, const char *path, size_t generated, struct error *e)
{
	size_t without = 0;
	if (!path) {
		*source = (struct source){.seed = GENERATED_SEED, .count = generated};
		return LSDN_OK;
	}
	int code = dataset_open(dataset, path, &without, e);
	if (!code && without)
		fprintf(stderr, "%s: %s: %zu images have no annotation and are left out\n", program, path, without);
	*source = (struct source){.dataset = dataset, .count = dataset->count};
	return code;
}

volatile sig_atomic_t command_interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	command_interrupted = 1;
}

void command_catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}
