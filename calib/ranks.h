/* Images shared among processes on many machines (MPI), as crew.h shares them among threads.
 *
 * The first process, rank 0, hands out items to whoever is free, its own threads among them, and takes the results; nobody else keeps anything. Every rank
 * runs the same program with the same arguments. Only here is MPI spoken; without it (./configure --with-mpi) there are no ranks. */
#ifndef LSDN_CALIB_RANKS_H
#define LSDN_CALIB_RANKS_H

#include "calib/crew.h"
#include "calib/identity.h"

struct ranks;

/* What goes from one rank to another: bytes, between programs that are the same. */
struct message {
	uint8_t *bytes; /* owned */
	size_t size, room, at;
	bool failed;    /* no memory to put, or nothing left to get */
};

void message_put(struct message *m, const void *bytes, size_t size);
void message_get(struct message *m, void *bytes, size_t size); /* zeros where nothing is left */
void message_free(struct message *m);

/* What rank 0 wants done. */
struct ranks_work {
	crew_work *here; /* item i in one of its own threads; */
	bool (*needed)(void *context, size_t i); /* where there is anything to do; */
	void (*ask)(void *context, size_t i, struct message *item); /* and what another rank must know of it; */
	int (*take)(void *context, size_t i, struct message *result, struct error *e); /* what it found */
};

/* What the other ranks do. */
struct ranks_service {
	/* What all items up to the next call have in common; *explain says whether they need an explainer. */
	int (*begin)(void *context, struct message *common, bool *explain, struct error *e);
	int (*answer)(void *context, struct explainer *x, struct message *item, struct message *result, struct error *e);
};

struct ranks_traffic {
	int ranks;
	uint64_t messages, bytes; /* that rank 0 sent and got */
};

#ifdef HAVE_MPI

/* *ranks stays NULL where the program was not started by mpirun or the like. In all ranks but the first, nothing is printed from here to ranks_serve. */
void ranks_open(struct ranks **ranks);

/* Ends the other ranks and waits for them. */
void ranks_close(struct ranks *ranks);

bool ranks_first(const struct ranks *ranks);

/* How many threads a rank should have: the cores that it was given. */
int ranks_cores(void);

/* The other ranks: tells rank 0 who they are (identity and the list of images), and works until it says that it is done. Where this rank could not be made
 * ready, failure says why and it waits for the end. */
void ranks_serve(struct ranks *ranks, const struct identity *identity, const struct source *source, const struct crew *crew, const struct error *failure,
	const struct ranks_service *service, void *context);

/* Rank 0: waits until all others are ready; refuses those that are not like this one. */
int ranks_meet(struct ranks *ranks, const struct identity *identity, const struct source *source, struct error *e);

/* As crew_run. common is freed. */
int ranks_run(struct ranks *ranks, const struct crew *crew, bool explain, struct message *common, size_t count, const struct ranks_work *work, void *context,
	struct error *e);

struct ranks_traffic ranks_traffic(const struct ranks *ranks);

#else

static inline void ranks_open(struct ranks **ranks)
{
	*ranks = NULL;
}

static inline void ranks_close(struct ranks *ranks)
{
	(void)ranks;
}

#endif

#endif
