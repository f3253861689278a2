/* Rewards that were seen: a CSV with one column an arm and one row an image. */
#ifndef LSDN_BANDIT_REWARD_TABLE_H
#define LSDN_BANDIT_REWARD_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum { REWARD_TABLE_MOST_ARMS = 10000, REWARD_TABLE_MOST_ROWS = 10000000 };

struct reward_table {
	int arms;         /* at least 2 */
	uint32_t rows;    /* at least 1 */
	char **names;     /* of the arms: not empty, each once; they lie in `text` */
	uint8_t *rewards; /* arms x rows, 0 or 1 */
	double *means;    /* of the arms */
	char *text;
};

/* The first line names the arms, with commas between them; every other has a 0 or a 1 for each. Blanks around them, a byte order mark and empty lines
 * at the end do not count. Names have no quotes. On failure the table is empty. */
int reward_table_read(struct reward_table *t, const char *path, struct error *e);

void reward_table_free(struct reward_table *t);

#endif
