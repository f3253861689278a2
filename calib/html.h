/* Parts of a page of HTML that stands alone: text from anywhere, pictures within it, plots in SVG. */
#ifndef LSDN_CALIB_HTML_H
#define LSDN_CALIB_HTML_H

#include <stdbool.h>
#include <stdio.h>

#include "core/error.h"
#include "core/image/photo.h"

/* Writes bytes of any kind as text of a page or of a quoted attribute: what is no UTF-8, or a control character, becomes a question mark. */
void html_text(FILE *f, const char *text);

/* Writes an <img> whose file is within the page: JPEG for photographs, PNG, which is exact, for others. `scaled`: pixels stay squares. alt is text. */
int html_image(FILE *f, const struct photo *pixels, bool jpeg, bool scaled, const char *alt, struct error *e);

#endif
