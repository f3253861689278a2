#!/usr/bin/python3
"""Writes torchvision's classifiers as ONNX, with an input and what PyTorch makes of it.

With Debian's python3-torch, python3-torchvision and python3-onnx:

    tests/torchvision_networks.py --list                 all of torchvision's classifiers: family and name
    tests/torchvision_networks.py FOLDER NAME...         FOLDER/NAME.onnx, .cfg, .npy (3 x H x W) and .scores (float32, as they lie in memory)

A name may carry options: NAME-opset11 (13 otherwise), NAME-unfolded (constants are not folded by the exporter), NAME-batch (the batch is
left open), NAME-transform (transform_input of GoogLeNet and Inception), NAME-features (only what comes before the classifier, and a global
average), NAME-SIDE (the image's side, 224 otherwise, 299 for Inception).

Weights are random, from a fixed seed, but not trivial: BatchNormalization has the statistics of a random batch and random factors, ConvNeXt's
layer scale is not nearly 0, ResNets' residual branches add as little as trained ones do (with factors near 1 rounding alone grows to 2.6e-4 of
the highest score in ResNet-152: PyTorch's own float32 against its float64), and the last layer is scaled so that the scores have a spread of 3.
"""

import re
import sys
import warnings
import zlib
from pathlib import Path

import numpy
import torch
import torchvision
from torch import nn
from torchvision.models import resnet

CONFIG = """input = {{ size = {side}; order = "rgb"; mean = [ 123.675, 116.28, 103.53 ]; std = [ 58.395, 57.12, 57.375 ]; }};
"""


def roughen(model, side):
    """Makes every parameter and statistic matter."""
    for name, parameter in model.named_parameters():
        if name.endswith("layer_scale"):
            nn.init.uniform_(parameter, 0.1, 0.4)
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm2d, nn.LayerNorm))]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.7, 1.3)
        nn.init.normal_(norm.bias, 0, 0.1)
        norm.momentum = 1
    for block in model.modules():
        if isinstance(block, (resnet.BasicBlock, resnet.Bottleneck)):
            (block.bn3 if isinstance(block, resnet.Bottleneck) else block.bn2).weight *= 0.25
    if any(isinstance(norm, nn.BatchNorm2d) for norm in norms):
        model.train()(torch.randn(2, 3, side, side))


def make(architecture, options, side):
    arguments = {"aux_logits": False, "init_weights": True} if architecture in ("googlenet", "inception_v3") else {}
    if "transform" in options:
        arguments["transform_input"] = True
    torch.manual_seed(zlib.crc32(architecture.encode()))
    model = torchvision.models.get_model(architecture, **arguments)
    if "features" in options:
        model = nn.Sequential(model.features, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    image = torch.randn(1, 3, side, side)
    with torch.no_grad():
        roughen(model, side)
        model.eval()
        last = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))][-1]
        factor = 3 / model(image).std()
        last.weight *= factor
        if last.bias is not None:
            last.bias *= factor
        return model, image, model(image)


def write(folder, name):
    architecture, *options = name.split("-")
    numbers = [int(option) for option in options if option.isdigit()]
    side = numbers[0] if numbers else 299 if architecture == "inception_v3" else 224
    opset = next((int(option[5:]) for option in options if re.fullmatch(r"opset\d+", option)), 13)
    model, image, scores = make(architecture, options, side)
    path = Path(folder, name)
    torch.onnx.export(model, image, f"{path}.onnx", opset_version=opset, do_constant_folding="unfolded" not in options,
                      input_names=["image"], output_names=["scores"],
                      dynamic_axes={"image": {0: "n"}, "scores": {0: "n"}} if "batch" in options else None)
    Path(f"{path}.cfg").write_text(CONFIG.format(side=side))
    numpy.save(f"{path}.npy", image[0].numpy())
    scores.numpy().astype("<f4").tofile(f"{path}.scores")


def main():
    warnings.filterwarnings("ignore")
    if sys.argv[1:] == ["--list"]:
        for name in torchvision.models.list_models(module=torchvision.models):
            print(torchvision.models.get_model_builder(name).__module__.split(".")[-1], name)
        return
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    torch.set_num_threads(2)
    for name in sys.argv[2:]:
        write(sys.argv[1], name)


if __name__ == "__main__":
    main()
