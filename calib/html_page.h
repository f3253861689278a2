/* The frame of a page that is one file: no picture, style or script from elsewhere. */
#ifndef LSDN_CALIB_HTML_PAGE_H
#define LSDN_CALIB_HTML_PAGE_H

#include <stdio.h>

/* Up to <body> and past it; title is any text. Failed writes are seen when the file is closed. */
void html_page_begin(FILE *file, const char *title);
void html_page_end(FILE *file);

#endif
