#include "config.h"

#include "bandit/simulate.h"

#include <math.h>
#include <stdlib.h>

/* Runs are summed up in blocks, and blocks in their order: what a block holds depends on the number of runs alone. */
enum { LEAST_RUNS = 16, MOST_BLOCKS = 2048, TIMES_A_DECADE = 32 };

bool simulation_round_time(uint64_t time)
{
	while (time && time % 10 == 0)
		time /= 10;
	return time == 1 || time == 2 || time == 5;
}

void simulation_times(struct simulation *s)
{
	static const uint64_t ROUND[] = {1, 2, 5};
	uint64_t decade = 1;
	int step = 0, round = 0;
	for (s->time_count = 0; s->time_count < SIMULATION_MOST_TIMES - 1;) {
		uint64_t spaced = (uint64_t)llround(pow(10, (double)step / TIMES_A_DECADE)), time = ROUND[round] * decade;
		if (spaced < time)
			time = spaced;
		if (time >= s->trials)
			break;
		s->times[s->time_count++] = time;
		while ((uint64_t)llround(pow(10, (double)step / TIMES_A_DECADE)) <= time)
			step++;
		if (ROUND[round] * decade <= time && ++round == 3) {
			round = 0;
			decade *= 10;
		}
	}
	s->times[s->time_count++] = s->trials;
}

/* Mean and sum of squared deviations of so many numbers (B. P. Welford, Technometrics 4, 1962; T. F. Chan, G. H. Golub, R. J. LeVeque, The American
 * Statistician 37, 1983, to join two). */
struct tally {
	double mean, squares;
	uint64_t count, correct, drawn;
};

static void tally_join(struct tally *t, const struct tally *other)
{
	double all = (double)(t->count + other->count), difference = other->mean - t->mean;
	t->squares += other->squares + difference * difference * ((double)t->count * (double)other->count / all);
	t->mean += difference * ((double)other->count / all);
	t->count += other->count;
	t->correct += other->correct;
	t->drawn += other->drawn;
}

/* Where one thread keeps a run. */
struct bench {
	struct pcg *rngs;  /* arms: chance of each */
	uint32_t *orders;  /* arms x rows: order in which each gives its rewards; NULL where they are drawn of means */
	double *gaps;      /* arms: best mean - its own */
};

static void bench_close(struct bench *bench)
{
	free(bench->rngs);
	free(bench->orders);
	free(bench->gaps);
}

static bool bench_open(struct bench *bench, const struct simulation *s)
{
	size_t arms = (size_t)s->arms;
	*bench = (struct bench){.rngs = calloc(arms, sizeof *bench->rngs), .gaps = calloc(arms, sizeof *bench->gaps),
		.orders = s->rewards ? calloc(arms * s->rows, sizeof *bench->orders) : NULL};
	if (!bench->rngs || !bench->gaps || (s->rewards && !bench->orders))
		return false;
	double best = 0;
	for (size_t i = 0; i < arms; i++)
		best = fmax(best, s->means[i]);
	for (size_t i = 0; i < arms; i++)
		bench->gaps[i] = best - s->means[i];
	return true;
}

static uint64_t draw_seed(struct pcg *rng)
{
	uint64_t upper = pcg_next(rng);
	return upper << 32 | pcg_next(rng);
}

/* The run's chance: seeds for the solver and for every arm, of the stream that is the run's number. */
static bool start(const struct simulation *s, struct bench *bench, struct bandit *b, uint64_t run)
{
	struct pcg rng;
	struct bandit_rules rules = s->rules;
	pcg_seed(&rng, s->seed, run);
	rules.seed = draw_seed(&rng);
	for (int i = 0; i < s->arms; i++) {
		uint64_t seed = draw_seed(&rng);
		pcg_seed(&bench->rngs[i], seed, draw_seed(&rng));
		if (s->rewards)
			pcg_shuffle(&bench->rngs[i], bench->orders + (size_t)i * s->rows, s->rows);
	}
	return bandit_init(b, &rules, s->arms, s->rewards ? s->rows : BANDIT_UNLIMITED);
}

static bool draw(const struct simulation *s, struct bench *bench, const struct bandit *b, int arm)
{
	size_t first = (size_t)arm * s->rows;
	return s->rewards ? s->rewards[first + bench->orders[first + b->arms[arm].pulls]] : pcg_double(&bench->rngs[arm]) < s->means[arm];
}

static bool run_once(const struct simulation *s, struct bench *bench, uint64_t run, struct tally *tallies)
{
	struct bandit b;
	if (!start(s, bench, &b, run))
		return false;
	double regret = 0;
	int arm = 0;
	size_t at = 0;
	for (uint64_t t = 1; t <= s->trials; t++) {
		if (arm >= 0 && (arm = bandit_next(&b)) >= 0)
			bandit_reward(&b, arm, draw(s, bench, &b, arm));
		regret += bench->gaps[arm >= 0 ? arm : bandit_answer(&b)];
		if (t == s->times[at])
			tally_join(&tallies[at++], &(struct tally){regret, 0, 1, bench->gaps[bandit_answer(&b)] == 0, b.trials});
	}
	bandit_done(&b);
	return true;
}

int simulate(const struct simulation *s, struct simulation_point *points, struct error *e)
{
	uint64_t runs = (s->runs + MOST_BLOCKS - 1) / MOST_BLOCKS;
	if (runs < LEAST_RUNS)
		runs = LEAST_RUNS;
	size_t blocks = (size_t)((s->runs + runs - 1) / runs);
	struct tally *tallies = calloc(blocks * s->time_count, sizeof *tallies);
	bool failed = !tallies;
#pragma omp parallel num_threads(s->threads)
	{
		struct bench bench;
		bool short_of_memory = !bench_open(&bench, s);
#pragma omp for schedule(dynamic, 1)
		for (size_t block = 0; block < blocks; block++)
			for (uint64_t run = block * runs; tallies && !short_of_memory && run < s->runs && run < (block + 1) * runs; run++) {
				short_of_memory = !run_once(s, &bench, run, tallies + block * s->time_count);
				progress_step(s->progress);
			}
		bench_close(&bench);
#pragma omp critical(lsdn_simulate)
		failed = failed || short_of_memory;
	}
	for (size_t i = 0; i < s->time_count && !failed; i++) {
		struct tally all = {0};
		for (size_t block = 0; block < blocks; block++)
			tally_join(&all, &tallies[block * s->time_count + i]);
		double n = (double)all.count;
		points[i] = (struct simulation_point){all.mean, n > 1 ? sqrt(all.squares / (n - 1) / n) : 0, (double)all.correct / n, (double)all.drawn / n};
	}
	free(tallies);
	return failed ? error_memory(e, "simulated runs") : LSDN_OK;
}
