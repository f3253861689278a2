/* lsdn: which pixels decided? Explains the predictions of convolutional networks from inside a program, in C or C++.
 *
 *     lsdn_network_open(&network, "googlenet.onnx", message);
 *     lsdn_explainer_open(&explainer, network, 1, message);
 *     lsdn_explain_file(explainer, "photo.jpg", LSDN_PREDICTED, &explanation, message);
 *
 * From the explained class it walks back through every layer, from neuron to neuron, to the pixels that decided, and puts a box around them:
 * "Interpreting CNN prediction through layer-wise selected discernible neurons" (below: the paper), section 3 and algorithm 1.
 *
 * Threads: a network is read only once it is open and serves any number of threads at once; an explainer belongs to one thread at a time. There is no
 * state besides these two, nothing is printed, and the locale, signals and floating-point modes of the program stay as they are.
 *
 * Errors: functions that can fail return LSDN_OK (0) or an enum lsdn_error, which is negative. On failure they write what went wrong, where and what to
 * do about it into message, one line of at most LSDN_MESSAGE bytes with its final NUL; message may be NULL. What they would have given is left as it was,
 * but for handles and explanations, which are then NULL.
 *
 * Coordinates are the photograph's pixels: y downwards, x to the right, (0, 0) in the middle of the first pixel.
 *
 * Structures are made by the library alone. A later version may append fields to those that it gives pointers to. */
#ifndef LSDN_H
#define LSDN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LSDN_API __attribute__((visibility("default")))
#else
#define LSDN_API
#endif

enum lsdn_error {
	LSDN_OK = 0,
	LSDN_ERROR_MEMORY = -1,      /* an allocation failed */
	LSDN_ERROR_INPUT = -2,       /* a file or value does not say what it must */
	LSDN_ERROR_UNSUPPORTED = -3, /* well formed, but outside what is computed here */
	LSDN_ERROR_IO = -4,          /* the system refused to read or write */
	LSDN_ERROR_INTERRUPTED = -5  /* the user asked to stop; of programs alone */
};

enum {
	LSDN_MESSAGE = 512, /* bytes of a message */
	LSDN_PREDICTED = -1 /* as a class: the one with the highest probability, the lowest of equals */
};

struct lsdn_network;
struct lsdn_explainer;

/* What a network is. Texts belong to it. */
struct lsdn_facts {
	const char *name;   /* the file's, without folder and .onnx */
	const char *sha256; /* of the file, 64 hexadecimal digits */
	int width, height;  /* of its input, in pixels */
	int class_count;
	int input_assumed;  /* 1: there is no NAME.cfg, and ImageNet's usual input is taken (RGB, mean 123.675 116.28 103.53, std 58.395 57.12 57.375) */
};

/* A pixel that decided. */
struct lsdn_point {
	double y, x;
	int kept; /* 1; or 0 where it is an outlier, which the box leaves out */
};

/* Both ends belong to it. */
struct lsdn_box {
	int xmin, ymin, xmax, ymax;
};

/* Belongs to its explainer and lives until that explains again or is closed. */
struct lsdn_explanation {
	int width, height;            /* of the photograph, in pixels; a tensor's photograph is the network's input */
	int class_index;              /* that is explained, from 0 */
	const char *name;             /* its names as the labels file has them, or "class N" */
	const char *wnid;             /* its WordNet id, or "" */
	double probability;           /* its own */
	const double *probabilities;  /* of all classes: softmax of the scores, mean over the view's crops */
	int class_count;
	const struct lsdn_point *points; /* a set, in raster order */
	size_t point_count, kept_count;
	const struct lsdn_box *box;      /* the least one around the kept points (the paper, 4.1.2), or NULL where none is kept */
};

/* The library's version, "MAJOR.MINOR.PATCH". */
LSDN_API const char *lsdn_version(void);

/* Loads an ONNX file (opset 7 to 17, float32, one image N x 3 x H x W in, one vector of class scores out), NAME.cfg beside NAME.onnx, which says how its
 * input is made, and the labels that this names. With path NULL: the network that is built in (twelve classes of generated images), for trying out.
 * The file must not change until lsdn_network_close, which comes after the network's explainers are closed and may be given NULL.
 * Errors: no such file, damage, an operator that is not known (the message names node and operator). */
LSDN_API enum lsdn_error lsdn_network_open(struct lsdn_network **network, const char *path, char *message);
LSDN_API void lsdn_network_close(struct lsdn_network *network);

/* Lives as long as the network. */
LSDN_API const struct lsdn_facts *lsdn_network_facts(const struct lsdn_network *network);

/* Names of a class from 0 as the labels file has them, living as long as the network; NULL where there is no such class or label. */
LSDN_API const char *lsdn_class_name(const struct lsdn_network *network, int class_index);

/* The class that text names: its number from 0, its WordNet id, its names, or the first of these. Error: no such class. */
LSDN_API enum lsdn_error lsdn_class_find(const struct lsdn_network *network, const char *text, int *class_index, char *message);

/* An explainer holds the activations of one image, all of them, and starts with the default choices. Forward passes run on that many threads (1 to 1024;
 * 1 where the program has its own). The number changes no result. NULL may be closed. */
LSDN_API enum lsdn_error lsdn_explainer_open(struct lsdn_explainer **explainer, struct lsdn_network *network, int threads, char *message);
LSDN_API void lsdn_explainer_close(struct lsdn_explainer *explainer);

/* Replaces alpha and all choices by those of a weights file, which lsdn-calibrate writes and weights/ has for seven networks. *same_network (may be NULL)
 * is 1 where the file was made for this very model file, which its sha256 says, else 0: its weights are used all the same.
 * Errors: no such file, a setting that is not known or past its bounds (the message names the line). */
LSDN_API enum lsdn_error lsdn_read_weights(struct lsdn_explainer *explainer, const char *path, int *same_network, char *message);

/* The weights of a neuron's supports by the current, preceding and succeeding layer, finite and at least 0 (the paper, equation 1:
 * Omega = suc * Z_suc * (cur * Z_cur + pre * Z_pre)). Default: 1, 1, 1. */
LSDN_API enum lsdn_error lsdn_set_alpha(struct lsdn_explainer *explainer, double cur, double pre, double suc, char *message);

/* Sets any other choice by its name, as `lsdn-explain --set` does: "k_conv=2", "view=center", "radius=0.2". core/README.md says what each means; the
 * message lists names or values where one is not known. Numbers have a point whatever the locale. */
LSDN_API enum lsdn_error lsdn_set(struct lsdn_explainer *explainer, const char *assignment, char *message);

/* Explains a class (from 0, or LSDN_PREDICTED) on a photograph:
 * - a JPEG or PNG file, recognized by its content;
 * - rgb: height x width x 3 bytes, row after row without gaps, red green blue, sRGB, 1 to 30000 pixels a side and at most 200 million; only read;
 * - a tensor that is preprocessed already: 3 x H x W floats, channel after channel, row after row, as the ONNX file reads them (facts->height, facts->width;
 *   all finite); `view` then means nothing.
 * One class at least is walked from: with LSDN_PREDICTED as many as the choice `top_n` says; the explanation's class is the first. */
LSDN_API enum lsdn_error lsdn_explain_file(struct lsdn_explainer *explainer, const char *path, int class_index,
	const struct lsdn_explanation **explanation, char *message);
LSDN_API enum lsdn_error lsdn_explain_rgb(struct lsdn_explainer *explainer, const uint8_t *rgb, int width, int height, int class_index,
	const struct lsdn_explanation **explanation, char *message);
LSDN_API enum lsdn_error lsdn_explain_tensor(struct lsdn_explainer *explainer, const float *tensor, int class_index,
	const struct lsdn_explanation **explanation, char *message);

/* Fills map, the caller's height x width floats (of the last explanation's photograph), row after row: one count a kept point, blurred with a Gaussian of
 * `blur` times the diagonal and divided by the maximum, so 0 to 1; all 0 where no point is kept. Error: nothing has been explained. */
LSDN_API enum lsdn_error lsdn_heatmap(const struct lsdn_explainer *explainer, float *map, char *message);

#ifdef __cplusplus
}
#endif

#endif
