#include "config.h"

#include "calib/html_page.h"

#include "calib/html.h"

void html_page_begin(FILE *file, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", file);
	html_text(file, title);
	fputs("</title>\n<style>\n"
		"body { font: 16px/1.45 sans-serif; max-width: 76em; margin: 1em auto; padding: 0 1em; color: #111; background: #fff; }\n"
		"img { max-width: 100%; height: auto; }\n"
		"table { border-collapse: collapse; } td, th { padding: 0.2em 0.8em; text-align: left; border-bottom: 1px solid #ccc; }\n"
		"figure { margin: 0; } figcaption { color: #333; }\n"
		".beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(15em, 1fr)); gap: 1em; }\n"
		"button { font: inherit; padding: 0.4em 1.2em; } fieldset { border: 1px solid #999; margin: 1em 0; } label { display: inline-block; padding: 0.2em 0.6em; }\n"
		"input[type=radio] { width: 1.2em; height: 1.2em; vertical-align: middle; }\n"
		":focus-visible { outline: 3px solid #05c; outline-offset: 2px; } progress { width: 100%; } .missing { color: #a00; }\n"
		"</style>\n</head>\n<body>\n", file);
}

void html_page_end(FILE *file)
{
	fputs("</body>\n</html>\n", file);
}
