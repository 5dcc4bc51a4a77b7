#!/usr/bin/env python3
"""Single filters beside OpenCV's, in one run: milliseconds at 12 megapixels, and ratios.

    python3 benches/kernels.py [--threads 2]

Runs `cargo bench --bench filters` and peer/kernels.py (its folder: SKINDELTA_SHARED, default ../shared)
and prints a Markdown table of medians; a ratio above 1 says that skindelta is faster. The pairs do the same work but
for the warp: OpenCV's is cubic convolution of 4 x 4 px, skindelta's a quintic spline of 6 x 6 px with its prefilter.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = Path(os.environ.get("SKINDELTA_SHARED", ROOT.parent / "shared")).resolve() / "peer" / "kernels.py"
PAIRS = [
    ("Gaussian, sigma 2", "gaussian sigma 2", ["gaussian sigma 2"]),
    ("Gaussian, sigma 8", "gaussian sigma 8", ["gaussian sigma 8"]),
    ("warp", "remap cubic", ["spline coefficients", "spline sampling"]),
    ("components", "connected components with stats", ["label"]),
]


def main():
    parser = argparse.ArgumentParser(description="filters beside OpenCV")
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    bench = ["cargo", "bench", "--locked", "--bench", "filters", "--", "^12 MP/(gaussian|spline|label)"]
    subprocess.run(bench, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "RAYON_NUM_THREADS": str(threads)})
    peer = subprocess.run([sys.executable, PEER, "--threads", str(threads)], check=True,
                          capture_output=True, text=True).stdout
    theirs = {m[1].strip(): float(m[2]) for m in re.finditer(r"^(.*?)\s+([\d.]+) ms$", peer, re.M)}

    def ours(name):
        folder = ROOT / "target" / "criterion" / "12 MP" / name
        return json.loads((folder / "new" / "estimates.json").read_text())["median"]["point_estimate"] / 1e6

    print(f"| 12 MP, {threads} threads | OpenCV ms | skindelta ms | ratio |\n|---|---:|---:|---:|")
    for title, peer_name, names in PAIRS:
        mine = sum(ours(name) for name in names)
        print(f"| {title} | {theirs[peer_name]:.0f} | {mine:.0f} | **{theirs[peer_name] / mine:.2f}** |")


if __name__ == "__main__":
    main()
