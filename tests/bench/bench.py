#!/usr/bin/python3
"""make bench: how fast lsdn is, beside what a user would use instead. README.md beside this file says what every figure is."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from figures import FIGURES, THREADS
from partners import REPETITIONS, Absent, Others, Partner, Run

HERE = Path(__file__).resolve().parent
SHAPES = ("alexnet", "vgg16", "googlenet", "resnet50", "squeezenet1_1", "mobilenet_v2")
PHOTOGRAPHS = 5
MOST_OTHERS = 0.05  # of the processors' time, beyond which a measurement is said to be disturbed


@dataclass(frozen=True)
class Network:
    name: str
    path: Path
    architecture: str = None  # of torchvision, whose random weights it has

    def side(self):
        return int(re.search(r"\bsize\s*=\s*(\d+)", self.path.with_suffix(".cfg").read_text())[1])


class Bench:
    """What is there: networks, photographs, rivals. Run in the build tree."""

    def __init__(self):
        self.made = Path("tests/bench/made")
        self.made.mkdir(parents=True, exist_ok=True)
        self.images = int(os.environ.get("BENCH_IMAGES") or 200)
        shared = sorted(Path(os.environ["LSDN_MODELS"]).glob("*.onnx"))
        if not shared:
            note(f"skipped: {os.environ['LSDN_MODELS']}: the shared networks are not there")
        self.shared = [Network(path.stem, path) for path in shared]
        data = Path(os.environ["LSDN_SHARED"], "images")
        if not data.is_dir():
            note(f"skipped: {data}: the shared photographs are not there; generated images are taken")
            data = self.generated_images()
        self.folder = data
        self.photographs = [str(path) for path in sorted((data / "images").iterdir())[:PHOTOGRAPHS]]

    def networks(self, which):
        """Networks of a kind, those made of random weights only where they are needed."""
        if which in ("features", "alexnet"):
            return [("vgg16-features" if which == "features" else which)]
        if which == "torch":
            return list(SHAPES)
        if which == "every":
            return self.shared + list(SHAPES)
        if which == "explained":  # shapes that no shared network has
            return self.shared + [name for name in SHAPES if not any(network.name[:6] == name[:6] for network in self.shared)]
        if which == "calibrated" or not self.shared:
            return self.shared
        return [min((network for network in self.shared if wanted_network(network.name)), key=lambda network: network.path.stat().st_size)]

    @functools.lru_cache
    def random(self, architecture):
        path = self.made / f"{architecture}-batch.onnx"
        if not has_torch():
            raise Absent("python3-torch or python3-torchvision is not there")
        if not path.exists():
            Run(sys.executable, "-B", HERE.parent / "torchvision_networks.py", self.made, path.stem)
        return Network(f"torchvision-{architecture}", path, architecture)

    def generated_images(self):
        folder = self.made / "generated"
        if not folder.exists():
            Run("./lsdn-calibrate", "--generate", folder, "--images", "1000", "--seed", "1")
        return folder

    def data(self, images):
        """A folder of at least that many photographs, repeated by links where there are fewer."""
        photographs = sorted((self.folder / "images").iterdir())
        if len(photographs) >= images:
            return self.folder
        folder = self.made / f"repeated-{images}"
        shutil.rmtree(folder, ignore_errors=True)
        for kind in ("images", "annotations"):
            (folder / kind).mkdir(parents=True)
            files = sorted((self.folder / kind).iterdir())
            for i in range(images + len(files)):  # and some more, for those that cannot be read
                file = files[i % len(files)]
                (folder / kind / f"{file.stem}_{i // len(files)}{file.suffix}").symlink_to(file.resolve())
        return folder

    def torch(self, network, batch):
        rival = Partner(sys.executable, "-B", str(HERE / "rival_torch.py"), network.architecture, str(batch), str(THREADS))
        if not rival.ask("openblas"):
            note("note: PyTorch multiplies matrices with the reference BLAS, which no user should: install libopenblas0-openmp")
        return rival

    def onnxruntime(self, network, batch):
        modules = Path(os.environ.get("LSDN_ORT") or ".", "node_modules")
        if not (modules / "onnxruntime-node").is_dir() or not shutil.which("node"):
            raise Absent("node or onnxruntime-node is not there (LSDN_ORT names the folder that holds node_modules)")
        return Partner("node", str(HERE / "rival_onnxruntime.js"), str(network.path), str(batch), str(THREADS), str(network.side()),
                       environment={"NODE_PATH": str(modules.resolve())})


@functools.lru_cache
def has_torch():
    return subprocess.run([sys.executable, "-c", "import torch, torchvision"], capture_output=True).returncode == 0


def note(text):
    print(text, file=sys.stderr, flush=True)


def wanted_network(name):
    return re.search(os.environ.get("BENCH_NETWORKS") or "", name)


def verdict(r):
    if r["others"] > MOST_OTHERS:
        return "disturbed"
    return "reached" if (r["value"] <= r["limit"] if r["better"] == "less" else r["value"] >= r["limit"]) else "NOT reached"


def results(bench):
    for figures, measured_by, which in FIGURES:
        wanted = [figure for figure in figures if re.search(os.environ.get("BENCH") or "", figure)]
        if not wanted:
            continue
        for network in bench.networks(which):
            name = network.name if isinstance(network, Network) else f"torchvision-{network}"
            if not wanted_network(name):
                continue
            try:
                network = network if isinstance(network, Network) else bench.random(network)
                others = Others()
                measured = list(measured_by(bench, network))
                for r in (r for r in measured if r["figure"] in wanted):
                    yield {**r, "repetitions": REPETITIONS, "others": others.share()}
            except Absent as why:
                note(f"skipped: {', '.join(wanted)} on {name}: {why}")


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return {key: rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


def main():
    done = []
    for r in results(Bench()):
        print(json.dumps(rounded(r)), flush=True)
        done.append(r)
    print()
    for r in done:
        print(f"{r['figure']:22} {r['network']:27} batch {r['batch']}  {r['value']:8.3f}  {'<=' if r['better'] == 'less' else '>='} {r['limit']:<5g}"
              f" {verdict(r)}")
    print(f"{[verdict(r) for r in done].count('reached')} of {len(done)} figures are reached")


if __name__ == "__main__":
    main()
