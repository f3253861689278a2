/* The other ranks: work on the items that rank 0 gives them. */
#include "config.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calib/ranks_inside.h"

void hello_fill(struct hello *hello, const struct identity *identity, const struct source *source)
{
	struct sha256_ctx context;
	char buffer[32];
	hello->identity = *identity;
	hello->images = source->count;
	gethostname(hello->host, sizeof hello->host - 1);
	sha256_init(&context);
	for (uint32_t i = 0; source->dataset && i < source->count; i++) {
		const char *name = source_name(source, i, buffer);
		sha256_update(&context, strlen(name) + 1, (const uint8_t *)name);
	}
	sha256_digest(&context, sizeof hello->names, hello->names);
}

/* An item in another rank, from its coming to the sending of its result. */
struct slot {
	enum state { FREE, WAITING, TAKEN, DONE } state;
	enum tag tag;
	struct message item, result;
};

struct service {
	struct ranks *ranks;
	const struct crew *crew;
	const struct ranks_service *does;
	void *context;
	struct slot *slots;
	int slot_count;
	bool explain, ended;
};

static struct slot *find_slot(struct service *s, enum state state, enum state becomes)
{
	struct slot *found = NULL;
#pragma omp critical(lsdn_ranks)
	{
		for (int i = 0; i < s->slot_count && !found; i++)
			if (s->slots[i].state == state)
				found = &s->slots[i];
		if (found)
			found->state = becomes;
	}
	return found;
}

static bool answer(struct service *s, int thread)
{
	struct slot *slot = find_slot(s, WAITING, TAKEN);
	struct explainer *x;
	struct error why;
	size_t i;
	if (!slot)
		return false;
	message_get(&slot->item, &i, sizeof i);
	message_put(&slot->result, &i, sizeof i);
	int code = crew_explainer(s->crew, thread, s->explain, &x, &why);
	if (!code)
		code = s->does->answer(s->context, x, &slot->item, &slot->result, &why);
	message_free(&slot->item);
	if (code) {
		message_free(&slot->result);
		message_put(&slot->result, &why, sizeof why);
	}
	slot->tag = code ? FAILURE : RESULT;
#pragma omp critical(lsdn_ranks)
	slot->state = DONE;
	return true;
}

/* Items come only while there is a free slot, and what they have in common only while there is no item. */
static void obey(struct service *s, enum tag tag, struct message *m)
{
	struct error why;
	if (tag == ITEM) {
		struct slot *slot = find_slot(s, FREE, TAKEN);
		slot->item = *m;
		*m = (struct message){0};
#pragma omp critical(lsdn_ranks)
		slot->state = WAITING;
	} else if (tag == COMMON && s->does->begin(s->context, m, &s->explain, &why)) {
		struct message failure = {0};
		message_put(&failure, &why, sizeof why);
		ranks_post(s->ranks, 0, FAILURE, &failure);
	}
#pragma omp critical(lsdn_ranks)
	s->ended = tag == END;
}

static void listen(struct service *s, bool alone)
{
	while (!s->ended) {
		struct message m = {0};
		struct slot *done;
		int from;
		enum tag tag;
		while ((done = find_slot(s, DONE, TAKEN))) {
			ranks_post(s->ranks, 0, done->tag, &done->result);
#pragma omp critical(lsdn_ranks)
			done->state = FREE;
		}
		if (ranks_receive(s->ranks, &from, &tag, &m))
			obey(s, tag, &m);
		else if (!alone || !answer(s, 0))
			ranks_nap();
		message_free(&m);
	}
}

static void labour(struct service *s, int thread)
{
	bool ended = false;
	while (!ended) {
		if (!answer(s, thread))
			ranks_nap();
#pragma omp critical(lsdn_ranks)
		ended = s->ended;
	}
}

void ranks_serve(struct ranks *r, const struct identity *identity, const struct source *source, const struct crew *crew, const struct error *failure,
	const struct ranks_service *does, void *context)
{
	struct hello hello = {.threads = crew->threads, .failure = *failure};
	struct message m = {0};
	struct service s = {.ranks = r, .crew = crew, .does = does, .context = context, .slot_count = crew->threads + AHEAD};
	ranks_unsilence(r);
	hello_fill(&hello, identity, source);
	s.slots = calloc((size_t)s.slot_count, sizeof *s.slots);
	if (!s.slots) {
		s.slot_count = 0;
		error_memory(&hello.failure, "items");
	}
	message_put(&m, &hello, sizeof hello);
	ranks_post(r, 0, HELLO, &m);
#pragma omp parallel num_threads(crew->threads + 1)
	{
		int thread = omp_get_thread_num();
		if (thread)
			labour(&s, thread - 1);
		else
			listen(&s, omp_get_num_threads() == 1);
	}
	ranks_post(r, 0, BYE, &m);
	ranks_settle(r);
	for (int i = 0; i < s.slot_count; i++) {
		message_free(&s.slots[i].item);
		message_free(&s.slots[i].result);
	}
	free(s.slots);
}
