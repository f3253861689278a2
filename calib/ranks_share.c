/* Rank 0: hands items out and takes results. */
#include "config.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/ranks_inside.h"

static int check_hello(const struct hello *own, const struct hello *other, int rank, struct error *e)
{
	if (other->failure.code)
		return error_set(e, other->failure.code, "rank %d on %s: %.400s", rank, other->host, other->failure.message);
	for (int i = 0; i < IDENTITY_FIELDS; i++) {
		const struct identity_field *here = &own->identity.fields[i], *there = &other->identity.fields[i];
		if (here->must && strcmp(here->value, there->value) != 0)
			return error_set(e, LSDN_ERROR_INPUT, "rank %d on %s: the %s is \"%.130s\" there, but \"%.130s\" on %s: give all the same", rank, other->host, here->name,
				there->value, here->value, own->host);
	}
	if (own->images != other->images || memcmp(own->names, other->names, sizeof own->names) != 0)
		return error_set(e, LSDN_ERROR_INPUT, "rank %d on %s: there are %llu photographs there, and %llu on %s, or others: give all the same", rank, other->host,
			(unsigned long long)other->images, (unsigned long long)own->images, own->host);
	return LSDN_OK;
}

int ranks_meet(struct ranks *r, const struct identity *identity, const struct source *source, struct error *e)
{
	struct hello own = {.threads = 0};
	int code = LSDN_OK;
	r->peers = calloc((size_t)r->count, sizeof *r->peers);
	if (!r->peers)
		return error_memory(e, "ranks");
	hello_fill(&own, identity, source);
	for (int met = 1; met < r->count && !code; ) {
		struct message m;
		struct hello other;
		int from;
		enum tag tag;
		if (!ranks_receive(r, &from, &tag, &m)) {
			ranks_nap();
			continue;
		}
		message_get(&m, &other, sizeof other);
		code = m.failed || tag != HELLO ? error_set(e, LSDN_ERROR_INPUT, "rank %d is another version of this program", from)
			: check_hello(&own, &other, from, e);
		r->peers[from].room = other.threads + AHEAD;
		memcpy(r->peers[from].host, other.host, HOST);
		message_free(&m);
		met++;
	}
	return code;
}

/* One ranks_run of rank 0. */
struct run {
	struct ranks *ranks;
	const struct crew *crew;
	bool explain;
	struct message *common;
	size_t count, next; /* of the items, the next that nobody has */
	size_t away;        /* with other ranks */
	const struct ranks_work *work;
	void *context;
	int failed;
	struct error *e;
};

static void fail(struct run *run, int code, const char *message)
{
#pragma omp critical(lsdn_ranks)
	{
		if (code && !run->failed)
			run->failed = error_set(run->e, (enum lsdn_error)code, "%s", message);
	}
}

static bool next_item(struct run *run, size_t *item)
{
	bool found = false;
#pragma omp critical(lsdn_ranks)
	{
		while (!found && !run->failed && !*run->crew->stop && run->next < run->count) {
			*item = run->next++;
			found = run->work->needed(run->context, *item);
			if (!found)
				progress_step(run->crew->progress);
		}
	}
	return found;
}

static bool work_here(struct run *run, int thread)
{
	struct explainer *x;
	struct error why;
	size_t i;
	int code = crew_explainer(run->crew, thread, run->explain, &x, &why);
	bool found = !code && next_item(run, &i);
	if (found) {
		code = run->work->here(run->context, x, i, &why);
		progress_step(run->crew->progress);
	}
	fail(run, code, why.message);
	return found;
}

/* One item to each that has room, until nobody has or no item is left. */
static void hand_out(struct run *run)
{
	struct ranks *r = run->ranks;
	size_t i;
	for (bool more = true; more; ) {
		more = false;
		for (int to = 1; to < r->count; to++) {
			struct message item = {0};
			if (!r->peers[to].room)
				continue;
			if (!next_item(run, &i))
				return;
			if (!r->peers[to].told) {
				struct message common = {0};
				message_put(&common, run->common->bytes, run->common->size);
				ranks_post(r, to, COMMON, &common);
				r->peers[to].told = true;
			}
			message_put(&item, &i, sizeof i);
			run->work->ask(run->context, i, &item);
			ranks_post(r, to, ITEM, &item);
			r->peers[to].room--;
			run->away++;
			more = true;
		}
	}
}

static void take(struct run *run, int from, enum tag tag, struct message *m)
{
	struct error why = {0};
	char text[LSDN_MESSAGE];
	size_t i = 0;
	int code = 0;
	if (tag == RESULT) {
		message_get(m, &i, sizeof i);
		code = run->work->take(run->context, i, m, &why);
		progress_step(run->crew->progress);
	} else {
		message_get(m, &why, sizeof why);
		code = why.code;
	}
	run->away--;
	run->ranks->peers[from].room++;
	snprintf(text, sizeof text, "rank %d on %s: %.400s", from, run->ranks->peers[from].host, why.message);
	fail(run, code, tag == RESULT ? why.message : text);
}

/* Rank 0's main thread: no other speaks MPI. `alone`: there is no thread to work here but this one. */
static void attend(struct run *run, bool alone)
{
	bool over = false;
	while (!over) {
		struct message m;
		int from;
		enum tag tag;
		hand_out(run);
		bool got = ranks_receive(run->ranks, &from, &tag, &m);
		if (got) {
			take(run, from, tag, &m);
			message_free(&m);
		} else if (!alone || !work_here(run, 0)) {
			ranks_nap();
		}
#pragma omp critical(lsdn_ranks)
		over = run->failed || *run->crew->stop || (!run->away && run->next >= run->count);
	}
}

int ranks_run(struct ranks *r, const struct crew *crew, bool explain, struct message *common, size_t count, const struct ranks_work *work, void *context,
	struct error *e)
{
	if (r->count == 1) {
		message_free(common);
		return crew_run(crew, explain, count, work->here, context, e);
	}
	struct run run = {r, crew, explain, common, count, 0, 0, work, context, LSDN_OK, e};
	for (int i = 1; i < r->count; i++)
		r->peers[i].told = false;
	if (common->failed)
		run.failed = error_memory(e, "what other ranks must know");
#pragma omp parallel num_threads(crew->threads + 1)
	{
		int thread = omp_get_thread_num();
		if (!thread)
			attend(&run, omp_get_num_threads() == 1);
		while (thread && work_here(&run, thread - 1))
			;
	}
	message_free(common);
	if (!run.failed && *crew->stop)
		run.failed = error_set(e, LSDN_ERROR_INTERRUPTED, "interrupted");
	return run.failed;
}
