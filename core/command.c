#include "config.h"

#include "core/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/embedded.h"

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

double command_real(const struct argp_state *state, const char *name, const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !(value >= least && value <= most))
		argp_error(state, "--%s %s: give a number from %g to %g", name, text, least, most);
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

int command_choose(struct choices *choices, struct weights_file *weights, const struct net *net, const char *program, const char *path,
	const char *const *sets, int set_count, struct error *e)
{
	int code = path ? weights_file_read(weights, path, &net->plan, e) : LSDN_OK;
	*choices = path && !code ? weights->choices : CHOICES_DEFAULT;
	if (path && !code && weights_file_warning(weights, net))
		fprintf(stderr, "%s: %s: %s\n", program, path, weights_file_warning(weights, net));
	for (int i = 0; i < set_count && !code; i++)
		code = choices_assign(choices, sets[i], e);
	return code;
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
