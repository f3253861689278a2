/* What ranks are made of. For their own files alone. */
#ifndef LSDN_CALIB_RANKS_INSIDE_H
#define LSDN_CALIB_RANKS_INSIDE_H

#include <nettle/sha2.h>

#include "calib/ranks.h"

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
	struct peer *peers;       /* of rank 0 */
	struct sending *sending;  /* until the other side has it */
	size_t sending_count, sending_room;
	struct ranks_traffic traffic;
	int printed[2];           /* where standard output and error of a silenced rank went */
};

/* What two ranks must have alike. */
struct hello {
	int threads;
	struct error failure; /* code 0: ready */
	struct identity identity;
	uint64_t images;
	uint8_t names[SHA256_DIGEST_SIZE]; /* of the images, in their order */
	char host[HOST];
};

void hello_fill(struct hello *hello, const struct identity *identity, const struct source *source);

/* Takes over the message, and does not wait. */
void ranks_post(struct ranks *r, int to, enum tag tag, struct message *m);

/* Waits until everything that was posted is sent. */
void ranks_settle(struct ranks *r);

/* Receives a message if there is one. */
bool ranks_receive(struct ranks *r, int *from, enum tag *tag, struct message *m);

/* MPI's own waiting would keep a core busy, which has images to work on. */
void ranks_nap(void);

/* Standard output and error are a rank's own again. */
void ranks_unsilence(struct ranks *r);

#endif
