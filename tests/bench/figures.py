"""What is measured. Each function yields results for one network; README.md defines them in words."""

import json
import re
import statistics

from partners import Partner, Run, alternate

THREADS = 2
ARMS = 20
GROWTH_ARMS = (1, 2, 5, 10, 20, 50, 100)
GROWTH_IMAGES = 40  # for the growth in arms
MIB = 1 << 20


def result(figure, network, value, limit, better="less", batch=1, **parts):
    return {"figure": figure, "network": network.name, "batch": batch, "value": value, "limit": limit, "better": better, "parts": parts}


def measure(network, batch=1, photographs=()):
    return Partner("tests/bench/measure", str(network.path), str(batch), str(THREADS), *photographs)


def convolutions(bench, network):
    with measure(network) as own:
        work = own.ask("work")
        forward, peak = alternate(lambda: own.ask("forward"), lambda: own.ask("peak"))
    yield result("convolutions", network, 1e3 * work / forward / peak, 0.75, "more", gflop=work, ms=forward, peak_gflops=peak)


def forward_torch(bench, network):
    yield from forward(network, "torch", lambda batch: bench.torch(network, batch))


def forward_onnxruntime(bench, network):
    yield from forward(network, "onnxruntime", lambda batch: bench.onnxruntime(network, batch))


def forward(network, name, open_rival):
    for batch in (1, 8):
        with open_rival(batch) as rival, measure(network, batch) as own:
            ours, theirs = alternate(lambda: own.ask("forward"), lambda: rival.ask("forward"))
        yield result(f"forward/{name}", network, ours / theirs, 1.0, batch=batch, lsdn_ms=ours / batch, rival_ms=theirs / batch)


def over_photographs(bench, network, one, other):
    """Medians over the photographs: of the ratio of two lists of lines (the last one's answer counts), of both answers."""
    def answer(own, lines):
        return [own.ask(line) for line in lines][-1]

    rows = []
    with measure(network, 1, bench.photographs) as own:
        for i in range(len(bench.photographs)):
            own.ask(f"photo {i}")
            a, b = alternate(lambda: answer(own, one), lambda: answer(own, other))
            rows.append((a / b, a, b))
    return [statistics.median(column) for column in zip(*rows)]


def explanation(bench, network):
    value, explain, forward_pass = over_photographs(bench, network, ["policy", "explain"], ["forward"])
    yield result("explanation", network, value, 0.10 if "vgg16" in network.name else 0.15, explain_ms=explain, forward_ms=forward_pass)


def explanation_wide(bench, network):
    value, explain, forward_pass = over_photographs(bench, network, ["policy k_conv=2 k_fc=10", "explain"], ["forward"])
    yield result("explanation/wide", network, value, 0.5, explain_ms=explain, forward_ms=forward_pass)


def arms(bench, network):
    value, all_arms, one_arm = over_photographs(bench, network, [f"arms {ARMS}", "explain"], ["policy", "explain"])
    yield result("arms", network, value, 3, arms=3 * ARMS, all_ms=all_arms, one_ms=one_arm)


def gradcam(bench, network):
    with bench.torch(network, 1) as rival, measure(network, 1, bench.photographs[:1]) as own:
        own.ask("photo 0")
        own.ask("policy")
        ours, theirs, least = alternate(lambda: own.ask("whole"), lambda: rival.ask("gradcam"), lambda: rival.ask("gradcam-least"))
    yield result("gradcam", network, theirs / ours, 3, "more", lsdn_ms=ours, gradcam_ms=theirs, gradcam_least_ms=least)


def calibrate(bench, network, images, threads=THREADS, arms_each=ARMS):
    return Run("./lsdn-calibrate", "--model", network.path, "--data", bench.data(images), "--images", str(images), "--arms", str(arms_each),
               "--threads", str(threads), "--output", bench.made / "weights.cfg")


def calibration(bench, network):
    shares = []

    def seconds():
        run = calibrate(bench, network, bench.images)
        read, waited = re.search(r"read ([\d.]+)(?: \(([\d.]+)% of all: waiting)?", run.printed).groups()
        shares.append((float(waited) / 100 if waited else float(read) / THREADS / run.seconds, 1 - run.processor / THREADS / run.seconds))
        return run.seconds

    whole, forwards = alternate(seconds, lambda: Run("tests/bench/forwards", network.path, str(bench.images), str(THREADS)).seconds)
    wait, idle = (statistics.median(column) for column in zip(*shares))
    yield result("calibration", network, whole / forwards, 1.5, images=bench.images, arms=3 * ARMS, calibration_s=whole, forwards_s=forwards)
    yield result("waiting", network, wait, 0.05, images=bench.images, calibration_s=whole, idle_cores=idle)


def threads(bench, network):
    one, two = alternate(*(lambda n=n: calibrate(bench, network, bench.images, n).seconds for n in (1, 2)))
    yield result("threads", network, one / two, 1.85, "more", images=bench.images, one_s=one, two_s=two)


def memory(bench, network):
    with measure(network) as own:
        weights, activations = own.ask("weights") / MIB, THREADS * own.ask("activations") / MIB
    few, many = (calibrate(bench, network, images).peak for images in (10, bench.images))
    limit = weights + activations + 150
    yield result("memory", network, many / limit, 1.0, images=bench.images, peak_mib=many, limit_mib=limit, weights_mib=weights,
                 activations_mib=activations)
    yield result("memory/images", network, many / few, 1.05, images=bench.images, peak_of_10_mib=few, peak_mib=many)


def start(bench, network):
    def explain():
        run = Run("./lsdn-explain", "--model", network.path, "--threads", str(THREADS), "--json", bench.photographs[0])
        return 1e3 * run.seconds - sum(json.loads(run.printed)["ms"].values())

    with measure(network) as own:
        before, copy = alternate(explain, lambda: own.ask(f"copy {network.path}"))
    yield result("start", network, before / copy, 2, start_ms=before, copy_ms=copy, file_mib=network.path.stat().st_size / MIB)


def growth_arms(bench, network):
    peaks = {count: [] for count in GROWTH_ARMS}

    def seconds(count):
        run = calibrate(bench, network, GROWTH_IMAGES, arms_each=count)
        peaks[count].append(run.peak)
        return run.seconds

    times = alternate(*(lambda count=count: seconds(count) for count in GROWTH_ARMS))
    for i in range(1, len(times)):
        few, many = GROWTH_ARMS[i - 1:i + 1]
        yield result("growth/arms", network, times[i] / times[i - 1] * few / many, 1.0, images=GROWTH_IMAGES, arms=many, seconds=times[i],
                     fewer_arms=few, fewer_seconds=times[i - 1])
    least, most = (statistics.median(peaks[count]) for count in (GROWTH_ARMS[0], GROWTH_ARMS[-1]))
    yield result("growth/arms/memory", network, most / least, 1.05, arms=GROWTH_ARMS[-1], peak_mib=most, peak_of_1_mib=least)


def growth_images(bench, network):
    counts = [max(2, bench.images // 100), max(20, bench.images // 10), bench.images]
    times = alternate(*(lambda count=count: calibrate(bench, network, count).seconds for count in counts))
    first, later = ((times[i + 1] - times[i]) / (counts[i + 1] - counts[i]) for i in (0, 1))
    yield result("growth/images", network, later / first, 1.1, images=counts, seconds=times)


# Figures, what measures them, and on which of the bench's networks.
FIGURES = (
    (["convolutions"], convolutions, "features"),
    (["forward/torch"], forward_torch, "torch"),
    (["forward/onnxruntime"], forward_onnxruntime, "every"),
    (["explanation"], explanation, "explained"),
    (["explanation/wide"], explanation_wide, "explained"),
    (["arms"], arms, "explained"),
    (["calibration", "waiting"], calibration, "calibrated"),
    (["threads"], threads, "calibrated"),
    (["memory", "memory/images"], memory, "explained"),
    (["start"], start, "alexnet"),
    (["gradcam"], gradcam, "torch"),
    (["growth/arms", "growth/arms/memory"], growth_arms, "smallest"),
    (["growth/images"], growth_images, "smallest"),
)
