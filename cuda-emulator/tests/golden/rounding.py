"""Correctly rounded results by exact fractions: python3 rounding.py > rounding.txt

Each line: instruction, operands as hexadecimal bits, result as hexadecimal bits. Python's Fraction and isqrt are exact; the
rounding to a binary format is done here on integers, for all four modes.
"""

import math
import random
import struct
from fractions import Fraction

FORMATS = {"f16": (11, -14, 15), "f32": (24, -126, 127), "f64": (53, -1022, 1023)}
WIDTH = {"f16": 16, "f32": 32, "f64": 64}
CODE = {"f16": "e", "f32": "f", "f64": "d"}


def value(bits, ty):
    return Fraction(struct.unpack("<" + CODE[ty], bits.to_bytes(WIDTH[ty] // 8, "little"))[0])


def finite(bits, ty):
    p, _, top = FORMATS[ty]
    return (bits >> (p - 1)) & (2 * top + 1) != 2 * top + 1


def negative(bits, ty):
    return bits >> (WIDTH[ty] - 1) == 1


def rounded(x, ty, mode, zero_negative=False):
    """The bits of x in format ty."""
    p, least, top = FORMATS[ty]
    width = WIDTH[ty]
    if x == 0:
        return (1 << (width - 1)) if zero_negative else 0
    sign = x < 0
    magnitude = abs(x)
    exponent = max(least, math.floor(math.log2(magnitude.numerator) - math.log2(magnitude.denominator)) - 1)
    while Fraction(2) ** (exponent + 1) <= magnitude:
        exponent += 1
    quantum = Fraction(2) ** (exponent - p + 1)
    n, rest = divmod(magnitude, quantum)
    half = quantum / 2
    up = {
        "rn": rest > half or (rest == half and n % 2 == 1),
        "rz": False,
        "rm": sign and rest > 0,
        "rp": not sign and rest > 0,
    }[mode]
    n += up
    # Below the first normal number the leading bit is missing and the stored exponent stays 0.
    bits = n + ((exponent - least) << (p - 1))
    infinity = (2 * top + 1) << (p - 1)
    if bits >= infinity:
        away = mode == "rn" or (mode == "rm" and sign) or (mode == "rp" and not sign)
        bits = infinity if away else infinity - 1
    return bits | (sign << (width - 1))


def root(x, ty, mode):
    """sqrt of a positive fraction, rounded: enough digits and a sticky one decide."""
    shift = 400
    scaled = x * Fraction(4) ** shift
    n = math.isqrt(scaled.numerator // scaled.denominator)
    sticky = Fraction(n) ** 2 != scaled
    return rounded((Fraction(2 * n + sticky)) / (Fraction(2) ** (shift + 1)), ty, mode)


EDGES = {
    "f32": [0, 1, 2, 0x007FFFFF, 0x00800000, 0x00800001, 0x3F800000, 0x3F800001, 0x3F7FFFFF, 0x3FC00000, 0x40400000,
            0x4B000001, 0x33800000, 0x7F7FFFFF, 0x7F000000, 0x3EAAAAAB, 0x20000000, 0x5E123456],
    "f16": [0, 1, 2, 0x03FF, 0x0400, 0x0401, 0x3C00, 0x3C01, 0x3BFF, 0x3E00, 0x4200, 0x6400, 0x7BFF, 0x1001],
    "f64": [0, 1, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x3FF0000000000000, 0x3FF0000010000000, 0x3FF0000030000000,
            0x3FF0000010000001, 0x47EFFFFFE0000000, 0x47EFFFFFF0000000, 0x47EFFFFFEFFFFFFF, 0x47F0000000000000,
            0x36A0000000000000, 0x369FFFFFFFFFFFFF, 0x380FFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF, 0x40EFFC0000000000,
            0x40EFFDFFFFFFFFFF, 0x40EFFE0000000000, 0x3E60000000000000, 0x3E70000000000000],
}


def operands(ty, count, rng):
    """Edges of either sign, then random bits."""
    top = 1 << (WIDTH[ty] - 1)
    edges = [e | s for e in EDGES[ty] for s in (0, top)]
    while True:
        pick = lambda: rng.choice(edges) if rng.random() < 0.5 else rng.getrandbits(WIDTH[ty])
        row = [pick() for _ in range(count)]
        if all(finite(x, ty) for x in row):
            return row


def zero_sign(op, row, ty, mode):
    """The sign of a zero result."""
    sign = [negative(x, ty) for x in row]
    if op == "mul":
        return sign[0] != sign[1]
    if op == "div":
        return sign[0] != sign[1]
    if op == "fma":
        product, addend = sign[0] != sign[1], sign[2]
    else:
        product, addend = sign[0], sign[1] != (op == "sub")
    exact_zeros = (value(row[0], ty) * (value(row[1], ty) if op == "fma" else 1)) == 0
    if exact_zeros and product == addend:
        return product
    return mode == "rm"


def line(name, row, bits):
    print(name, *(f"{x:x}" for x in row), f"{bits:x}")


def main():
    rng = random.Random(7)
    for mode in ("rn", "rz", "rm", "rp"):
        for op, count in (("add", 2), ("sub", 2), ("mul", 2), ("fma", 3), ("div", 2), ("sqrt", 1), ("rcp", 1)):
            for _ in range(120):
                row = operands("f32", count, rng)
                v = [value(x, "f32") for x in row]
                if (op == "div" and v[1] == 0) or (op in ("sqrt", "rcp") and v[0] <= 0):
                    continue
                if op == "sqrt":
                    bits = root(v[0], "f32", mode)
                else:
                    exact = {
                        "add": lambda: v[0] + v[1],
                        "sub": lambda: v[0] - v[1],
                        "mul": lambda: v[0] * v[1],
                        "fma": lambda: v[0] * v[1] + v[2],
                        "div": lambda: v[0] / v[1],
                        "rcp": lambda: 1 / v[0],
                    }[op]()
                    bits = rounded(exact, "f32", mode, op != "rcp" and zero_sign(op, row, "f32", mode))
                line(f"{op}.{mode}.f32", row, bits)
        for source in ("f32", "f64"):
            for target in ("f16", "f32"):
                if source == target:
                    continue
                for _ in range(120):
                    [x] = operands(source, 1, rng)
                    if target == "f16" and rng.random() < 0.8:
                        # Random bits are mostly far outside half precision's range.
                        x = rounded(Fraction(rng.uniform(-1, 1)) * Fraction(2) ** rng.randint(-26, 17), source, "rn")
                    bits = rounded(value(x, source), target, mode, negative(x, source))
                    line(f"cvt.{mode}.{target}.{source}", [x], bits)
        for target in ("f16", "f32", "f64"):
            for source, width, signed in (("u32", 32, 0), ("s32", 32, 1), ("u64", 64, 0), ("s64", 64, 1)):
                if target == "f64" and width == 32:
                    continue
                for _ in range(60):
                    x = rng.getrandbits(rng.choice([8, 12, 17, 25, 26, 32, 40, 54, 55, 64])) & ((1 << width) - 1)
                    n = x - (1 << width) if signed and x >> (width - 1) else x
                    line(f"cvt.{mode}.{target}.{source}", [x], rounded(Fraction(n), target, mode))
    for op, count in (("add", 2), ("sub", 2), ("mul", 2), ("fma", 3)):
        for _ in range(300):
            row = operands("f16", count, rng)
            v = [value(x, "f16") for x in row]
            exact = {"add": v[0] + v[1], "sub": v[0] - v[1], "mul": v[0] * v[1], "fma": v[0] * v[1] + v[-1]}[op]
            bits = rounded(exact, "f16", "rn", zero_sign(op, row, "f16", "rn"))
            line(f"{op}.rn.f16", row, bits)


main()
