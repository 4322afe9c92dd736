"""Segments by scikit-image, of a small picture.

Run: python segments.py   (writes segments.json and segments.png beside it)
Written with Python 3.11, scikit-image 0.26.0, Pillow 13.0.0, NumPy 2.4.6.

segments.png: the middle of ../../../examples/cat.jpg (Chelsea, CC0), 160×120. segments.json: {name: runs}, row by row: an id, how many
pixels have it, the next id … Names are the command's.
"""

import json
import os

import numpy as np
from PIL import Image
from skimage.segmentation import felzenszwalb, quickshift

HERE = os.path.dirname(os.path.abspath(__file__))

def runs(ids):
    flat = ids.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    return np.stack([flat[starts], np.diff(np.r_[starts, flat.size])], axis=1).ravel().tolist()


if __name__ == "__main__":
    cat = Image.open(os.path.join(HERE, "../../../examples/cat.jpg")).convert("RGB")
    small = cat.crop((70, 30, 390, 270)).resize((160, 120), Image.BICUBIC)
    small.save(os.path.join(HERE, "segments.png"), optimize=True)
    pixels = np.asarray(small)
    made = {
        "felzenszwalb:100,0.5,50": felzenszwalb(pixels, scale=100, sigma=0.5, min_size=50),
        "felzenszwalb:30,1.2,10": felzenszwalb(pixels, scale=30, sigma=1.2, min_size=10),
        "quickshift:4,200,0.2": quickshift(pixels, kernel_size=4, max_dist=200, ratio=0.2, rng=0),
        "quickshift:3,6,1": quickshift(pixels, kernel_size=3, max_dist=6, ratio=1, rng=0),
    }
    for name, ids in made.items():
        print(name, ids.max() + 1)
    with open(os.path.join(HERE, "segments.json"), "w", encoding="utf-8") as f:
        json.dump({name: runs(ids) for name, ids in made.items()}, f, separators=(",", ":"))
        f.write("\n")
