/* A study: every reward that was ever computed of one network, durable in one file (SQLite), so that a calibration goes on where it was killed and later
 * ones compute only what is new. calib/README.md documents its tables.
 *
 * One process at a time has a study open. What was recorded is on the disk from the next study_commit on, or, of images that come one after the other,
 * within a quarter of a second; a kill at any moment costs what came after. Every setting and every image carries a sum over what belongs to it, so that a damaged file is refused and
 * no reward is believed that was not computed. Calls are made by one thread at a time. */
#ifndef LSDN_CALIB_STUDY_H
#define LSDN_CALIB_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calib/identity.h"
#include "calib/source.h"

enum { STUDY_UNKNOWN = 255 }; /* a reward that is not in the study */

struct study;

struct study_image {
	uint8_t digest[SOURCE_DIGEST]; /* source_digest of what the rewards were computed on */
	const char *why;               /* it was not usable, for people; NULL: it was */
	uint8_t center, whole;         /* of a usable one: whether the trivial boxes were right */
};

/* Begins a study in a new file, or goes on with one: a file that is there is refused, or one that is not. Refused too is a study of another identity
 * (the message says which field and both values), one that another process has open, and a damaged one. */
int study_open(struct study **study, const char *path, bool resume, const struct identity *identity, struct error *e);

/* Gives back what study_open gave; what was not committed is not recorded. NULL may be closed. */
void study_close(struct study *study);

/* The number of a setting, by its text: from 0 in the order in which the study met them. */
int study_setting(struct study *study, const char *text, int *setting, struct error *e);

/* What is known of an image. rewards has room for `settings` numbers, one a setting: 0, 1 or STUDY_UNKNOWN. *known is false where the image was never met.
 * image->why belongs to the study and lasts until the next call. */
int study_find(struct study *study, const char *name, bool *known, struct study_image *image, uint8_t *rewards, int settings, struct error *e);

/* Records an image, whose digest must be what it was when it was usable before, and rewards[i] (0 or 1) for settings[i], none of which is in the study yet. */
int study_record(struct study *study, const char *name, const struct study_image *image, const int *settings, const uint8_t *rewards, int count,
	struct error *e);

/* Everything that was recorded is on the disk when this returns. */
int study_commit(struct study *study, struct error *e);

/* Calls each with the name and the digest of every usable image, as long as it returns 0. */
typedef int study_each(void *context, const char *name, const uint8_t digest[SOURCE_DIGEST], struct error *e);
int study_images(struct study *study, study_each *each, void *context, struct error *e);

#endif
