#include "config.h"

#include "core/preset.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/weights_file.h"

char *preset_folder(void)
{
	const char *named = getenv("LSDN_PRESETS");
	char program[PATH_MAX + sizeof "/weights"];
	ssize_t length = readlink("/proc/self/exe", program, PATH_MAX);
	struct stat status;
	if (named)
		return strdup(named);
	while (length > 0 && program[length - 1] != '/')
		length--;
	if (length > 0) {
		snprintf(program + length, sizeof program - (size_t)length, "weights");
		if (stat(program, &status) == 0 && S_ISDIR(status.st_mode))
			return strdup(program);
	}
	return strdup(PRESETS);
}

static int is_preset(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && strcmp(dot, ".cfg") == 0;
}

static char *join(const char *folder, const char *name)
{
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%s/%s", folder, name);
	return path;
}

int preset_find(const char *folder, const struct net *net, char **path, struct error *e)
{
	struct dirent **entries = NULL;
	int failed = LSDN_OK, count = *folder ? scandir(folder, &entries, is_preset, alphasort) : 0;
	*path = NULL;
	if (count < 0 && errno != ENOENT && errno != ENOTDIR)
		return error_set(e, LSDN_ERROR_IO, "%s: cannot be read: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		char *name = *path ? NULL : join(folder, entries[i]->d_name);
		struct error why;
		bool same = false;
		int code = *path ? LSDN_OK : name ? weights_file_is_of(name, net, &same, &why) : error_memory(&why, "a preset");
		if (code && !failed)
			failed = error_set(e, (enum lsdn_error)code, "%s", why.message);
		if (same)
			*path = name;
		else
			free(name);
		free(entries[i]);
	}
	free(entries);
	return *path ? LSDN_OK : failed;
}
