/* lsdn-bandit: tries solvers out on Bernoulli arms, for regret and for finding the best. */
#include "config.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bandit/kl.h"
#include "bandit/plot.h"
#include "bandit/reward_table.h"
#include "core/command.h"
#include "core/image/canvas.h"
#include "core/json.h"
#include "core/utf8.h"

const char *argp_program_version = PACKAGE_STRING;

static const char PROGRAM[] = "lsdn-bandit";

enum { MOST_ARMS = 1000, LEAST_SHOWN = 10 };

struct options {
	const char *table, *output;
	double means[MOST_ARMS];
	int arms;
	const struct bandit_solver *solvers[BANDIT_SOLVERS];
	int solver_count;
	struct bandit_rules rules;
	uint64_t trials, runs, seed;
	int threads;
	bool json, progress;
};

enum { KEY_TRIALS = 256, KEY_RUNS, KEY_FACTOR, KEY_DELTA, KEY_SEED, KEY_THREADS, KEY_PROGRESS };

static const struct argp_option OPTIONS[] = {
	{NULL, 0, NULL, 0, "The arms, one of:", 1},
	{"arms", 'a', "P1,P2,...", 0, "Bernoulli arms with these probabilities of a reward, which never run out", 1},
	{"table", 't', "FILE.csv", 0, "Rewards that were seen: one column an arm, one row an image, 0 or 1, the arms' names in the first line. Every run draws "
		"an arm's rewards in an order of its own, each once", 1},
	{NULL, 0, NULL, 0, "What is tried:", 2},
	{"solver", 's', "LIST", 0, "Solvers, of ucb1,agrawal,kl-ucb,thompson,race,sweep (default: all)", 2},
	{"factor", KEY_FACTOR, "F", 0, "agrawal: what ln ln t is multiplied with (default 2)", 2},
	{"delta", KEY_DELTA, "D", 0, "race: the most probability of a wrong answer (default 0.05)", 2},
	{"trials", KEY_TRIALS, "T", 0, "Trials of a run (default 10000; with --table rows x arms)", 2},
	{"runs", KEY_RUNS, "R", 0, "Runs of each solver (default 200)", 2},
	{"seed", KEY_SEED, "N", 0, "Seed of all runs (default 1)", 2},
	{"threads", KEY_THREADS, "N", 0, "Threads (default: all cores); the result does not depend on it", 2},
	{NULL, 0, NULL, 0, "What comes out:", 3},
	{"output", 'o', "FILE", 0, "Plot regret and the share of right answers over time: .png, .svg or .pdf", 3},
	{"json", 'j', NULL, 0, "Print one JSON object a line for each solver and time", 3},
	{"progress", KEY_PROGRESS, NULL, 0, "Show progress though standard error is no terminal", 3},
	{0},
};

static void parse_arms(const struct argp_state *state, struct options *o, const char *text)
{
	const char *at = text;
	char *end;
	for (o->arms = 0;; at = end + 1) {
		double p = strtod(at, &end);
		if (end == at || !(p >= 0 && p <= 1) || (*end && *end != ',') || o->arms == MOST_ARMS)
			argp_error(state, "--arms %s: give from 2 to %d probabilities from 0 to 1, with commas between them", text, MOST_ARMS);
		o->means[o->arms++] = p;
		if (!*end)
			break;
	}
	if (o->arms < 2)
		argp_error(state, "--arms %s: name at least two, or there is nothing to decide", text);
}

static void parse_solvers(const struct argp_state *state, struct options *o, const char *text)
{
	char name[16];
	o->solver_count = 0;
	for (const char *at = text;; at++) {
		size_t length = strcspn(at, ",");
		snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : 0, at);
		const struct bandit_solver *solver = bandit_solver(name);
		for (int i = 0; i < o->solver_count; i++)
			if (o->solvers[i] == solver)
				argp_error(state, "--solver %s: %s is named twice", text, name);
		if (!solver)
			argp_error(state, "--solver %s: name some of ucb1,agrawal,kl-ucb,thompson,race,sweep", text);
		o->solvers[o->solver_count++] = solver;
		at += length;
		if (!*at)
			return;
	}
}

static void finish(const struct argp_state *state, struct options *o)
{
	if (!o->arms == !o->table)
		argp_error(state, "%s: give the arms' probabilities with --arms, or rewards with --table", o->table ? "two kinds of arms" : "no arms");
	for (int i = 0; !o->solver_count && i < BANDIT_SOLVERS; i++)
		o->solvers[i] = bandit_solvers[i];
	if (!o->solver_count)
		o->solver_count = BANDIT_SOLVERS;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case 'a': parse_arms(state, o, argument); return 0;
	case 't': o->table = argument; return 0;
	case 's': parse_solvers(state, o, argument); return 0;
	case KEY_FACTOR: o->rules.factor = command_real(state, "factor", argument, 0, 1000); return 0;
	case KEY_DELTA: o->rules.delta = command_real(state, "delta", argument, 1e-12, 1 - 1e-12); return 0;
	case KEY_TRIALS: o->trials = command_number(state, "trials", argument, 2, 1000000000); return 0;
	case KEY_RUNS: o->runs = command_number(state, "runs", argument, 1, 100000000); return 0;
	case KEY_SEED: o->seed = command_number(state, "seed", argument, 0, UINT64_MAX / 2); return 0;
	case KEY_THREADS: o->threads = (int)command_number(state, "threads", argument, 1, 1024); return 0;
	case 'o':
		o->output = argument;
		if (!canvas_named(argument))
			argp_error(state, "--output %s: a picture's name must end in .png, .svg or .pdf", argument);
		return 0;
	case 'j': o->json = true; return 0;
	case KEY_PROGRESS: o->progress = true; return 0;
	case ARGP_KEY_END: finish(state, o); return 0;
	case ARGP_KEY_ARG: argp_error(state, "%s: no such argument: give arms with --arms or --table", argument); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* What --help says of the solvers comes from their table. */
static char *list_solvers(int key, const char *text, void *input)
{
	char *all = NULL;
	size_t size;
	(void)input;
	FILE *list = key == ARGP_KEY_HELP_POST_DOC ? open_memstream(&all, &size) : NULL;
	if (!list)
		return (char *)(uintptr_t)text;
	fprintf(list, "Solvers pull (t trials so far, n of them the arm's own):\n");
	for (int i = 0; i < BANDIT_SOLVERS; i++)
		fprintf(list, "  %-8s  %s\n", bandit_solvers[i]->name, bandit_solvers[i]->source);
	fprintf(list, "\n%s", text);
	return fclose(list) == 0 ? all : (char *)(uintptr_t)text;
}

static const struct argp ARGP = {OPTIONS, parse, NULL,
	"Tries bandit solvers out on Bernoulli arms whose means are known: what learning costs (regret), and how often the answer is the best arm.\v"
	"In each trial a solver names an arm and gets its reward, 0 or 1. The regret after t trials is the sum over them of the best arm's mean less the mean of "
	"the arm that was pulled. The answer is the arm with the highest mean among those with the most evidence; a solver that is sure of it, or has drawn "
	"everything, pulls it from then on. Runs share rewards: the n-th reward of an arm in a run is the same for all solvers.\n\n"
	"Lai-Robbins is the least regret that any solver can have in the long run which is good on all arms: ln t times the sum of (best - mean) / kl(mean, "
	"best). It says nothing of few trials, nor of rewards that run out (--table).\n\n"
	"With --json: solver, trials so far, runs, regret (mean) and regret_error (its standard error), correct (share of runs whose answer is the best arm), drawn "
	"(mean number of rewards), lai_robbins.\n\n"
	"Examples:\n"
	"  lsdn-bandit --arms 0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9 --output regret.png\n"
	"  lsdn-bandit --arms 0.5,0.55 --solver race,ucb1 --trials 100000 --delta 0.01\n"
	"  lsdn-bandit --table rewards.csv --trials 2000 --runs 1000 --json\n\n"
	"Exit status: 0 done, 1 could not (the reason is on standard error), 2 wrong usage.", NULL, list_solvers, NULL};

struct experiment {
	const struct options *options;
	struct simulation simulation;
	struct reward_table table;
	struct simulation_point *points; /* solvers x times */
	double lai_robbins;
};

static const struct simulation_point *point(const struct experiment *s, int solver, size_t time)
{
	return &s->points[(size_t)solver * s->simulation.time_count + time];
}

/* A row for 10, 20, 50, 100, ... and the last. */
static bool shown(const struct experiment *s, size_t time)
{
	uint64_t t = s->simulation.times[time];
	return time + 1 == s->simulation.time_count || (t >= LEAST_SHOWN && simulation_round_time(t));
}

static void print_head(const struct experiment *s, const char *title, const char *last)
{
	printf("\n%s\n%10s", title, "trials");
	for (int i = 0; i < s->options->solver_count; i++)
		printf("  %15s", s->options->solvers[i]->name);
	printf("%s\n", last);
}

static void print_text(const struct experiment *s)
{
	const struct simulation *m = &s->simulation;
	int best = 0;
	for (int i = 1; i < m->arms; i++)
		if (m->means[i] > m->means[best])
			best = i;
	printf("%d arms, the best with mean %.4g", m->arms, m->means[best]);
	if (s->options->table)
		printf(" (%s, of %u rewards)", s->table.names[best], m->rows);
	printf("; Lai-Robbins %.4g ln t; %llu runs, seed %llu\n", s->lai_robbins, (unsigned long long)m->runs, (unsigned long long)m->seed);
	print_head(s, "Mean cumulative regret, and its standard error", "  Lai-Robbins");
	for (size_t t = 0; t < m->time_count; t++) {
		if (!shown(s, t))
			continue;
		printf("%10llu", (unsigned long long)m->times[t]);
		for (int i = 0; i < s->options->solver_count; i++)
			printf("  %8.2f %6.2f", point(s, i, t)->regret, point(s, i, t)->regret_error);
		printf("  %11.2f\n", s->lai_robbins * log((double)m->times[t]));
	}
	print_head(s, "Runs whose answer is the best arm, in percent", "");
	for (size_t t = 0; t < m->time_count; t++) {
		if (!shown(s, t))
			continue;
		printf("%10llu", (unsigned long long)m->times[t]);
		for (int i = 0; i < s->options->solver_count; i++)
			printf("  %15.1f", 100 * point(s, i, t)->correct);
		putchar('\n');
	}
	for (int i = 0; i < s->options->solver_count; i++) {
		const struct simulation_point *last = point(s, i, m->time_count - 1);
		if (s->options->solvers[i]->stops)
			printf("\n%s drew %.1f of %llu rewards on average: it stops when it is sure.\n", s->options->solvers[i]->name, last->drawn,
				(unsigned long long)m->trials);
	}
}

static int print_json(const struct experiment *s, struct error *e)
{
	const struct simulation *m = &s->simulation;
	int code = LSDN_OK;
	for (int i = 0; i < s->options->solver_count; i++)
		for (size_t t = 0; t < m->time_count && !code; t++) {
			const struct simulation_point *p = point(s, i, t);
			code = json_line(stdout, json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "solver", s->options->solvers[i]->name, "trials",
				(json_int_t)m->times[t], "runs", (json_int_t)m->runs, "regret", p->regret, "regret_error", p->regret_error, "correct", p->correct,
				"drawn", p->drawn, "lai_robbins", s->lai_robbins * log((double)m->times[t])), 9, e);
		}
	return code;
}

static int draw_plot(const struct experiment *s, struct error *e)
{
	char title[200];
	const struct options *o = s->options;
	snprintf(title, sizeof title, "%d arms%s%.100s, mean and 95%% interval of %llu runs", s->simulation.arms, o->table ? " of " : "",
		o->table ? o->table : "", (unsigned long long)o->runs);
	utf8_mend(title);
	struct plot plot = {title, s->simulation.times, s->simulation.time_count, o->solvers, o->solver_count, s->points, s->lai_robbins};
	return plot_write(&plot, o->output, e);
}

static int set_up(struct experiment *s, struct error *e)
{
	const struct options *o = s->options;
	int code = o->table ? reward_table_read(&s->table, o->table, e) : LSDN_OK;
	if (code)
		return code;
	struct simulation *m = &s->simulation;
	m->arms = o->table ? s->table.arms : o->arms;
	m->means = o->table ? s->table.means : o->means;
	m->rewards = s->table.rewards;
	m->rows = s->table.rows;
	m->trials = o->trials ? o->trials : o->table ? (uint64_t)m->rows * (uint64_t)m->arms : 10000;
	simulation_times(m);
	s->lai_robbins = kl_lai_robbins(m->means, m->arms);
	s->points = calloc((size_t)o->solver_count * m->time_count, sizeof *s->points);
	return s->points ? LSDN_OK : error_memory(e, "a table of results");
}

static int try_out(struct experiment *s, struct error *e)
{
	const struct options *o = s->options;
	struct progress progress;
	int code = set_up(s, e);
	s->simulation.progress = &progress;
	for (int i = 0; i < o->solver_count && !code; i++) {
		s->simulation.rules.solver = o->solvers[i];
		progress_start(&progress, o->progress || isatty(STDERR_FILENO), o->solvers[i]->name, (size_t)o->runs);
		code = simulate(&s->simulation, s->points + (size_t)i * s->simulation.time_count, e);
		progress_end(&progress);
	}
	if (!code && o->output)
		code = draw_plot(s, e);
	if (!code && o->json)
		code = print_json(s, e);
	else if (!code)
		print_text(s);
	return code;
}

int main(int argc, char **argv)
{
	struct options o = {.rules = BANDIT_DEFAULT, .runs = 200, .seed = 1, .threads = (int)sysconf(_SC_NPROCESSORS_ONLN)};
	struct error e;
	argp_err_exit_status = COMMAND_USAGE;
	argp_parse(&ARGP, argc, argv, 0, NULL, &o);
	struct experiment s = {.options = &o, .simulation = {.rules = o.rules, .runs = o.runs, .seed = o.seed, .threads = o.threads}};
	int code = try_out(&s, &e);
	free(s.points);
	reward_table_free(&s.table);
	return command_end(PROGRAM, code, &e);
}
