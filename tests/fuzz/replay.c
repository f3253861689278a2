/* Gives a target every file of its corpus and every file that once broke it, where there is no libFuzzer. Arguments are files or folders; without
 * any, fuzz_NAME reads corpus/NAME and regressions/NAME under $LSDN_FUZZ. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static int replayed;

static void stop(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	exit(EXIT_FAILURE);
}

/* In an allocation of just its size, so that a read beyond the end is seen. */
static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END) != 0)
		stop(path);
	long size = ftell(file);
	rewind(file);
	uint8_t *data = size < 0 ? NULL : malloc((size_t)size + (size == 0));
	if (!data || fread(data, 1, (size_t)size, file) != (size_t)size)
		stop(path);
	fclose(file);
	/* The name comes first: should the target end the program, it is the last that is seen. */
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	replayed++;
}

static void replay(const char *path)
{
	DIR *folder = opendir(path);
	if (!folder && errno == ENOTDIR)
		replay_file(path);
	else if (!folder && errno != ENOENT) /* most targets have no regressions */
		stop(path);
	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		char name[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		replay_file(name);
	}
	closedir(folder);
}

int main(int argc, char **argv)
{
	const char *root = getenv("LSDN_FUZZ"), *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1 && root && strlen(name) > 5) {
		static const char *const KINDS[] = {"corpus", "regressions"};
		for (int i = 0; i < 2; i++) {
			char folder[4096];
			snprintf(folder, sizeof folder, "%s/%s/%s", root, KINDS[i], name + 5);
			replay(folder);
		}
	}
	printf("%d files\n", replayed);
	return replayed ? EXIT_SUCCESS : EXIT_FAILURE;
}
