"""Which segments suit photos: how far surrogates are off on unseen masks, and whether what they say flips the model.

Run from the workspace root, after `cargo build --release -p lipex-cli`, with any Python 3:

    python3 benches/peers/photos.py MODEL FOLDER [--photos 20] [--samples 300] [--record FILE]

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
SEGMENTERS = ["slic:30", "slic:60", "slic:100", "felzenszwalb:300,0.8,400", "felzenszwalb:100,0.5,50", "quickshift:4,200,0.2", "grid:6x6"]


def explain(options, photo, how, *more):
    command = [ROOT / "target/release/lipex", "image", photo, "--model", f"onnx:{options.model}", "--segments", how,
               "--samples", str(options.samples), "--json", "-", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(photo.name, how, done.stderr.strip(), file=sys.stderr)
        return None
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--samples", type=int, default=300)
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
    for how in SEGMENTERS:
        counts, off, shares, flips, all_of = [], [], [], 0, 0
        for photo in photos:
            e = explain(options, photo, how, "--flip-to", second[photo])
            if e is None:
                continue
            all_of += 1
            counts.append(len(e["features"]))
            unseen = (e["fidelity"] or {}).get("out_of_fold")
            off += [unseen["tv"]] if unseen else []
            p, flip = e["probabilities"]["model"], e["flip"] or {}
            after = flip.get("model")
            if after and flip["remove"] and max(range(len(p)), key=p.__getitem__) != max(range(len(after)), key=after.__getitem__):
                flips += 1
                pixels = [f["region"]["pixels"] for f in e["features"]]
                shares.append(sum(pixels[j] for j in flip["remove"]) / sum(pixels))
            print(photo.name, how, counts[-1], off[-1:], flips, file=sys.stderr, flush=True)
        share = f"{median(shares):.2f}" if shares else "–"
        lines.append(f"| `{how}` | {median(counts):.0f} | {median(off):.3f} | {flips} of {all_of} | {share} |")
        print(lines[-1], file=sys.stderr, flush=True)
    print("\n".join(lines))
    if options.record:
        pathlib.Path(options.record).write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
