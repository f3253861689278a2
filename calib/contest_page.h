/* The table of methods as one page of HTML that stands alone. Part of lsdn-evaluate. */
#ifndef LSDN_CALIB_CONTEST_PAGE_H
#define LSDN_CALIB_CONTEST_PAGE_H

#include <stdio.h>

#include "calib/gallery.h"
#include "calib/seen.h"

/* thresholds: of contest_maxima, one an entrant. */
int contest_page(FILE *f, const struct contest *c, int (*thresholds)[4], const struct gallery *g, const struct seen *seen, struct error *e);

#endif
