/* One place in which a plan runs: its activations (kept for the walk, but for those that others tell) and its oneDNN primitives.
 *
 * A session belongs to one thread at a time; sessions of one plan are independent. Results do not depend on the number of threads. */
#ifndef LSDN_CORE_NET_SESSION_H
#define LSDN_CORE_NET_SESSION_H

#include "core/error.h"
#include "core/net/plan.h"

struct session;
struct packed_weights;

/* Weights in oneDNN's own layouts, shared by all sessions of a plan. Sessions must be opened one at a time, but for those
 * like one that is open (batch and threads the same), which only read what that one packed. */
struct packed_weights *packed_weights_open(const struct plan *plan, struct error *e);
void packed_weights_close(struct packed_weights *packed);

/* A session for `batch` images that runs on `threads` threads. */
struct session *session_open(const struct plan *plan, struct packed_weights *packed, int batch, int threads, struct error *e);

/* Computes every tensor from what was written into the inputs. */
int session_run(struct session *s, struct error *e);

/* Tensor t of image i of the batch: H x W x C floats (NHWC), or NULL for one that is not kept: the sum of an Add that only a ReLU reads, an operand that
 * a Conv of 1 x 1 makes for an Add alone, and what only a Concat reads. Inputs are written here before session_run. */
float *session_tensor(const struct session *s, int t, int i);

/* Element n of tensor t of image i, kept or not. An operand that is not kept is the sum less the other operand, and a sum above 0 what the ReLU passed
 * on; where it passed nothing on, the operand is computed again, in double precision. What only a Concat reads is in its output. */
float session_value(const struct session *s, int t, int i, size_t n);

/* The same tensor where it lies: the channels of pixel p begin at p * *stride. NULL for the sum of an Add that only a ReLU reads, and an operand that a
 * Conv of 1 x 1 makes for an Add alone. */
const float *session_view(const struct session *s, int t, int i, size_t *stride);

/* The tensor in which the sum of an Add is kept: its own, or that of the ReLU which alone reads it and passes on what is above 0. */
int session_sum(const struct session *s, const struct op *add);

void session_close(struct session *s);

/* What runs sessions here, as text: the library, its version, and the instructions that it has for single precision. With the same, a network computes
 * the same bytes. Returns its argument. */
enum { SESSION_ENGINE = 64 };
const char *session_engine(char text[SESSION_ENGINE]);

/* Softmax in double precision over the plan's scores of image i, one a class (the scores are what a final Softmax or LogSoftmax reads). */
void session_probabilities(const struct session *s, int i, double *probabilities);

#endif
