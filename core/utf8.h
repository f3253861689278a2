/* Names of files and labels are bytes of any kind; JSON and drawn text must be UTF-8. */
#ifndef LSDN_CORE_UTF8_H
#define LSDN_CORE_UTF8_H

/* Replaces in place every byte of text that is no part of well-formed UTF-8 (RFC 3629) by a question mark. */
void utf8_mend(char *text);

#endif
