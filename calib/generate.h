/* Images made up for calibrating, testing and training without any photograph: one textured object of one of GENERATE_CLASSES kinds, of varying
 * place and size, on a cluttered background, with its box. Image i of a seed is always the same, whatever was made before. */
#ifndef LSDN_CALIB_GENERATE_H
#define LSDN_CALIB_GENERATE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "calib/annotation.h"
#include "core/error.h"
#include "core/image/photo.h"

enum { GENERATE_CLASSES = 12, GENERATE_SIDE = 96 };

/* Names as in a labels file: id "g00000000".. and a word, such as "striped disc". */
extern const char *const GENERATE_LABELS[GENERATE_CLASSES][2];

/* Image `index` of `seed`: GENERATE_SIDE pixels square (photo is then owned by the caller), with one annotated box. */
int generate_image(uint64_t seed, uint32_t index, struct photo *photo, struct annotation *truth, struct error *e);

/* Writes images 0..count-1 as DIR/images/NAME.png (or .JPEG) and DIR/annotations/NAME.xml (ILSVRC's form), making the folders.
 * Ends with LSDN_ERROR_INTERRUPTED between two files once *stop is set; stop may be NULL. */
int generate_write(uint64_t seed, uint32_t count, bool jpeg, const char *directory,
	const volatile sig_atomic_t *stop, struct error *e);

#endif
