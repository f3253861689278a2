#!/usr/bin/python3
"""PyTorch's side: rival_torch.py ARCHITECTURE BATCH THREADS answers every line with milliseconds.

    forward         a forward pass of the batch
    gradcam         Grad-CAM as it is usually written: forward, backward through the whole network from the highest score, map at the image's size
    gradcam-least   the same with gradients for nothing before the maps that Grad-CAM reads
    openblas        1 where PyTorch's matrix products are OpenBLAS's; 0 where they are the reference BLAS's, which is slow

Weights are those of tests/torchvision_networks.py. The memory format is the faster of PyTorch's two, found out before the first run that counts.
Times are medians of runs for 0.2 s after one that is not counted.
"""

import statistics
import sys
import time
import warnings
from pathlib import Path

import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import torchvision_networks  # noqa: E402


def repeated(work):
    work()
    runs, start = [], time.perf_counter()
    while not runs or time.perf_counter() - start < 0.2:
        at = time.perf_counter()
        work()
        runs.append(1e3 * (time.perf_counter() - at))
    return statistics.median(runs)


def last_maps(model):
    """The module whose maps Grad-CAM reads: the last one before everything is pooled."""
    return next(getattr(model, name) for name in ("features", "layer4", "inception5b") if hasattr(model, name))


class GradCam:
    def __init__(self, model, image):
        self.model, self.image = model, image
        last_maps(model).register_forward_hook(self.keep)

    def keep(self, _, inputs, output):
        if not output.requires_grad:
            output.requires_grad_()
        output.retain_grad()
        self.maps = output

    def explain(self):
        scores = self.model(self.image)
        self.model.zero_grad(set_to_none=True)
        scores[0, scores[0].argmax()].backward()
        importance = self.maps.grad.mean((2, 3), keepdim=True)
        heat = functional.relu((importance * self.maps.detach()).sum(1, keepdim=True))
        return functional.interpolate(heat, self.image.shape[2:], mode="bilinear", align_corners=False)


def fastest_layout(model, images, work):
    """Leaves both in the memory format in which work is faster."""
    times = {}
    for layout in (torch.contiguous_format, torch.channels_last) * 2:
        model.to(memory_format=layout)
        images.data = images.contiguous(memory_format=layout)
        times[layout] = min(repeated(work), times.get(layout, float("inf")))
    best = min(times, key=times.get)
    model.to(memory_format=best)
    images.data = images.contiguous(memory_format=best)


def main():
    warnings.filterwarnings("ignore")
    architecture, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    model = torchvision_networks.make(architecture, [], 224)[0]
    images = torch.randn(batch, 3, 224, 224)

    def forward():
        with torch.inference_mode():
            model(images)

    grad_cam = None
    fastest_layout(model, images, forward)
    for line in sys.stdin:
        name = line.strip()
        if name == "openblas":
            answer = int("openblas" in Path("/proc/self/maps").read_text())
        elif name == "forward":
            answer = repeated(forward)
        elif name in ("gradcam", "gradcam-least"):
            if not grad_cam:
                grad_cam = GradCam(model, images)
                fastest_layout(model, images, grad_cam.explain)
            model.requires_grad_(name == "gradcam")
            answer = repeated(grad_cam.explain)
        else:
            sys.exit(f"'{name}': no such work")
        print(answer, flush=True)


if __name__ == "__main__":
    main()
