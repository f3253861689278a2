/* A network: loaded once, read only, and run through sessions.
 *
 *     net_open(&net, "googlenet.onnx", &e);
 *     struct session *s = session_open(&net.plan, packed, 1, 2, &e);
 *     view_make(&photo, &net.input, VIEW_FULL, session_tensor(s, net.plan.inputs[0], 0), &geometry, &e);
 *     session_run(s, &e);
 *     const float *scores = session_tensor(s, net.plan.scores, 0); */
#ifndef LSDN_CORE_NET_NET_H
#define LSDN_CORE_NET_NET_H

#include <stdint.h>

#include "core/error.h"
#include "core/image/view.h"
#include "core/net/plan.h"

struct net {
	struct onnx graph;
	struct plan plan;
	struct preprocessing input; /* from NAME.cfg beside NAME.onnx, else ImageNet's usual */
	bool input_assumed;         /* there was no NAME.cfg */
	char *name;                 /* file name without folder and .onnx */
	char *sha256;               /* net_sha256 has it */
	const uint8_t *data;        /* the model file's bytes, of which nothing but net_sha256 reads once the network is open */
	size_t size;
	char **labels;              /* "WordNet id<tab>names" of every class; NULL where there are none */
	int label_count;
	bool mapped;                /* by net_open; else the caller holds the bytes */
};

/* Opens a model file and what lies beside it (NAME.cfg, labels). The network must read one N x 3 x H x W image and give one vector of scores. */
int net_open(struct net *net, const char *path, struct error *e);

/* The same from bytes that stay where they are while the network is used; config and labels are the texts of the two files (config may be NULL). */
int net_open_bytes(struct net *net, const uint8_t *data, size_t size, const char *name, const char *config, const char *labels, struct error *e);

void net_close(struct net *net);

/* The SHA-256 of the model file, 64 hexadecimal digits. It is computed when it is first asked for (0.15 s for 244 MB), by any thread. */
const char *net_sha256(const struct net *net);

/* Label of a class: its WordNet id (or "") and its names (or "class N" in buffer). */
const char *net_wnid(const struct net *net, int class_index, char buffer[32]);
const char *net_class_name(const struct net *net, int class_index, char buffer[32]);

/* The class that text names: its number from 0, its WordNet id, its names as the labels file has them, or the first of these. */
int net_find_class(const struct net *net, const char *text, int *class_index, struct error *e);

#endif
