/* What every fuzz target shares. A target hands arbitrary bytes to one reader and aborts where the reader lies; crashes, leaks and undefined
 * behaviour are the sanitizers' to find. */
#ifndef LSDN_TESTS_FUZZ_FUZZ_H
#define LSDN_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* The target: libFuzzer calls it with what it makes up, tests/fuzz/replay.c with each kept file. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the reader says is not so: prints it and aborts. */
#define FUZZ_TRUE(condition) ((condition) ? (void)0 : fuzz_lie(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_lie(const char *what, const char *file, int line);

/* A reader's answer: 0, or the code of an error with one printable line. Returns code. */
int fuzz_answer(int code, const struct error *e);

/* Reads all of it, so that the sanitizers see what of it is not there. */
void fuzz_read(const void *data, size_t size);

/* The path of a file that holds these bytes, for readers that take names; good until the next call of the same slot (0 to 3). */
const char *fuzz_file(int slot, const uint8_t *data, size_t size);

/* A copy as text: ends in a NUL and is as long as the bytes (or up to their first zero), so that a read past it is seen. The caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Cuts the next part, which ends before the first form feed or where the bytes do. */
struct fuzz_part {
	const uint8_t *data;
	size_t size;
};
struct fuzz_part fuzz_cut(const uint8_t **data, size_t *size);

#endif
