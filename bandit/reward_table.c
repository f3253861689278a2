#include "config.h"

#include "bandit/reward_table.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"

enum { MOST_BYTES = 1 << 28 };

static const char BLANK[] = " \t\r";

/* The next field of a line, without blanks around it; *line is then behind its comma, or NULL behind the last. */
static char *next_field(char **line)
{
	char *field = *line + strspn(*line, BLANK), *comma = strchr(*line, ','), *end = comma ? comma : field + strlen(field);
	*line = comma ? comma + 1 : NULL;
	while (end > field && strchr(BLANK, end[-1]))
		end--;
	*end = '\0';
	return field;
}

static int count_fields(const char *line)
{
	int count = 1;
	for (; (line = strchr(line, ',')); line++)
		count++;
	return count;
}

/* Ends every line with a NUL and counts those up to the last that is not blank. */
static size_t cut_lines(char *text)
{
	size_t count = 0, number = 0;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		if (line[strspn(line, BLANK)])
			count = number;
	}
	return count;
}

static char *line_after(char *line)
{
	return line + strlen(line) + 1;
}

static int by_text(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int check_names(const struct reward_table *t, const char *path, struct error *e)
{
	size_t count = (size_t)t->arms;
	for (size_t i = 0; i < count; i++)
		if (!*t->names[i] || strchr(t->names[i], '"'))
			return error_set(e, LSDN_ERROR_INPUT, "%s:1: column %zu: %s: write the arms' names without quotes, with commas between them", path, i + 1,
				*t->names[i] ? "a name with a quote" : "no name");
	char **sorted = malloc(count * sizeof *sorted);
	if (!sorted)
		return error_memory(e, "names of arms");
	memcpy(sorted, t->names, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, by_text);
	int code = LSDN_OK;
	for (size_t i = 1; i < count && !code; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			code = error_set(e, LSDN_ERROR_INPUT, "%s:1: two arms are named \"%.60s\": name them apart", path, sorted[i]);
	free(sorted);
	return code;
}

static int read_names(struct reward_table *t, const char *path, char *line, struct error *e)
{
	int count = count_fields(line);
	if (count < 2 || count > REWARD_TABLE_MOST_ARMS)
		return error_set(e, LSDN_ERROR_INPUT, "%s:1: %d arms: name from 2 to %d, with commas between them", path, count, REWARD_TABLE_MOST_ARMS);
	t->names = calloc((size_t)count, sizeof *t->names);
	if (!t->names)
		return error_memory(e, "names of arms");
	for (; t->arms < count; t->arms++)
		t->names[t->arms] = next_field(&line);
	return check_names(t, path, e);
}

/* Before anything is allocated for them: every row has a field an arm. */
static int check_rows(const struct reward_table *t, const char *path, char *line, size_t rows, struct error *e)
{
	if (!rows || rows > REWARD_TABLE_MOST_ROWS)
		return error_set(e, LSDN_ERROR_INPUT, "%s: %zu rows: write from 1 to %d, a reward of 0 or 1 for each arm in each", path, rows, REWARD_TABLE_MOST_ROWS);
	for (size_t row = 0; row < rows; row++, line = line_after(line)) {
		int count = count_fields(line);
		if (count != t->arms)
			return error_set(e, LSDN_ERROR_INPUT, "%s:%zu: %d fields, and line 1 names %d arms: write a reward of 0 or 1 for each", path, row + 2, count,
				t->arms);
	}
	return LSDN_OK;
}

static int read_rows(struct reward_table *t, const char *path, char *line, size_t rows, struct error *e)
{
	size_t arms = (size_t)t->arms;
	t->rewards = malloc(arms * rows);
	t->means = calloc(arms, sizeof *t->means);
	if (!t->rewards || !t->means)
		return error_memory(e, "rewards");
	for (size_t row = 0; row < rows; row++) {
		char *next = line_after(line);
		for (size_t arm = 0; arm < arms; arm++) {
			const char *field = next_field(&line);
			if ((*field != '0' && *field != '1') || field[1])
				return error_set(e, LSDN_ERROR_INPUT, "%s:%zu: \"%.40s\" for %.60s: write 0 or 1", path, row + 2, field, t->names[arm]);
			t->rewards[arm * rows + row] = *field == '1';
			t->means[arm] += *field == '1';
		}
		line = next;
	}
	for (size_t arm = 0; arm < arms; arm++)
		t->means[arm] /= (double)rows;
	t->rows = (uint32_t)rows;
	return LSDN_OK;
}

int reward_table_read(struct reward_table *t, const char *path, struct error *e)
{
	static const char MARK[] = "\xef\xbb\xbf";
	struct error own;
	e = e ? e : &own;
	*t = (struct reward_table){.text = file_text(path, MOST_BYTES, e)};
	if (!t->text)
		return e->code;
	char *names = t->text + (strncmp(t->text, MARK, strlen(MARK)) == 0 ? strlen(MARK) : 0);
	size_t lines = cut_lines(t->text);
	char *first = line_after(names);
	int code = lines ? read_names(t, path, names, e) : error_set(e, LSDN_ERROR_INPUT, "%s: no line: write the arms' names, then their rewards", path);
	if (!code)
		code = check_rows(t, path, first, lines - 1, e);
	if (!code)
		code = read_rows(t, path, first, lines - 1, e);
	if (code)
		reward_table_free(t);
	return code;
}

void reward_table_free(struct reward_table *t)
{
	free(t->names);
	free(t->rewards);
	free(t->means);
	free(t->text);
	*t = (struct reward_table){0};
}
