"""Plot what `scaling.py` measures: time per face against size, for the docs.

python benchmarks/scaling.py --json > scaling.jsonl
python benchmarks/plots.py scaling.jsonl docs/img/scaling.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
    plt.rcParams["svg.hashsalt"] = "meshguard"  # the same file for the same figures
    figure, axes = plt.subplots(figsize=(7, 3.6))
    faces = [row["faces"] for row in rows]
    for name, label in (("load_s", "load a binary STL"), ("validate_s", "validate the mesh")):
        axes.plot(faces, [1e9 * row[name] / row["faces"] for row in rows], marker="o", label=label)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("faces of a phantom arch")
    axes.set_ylabel("nanoseconds a face")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
