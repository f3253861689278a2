#include "config.h"

#include "calib/compare.h"

#include <string.h>

#include "calib/command.h"

static bool has_class(const struct net *net, const char *wnid, int *class_index)
{
	char buffer[32];
	for (*class_index = 0; *class_index < net->label_count; ++*class_index)
		if (strcmp(net_wnid(net, *class_index, buffer), wnid) == 0)
			return true;
	return false;
}

static bool is_right(const struct net *net, int class_index, const struct annotation *truth)
{
	char buffer[32];
	for (size_t i = 0; i < truth->count; i++)
		if (strcmp(net_wnid(net, class_index, buffer), truth->boxes[i].wnid) == 0)
			return true;
	return false;
}

int compared_make(struct compared *c, const struct subject subjects[COMPARED], struct explainer *x, const struct photo *photo, const struct annotation *truth,
	struct error *e)
{
	int known[COMPARED], code = LSDN_OK;
	*c = (struct compared){.wnid = truth->boxes[0].wnid};
	for (int i = 0; i < COMPARED; i++)
		if (!has_class(&subjects[i].net, c->wnid, &known[i]))
			return error_set(e, LSDN_ERROR_INPUT, "its class %s is none of the labels of %s: nothing says whether that is right", c->wnid, subjects[i].name);
	c->name = net_class_name(&subjects[0].net, known[0], c->buffer);
	for (int i = 0; i < COMPARED && !code; i++) {
		struct explainer *own = x;
		if (i)
			code = subject_beside(&subjects[i], &subjects[0], x, &own, e);
		if (!code)
			code = explainer_feed(own, photo, subjects[i].choices.view, e);
		if (!code)
			code = explained_make(&c->explained[i], own, &subjects[i].choices, -1, e);
		c->right[i] = !code && is_right(&subjects[i].net, c->explained[i].class_index, truth);
	}
	return code;
}

void compared_free(struct compared *c)
{
	for (int i = 0; i < COMPARED; i++)
		explained_free(&c->explained[i]);
}

int comparison_open(struct comparison *c, const struct evaluate_options *o, size_t generated, struct error *e)
{
	const char *weights[COMPARED] = {o->weights, o->second_weights};
	int code = LSDN_OK;
	*c = (struct comparison){0};
	for (int i = 0; i < COMPARED && !code; i++)
		code = subject_open(&c->subjects[i], o->files[i], weights[i], o, e);
	for (int i = 0; i < COMPARED && !code; i++)
		if (!c->subjects[i].net.label_count)
			code = error_set(e, LSDN_ERROR_INPUT, "%s: has no labels, so that nothing says when it is right: name them in its .cfg", o->files[i]);
	return code ? code : command_open_source(&c->source, &c->dataset, "lsdn-evaluate", o->data, generated, e);
}

void comparison_close(struct comparison *c)
{
	for (int i = 0; i < COMPARED; i++)
		subject_close(&c->subjects[i]);
	dataset_close(&c->dataset);
}
