/* An output file appears whole or not at all. */
#include "config.h"

#include "core/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file that a name stands for: a link is followed, so that what it points to is replaced and not the link. */
static char *final_name(const char *path)
{
	char *real = realpath(path, NULL);
	return real || errno == ENOMEM ? real : strdup(path);
}

/* "folder/" of path, or "" where path has none, with `name` after it. */
static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
	char *joined = malloc(folder + strlen(name) + 1);
	if (joined) {
		memcpy(joined, path, folder);
		strcpy(joined + folder, name);
	}
	return joined;
}

static int sync_folder(const char *path, struct error *e)
{
	char *folder = beside(path, ".");
	if (!folder)
		return error_memory(e, "a folder's name");
	/* A folder may be writable and not readable, and some file systems sync no folder: neither is a failure to write. */
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failure = fd >= 0 && fsync(fd) != 0 && errno == EIO ? errno : 0;
	if (fd >= 0)
		close(fd);
	free(folder);
	if (failure)
		return error_set(e, LSDN_ERROR_IO, "%s: the folder cannot be flushed to the disk: %s: check the disk", path, strerror(failure));
	return LSDN_OK;
}

/* A new file of its own name in path's folder, or the name alone for an open file that has none (-1: there is none). mkstemp's would be readable by
 * their owner alone, and the umask that gives the usual permissions can only be read by setting it, which no thread may do: here the kernel applies it. */
static int make_name(const char *path, int nameless, char **temporary)
{
	char name[64], open_file[40];
	snprintf(open_file, sizeof open_file, "/proc/self/fd/%d", nameless);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, ".lsdn-%ld-%d", (long)getpid(), i);
		*temporary = beside(path, name);
		if (!*temporary)
			return -1;
		int made = nameless >= 0 ? linkat(AT_FDCWD, open_file, AT_FDCWD, *temporary, AT_SYMLINK_FOLLOW)
			: open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (made >= 0)
			return made;
		free(*temporary);
		*temporary = NULL;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* Where the system has them, a file without a name, of which nothing stays should the program be killed; it gets its name when it is whole. */
static int open_new(const char *path, char **temporary)
{
#ifdef O_TMPFILE
	char *folder = beside(path, ".");
	int fd = folder && access("/proc/self/fd", X_OK) == 0 ? open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
	free(folder);
	if (fd >= 0)
		return fd;
#endif
	return make_name(path, -1, temporary);
}

/* Why writing failed: by now the number is gone, but what was full is full still. */
static int failure_of(FILE *file)
{
	clearerr(file);
	errno = 0;
	return (fputc('\n', file) == EOF || fflush(file) != 0) && errno ? errno : EIO;
}

int output_open(struct output *out, const char *path, struct error *e)
{
	*out = (struct output){0};
	struct stat status;
	if (!*path || path[strlen(path) - 1] == '/')
		return error_set(e, LSDN_ERROR_INPUT, "\"%s\": not the name of a file: name one to write", path);
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(e, LSDN_ERROR_IO, "%s: not a regular file, so it is not replaced: name another", path);
	out->path = final_name(path);
	if (!out->path)
		return error_memory(e, "a file's name");
	int fd = open_new(out->path, &out->temporary);
	if (fd >= 0)
		out->file = fdopen(fd, "w");
	if (!out->file) {
		int failure = errno;
		if (fd >= 0)
			close(fd);
		output_abandon(out);
		return error_set(e, LSDN_ERROR_IO, "%s: cannot be written: %s: check the folder and its permissions", path, strerror(failure));
	}
	return LSDN_OK;
}

int output_close(struct output *out, struct error *e)
{
	int failure = 0;
	if (ferror(out->file))
		failure = failure_of(out->file);
	else if (fflush(out->file) != 0 || fsync(fileno(out->file)) != 0 || (!out->temporary && make_name(out->path, fileno(out->file), &out->temporary) < 0))
		failure = errno;
	if (fclose(out->file) != 0 && !failure)
		failure = errno;
	out->file = NULL;
	if (!failure && rename(out->temporary, out->path) != 0)
		failure = errno;
	if (failure) {
		error_set(e, LSDN_ERROR_IO, "%s: cannot be written: %s: check the disk's space and the folder", out->path, strerror(failure));
		output_abandon(out);
		return LSDN_ERROR_IO;
	}
	free(out->temporary);
	out->temporary = NULL;
	int result = sync_folder(out->path, e);
	output_abandon(out);
	return result;
}

void output_abandon(struct output *out)
{
	if (out->file)
		fclose(out->file);
	if (out->temporary)
		unlink(out->temporary);
	free(out->temporary);
	free(out->path);
	*out = (struct output){0};
}
