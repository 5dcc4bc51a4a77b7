#!/usr/bin/env python3
"""skindelta beside what a researcher would use instead: time, memory, alignment.

    cargo build --release && python3 benches/peer.py

Makes pairs of synthetic faces with known truth, runs the peer (OpenCV + scikit-image, the fast
variant of peer/peer_pipeline.py) and skindelta in turn on each, and prints Markdown tables: medians
of wall time, processor time and peak memory with the ratio peer / skindelta, skindelta's stages,
and how far both alignments lie from the truth on the skin that skindelta measures. Needs the packages of
peer/requirements.txt; the folder that holds peer/ is SKINDELTA_SHARED (default ../shared).
Everything is written to a temporary folder that is removed.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SKINDELTA_SHARED", ROOT.parent / "shared")).resolve()
PEER = SHARED / "peer"
TOOL = ROOT / "target" / "release" / "skindelta"

sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
sys.path.insert(0, str(PEER))
try:
    import cv2
    import numpy as np
    from make_pairs import map_before_to_after
    from geometry import FACE, HOLES
except ImportError as why:
    sys.exit(f"peer.py: {why}; install {PEER}/requirements.txt, and point SKINDELTA_SHARED at the "
             "folder that holds peer/")

# The synthetic face is as wide as this share of the frame, and a face is nominally 140 mm wide.
FACE_SHARE, FACE_MM = 2 * FACE["rx"], 140.0
STAGE = re.compile(r"^(\S.*?)\s+([\d.]+) s(?:\s+(\d+) MiB)?$")


def run(command):
    """One child: wall s, processor s, peak MiB, standard error."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    if child.returncode:
        sys.exit(f"peer.py: {command[0]} ended with {child.returncode}:\n{text}")
    # ru_maxrss is in KiB on Linux, in bytes on macOS.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return dict(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss / unit, text=text)


def stages(text):
    """(stage, seconds, peak MiB so far) from skindelta's -v."""
    found = [STAGE.match(line) for line in text.splitlines()]
    return [(m[1], float(m[2]), float(m[3] or "nan")) for m in found if m]


def on_skin(truth, x, y):
    """Whether baseline pixels lie on the drawn face, inside the frame of both photos."""
    w, h = truth["width"], truth["height"]
    u, v = x / w, y / h
    skin = ((u - FACE["cx"]) / FACE["rx"]) ** 2 + ((v - FACE["cy"]) / FACE["ry"]) ** 2 < 1
    for cx, cy, rx, ry in HOLES:
        skin &= ((u - cx) / rx) ** 2 + ((v - cy) / ry) ** 2 > 1
    ax, ay = map_before_to_after(truth["warp"], x, y)
    return skin & (ax >= 0) & (ay >= 0) & (ax <= w - 1) & (ay <= h - 1), ax, ay


def errors(truth, measured, x, y, ax, ay):
    """Distance from the true place in the follow-up, px: median and 95th percentile on the skin that
    skindelta measures."""
    skin, tx, ty = on_skin(truth, x, y)
    skin &= measured[y.astype(int), x.astype(int)]
    found = np.hypot(ax - tx, ay - ty)[skin & np.isfinite(ax)]
    return (np.median(found), np.percentile(found, 95)) if found.size else (np.nan, np.nan)


def alignment(pair, tool_out, peer_out):
    """Errors of both displacement maps against the warp that made the pair."""
    truth = json.loads((pair / "truth.json").read_text())
    result = json.loads((tool_out / "result.json").read_text())
    whole = next(row for row in result["alignment"] if row["region"] is None)
    ours = (np.nan, np.nan)
    measured = cv2.imread(str(tool_out / "maps" / "regions.png"), cv2.IMREAD_UNCHANGED) > 0
    field = tool_out / "maps" / "visit-1-displacement.npy"
    if field.exists():
        d = np.load(field).astype(float)
        y, x = np.mgrid[0:d.shape[0], 0:d.shape[1]] * 8.0
        ours = errors(truth, measured, x, y, d[..., 0], d[..., 1])
    grid = {k: np.array(v, float) for k, v in json.loads(peer_out.read_text())["align"]["grid"].items()}
    return dict(ours=ours, peer=errors(truth, measured, grid["x"], grid["y"], grid["ax"], grid["ay"]),
                status=whole["status"], told=whole["residual_median_px"],
                regions=result["regions"]["source"])


def measure(pair, width, temp, options):
    """All repeats of one pair, the two programs in turn."""
    photos = [pair / "before.jpg", pair / "after.jpg"]
    scale = FACE_MM / (FACE_SHARE * width)
    tool = [TOOL, "compare", *photos, "--mm-per-px", scale, "--threads", options.threads,
            "--regions", options.regions, "-v"]
    peer = [sys.executable, PEER / "peer_pipeline.py", *photos, "--out", temp / "peer.json",
            "--variant", "fast", "--threads", options.threads]
    runs = {"peer": [], "skindelta": []}
    for _ in range(options.repeats):
        runs["peer"].append(run(peer))
        runs["skindelta"].append(run(tool + ["--out", temp / "out"]))
    run(tool + ["--maps", "--no-html", "--out", temp / "mapped"])
    return runs, alignment(pair, temp / "mapped", temp / "peer.json")


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def main():
    parser = argparse.ArgumentParser(description="skindelta beside OpenCV + scikit-image")
    parser.add_argument("--sizes", default="2,12,24", help="megapixels")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--regions", default="face")
    options = parser.parse_args()
    if not TOOL.exists():
        sys.exit("peer.py: build first: cargo build --release")
    sizes = [int(s) for s in options.sizes.split(",")]
    speed, costs, places = [], [], []
    with tempfile.TemporaryDirectory() as temp:
        temp = Path(temp)
        made = [sys.executable, PEER / "make_pairs.py", "--out", temp / "pairs", "--sizes", options.sizes]
        run(made)
        for mp in sizes:
            pair = temp / "pairs" / f"{mp}mp"
            width = cv2.imread(str(pair / "before.jpg")).shape[1]
            runs, aligned = measure(pair, width, temp, options)
            middle = {k: {v: statistics.median(r[v] for r in rs) for v in ("wall", "cpu", "peak")}
                      for k, rs in runs.items()}
            p, s = middle["peer"], middle["skindelta"]
            speed.append([f"{mp} MP", f"{p['wall']:.2f}", f"{s['wall']:.2f}", f"**{p['wall'] / s['wall']:.2f}**",
                          f"{p['cpu']:.2f}", f"{s['cpu']:.2f}", f"{p['cpu'] / s['cpu']:.2f}",
                          f"{p['peak']:.0f}", f"{s['peak']:.0f}", f"**{p['peak'] / s['peak']:.2f}**"])
            each = [stages(r["text"]) for r in runs["skindelta"]]
            for i, (stage, _, _) in enumerate(each[0]):
                seconds = statistics.median(e[i][1] for e in each)
                peak = statistics.median(e[i][2] for e in each)
                costs.append([f"{mp} MP", stage, f"{seconds:.2f}", "" if np.isnan(peak) else f"{peak:.0f}"])
            places.append([f"{mp} MP", aligned["regions"], aligned["status"],
                           *(f"{v:.2f}" for v in aligned["ours"]),
                           "–" if aligned["told"] is None else f"{aligned['told']:.2f}",
                           *(f"{v:.2f}" for v in aligned["peer"])])
    print(f"Medians of {options.repeats} runs in turn, {options.threads} threads, ratios peer / skindelta:\n")
    table(["pair", "peer s", "skindelta s", "ratio", "peer CPU s", "skindelta CPU s", "ratio",
           "peer MiB", "skindelta MiB", "ratio"], speed)
    print("skindelta's stages, s, and peak memory so far, MiB:\n")
    table(["pair", "stage", "s", "MiB"], costs)
    print("Distance of the alignment from the truth on the measured skin, px of the photo:\n")
    table(["pair", "regions", "status", "skindelta median", "95 %", "own estimate", "peer median", "95 %"], places)


if __name__ == "__main__":
    main()
