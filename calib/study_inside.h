/* What a study is made of. For its own files alone. */
#ifndef LSDN_CALIB_STUDY_INSIDE_H
#define LSDN_CALIB_STUDY_INSIDE_H

#include <sqlite3.h>

#include "calib/study.h"

enum study_statement { FIND_IMAGE, ADD_IMAGE, CHANGE_IMAGE, FIND_REWARDS, ADD_REWARD, ADD_SETTING, STATEMENTS };

struct study_setting {
	char *text;        /* owned */
	uint64_t sums[2]; /* what a reward of 0 or 1 adds to its image's sum */
};

struct study {
	char *path; /* owned */
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct study_setting *settings; /* owned; their numbers in the file count from 1 */
	int setting_count, setting_room;
	bool taken;   /* study_open gave it to somebody */
	bool begun;   /* a transaction is open, */
	double since; /* from this time on */
};

/* Says what SQLite said last. */
int study_failed(const struct study *s, struct error *e);

/* The file contradicts itself. */
int study_damaged(const struct study *s, const char *what, struct error *e);

/* Runs statements without results. */
int study_execute(const struct study *s, const char *sql, struct error *e);

/* The first column of the first row as a number, -1 where it is none. */
int study_number(const struct study *s, const char *sql, int64_t *number, struct error *e);

/* Reads and checks the settings that the file has. */
int study_read_settings(struct study *s, struct error *e);

#endif
