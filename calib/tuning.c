#include "config.h"

#include "calib/tuning.h"

#include <stdlib.h>
#include <string.h>

#include "calib/tuning_inside.h"

int tuning_open(struct tuning *s, int number, int most, struct error *e)
{
	*s = (struct tuning){.current = -1, .began = -1, .best = -1, .first_stream = (uint64_t)(number + 1) << 32};
	s->solver_stream = s->first_stream + UINT32_MAX;
	s->arms = calloc((size_t)most, sizeof *s->arms);
	return s->arms ? LSDN_OK : error_memory(e, "arms");
}

int tuning_add(struct tuning *s, struct matrix *m, const struct choices *setting, const char *text, struct error *e)
{
	struct tuning_arm arm = {.setting = matrix_add(m, setting), .text = strdup(text)};
	if (arm.setting < 0 || !arm.text) {
		free(arm.text);
		return error_memory(e, "arms");
	}
	s->identifiable = s->identifiable || (s->count && arm.setting != s->arms[0].setting);
	s->arms[s->count++] = arm;
	return LSDN_OK;
}

bool tuning_is_sweep(const struct tuning *s, const struct bandit_rules *rules, uint64_t trials, size_t images)
{
	return !rules->solver->stops && (!trials || trials >= (uint64_t)images * (uint64_t)s->count);
}

/* The order of every arm, one after the other. */
static uint32_t *make_orders(const struct tuning *s, uint64_t seed, size_t images)
{
	uint32_t *orders = malloc((size_t)s->count * images * sizeof *orders);
	for (size_t a = 0; orders && a < (size_t)s->count; a++) {
		struct pcg rng;
		pcg_seed(&rng, seed, s->first_stream + a);
		pcg_shuffle(&rng, orders + a * images, images);
	}
	return orders;
}

/* Where all arms are what the step began with there is no better one (a weight by itself still gets an answer), and ties do not move what ascends. */
static int choose(const struct tuning *s)
{
	int best = bandit_answer(&s->bandit);
	const struct bandit_arm *arm = &s->bandit.arms[best], *current = s->current < 0 ? NULL : &s->bandit.arms[s->current];
	bool weight = s->parameter && s->parameter->weight < WEIGHT_COUNT;
	if (!s->identifiable && s->arms[0].setting == s->began && (s->ascends || !weight))
		return s->current;
	return s->ascends && current && current->pulls == arm->pulls && current->successes == arm->successes ? s->current : best;
}

int tuning_run(struct tuning *s, struct matrix *m, const struct bandit_rules *rules, uint64_t trials, struct reward_row **rows, size_t images, struct error *e)
{
	struct bandit_rules own = *rules;
	uint32_t *orders = make_orders(s, rules->seed, images);
	uint64_t most = (uint64_t)images * (uint64_t)s->count;
	int code = LSDN_OK, arm;
	own.stream = s->solver_stream;
	s->trials = trials ? trials : most;
	s->pulled = malloc((size_t)(s->trials < most ? s->trials : most) * sizeof *s->pulled);
	if (!orders || !s->pulled || !bandit_init(&s->bandit, &own, s->count, (uint32_t)images)) {
		free(orders);
		return error_memory(e, "a bandit");
	}
	while (!code && s->bandit.trials < s->trials && (arm = bandit_next(&s->bandit)) >= 0) {
		struct reward_row *row = rows[orders[(size_t)arm * images + s->bandit.arms[arm].pulls]];
		bool reward;
		code = matrix_reward(m, row, s->arms[arm].setting, &reward, e);
		if (code)
			break;
		s->pulled[s->bandit.trials] = (uint16_t)arm;
		bandit_reward(&s->bandit, arm, reward);
	}
	if (!code) {
		s->best = choose(s);
		code = tuning_compare(s, rows, orders, images, e);
	}
	free(orders);
	return code;
}

void tuning_close(struct tuning *s)
{
	for (int i = 0; i < s->count; i++)
		free(s->arms[i].text);
	free(s->arms);
	free(s->pulled);
	bandit_done(&s->bandit);
	*s = (struct tuning){0};
}
