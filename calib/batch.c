#include "config.h"

#include "calib/batch.h"

#include <stdlib.h>

#include "core/trace/walk.h"

/* Finds the groups of entry i, among those before it. Policies of a walk are numbered in the order in which they are wanted. */
static void group(struct batch *b, int i)
{
	struct batch_entry *entry = &b->entries[i];
	int next = 0;
	entry->feed = entry->walk = entry->box = i;
	entry->policy = -1;
	for (int j = 0; j < i; j++) {
		const struct batch_entry *other = &b->entries[j];
		if (other->setting->view != entry->setting->view)
			continue;
		entry->feed = other->feed;
		if (other->setting->target != entry->setting->target || !policy_same_choices(&other->setting->policy, &entry->setting->policy))
			continue;
		entry->walk = other->walk;
		next = other->policy >= next ? other->policy + 1 : next;
		if (choices_same_box(other->setting, entry->setting))
			entry->box = other->box;
		if (entry->policy < 0 && policy_equal(&other->setting->policy, &entry->setting->policy))
			entry->policy = other->policy;
	}
	if (entry->policy < 0)
		entry->policy = next;
}

/* A walk takes no more than WALK_MAX_POLICIES. */
static bool same_walk(const struct batch_entry *a, const struct batch_entry *b)
{
	return a->walk == b->walk && a->policy / WALK_MAX_POLICIES == b->policy / WALK_MAX_POLICIES;
}

static int by_group(const void *left, const void *right)
{
	const struct batch_entry *a = left, *b = right;
	if (a->feed != b->feed)
		return a->feed - b->feed;
	if (!same_walk(a, b))
		return a->walk != b->walk ? a->walk - b->walk : a->policy - b->policy;
	return a->box != b->box ? a->box - b->box : a->policy - b->policy;
}

/* Makes a walk of the entries that begin at `from`, with its policies in to. */
static struct batch_walk make_walk(struct batch *b, int from, struct policy *to)
{
	struct batch_walk walk = {.from = from, .to = from, .policies = to};
	walk.feeds = !from || b->entries[from - 1].feed != b->entries[from].feed;
	while (walk.to < b->count && (walk.to == from || same_walk(&b->entries[walk.to - 1], &b->entries[walk.to]))) {
		const struct batch_entry *entry = &b->entries[walk.to++];
		int policy = entry->policy % WALK_MAX_POLICIES;
		to[policy] = entry->setting->policy;
		if (policy >= walk.policy_count)
			walk.policy_count = policy + 1;
	}
	return walk;
}

int batch_open(struct batch *b, const struct choices *settings, const int *wanted, int count, struct error *e)
{
	size_t room = (size_t)count + 1;
	*b = (struct batch){.count = count, .entries = calloc(room, sizeof *b->entries), .walks = calloc(room, sizeof *b->walks),
		.policies = calloc(room, sizeof *b->policies)};
	if (!b->entries || !b->walks || !b->policies) {
		batch_close(b);
		return error_memory(e, "policies");
	}
	for (int i = 0; i < count; i++) {
		b->entries[i] = (struct batch_entry){.setting = &settings[wanted[i]], .wanted = wanted[i]};
		group(b, i);
	}
	qsort(b->entries, (size_t)count, sizeof *b->entries, by_group);
	struct policy *to = b->policies;
	for (int from = 0; from < count; from = b->walks[b->walk_count++].to) {
		b->walks[b->walk_count] = make_walk(b, from, to);
		to += b->walks[b->walk_count].policy_count;
	}
	for (int i = 0; i < count; i++)
		b->entries[i].policy %= WALK_MAX_POLICIES;
	return LSDN_OK;
}

void batch_close(struct batch *b)
{
	free(b->entries);
	free(b->walks);
	free(b->policies);
	*b = (struct batch){0};
}
