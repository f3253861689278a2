#include "config.h"

#include "calib/ranks_inside.h"

#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct sending {
	MPI_Request request;
	struct message message;
};

void message_put(struct message *m, const void *bytes, size_t size)
{
	if (!size)
		return;
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
	if (!size)
		return;
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

void ranks_unsilence(struct ranks *r)
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
static void settle_some(struct ranks *r, bool wait)
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

void ranks_settle(struct ranks *r)
{
	settle_some(r, true);
}

/* What cannot be sent for want of memory ends all ranks: nobody could be told. */
void ranks_post(struct ranks *r, int to, enum tag tag, struct message *m)
{
	settle_some(r, false);
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
	MPI_Isend(s->message.bytes, (int)s->message.size, MPI_BYTE, to, (int)tag, MPI_COMM_WORLD, &s->request);
}

bool ranks_receive(struct ranks *r, int *from, enum tag *tag, struct message *m)
{
	MPI_Status status;
	int there, size;
	settle_some(r, false);
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

void ranks_nap(void)
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
			ranks_post(r, to, END, &end);
		}
		if (!ranks_receive(r, &from, &tag, &m)) {
			ranks_nap();
			continue;
		}
		left -= tag == BYE;
		message_free(&m);
	}
	ranks_settle(r);
	free(r->sending);
	free(r->peers);
	finalize();
}
