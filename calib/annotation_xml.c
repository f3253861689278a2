/* ILSVRC's XML, read with libxml2's SAX2 interface: nothing but the text of a few elements is kept, and a DOCTYPE, without which no entity can
 * be declared, stops the parser before it is read. */
#include "config.h"

#include "calib/annotation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "calib/annotation_build.h"
#include "core/file.h"

enum { MAX_BYTES = 1 << 20 };

enum field { XMIN, YMIN, XMAX, YMAX, NAME, WIDTH, HEIGHT, FIELDS };

static const char *const PATHS[FIELDS] = {
	[XMIN] = "/annotation/object/bndbox/xmin", [YMIN] = "/annotation/object/bndbox/ymin",
	[XMAX] = "/annotation/object/bndbox/xmax", [YMAX] = "/annotation/object/bndbox/ymax",
	[NAME] = "/annotation/object/name",
	[WIDTH] = "/annotation/size/width", [HEIGHT] = "/annotation/size/height",
};

struct reading {
	xmlParserCtxt *parser;
	struct annotation *a;
	struct error *e;
	const char *file;
	int failed;
	char path[64]; /* of the element that is open */
	int lost;      /* open elements that are not in path: it had no room for the first of them */
	char text[64]; /* of that element, cut */
	size_t length; /* of the text, uncut */
	struct annotated_box object;
	unsigned seen; /* fields of this object, one bit each */
};

static void stop(struct reading *r, int failed)
{
	r->failed = failed;
	xmlStopParser(r->parser);
}

static int line(const struct reading *r)
{
	return r->parser->input ? r->parser->input->line : 0;
}

static void refuse_doctype(void *user, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct reading *r = user;
	(void)name, (void)external, (void)system;
	stop(r, error_set(r->e, LSDN_ERROR_INPUT, "%s:%d: a DOCTYPE: remove it, annotations need none", r->file, line(r)));
}

static void open_element(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
	const xmlChar **namespace, int attributes, int defaulted, const xmlChar **attribute)
{
	struct reading *r = user;
	(void)prefix, (void)uri, (void)namespaces, (void)namespace, (void)attributes, (void)defaulted, (void)attribute;
	size_t used = strlen(r->path), more = strlen((const char *)name) + 1;
	if (r->lost || used + more >= sizeof r->path) {
		r->lost++;
		return;
	}
	snprintf(r->path + used, sizeof r->path - used, "/%s", (const char *)name);
	r->length = 0;
	if (strcmp(r->path, "/annotation/object") == 0)
		r->seen = 0;
}

static void add_text(void *user, const xmlChar *text, int length)
{
	struct reading *r = user;
	for (int i = 0; i < length; i++, r->length++)
		if (r->length < sizeof r->text)
			r->text[r->length] = (char)text[i];
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The text without blanks around it; what was cut is too long for every field. */
static const char *trimmed(const struct reading *r, size_t *length)
{
	size_t start = 0, end = r->length < sizeof r->text ? r->length : sizeof r->text;
	while (end > start && blank(r->text[end - 1]))
		end--;
	while (start < end && blank(r->text[start]))
		start++;
	*length = r->length <= sizeof r->text ? end - start : sizeof r->text;
	return r->text + (r->length <= sizeof r->text ? start : 0);
}

static void take_field(struct reading *r, enum field field)
{
	size_t length;
	const char *text = trimmed(r, &length);
	struct boxf *box = &r->object.box;
	double number = 0;
	bool good;
	switch (field) {
	case NAME:
		good = annotation_wnid(text, length, r->object.wnid);
		break;
	case WIDTH:
	case HEIGHT:
		good = annotation_number(text, length, &number) && number >= 1 && number == floor(number);
		*(field == WIDTH ? &r->a->width : &r->a->height) = good ? (int)number : 0;
		break;
	default:
		good = annotation_number(text, length, (double *[]){&box->xmin, &box->ymin, &box->xmax, &box->ymax}[field]);
	}
	r->seen |= 1u << field;
	if (!good)
		stop(r, error_set(r->e, LSDN_ERROR_INPUT, "%s:%d: <%s> is \"%.*s\": write %s", r->file, line(r), strrchr(PATHS[field], '/') + 1,
			(int)length, text, field == NAME ? "an id of up to 15 characters" :
			field >= WIDTH ? "a whole number from 1 to 1000000" : "a number up to 1000000"));
}

static void take_object(struct reading *r)
{
	char place[600];
	if (~r->seen & (1u << XMIN | 1u << YMIN | 1u << XMAX | 1u << YMAX | 1u << NAME)) {
		stop(r, error_set(r->e, LSDN_ERROR_INPUT, "%s:%d: an <object> without <name> or a whole <bndbox>: complete or remove it",
			r->file, line(r)));
		return;
	}
	snprintf(place, sizeof place, "%.500s:%d", r->file, line(r));
	int failed = annotation_add(r->a, &r->object, place, r->e);
	if (failed)
		stop(r, failed);
}

static void close_element(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reading *r = user;
	(void)name, (void)prefix, (void)uri;
	if (r->lost) {
		r->lost--;
		return;
	}
	for (int field = 0; field < FIELDS; field++)
		if (strcmp(r->path, PATHS[field]) == 0)
			take_field(r, (enum field)field);
	if (!r->failed && strcmp(r->path, "/annotation/object") == 0)
		take_object(r);
	*strrchr(r->path, '/') = '\0';
	r->length = 0;
}

/* ILSVRC has boxes that end one pixel outside their image. A little is cut off; a box that lies elsewhere is of another image. */
static bool clip(double *low, double *high, int size)
{
	double slack = 1 + size / 20.0;
	if (*low < -slack || *high > size - 1 + slack || *low > size - 1 || *high < 0)
		return false;
	*low = *low < 0 ? 0 : *low;
	*high = *high > size - 1 ? size - 1 : *high;
	return true;
}

static int finish(struct annotation *a, const char *file, struct error *e)
{
	if (!a->count)
		return error_set(e, LSDN_ERROR_INPUT, "%s: no <object> with a <bndbox>: leave this image out, or annotate it", file);
	if (!a->width || !a->height)
		return error_set(e, LSDN_ERROR_INPUT, "%s: no <size>: give <width> and <height> of the photograph", file);
	for (size_t i = 0; i < a->count; i++) {
		struct boxf *box = &a->boxes[i].box, given = *box;
		if (!clip(&box->xmin, &box->xmax, a->width) || !clip(&box->ymin, &box->ymax, a->height))
			return error_set(e, LSDN_ERROR_INPUT, "%s: box %zu (%g %g %g %g) lies outside the %d x %d of <size>: correct either", file, i + 1,
				given.xmin, given.ymin, given.xmax, given.ymax, a->width, a->height);
	}
	return LSDN_OK;
}

static int broken(const xmlError *error, const char *file, struct error *e)
{
	const char *message = error && error->message ? error->message : "not well formed";
	return error_set(e, LSDN_ERROR_INPUT, "%s:%d: not XML: %.*s: get the file again", file, error ? error->line : 0,
		(int)strcspn(message, "\n"), message);
}

static int parse(struct annotation *a, const char *text, const char *file, struct error *e)
{
	xmlSAXHandler handler = {
		.initialized = XML_SAX2_MAGIC,
		.internalSubset = refuse_doctype,
		.startElementNs = open_element,
		.endElementNs = close_element,
		.characters = add_text,
		.cdataBlock = add_text,
	};
	struct reading r = {.a = a, .e = e, .file = file};
	r.parser = xmlCreatePushParserCtxt(&handler, &r, NULL, 0, NULL);
	if (!r.parser)
		return error_memory(e, "an XML parser");
	xmlCtxtUseOptions(r.parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlParseChunk(r.parser, text, (int)strlen(text), 1);
	int failed = r.failed;
	if (!failed && !r.parser->wellFormed)
		failed = broken(xmlCtxtGetLastError(r.parser), file, e);
	xmlFreeParserCtxt(r.parser);
	return failed ? failed : finish(a, file, e);
}

int annotation_read_xml(struct annotation *a, const char *path, struct error *e)
{
	struct error own;
	*a = (struct annotation){0};
	e = e ? e : &own;
	char *text = file_text(path, MAX_BYTES, e);
	if (!text)
		return e->code;
	int failed = parse(a, text, path, e);
	free(text);
	if (failed)
		annotation_free(a);
	return failed;
}
