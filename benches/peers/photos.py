"""Which segments suit photos: how far surrogates are off on unseen masks, and whether what they say flips the model.

Run from the workspace root, after `cargo build --release -p lipex-cli`, with any Python 3:

    python3 benches/peers/photos.py MODEL FOLDER [--photos 20] [--samples 300] [--segmenters 'A B …'] [--record FILE]

For each photo and segmenter `lipex image` explains the model's answer and says which segments would take it to the second likeliest
class (`--flip-to`), which the model is asked to confirm. Per segmenter: the median number of segments, the median total variation on
unseen masks, how often the model no longer gives its first answer without these segments, and how much of the photo they are.
"""

import argparse
import datetime
import json
import pathlib
import subprocess
import sys
from statistics import median

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEGMENTERS = "slic:30 slic:60 slic:100 felzenszwalb:300,0.8,400 felzenszwalb:100,0.5,50 quickshift:4,200,0.2 grid:6x6"


def explain(options, photo, how, *more):
    command = [ROOT / "target/release/lipex", "image", photo, "--model", f"onnx:{options.model}", "--segments", how,
               "--samples", str(options.samples), "--json", "-", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(photo.name, how, done.stderr.strip(), file=sys.stderr)
        return None
    return json.loads(done.stdout)


def read(e):
    """Segments, total variation on unseen masks, and the share of the photo without which the model says something else."""
    unseen = (e["fidelity"] or {}).get("out_of_fold")
    p, flip = e["probabilities"]["model"], e["flip"] or {}
    best = lambda row: max(range(len(row)), key=row.__getitem__)
    share = None
    if flip.get("remove") and best(p) != best(flip["model"]):
        pixels = [f["region"]["pixels"] for f in e["features"]]
        share = sum(pixels[j] for j in flip["remove"]) / sum(pixels)
    return len(e["features"]), unseen and unseen["tv"], share


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--segmenters", default=SEGMENTERS)
    parser.add_argument("--record")
    options = parser.parse_args()
    photos = sorted(pathlib.Path(options.folder).glob("*.jpg"))[:options.photos]
    # The second likeliest class does not depend on segments.
    second = {}
    for photo in photos:
        e = explain(options, photo, "grid:1x2")
        p = e["probabilities"]["model"]
        second[photo] = e["classes"][sorted(range(len(p)), key=lambda c: -p[c])[1]]
    lines = [f"# Segments of photos, {datetime.date.today()}", "",
             f"`python3 benches/peers/photos.py {' '.join(sys.argv[1:])}`: {len(photos)} photos, {options.samples} masks each.", "",
             "| segments | how many | TV on unseen masks | flips | share of the photo that flips it |", "|---|---|---|---|---|"]
    rows = {how: [] for how in options.segmenters.split()}
    for photo in photos:
        for how in rows:
            e = explain(options, photo, how, "--flip-to", second[photo])
            if e is not None:
                rows[how].append(read(e))
                print(photo.name, how, rows[how][-1], file=sys.stderr, flush=True)
    for how, read_of in rows.items():
        counts, off, shares = zip(*read_of)
        off, flips = [x for x in off if x is not None], [x for x in shares if x is not None]
        share = f"{median(flips):.2f}" if flips else "–"
        lines.append(f"| `{how}` | {median(counts):.0f} | {median(off):.3f} | {len(flips)} of {len(read_of)} | {share} |")
    print("\n".join(lines))
    if options.record:
        pathlib.Path(options.record).write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
