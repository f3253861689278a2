/* The selection of the candidates with the highest Omega without looking at all of them (paper, eq. 1, 4): best first.
 *
 * At the ratio r = alpha_pre / alpha_cur a candidate's Omega is, but for a factor that all share, Z_suc * (Z_cur + r * Z_pre), a line in r; with a bound in
 * the place of Z_pre it is an upper bound. The candidate with the highest bound is computed next, until no bound reaches the best that are known: they are
 * the same, ties included, as if all had been computed. What is the best at two ratios, with the same Z_suc between them, is the best between them, since
 * all bounds are convex: so many policies cost little more than one. */
#ifndef LSDN_CORE_TRACE_SEARCH_H
#define LSDN_CORE_TRACE_SEARCH_H

#include "core/trace/rule.h"
#include "core/trace/walk_inside.h"

struct search;

struct search *search_open(const struct plan *plan);
void search_close(struct search *search);

/* True where what op's selected neurons choose can be searched for: only a product of Z_suc with a sum of Z_cur is such a line. */
bool search_possible(const struct walk *w, const struct rule *r);

/* Begins with op's selected neurons, whose tops are counted. */
int search_start(struct walk *w, const struct op *op, const struct rule *r);

/* Selects for neuron s, which was looked at, under the policies of mask. *done is false where its numbers are not finite, for which there are no bounds. */
int search_run(struct walk *w, const struct op *op, const struct rule *r, struct place s, const uint64_t *mask, bool *done);

void search_end(struct walk *w, const struct op *op);

#endif
