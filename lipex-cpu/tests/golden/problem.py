"""Random neighbourhoods that Python and Rust generate alike, to the bit, so that golden files need not store them.

../common/problem.rs is the same generator. Every draw is a hash of a counter (splitmix64); scores are sums of integers;
the softmax's exponential is (1 + x/256)^256, so only +, *, / and one rounding to f32 are used, which IEEE 754 fixes.
The proximity weights need exp and sqrt; their rounding to f32 hides what libraries may differ by.

A problem is a dict:
  seed       of the draws
  rows       N
  features   D
  classes    C
  strength   largest coefficient of a feature, in 1/1024 of a logit; noise and pairs of features are as strong
  constant   the last so many features are kept in every row
  empty      whether the last class has probability 0 in every row
  checksum   of masks, probabilities and weights (`checksum` below)

Needs numpy (written with 2.4.6 on Python 3.11).
"""

import json
import math

import numpy as np

MASK = (1 << 64) - 1
# What a draw is for.
REMOVED, KEEP, LINEAR, PAIR, NOISE, BASE, MULTIPLICITY = range(7)


def mix(z):
    """One step of splitmix64, for an int or an array of uint64."""
    if isinstance(z, int):
        z = (z + 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draws(seed, purpose, rows, columns):
    """rows x columns draws of 64 bits."""
    i, j = np.meshgrid(np.arange(rows, dtype=np.uint64), np.arange(columns, dtype=np.uint64), indexing="ij")
    return mix(np.uint64(mix(seed << 8 | purpose)) ^ (i << np.uint64(32) | j))


def signed(draw, size):
    """Integers from -size to size."""
    return (draw % np.uint64(2 * size + 1)).astype(np.int64) - size


def masks(p):
    """Z: row i drops each feature with its own chance r/D, r from 1 to D; row 0 keeps all."""
    n, d = p["rows"], p["features"]
    removed = draws(p["seed"], REMOVED, n, 1) % np.uint64(d) + np.uint64(1)
    z = (draws(p["seed"], KEEP, n, d) % np.uint64(d)) >= removed
    z[0] = True
    z[:, d - p["constant"]:] = True
    return z


def probabilities(p, z):
    """P: a softmax of features, of pairs of neighbouring features and of noise."""
    n, d, c, s = p["rows"], p["features"], p["classes"], p["strength"]
    z = z.astype(np.int64)
    pairs = z[:, 0 : d - 1 : 2] * z[:, 1::2]
    score = z @ signed(draws(p["seed"], LINEAR, d, c), s)
    score += pairs @ signed(draws(p["seed"], PAIR, d // 2, c), s)
    score += signed(draws(p["seed"], NOISE, n, c), s)
    score += signed(draws(p["seed"], BASE, 1, c), 1024)
    e = 1.0 + score / 1024.0 / 256.0
    for _ in range(8):
        e = e * e
    if p["empty"]:
        e[:, c - 1] = 0.0
    total = np.zeros(n)
    for k in range(c):
        total = total + e[:, k]
    return (e / total[:, None]).astype(np.float32)


def weights(z):
    """Exponential proximity of width 0.25 on c = 1 - sqrt(m/D)."""
    d = z.shape[1]
    scale = -0.5 / (0.25 * 0.25)

    def weight(m):
        c = 1.0 - math.sqrt(m / d)
        return math.exp(scale * c * c)

    table = np.array([weight(m) for m in range(d + 1)]).astype(np.float32)
    return table[z.sum(axis=1)]


def words(z):
    """Masks as rows of 32-bit words; feature j is bit j mod 32 of word j // 32."""
    n, d = z.shape
    padded = np.zeros((n, (d + 31) // 32 * 32), dtype=np.uint8)
    padded[:, :d] = z
    return np.packbits(padded, axis=1, bitorder="little").view("<u4")


def checksum(*arrays):
    """FNV-1a over 32-bit words, as 16 hexadecimal digits."""
    h = 0xCBF29CE484222325
    for a in arrays:
        for word in np.ascontiguousarray(a).view("<u4").ravel().tolist():
            h = ((h ^ word) * 0x100000001B3) & MASK
    return f"{h:016x}"


def problem(seed, rows, features, classes, strength, constant=0, empty=False):
    """The problem's dict with its checksum, and its masks (bool), probabilities and weights (both float32)."""
    p = dict(seed=seed, rows=rows, features=features, classes=classes, strength=strength, constant=constant, empty=empty)
    z = masks(p)
    prob = probabilities(p, z)
    w = weights(z)
    p["checksum"] = checksum(words(z), prob, w)
    return p, z, prob, w


def multiplicities(seed, rows):
    """How often each row counts: 0 to 3."""
    return (draws(seed, MULTIPLICITY, rows, 1)[:, 0] % np.uint64(4)).astype(np.int64)


def write(path, records):
    """A JSON list with one record a line, so that a difference can be read."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in records) + "\n]\n")
