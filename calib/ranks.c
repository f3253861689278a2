#include "config.h"

#include "calib/ranks.h"

#include <fcntl.h>
#include <mpi.h>
#include <nettle/sha2.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* HELLO, RESULT, FAILURE and BYE go to rank 0, the others come from it. */
enum tag { HELLO, COMMON, ITEM, RESULT, FAILURE, END, BYE };

/* Items beyond those that its threads work on, so that a rank need not wait for the next. */
enum { AHEAD = 1, HOST = 64 };

struct peer {
	int room;  /* items that it can take now */
	bool told; /* what all items have in common */
	char host[HOST];
};

struct ranks {
	int rank, count;
	struct peer *peers;   /* of rank 0 */
	struct sending {      /* until the other side has it */
		MPI_Request request;
		struct message message;
	} *sending;
	size_t sending_count, sending_room;
	struct ranks_traffic traffic;
	int printed[2];       /* where standard output and error of a silenced rank went */
};

void message_put(struct message *m, const void *bytes, size_t size)
{
	if (m->size + size > m->room) {
		size_t room = 2 * (m->size + size) + 64;
		uint8_t *grown = realloc(m->bytes, room);
		m->failed = m->failed || !grown;
		if (!grown)
			return;
		m->bytes = grown;
		m->room = room;
	}
	memcpy(m->bytes + m->size, bytes, size);
	m->size += size;
}

void message_get(struct message *m, void *bytes, size_t size)
{
	if (m->size - m->at < size) {
		m->failed = true;
		memset(bytes, 0, size);
		return;
	}
	memcpy(bytes, m->bytes + m->at, size);
	m->at += size;
}

void message_free(struct message *m)
{
	free(m->bytes);
	*m = (struct message){0};
}

/* What two ranks must have alike. */
struct hello {
	int threads;
	struct error failure; /* code 0: ready */
	struct identity identity;
	uint64_t images;
	uint8_t names[SHA256_DIGEST_SIZE]; /* of the images, in their order */
	char host[HOST];
};

static void fill_hello(struct hello *hello, const struct identity *identity, const struct source *source)
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

/* Started by Open MPI's mpirun, by srun, or by MPICH's. Without one of them MPI would start processes of its own. */
static bool launched(void)
{
	static const char *const SIGNS[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"};
	bool found = false;
	for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
		found = found || getenv(SIGNS[i]);
	return found;
}

static void finalize(void)
{
	int done;
	MPI_Finalized(&done);
	if (!done)
		MPI_Finalize();
}

/* Arguments and files that are wrong are so for all ranks, and are said once. */
static void silence(struct ranks *r)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		r->printed[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
		if (nowhere >= 0)
			dup2(nowhere, i + 1);
	}
	if (nowhere >= 0)
		close(nowhere);
}

static void unsilence(struct ranks *r)
{
	for (int i = 0; i < 2; i++)
		if (r->printed[i] >= 0) {
			dup2(r->printed[i], i + 1);
			close(r->printed[i]);
		}
}

void ranks_open(struct ranks **ranks)
{
	static struct ranks all; /* there is but one MPI in a process */
	int provided;
	*ranks = NULL;
	if (!launched())
		return;
	MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
	atexit(finalize);
	MPI_Comm_rank(MPI_COMM_WORLD, &all.rank);
	MPI_Comm_size(MPI_COMM_WORLD, &all.count);
	all.traffic.ranks = all.count;
	if (all.rank)
		silence(&all);
	*ranks = &all;
}

bool ranks_first(const struct ranks *r)
{
	return !r || r->rank == 0;
}

int ranks_cores(void)
{
#ifdef CPU_COUNT
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		return CPU_COUNT(&set);
#endif
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

struct ranks_traffic ranks_traffic(const struct ranks *r)
{
	return r->traffic;
}

/* Frees what has been sent, or waits for all of it. Two ranks that send to each other must not wait for each other, so that no send waits by itself. */
static void settle(struct ranks *r, bool wait)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->sending_count; i++) {
		int done = wait;
		if (wait)
			MPI_Wait(&r->sending[i].request, MPI_STATUS_IGNORE);
		else
			MPI_Test(&r->sending[i].request, &done, MPI_STATUS_IGNORE);
		if (done)
			message_free(&r->sending[i].message);
		else
			r->sending[kept++] = r->sending[i];
	}
	r->sending_count = kept;
}

/* Takes over the message. What cannot be sent for want of memory ends all ranks: nobody could be told. */
static void post(struct ranks *r, int to, enum tag tag, struct message *m)
{
	settle(r, false);
	if (r->sending_count == r->sending_room) {
		size_t room = 2 * r->sending_room + 16;
		struct sending *grown = realloc(r->sending, room * sizeof *grown);
		m->failed = m->failed || !grown;
		if (grown) {
			r->sending = grown;
			r->sending_room = room;
		}
	}
	if (m->failed || m->size > INT32_MAX)
		MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
	struct sending *s = &r->sending[r->sending_count++];
	s->message = *m;
	*m = (struct message){0};
	r->traffic.messages++;
	r->traffic.bytes += s->message.size;
	MPI_Isend(s->message.bytes, (int)s->message.size, MPI_BYTE, to, tag, MPI_COMM_WORLD, &s->request);
}

/* Receives a message if there is one. */
static bool receive(struct ranks *r, int *from, enum tag *tag, struct message *m)
{
	MPI_Status status;
	int there, size;
	settle(r, false);
	MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
	if (!there)
		return false;
	MPI_Get_count(&status, MPI_BYTE, &size);
	*m = (struct message){.bytes = malloc((size_t)size + 1), .size = (size_t)size};
	if (!m->bytes)
		MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
	MPI_Recv(m->bytes, size, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	*from = status.MPI_SOURCE;
	*tag = (enum tag)status.MPI_TAG;
	r->traffic.messages++;
	r->traffic.bytes += m->size;
	return true;
}

/* MPI's own waiting would keep a core busy, which has images to work on. */
static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

void ranks_close(struct ranks *r)
{
	if (!r)
		return;
	for (int left = r->rank ? 0 : r->count - 1, to = left; left; ) {
		struct message m = {0};
		int from;
		enum tag tag;
		for (; to; to--) {
			struct message end = {0};
			post(r, to, END, &end);
		}
		if (!receive(r, &from, &tag, &m)) {
			nap();
			continue;
		}
		left -= tag == BYE;
		message_free(&m);
	}
	settle(r, true);
	free(r->sending);
	free(r->peers);
	finalize();
}

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
	fill_hello(&own, identity, source);
	for (int met = 1; met < r->count && !code; ) {
		struct message m;
		struct hello other;
		int from;
		enum tag tag;
		if (!receive(r, &from, &tag, &m)) {
			nap();
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
				post(r, to, COMMON, &common);
				r->peers[to].told = true;
			}
			message_put(&item, &i, sizeof i);
			run->work->ask(run->context, i, &item);
			post(r, to, ITEM, &item);
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
		bool got = receive(run->ranks, &from, &tag, &m);
		if (got) {
			take(run, from, tag, &m);
			message_free(&m);
		} else if (!alone || !work_here(run, 0)) {
			nap();
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

/* An item in another rank, from its coming to the sending of its result. */
struct slot {
	enum { FREE, WAITING, TAKEN, DONE } state;
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

static struct slot *find_slot(struct service *s, int state, int becomes)
{
	struct slot *found = NULL;
#pragma omp critical(lsdn_ranks)
	{
		for (int i = 0; i < s->slot_count && !found; i++)
			if ((int)s->slots[i].state == state)
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
		post(s->ranks, 0, FAILURE, &failure);
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
			post(s->ranks, 0, done->tag, &done->result);
#pragma omp critical(lsdn_ranks)
			done->state = FREE;
		}
		if (receive(s->ranks, &from, &tag, &m))
			obey(s, tag, &m);
		else if (!alone || !answer(s, 0))
			nap();
		message_free(&m);
	}
}

static void labour(struct service *s, int thread)
{
	bool ended = false;
	while (!ended) {
		if (!answer(s, thread))
			nap();
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
	unsilence(r);
	fill_hello(&hello, identity, source);
	s.slots = calloc((size_t)s.slot_count, sizeof *s.slots);
	if (!s.slots)
		MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
	message_put(&m, &hello, sizeof hello);
	post(r, 0, HELLO, &m);
#pragma omp parallel num_threads(crew->threads + 1)
	{
		int thread = omp_get_thread_num();
		if (thread)
			labour(&s, thread - 1);
		else
			listen(&s, omp_get_num_threads() == 1);
	}
	post(r, 0, BYE, &m);
	settle(r, true);
	for (int i = 0; i < s.slot_count; i++) {
		message_free(&s.slots[i].item);
		message_free(&s.slots[i].result);
	}
	free(s.slots);
}
