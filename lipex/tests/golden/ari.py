"""How alike segments of photos are to scikit-image's: scikit-learn's adjusted Rand index, and SLIC's counts and orphans.

    python -m venv venv && venv/bin/pip install scikit-image==0.26.0 scikit-learn==1.9.1 pillow==13.0.0
    cargo build --release -p lipex-cli && venv/bin/python lipex/tests/golden/ari.py FOLDER_OF_PHOTOS [COUNT]

Both get the same pixels: Pillow's decode, as PNG. scikit-image's quickshift adds normal noise of 1e-5 to densities, to break ties; where
the densities of neighbours are nearer than that, its own seeds disagree (the white golf ball: .98). Here the noise is taken away: of
equal densities the earlier pixel's counts as greater, as in lipex, and the bound is .999 on every photo.
Exits with 1 where felzenszwalb or quickshift is below .999, or SLIC has a segment in two pieces or is off the number asked for by
more than a fifth.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image
from skimage.measure import label
from skimage.segmentation import felzenszwalb, quickshift
from sklearn.metrics import adjusted_rand_score

ROOT = pathlib.Path(__file__).resolve().parents[3]
SEEDED = np.random.default_rng


class Earlier(np.random.Generator):
    """In place of noise: what is earlier has the greater density, by less than densities that differ do."""

    def normal(self, loc=0.0, scale=1.0, size=None):
        return -1e-12 * np.arange(np.prod(size)).reshape(size)


def shifted(pixels):
    np.random.default_rng = lambda seed: Earlier(np.random.PCG64(seed))
    try:
        return quickshift(pixels, kernel_size=4, max_dist=200, ratio=0.2)
    finally:
        np.random.default_rng = SEEDED


PEERS = {
    "felzenszwalb:100,0.5,50": lambda p: felzenszwalb(p, scale=100, sigma=0.5, min_size=50),
    "felzenszwalb:300,0.8,100": lambda p: felzenszwalb(p, scale=300, sigma=0.8, min_size=100),
    "quickshift:4,200,0.2": shifted,
}


def own(photo, how, place):
    out = pathlib.Path(place) / "map.npy"
    command = [ROOT / "target/release/lipex", "segments", photo, "--segments", how, "--out", out]
    subprocess.run(command, check=True, capture_output=True)
    return np.load(out)


def main():
    photos = sorted(pathlib.Path(sys.argv[1]).glob("*.jpg"))[:int(sys.argv[2]) if len(sys.argv) > 2 else 10]
    good = len(photos) > 0
    with tempfile.TemporaryDirectory() as place:
        for photo in photos:
            pixels = np.asarray(Image.open(photo).convert("RGB"))
            same = pathlib.Path(place) / "photo.png"
            Image.fromarray(pixels).save(same)
            told = []
            for how, peer in PEERS.items():
                theirs, ours = peer(pixels), own(same, how, place)
                ari = adjusted_rand_score(theirs.ravel(), ours.ravel())
                good &= ari >= 0.999
                told.append(f"{how} {ari:.6f} ({ours.max() + 1} and {theirs.max() + 1})")
            for count in (30, 60, 200):
                ours = own(same, f"slic:{count}", place)
                pieces = label(ours + 1, connectivity=1).max()
                segments = ours.max() + 1
                good &= pieces == segments and abs(segments - count) <= 0.2 * count
                told.append(f"slic:{count} {segments} segments, {pieces} pieces")
            print(photo.name, "; ".join(told))
    print("good" if good else "BAD")
    sys.exit(not good)


main()
