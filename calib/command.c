#include "config.h"

#include "calib/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/embedded.h"

enum { GENERATED_SEED = 42 };

static bool whole_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	*value = strtoull(text, &end, 10);
	return !*end && *value >= least && *value <= most;
}

uint64_t command_number(const struct argp_state *state, const char *name, const char *text, uint64_t least, uint64_t most)
{
	uint64_t value = 0;
	if (!whole_number(text, least, most, &value))
		argp_error(state, "--%s %s: give a whole number from %llu to %llu", name, text, (unsigned long long)least, (unsigned long long)most);
	return value;
}

int command_open_net(struct net *net, const char *program, const char *path, struct error *e)
{
	int code = model_open(net, path, e);
	if (!code && net->input_assumed)
		fprintf(stderr, "%s: %s: no .cfg beside it: its input is taken to be ImageNet's usual (RGB, mean 123.675 116.28 103.53, std 58.395 57.12 57.375)\n",
			program, path);
	return code;
}

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

int command_end(const char *program, int code, const struct error *e)
{
	if (code)
		fprintf(stderr, "%s: %s\n", program, e->message);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code ? EXIT_FAILURE : EXIT_SUCCESS;
	if (!code)
		fprintf(stderr, "%s: standard output cannot be written: make room or name another place\n", program);
	return EXIT_FAILURE;
}
