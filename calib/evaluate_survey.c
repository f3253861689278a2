/* Writes a page that asks people which of two networks' maps they trust. */
#include "config.h"

#include <jansson.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/compare.h"
#include "calib/html.h"
#include "calib/html_page.h"
#include "calib/survey.h"
#include "core/output.h"

enum { USUAL_IMAGES = 58 /* the paper's */, GENERATED_FOR_ONE = 4, PATH_ROOM = 4096, NAME_ROOM = 17 };

static const char ITEMS[] = "<script>\n"; /* before it in the page come the items */

/* A photograph and its two maps as they stand in the page. */
struct item {
	char *html; /* owned */
	size_t size;
};

struct work {
	const struct comparison *comparison;
	struct item *items; /* one a taken image; of those that both networks get right */
};

static int write_panel(FILE *file, const struct photo *photo, const float *map, struct error *e)
{
	struct photo panel;
	int code = picture_panel(photo, map, &panel, e);
	if (code)
		return code;
	code = html_image(file, &panel, true, false, "", e);
	photo_free(&panel);
	return code;
}

static int write_item(struct item *item, const char *name, const struct photo *photo, const struct compared *c, struct error *e)
{
	FILE *file = open_memstream(&item->html, &item->size);
	if (!file)
		return error_memory(e, "a page");
	fputs("<div class=\"item\" hidden data-image=\"", file);
	html_text(file, name);
	fputs("\" data-object=\"", file);
	html_text(file, c->name);
	fputs("\">\n", file);
	int code = write_panel(file, photo, NULL, e);
	for (int i = 0; i < COMPARED && !code; i++)
		code = write_panel(file, photo, c->explained[i].map, e);
	fputs("</div>\n", file);
	return fclose(file) == 0 || code ? code : error_memory(e, "a page");
}

static int take(void *context, struct explainer *x, struct taking *t, struct error *e)
{
	const struct work *w = context;
	struct compared c;
	char buffer[32];
	int code = compared_make(&c, w->comparison->subjects, x, t->photo, t->truth, e);
	t->counts = !code && c.right[0] && c.right[1];
	if (t->counts)
		code = write_item(&w->items[t->i], source_name(t->source, t->index, buffer), t->photo, &c, e);
	compared_free(&c);
	return code;
}

/* What tells this survey from others: networks, choices and everything that is shown. */
static int name_survey(const struct work *w, size_t taken, char name[NAME_ROOM], struct error *e)
{
	struct sha256_ctx context;
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_init(&context);
	for (int i = 0; i < COMPARED; i++) {
		const char *sum = net_sha256(&w->comparison->subjects[i].net);
		char *choices = choices_text(&w->comparison->subjects[i].choices);
		if (!sum || !choices) {
			free(choices);
			return error_memory(e, "a survey's name");
		}
		sha256_update(&context, strlen(sum), (const uint8_t *)sum);
		sha256_update(&context, strlen(choices) + 1, (const uint8_t *)choices);
		free(choices);
	}
	for (size_t i = 0; i < taken; i++)
		if (w->items[i].html)
			sha256_update(&context, w->items[i].size, (const uint8_t *)w->items[i].html);
	sha256_digest(&context, sizeof digest, digest);
	for (int i = 0; i < (NAME_ROOM - 1) / 2; i++)
		snprintf(name + 2 * i, 3, "%02x", digest[i]);
	return LSDN_OK;
}

/* JSON within a script: nothing in it can end that. */
static int write_survey(FILE *file, const struct work *w, const char *name, struct error *e)
{
	json_t *survey = json_pack("{s:s, s:[s, s]}", "survey", name, "networks", w->comparison->subjects[0].name, w->comparison->subjects[1].name);
	char *text = survey ? json_dumps(survey, JSON_COMPACT) : NULL;
	fputs("<script type=\"application/json\" id=\"survey\">", file);
	for (const char *c = text ? text : ""; *c; c++)
		if (*c == '<')
			fputs("\\u003c", file);
		else
			fputc(*c, file);
	fputs("</script>\n", file);
	json_decref(survey);
	free(text);
	return text ? LSDN_OK : error_memory(e, "a page");
}

static int write_page(const struct work *w, size_t taken, const char *path, struct error *e)
{
	const char *page = (const char *)SURVEY_PAGE, *items = strstr(page, ITEMS);
	char name[NAME_ROOM];
	struct output out;
	int code = name_survey(w, taken, name, e);
	if (!code)
		code = output_open(&out, path, e);
	if (code)
		return code;
	html_page_begin(out.file, "Which map can you trust?");
	fwrite(page, 1, (size_t)(items - page), out.file);
	for (size_t i = 0; i < taken; i++)
		if (w->items[i].html)
			fwrite(w->items[i].html, 1, w->items[i].size, out.file);
	code = write_survey(out.file, w, name, e);
	fputs(items, out.file);
	html_page_end(out.file);
	if (!code)
		return output_close(&out, e);
	output_abandon(&out);
	return code;
}


static void print(const struct work *w, const struct taken *t, const char *path)
{
	printf("%s: %zu photographs that both %s and %s get right, of %zu that were tried\n", path, t->count, w->comparison->subjects[0].name,
		w->comparison->subjects[1].name, t->taken);
}

int evaluate_survey(const struct evaluate_options *o, struct error *e)
{
	struct comparison c;
	struct taken t = {0};
	char path[PATH_ROOM];
	size_t wanted = o->images ? o->images : USUAL_IMAGES;
	int code = comparison_open(&c, o, GENERATED_FOR_ONE * wanted, e);
	struct work w = {.comparison = &c};
	if (!code)
		code = subject_folder(o->survey, e);
	if (!code && !(w.items = calloc(c.source.count + 1, sizeof *w.items)))
		code = error_memory(e, "a page");
	if (!code)
		code = subject_take(&c.subjects[0], &t, o, &c.source, wanted, "is one that both networks get right", take, &w, e);
	snprintf(path, sizeof path, "%s/survey.html", o->survey);
	if (!code)
		code = write_page(&w, t.taken, path, e);
	if (!code)
		print(&w, &t, path);
	for (size_t i = 0; i < t.taken; i++)
		free(w.items[i].html);
	free(w.items);
	taken_close(&t);
	comparison_close(&c);
	return code;
}
