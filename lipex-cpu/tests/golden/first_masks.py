"""Writes first_masks.json: the first masks of seed 0 of each sampler, from a Philox written here.

python3 first_masks.py > first_masks.json        (Python 3, nothing else)
"""
import json

M = 0xFFFFFFFF


def philox(counter, key):
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        a, b = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & M, (a >> 32) ^ c3 ^ k1, a & M
        k0, k1 = (k0 + 0x9E3779B9) & M, (k1 + 0xBB67AE85) & M
    return c0, c1, c2, c3


# Salmon et al. 2011.
assert philox((0,) * 4, (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)


def draw(row, index):
    return philox((index // 4, row, 0, 0), (0, 0))[index % 4]


def below(row, index, n):
    return draw(row, index) * n >> 32


def subset(d, removed, row):
    k, taken = min(removed, d - removed), []
    for m, j in enumerate(range(d - k, d)):
        t = below(row, 1 + m, j + 1)
        taken.append(j if t in taken else t)
    return {j for j in range(d) if (j in taken) != (removed <= d - removed)}


def uniform_size(d, row):
    return subset(d, 1 + below(row, 0, d), row)


def antithetic(d, row):
    odd = row - (row % 2 == 0)
    kept = subset(d, 1 if d == 1 else 1 + below(odd, 0, d - 1), odd)
    return kept if row == odd else set(range(d)) - kept


def bernoulli(d, row):
    return {j for j in range(d) if draw(row, j) < 1 << 31}


def exhaustive(d, row):
    return {j for j in range(d) if not row >> j & 1}


def words(d, kept):
    return [sum(1 << (j - 32 * w) for j in kept if j // 32 == w) for w in range((d + 31) // 32)]


def table(law, sizes, rows):
    masks = lambda d, n: [set(range(d))] + [law(d, i) for i in range(1, n)]
    return {str(d): [w for kept in masks(d, rows or 2**d) for w in words(d, kept)] for d in sizes}


print(json.dumps({
    "uniform-size": table(uniform_size, [1, 2, 8, 31, 32, 33, 100], 12),
    "antithetic": table(antithetic, [1, 2, 8, 33, 100], 12),
    "bernoulli:0.5": table(bernoulli, [1, 8, 33, 100], 12),
    "exhaustive": table(exhaustive, [1, 3], None),
}))
