/* lsdn-calibrate: learns the three weights, and what else is asked for, for a network on annotated photographs and writes them. */
#include "config.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calib/calibrate_options.h"
#include "calib/command.h"
#include "calib/generate.h"
#include "calib/report.h"
#include "core/output.h"

static const char PROGRAM[] = "lsdn-calibrate";

/* Where rewards are kept, and who computes them. */
static int open_study(struct reward_job *job, const struct calibrate_options *o, struct error *e)
{
	struct identity identity;
	int code = LSDN_OK;
	identity_of(&identity, job->crew.net, job->source);
#ifdef HAVE_MPI
	code = job->ranks ? ranks_meet(job->ranks, &identity, job->source, e) : LSDN_OK;
#endif
	if (!o->study || code)
		return code;
	job->digests = true;
	code = study_open(&job->study, o->study, o->resume, &identity, e);
	return code ? code : rewards_check_images(job, o->study, e);
}

#ifdef HAVE_MPI
/* What any rank but the first does. */
static void serve(const struct calibrate_options *o, struct ranks *ranks)
{
	struct net net = {0};
	struct dataset dataset = {0};
	struct source source = {0};
	struct identity identity = {0};
	struct progress progress = {.shown = false};
	struct error failure = {0};
	struct packed_weights *packed = NULL;
	struct reward_job job = {.source = &source, .ranks = ranks};
	int code = command_open_net(&net, PROGRAM, o->model, &failure);
	if (!code && !(packed = packed_weights_open(&net.plan, &failure)))
		code = failure.code;
	if (!code)
		code = command_open_source(&source, &dataset, PROGRAM, o->data, o->plan.images + o->plan.held_out, &failure);
	if (!code)
		code = crew_open(&job.crew, &net, packed, o->threads, &progress, &command_interrupted, &failure);
	if (!code)
		identity_of(&identity, &net, &source);
	rewards_serve(&job, &identity, &failure);
	crew_close(&job.crew);
	dataset_close(&dataset);
	packed_weights_close(packed);
	net_close(&net);
}

static void print_traffic(const struct ranks *ranks, const struct reward_costs *costs)
{
	struct ranks_traffic t = ranks_traffic(ranks);
	printf("%d ranks; the first sent and got %llu messages, %llu bytes", t.ranks, (unsigned long long)t.messages, (unsigned long long)t.bytes);
	if (costs->rewards)
		printf(": %.3f messages and %.2f bytes a reward", (double)t.messages / (double)costs->rewards, (double)t.bytes / (double)costs->rewards);
	putchar('\n');
}
#endif

/* How a shell is told this word. */
static void print_word(FILE *f, const char *word)
{
	if (*word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%")] == 0) {
		fputs(word, f);
		return;
	}
	fputc('\'', f);
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){*word, 0}, f);
	fputc('\'', f);
}

/* The same command, but that it goes on with its study. */
static void print_resume(const struct calibrate_options *o, int argc, char **argv)
{
	fprintf(stderr, "%s: what was computed until then is in %s; go on with:\n  ", PROGRAM, o->study);
	for (int i = 0; i < argc; i++)
		if (i < o->study_at || i >= o->study_at + o->study_words) {
			print_word(stderr, argv[i]);
			fputc(' ', stderr);
		}
	fputs("--resume ", stderr);
	print_word(stderr, o->study);
	fputc('\n', stderr);
}

/* The page, with the command that made it. */
static int write_page(const struct calibrate_options *o, const struct calibration *c, const struct reward_job *job, struct error *e)
{
	char *command = NULL;
	size_t size;
	FILE *f = open_memstream(&command, &size);
	for (int i = 0; f && i < o->word_count; i++) {
		if (i)
			fputc(' ', f);
		print_word(f, o->words[i]);
	}
	int code = f && fclose(f) == 0 ? report_page(o->report, c, job, command, e) : error_memory(e, "a page");
	free(command);
	return code;
}

/* Found out now that it can be written, not after hours. */
static int try_output(const char *path, struct error *e)
{
	struct output probe;
	int code = output_open(&probe, path, e);
	if (!code)
		output_abandon(&probe);
	return code;
}

static int calibrate(const struct calibrate_options *o, struct ranks *ranks, bool *begun, struct error *e)
{
	struct net net = {0};
	struct dataset dataset = {0};
	struct source source;
	struct calibration c = {0};
	struct progress progress = {.shown = o->progress || isatty(STDERR_FILENO)};
	char path[300];
	double start = progress_seconds();
	int code = command_open_net(&net, PROGRAM, o->model, e);
	if (code)
		return code;
	struct packed_weights *packed = packed_weights_open(&net.plan, e);
	snprintf(path, sizeof path, "%.250s-weights.cfg", net.name);
	const char *name = o->output ? o->output : path;
	code = packed ? try_output(name, e) : (int)e->code;
	if (!code && o->report)
		code = try_output(o->report, e);
	if (!code)
		code = command_open_source(&source, &dataset, PROGRAM, o->data, o->plan.images + o->plan.held_out, e);
	if (!code)
		code = calibration_open(&c, &o->plan, &o->choices, e);
	struct reward_job job = {.source = &source, .ranks = ranks};
	if (!code)
		code = crew_open(&job.crew, &net, packed, o->threads, &progress, &command_interrupted, e);
	if (!code)
		code = open_study(&job, o, e);
	*begun = !code && job.study;
	if (!code)
		code = calibration_run(&c, &job, e);
	report_skipped(stderr, &c);
	if (!code)
		code = report_write(name, &c, &job, e);
	if (!code && o->report)
		code = write_page(o, &c, &job, e);
	if (!code) {
		report_print(stdout, &c, &job);
		printf("%.1f seconds with %d threads; weights written to %s\n", progress_seconds() - start, o->threads, name);
#ifdef HAVE_MPI
		if (ranks)
			print_traffic(ranks, &job.costs);
#endif
	}
	study_close(job.study);
	crew_close(&job.crew);
	calibration_close(&c);
	dataset_close(&dataset);
	packed_weights_close(packed);
	net_close(&net);
	return code;
}

int main(int argc, char **argv)
{
	struct calibrate_options o = {
		.plan = {.images = 1000, .rounds = 2, .rules = BANDIT_DEFAULT, .seed = 1},
		.weights = {true, true, true},
		.arms = {.count = 20, .low = 0, .high = 1},
		.choices = CHOICES_DEFAULT,
		.words = argv,
		.word_count = argc,
		.threads = (int)sysconf(_SC_NPROCESSORS_ONLN),
	};
	struct ranks *ranks;
	struct error e;
	bool begun = false, first = true;
	argp_err_exit_status = COMMAND_USAGE;
	ranks_open(&ranks);
#ifdef HAVE_MPI
	if (ranks)
		o.threads = ranks_cores();
#endif
	calibrate_options_parse(&o, argc, argv);
	command_catch_interrupts();
#ifdef HAVE_MPI
	first = ranks_first(ranks);
	if (!first)
		serve(&o, ranks);
#endif
	int code = !first ? LSDN_OK : o.generate
		? generate_write(o.plan.seed, (uint32_t)o.plan.images, o.jpeg, o.generate, &command_interrupted, &e) : calibrate(&o, ranks, &begun, &e);
	for (int i = 0; i < o.plan.parameter_count; i++)
		parameter_free(&o.parameters[i]);
	int status = command_end(PROGRAM, code, &e);
	if (code && begun)
		print_resume(&o, argc, argv);
	ranks_close(ranks);
	return status;
}
