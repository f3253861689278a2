/* Opens a study: the file, its lock, its tables, and whether it is one of this network and these images at all. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calib/study_inside.h"

enum { APPLICATION = 0x6c73646e /* "lsdn" */, FORMAT = 1 };

static const struct {
	const char *name, *sql;
} TABLES[] = {
	{"images", "CREATE TABLE images (image INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sha256 BLOB NOT NULL, why TEXT, center INTEGER, "
		"whole INTEGER, sum INTEGER NOT NULL) STRICT"},
	{"rewards", "CREATE TABLE rewards (image INTEGER, setting INTEGER, reward INTEGER NOT NULL, PRIMARY KEY (image, setting)) STRICT, WITHOUT ROWID"},
	{"settings", "CREATE TABLE settings (setting INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, sum INTEGER NOT NULL) STRICT"},
	{"study", "CREATE TABLE study (field TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"},
};
enum { TABLE_COUNT = sizeof TABLES / sizeof *TABLES };

int study_damaged(const struct study *s, const char *what, struct error *e)
{
	return error_set(e, LSDN_ERROR_INPUT, "%.300s: is damaged (%.100s): put a copy of it back, or begin another study with --study", s->path, what);
}

int study_failed(const struct study *s, struct error *e)
{
	int number = errno, own = sqlite3_system_errno(s->db); /* SQLite does not keep the number of every call that fails */
	number = own ? own : number;
	switch (sqlite3_errcode(s->db)) {
	case SQLITE_NOMEM:
		return error_memory(e, "a study");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(e, LSDN_ERROR_IO, "%.300s: another process has it open: wait until that ends, or name another file", s->path);
	case SQLITE_NOTADB:
		return error_set(e, LSDN_ERROR_INPUT, "%.300s: is no study, or damaged in its first page: name another file", s->path);
	case SQLITE_CORRUPT:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_SCHEMA:
		return study_damaged(s, sqlite3_errmsg(s->db), e);
	case SQLITE_FULL:
		number = ENOSPC;
		break;
	default:
		break;
	}
	return error_set(e, LSDN_ERROR_IO, "%.250s: %.80s%s%.60s: check the disk's space and the permissions of the file and its folder; what it has is kept",
		s->path, sqlite3_errmsg(s->db), number ? ": " : "", number ? strerror(number) : "");
}

int study_execute(const struct study *s, const char *sql, struct error *e)
{
	errno = 0;
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? LSDN_OK : study_failed(s, e);
}

int study_number(const struct study *s, const char *sql, int64_t *number, struct error *e)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return study_failed(s, e);
	int code = sqlite3_step(statement) == SQLITE_ROW ? LSDN_OK : study_failed(s, e);
	*number = !code && sqlite3_column_type(statement, 0) == SQLITE_INTEGER ? sqlite3_column_int64(statement, 0) : -1;
	sqlite3_finalize(statement);
	return code;
}

/* Gives *text to the caller: the first column of the row in which the only parameter is `key`, or NULL. */
static int find_text(const struct study *s, const char *sql, const char *key, char **text, struct error *e)
{
	sqlite3_stmt *statement;
	int code = LSDN_OK;
	*text = NULL;
	if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return study_failed(s, e);
	if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
		code = study_failed(s, e);
	int step = code ? SQLITE_DONE : sqlite3_step(statement);
	if (step == SQLITE_ROW && sqlite3_column_type(statement, 0) == SQLITE_TEXT) {
		*text = strdup((const char *)sqlite3_column_text(statement, 0));
		code = *text ? LSDN_OK : error_memory(e, "a study");
	} else if (step != SQLITE_ROW && step != SQLITE_DONE) {
		code = study_failed(s, e);
	}
	sqlite3_finalize(statement);
	return code;
}

/* The file must be there, or must not and then is made; `path` becomes its full name, for some short ones mean something to SQLite. */
static int find_file(struct study *s, const char *path, bool resume, struct error *e)
{
	struct stat status;
	int file = open(path, resume ? O_RDONLY | O_NONBLOCK | O_CLOEXEC : O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666), number = errno;
	bool regular = file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode);
	if (file >= 0)
		close(file);
	if (file < 0 && !resume && number == EEXIST)
		return error_set(e, LSDN_ERROR_INPUT, "%.300s: is there already: go on with it with --resume, or name a new file", path);
	if (file < 0 && resume && number == ENOENT)
		return error_set(e, LSDN_ERROR_INPUT, "%.300s: there is no such study: begin it with --study", path);
	if (file < 0)
		return error_set(e, LSDN_ERROR_IO, "%.300s: %s: check the folder and its permissions", path, strerror(number));
	if (!regular)
		return error_set(e, LSDN_ERROR_INPUT, "%.300s: is not a regular file: name another", path);
	s->path = realpath(path, NULL);
	return s->path ? LSDN_OK : error_set(e, LSDN_ERROR_IO, "%.300s: %s", path, strerror(errno));
}

static int begin(struct study *s, const struct identity *identity, struct error *e)
{
	char pragmas[100];
	sqlite3_stmt *statement;
	int code = LSDN_OK;
	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION, FORMAT);
	for (int i = 0; i < TABLE_COUNT && !code; i++)
		code = study_execute(s, TABLES[i].sql, e);
	if (!code)
		code = study_execute(s, pragmas, e);
	if (!code && sqlite3_prepare_v2(s->db, "INSERT INTO study VALUES (?, ?)", -1, &statement, NULL) != SQLITE_OK)
		code = study_failed(s, e);
	if (code)
		return code;
	for (int i = 0; i < IDENTITY_FIELDS && !code; i++) {
		if (sqlite3_bind_text(statement, 1, identity->fields[i].name, -1, SQLITE_STATIC) != SQLITE_OK
			|| sqlite3_bind_text(statement, 2, identity->fields[i].value, -1, SQLITE_STATIC) != SQLITE_OK || sqlite3_step(statement) != SQLITE_DONE)
			code = study_failed(s, e);
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	return code;
}

/* Whether the file has the tables as they are made here, and nothing that acts when they are used. */
static int check_tables(const struct study *s, struct error *e)
{
	int64_t number;
	int code = study_number(s, "PRAGMA application_id", &number, e);
	if (!code && number != APPLICATION)
		return error_set(e, LSDN_ERROR_INPUT, "%.300s: is a database, but no study of lsdn-calibrate: name another file", s->path);
	if (!code)
		code = study_number(s, "PRAGMA user_version", &number, e);
	if (!code && number != FORMAT)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%.300s: its format is %lld, %d is read here: go on with the version that wrote it, or begin another "
			"study with --study", s->path, (long long)number, FORMAT);
	if (!code)
		code = study_number(s, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'", &number, e);
	if (!code && number)
		return study_damaged(s, "it has triggers", e);
	for (int i = 0; i < TABLE_COUNT && !code; i++) {
		char *sql;
		code = find_text(s, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", TABLES[i].name, &sql, e);
		if (!code && (!sql || strcmp(sql, TABLES[i].sql) != 0))
			code = study_damaged(s, TABLES[i].name, e);
		free(sql);
	}
	return code;
}

static int check_identity(const struct study *s, const struct identity *identity, struct error *e)
{
	int code = LSDN_OK;
	for (int i = 0; i < IDENTITY_FIELDS && !code; i++) {
		const struct identity_field *field = &identity->fields[i];
		char *value;
		code = find_text(s, "SELECT value FROM study WHERE field = ?", field->name, &value, e);
		if (!code && !value)
			code = study_damaged(s, field->name, e);
		else if (!code && field->must && strcmp(value, field->value) != 0)
			code = error_set(e, LSDN_ERROR_INPUT, "%.120s: its %s is \"%.130s\", but here \"%.130s\": name the study's own, or begin another one with --study",
				s->path, field->name, value, field->value);
		free(value);
	}
	return code;
}

static int check_pages(const struct study *s, struct error *e)
{
	char *answer;
	int code = find_text(s, "SELECT quick_check FROM pragma_quick_check(1) WHERE ?1 = ?1", "", &answer, e);
	if (!code && (!answer || strcmp(answer, "ok") != 0))
		code = study_damaged(s, answer ? answer : "no answer", e);
	free(answer);
	return code;
}

/* The lock is the process's until it closes the file or ends. A file without any table is a study that was killed before it had them. */
static int open_database(struct study *s, const struct identity *identity, struct error *e)
{
	int64_t entries = 0;
	if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) != SQLITE_OK)
		return s->db ? study_failed(s, e) : error_memory(e, "a study");
	if (sqlite3_db_readonly(s->db, "main") == 1)
		return error_set(e, LSDN_ERROR_IO, "%.300s: cannot be written: make it writable, or copy it", s->path);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* a file that is refused stays as it is */
	int code = study_execute(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; BEGIN EXCLUSIVE", e);
	if (!code)
		code = study_number(s, "SELECT count(*) FROM sqlite_schema", &entries, e);
	if (!code)
		code = entries ? check_tables(s, e) : begin(s, identity, e);
	if (!code)
		code = check_identity(s, identity, e);
	if (!code && entries)
		code = check_pages(s, e);
	return code ? code : study_execute(s, "COMMIT", e);
}

static int prepare(struct study *s, struct error *e)
{
	static const char *const SQL[STATEMENTS] = {
		[FIND_IMAGE] = "SELECT image, sha256, why, center, whole, sum FROM images WHERE name = ?",
		[ADD_IMAGE] = "INSERT INTO images (sha256, why, center, whole, sum, name) VALUES (?, ?, ?, ?, ?, ?)",
		[CHANGE_IMAGE] = "UPDATE images SET sha256 = ?, why = ?, center = ?, whole = ?, sum = ? WHERE image = ?",
		[FIND_REWARDS] = "SELECT setting, reward FROM rewards WHERE image = ?",
		[ADD_REWARD] = "INSERT INTO rewards VALUES (?, ?, ?)",
		[ADD_SETTING] = "INSERT INTO settings VALUES (?, ?, ?)",
	};
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(s->db, SQL[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) != SQLITE_OK)
			return study_failed(s, e);
	return LSDN_OK;
}

int study_open(struct study **study, const char *path, bool resume, const struct identity *identity, struct error *e)
{
	struct study *s = calloc(1, sizeof *s);
	*study = NULL;
	if (!s)
		return error_memory(e, "a study");
	int code = find_file(s, path, resume, e);
	if (!code)
		code = open_database(s, identity, e);
	if (!code)
		code = prepare(s, e);
	if (!code)
		code = study_read_settings(s, e);
	if (!code)
		code = study_execute(s, "PRAGMA journal_mode = WAL", e); /* one flush a transaction */
	if (!code)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	s->taken = !code;
	if (code)
		study_close(s);
	else
		*study = s;
	return code;
}

/* Where nothing keeps it from being one, the file is then whole by itself. */
void study_close(struct study *s)
{
	if (!s)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	if (s->begun)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	if (s->taken)
		sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	sqlite3_close(s->db);
	for (int i = 0; i < s->setting_count; i++)
		free(s->settings[i].text);
	free(s->settings);
	free(s->path);
	free(s);
}
