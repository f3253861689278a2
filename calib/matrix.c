#include "config.h"

#include "calib/matrix.h"

#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"

/* Stream of the generator of chance that shuffles the images. */
enum { STREAM_IMAGES = 0 };

int matrix_find(const struct matrix *m, const struct choices *s)
{
	int i = 0;
	while (i < m->count && !choices_equal(&m->settings[i], s))
		i++;
	return i;
}

/* Makes a row hold as many rewards as there is room for settings. */
static bool widen(struct reward_row *row, int from, int to)
{
	uint8_t *wider = realloc(row->rewards, (size_t)to);
	if (!wider)
		return false;
	memset(wider + from, REWARD_UNKNOWN, (size_t)(to - from));
	row->rewards = wider;
	return true;
}

static bool grow(struct matrix *m)
{
	int room = m->room ? 2 * m->room : 64;
	struct choices *more = realloc(m->settings, (size_t)room * sizeof *more);
	if (!more)
		return false;
	m->settings = more;
	for (size_t i = 0; i < m->row_count; i++)
		if (!widen(&m->rows[i], m->room, room))
			return false;
	m->room = room;
	if (m->job)
		m->job->settings = m->settings;
	return true;
}

int matrix_add(struct matrix *m, const struct choices *s)
{
	int i = matrix_find(m, s);
	if (i < m->count)
		return i;
	if (m->count == m->room && !grow(m))
		return -1;
	size_t layers = (size_t)s->policy.layer_count * sizeof *s->policy.layers;
	struct layer_policy *own = layers ? malloc(layers) : NULL;
	if (layers && !own)
		return -1;
	if (layers)
		memcpy(own, s->policy.layers, layers);
	m->settings[i] = *s;
	m->settings[i].policy.layers = own;
	return m->count++;
}

/* By alpha_pre / alpha_cur. */
static int by_ratio(const void *left, const void *right)
{
	const struct alpha *a = &((const struct choices *)left)->policy.alpha, *b = &((const struct choices *)right)->policy.alpha;
	double first = a->pre * b->cur, second = b->pre * a->cur;
	return first != second ? (first > second) - (first < second) : (a->suc > b->suc) - (a->suc < b->suc);
}

void matrix_sort(struct matrix *m)
{
	qsort(m->settings, (size_t)m->count, sizeof *m->settings, by_ratio);
}

int matrix_begin(struct matrix *m, struct reward_job *job, uint64_t seed, struct error *e)
{
	size_t count = job->source->count;
	struct pcg rng;
	m->order = malloc((count + 1) * sizeof *m->order);
	m->rows = calloc(count + 1, sizeof *m->rows);
	if (!m->order || !m->rows)
		return error_memory(e, "rewards");
	pcg_seed(&rng, seed, STREAM_IMAGES);
	pcg_shuffle(&rng, m->order, count);
	m->job = job;
	job->settings = m->settings;
	return LSDN_OK;
}

static size_t count_usable(const struct matrix *m)
{
	size_t usable = 0;
	for (size_t i = 0; i < m->row_count; i++)
		usable += m->rows[i].usable;
	return usable;
}

int matrix_take(struct matrix *m, size_t usable, const int *wanted, int count, struct error *e)
{
	for (size_t now = count_usable(m); now < usable; now = count_usable(m)) {
		size_t more = usable - now, from = m->row_count;
		if (from + more > m->job->source->count)
			more = m->job->source->count - from;
		if (!more)
			return error_set(e, LSDN_ERROR_INPUT, "%zu usable images are wanted (--images and --held-out), %zu of %zu are usable: name fewer, or mend "
				"those that were skipped", usable, now, m->job->source->count);
		for (size_t i = from; i < from + more; i++, m->row_count++) {
			m->rows[i].index = m->order[i];
			if (!widen(&m->rows[i], 0, m->room))
				return error_memory(e, "rewards");
		}
		int code = rewards_compute(m->job, m->rows + from, more, wanted, count, e);
		if (code)
			return code;
	}
	return LSDN_OK;
}

int matrix_fill(struct matrix *m, const int *wanted, int count, const char *title, struct error *e)
{
	struct progress *progress = m->job->crew.progress;
	int *missing = malloc(((size_t)count + 1) * sizeof *missing), missing_count = 0, code = LSDN_OK;
	if (!missing)
		return error_memory(e, "rewards");
	for (int k = 0; k < count; k++) {
		size_t i = 0;
		while (i < m->row_count && !reward_row_lacks(&m->rows[i], &wanted[k], 1))
			i++;
		if (i < m->row_count)
			missing[missing_count++] = wanted[k];
	}
	if (missing_count) {
		progress_start(progress, progress->shown, title, m->row_count);
		code = rewards_compute(m->job, m->rows, m->row_count, missing, missing_count, e);
		progress_end(progress);
	}
	free(missing);
	return code;
}

int matrix_reward(struct matrix *m, struct reward_row *row, int setting, bool *reward, struct error *e)
{
	int code = row->rewards[setting] == REWARD_UNKNOWN ? rewards_compute(m->job, row, 1, &setting, 1, e) : LSDN_OK;
	*reward = !code && row->rewards[setting] == 1;
	return code;
}

struct reward_row **matrix_usable(const struct matrix *m, size_t count)
{
	struct reward_row **usable = malloc((count + 1) * sizeof(struct reward_row *));
	size_t n = 0;
	for (size_t i = 0; usable && i < m->row_count && n < count; i++)
		if (m->rows[i].usable)
			usable[n++] = &m->rows[i];
	return usable;
}

void matrix_close(struct matrix *m)
{
	reward_rows_free(m->rows, m->row_count);
	for (int i = 0; i < m->count; i++)
		free((void *)m->settings[i].policy.layers);
	free(m->settings);
	free(m->order);
	*m = (struct matrix){0};
}
