/* NAME.cfg beside NAME.onnx (libconfig): what the network's input is made of, and where its labels are.
 *
 *     input = { size = 224; order = "bgr"; mean = [ 104.0, 117.0, 123.0 ]; std = [ 1.0, 1.0, 1.0 ]; };
 *     labels = "labels.txt";
 *
 * mean and std are in the network's order of channels, on the scale 0..255; size is one number or [ width, height ]. */
#ifndef LSDN_CORE_NET_NET_CONFIG_H
#define LSDN_CORE_NET_NET_CONFIG_H

#include "core/cfg.h"
#include "core/error.h"
#include "core/image/view.h"

/* What ImageNet's networks usually read: RGB, mean 123.675 116.28 103.53, std 58.395 57.12 57.375; size 0 (the model file's). */
extern const struct preprocessing PREPROCESSING_IMAGENET;

/* Reads a configuration from text; path is used in messages. labels gets the name of the labels file (owned by the caller), or NULL. Unknown keys
 * are errors that name the line. */
int net_config_parse(const char *text, const char *path, struct preprocessing *input, char **labels, struct error *e);

/* The same of the group `input` alone, which weights files have too; what it does not say stays as it is. */
int net_config_input(const config_setting_t *group, const char *path, struct preprocessing *input, struct error *e);

#endif
