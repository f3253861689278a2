#include "config.h"

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_regular(const char *path, size_t *size, struct error *e)
{
	struct stat status;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* or a pipe would be waited for */
	if (file < 0 || fstat(file, &status) < 0) {
		int number = errno;
		error_set(e, LSDN_ERROR_IO, "%s: cannot be read: %s", path, strerror(number));
		if (file >= 0)
			close(file);
		errno = number;
		return -1;
	}
	if (!S_ISREG(status.st_mode) || status.st_size == 0) {
		error_set(e, LSDN_ERROR_INPUT, "%s: %s: name another file", path, S_ISREG(status.st_mode) ? "is empty" : "is not a regular file");
		close(file);
		errno = EINVAL;
		return -1;
	}
	*size = (size_t)status.st_size;
	return file;
}

int file_map(const char *path, const uint8_t **data, size_t *size, struct error *e)
{
	int file = open_regular(path, size, e);
	if (file < 0)
		return e ? (int)e->code : LSDN_ERROR_IO;
	void *map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, file, 0);
	int number = errno;
	close(file);
	if (map == MAP_FAILED)
		return error_set(e, LSDN_ERROR_IO, "%s: cannot be mapped: %s", path, strerror(number));
	*data = map;
	return LSDN_OK;
}

void file_unmap(const uint8_t *data, size_t size)
{
	if (data)
		munmap((void *)(uintptr_t)data, size);
}

void file_release(const uint8_t *data, size_t size)
{
#if defined(MADV_DONTNEED)
	size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (page - (uintptr_t)data % page) % page;
	if (size > before)
		madvise((void *)(uintptr_t)(data + before), (size - before) / page * page, MADV_DONTNEED);
#else
	(void)data;
	(void)size;
#endif
}

char *file_text(const char *path, size_t most, struct error *e)
{
	size_t size = 0, got = 0;
	int file = open_regular(path, &size, e);
	if (file < 0)
		return NULL;
	char *text = size <= most ? malloc(size + 1) : NULL;
	ssize_t part = 0;
	while (text && got < size && (part = read(file, text + got, size - got)) > 0)
		got += (size_t)part;
	int number = part < 0 ? errno : 0;
	close(file);
	bool zero = text && memchr(text, 0, got);
	if (text && !number && !zero) {
		text[got] = 0;
		return text;
	}
	free(text);
	if (zero)
		error_set(e, LSDN_ERROR_INPUT, "%s: holds a zero byte, so it is no text or damaged: copy it again", path);
	else if (number)
		error_set(e, LSDN_ERROR_IO, "%s: cannot be read: %s", path, strerror(number));
	else if (size > most)
		error_set(e, LSDN_ERROR_INPUT, "%s: has %zu bytes, more than the %zu such a file can have", path, size, most);
	else
		error_memory(e, path);
	errno = number ? number : EINVAL;
	return NULL;
}
