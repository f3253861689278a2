#!/usr/bin/python3
"""Trains the embedded network on generated images and writes it as ONNX.

For maintainers; nothing that is built or installed runs it. With Debian's python3-torch, python3-numpy and python3-pil:

    lsdn-calibrate --generate /tmp/train --images 16000 --seed 1000001
    lsdn-calibrate --generate /tmp/test --images 2000 --seed 2000002
    weights/train.py /tmp/train /tmp/test weights/embedded.onnx

Seeds from 1000000 on are kept for training and choosing: calibration's own default seeds are small numbers, so that no image of it was
trained on. One thread and a fixed seed: the same machine and library give the same weights.
"""

import sys
import time
import xml.etree.ElementTree
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

MEAN, STD = 127.5, 64.0  # as in embedded.cfg
EPOCHS, BATCH, RATE = 14, 64, 4e-3


class Network(nn.Module):
    """Small, yet with every kind of joint that the walk meets: pooling, a residual sum, a concatenation, two fully connected layers."""

    def __init__(self, classes):
        super().__init__()

        def conv(inputs, outputs, kernel, stride=1):
            return nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))

        self.stem = conv(3, 16, 3, 2)
        self.wide = conv(16, 24, 3)
        self.residual = nn.Sequential(conv(24, 24, 3), nn.ReLU(), conv(24, 24, 3))
        self.point = conv(24, 24, 1)
        self.patch = conv(24, 40, 3)
        self.last = conv(64, 64, 3, 2)
        self.hidden = nn.Linear(64 * 3 * 3, 64)
        self.scores = nn.Linear(64, classes)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.stem(x)), 2)
        x = functional.relu(self.wide(x))
        x = functional.max_pool2d(functional.relu(x + self.residual(x)), 2)
        x = functional.relu(torch.cat([self.point(x), self.patch(x)], 1))
        x = functional.max_pool2d(functional.relu(self.last(x)), 2)
        return self.scores(functional.relu(self.hidden(torch.flatten(x, 1))))


def read(folder, classes):
    """Images as N x 3 x H x W bytes and the class of each, from FOLDER/images and FOLDER/annotations."""
    images, labels = [], []
    for path in sorted(Path(folder, "images").iterdir()):
        tree = xml.etree.ElementTree.parse(Path(folder, "annotations", path.stem + ".xml"))
        images.append(numpy.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1))
        labels.append(classes.index(tree.findtext("object/name")))
    return torch.from_numpy(numpy.stack(images)), torch.tensor(labels)


def prepare(images):
    return (images.float() - MEAN) / STD


def vary(images):
    """Mirrored left to right, channels in another order, light and dark exchanged: none of it changes the class."""
    if torch.rand(()) < 0.5:
        images = images.flip(3)
    images = images[:, torch.randperm(3)]
    return 255 - images if torch.rand(()) < 0.5 else images


def right(network, images, labels):
    network.eval()
    with torch.no_grad():
        found = torch.cat([network(prepare(part)).argmax(1) for part in images.split(256)])
    return found, (found == labels).float().mean().item()


def train(network, images, labels, test):
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    steps = -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, epochs=EPOCHS, steps_per_epoch=steps)
    start = time.time()
    for epoch in range(EPOCHS):
        network.train()
        for part in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            functional.cross_entropy(network(prepare(vary(images[part]))), labels[part]).backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1}: {100 * right(network, *test)[1]:.2f}% right, {time.time() - start:.0f} s", flush=True)


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: train.py TRAIN TEST NETWORK.onnx")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    names = Path(__file__).with_name("embedded-labels.txt").read_text().splitlines()
    classes = [line.split("\t")[0] for line in names]
    test = read(sys.argv[2], classes)
    network = Network(len(classes))
    train(network, *read(sys.argv[1], classes), test)
    found, share = right(network, *test)
    for k, name in enumerate(names):
        print(f"{name}: {100 * (found == k)[test[1] == k].float().mean().item():.1f}% right")
    # PRESERVE keeps BatchNormalization a node of its own: folding it is the reader's business, and tested on this file.
    torch.onnx.export(network, torch.zeros(1, *test[0].shape[1:]), sys.argv[3], opset_version=11, do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE, input_names=["image"], output_names=["scores"],
        dynamic_axes={"image": {0: "N"}, "scores": {0: "N"}})
    print(f"{sys.argv[3]}: {Path(sys.argv[3]).stat().st_size} bytes, {100 * share:.2f}% right on {len(test[1])} images")


main()
