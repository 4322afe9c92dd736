"""The authors' recipe from its description, in numpy: what a linear layer with softmax becomes under Adam on minibatches.

Run: python authors.py   (a minute; writes authors.json beside it)
Written with Python 3.11, numpy 2.4.6.

The description: linear layer with bias, then softmax; loss of a minibatch sum_i pi_i 1/2 sum_c (sqrt q - sqrt p)^2 / n_batch,
or total variation in place of the squared Hellinger distance; Adam(lr 0.01, betas .9 and .999, eps 1e-8) with coupled
weight decay 0.001 on W and b; minibatches of 128 in row order, never shuffled, the last one short; at most so many epochs;
stop when a minibatch loss is under 0.001, or after more than 1000 steps without a better one; the best state is restored.

A record: problem (see problem.py), loss (hellinger, tv or hellinger-or-tv: both, the one of lower best loss is kept), kept
(features), epochs, start (matrix C x F and intercept C), and the end: matrix and intercept with columns centred over classes,
steps, best (the lowest minibatch loss), stopped (target, patience or epochs), and used (the loss of the fit that was kept).
"""

import os

import numpy as np

from problem import draws, problem, write

START = 7


def loss_and_slope(loss, p, q):
    """The divergence of each row, and its derivative in q."""
    if loss == "tv":
        return 0.5 * abs(q - p).sum(axis=1), 0.5 * np.sign(q - p)
    root = np.sqrt(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(q > 0, 0.5 * (root - np.sqrt(p)) / root, 0.0)
    return 0.5 * ((root - np.sqrt(p)) ** 2).sum(axis=1), slope


def minibatch(loss, theta, z, p, w):
    """Loss and gradient; theta is W and b side by side, C x (F + 1)."""
    z = np.hstack([z, np.ones((len(z), 1))])
    scores = z @ theta.T
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    q = e / e.sum(axis=1, keepdims=True)
    d, slope = loss_and_slope(loss, p, q)
    to_scores = q * (slope - (slope * q).sum(axis=1, keepdims=True))
    return (w * d).sum() / len(z), (w[:, None] * to_scores).T @ z / len(z)


def train(loss, theta, z, p, w, epochs):
    theta = theta.copy()
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    best, state, steps, since = np.inf, theta.copy(), 0, 0
    for _ in range(epochs):
        for at in range(0, len(z), 128):
            rows = slice(at, at + 128)
            value, gradient = minibatch(loss, theta, z[rows], p[rows], w[rows])
            if value < best:
                best, state, since = value, theta.copy(), 0
            else:
                since += 1
            if value < 0.001:
                return best, state, steps, "target"
            if since > 1000:
                return best, state, steps, "patience"
            gradient = gradient + 0.001 * theta
            steps += 1
            m = 0.9 * m + 0.1 * gradient
            v = 0.999 * v + 0.001 * gradient**2
            theta = theta - 0.01 * (m / (1 - 0.9**steps)) / (np.sqrt(v / (1 - 0.999**steps)) + 1e-8)
    return best, state, steps, "epochs"


def record(loss, kept, epochs, settings):
    p, z, prob, w = problem(**settings)
    z, prob, w = z[:, kept].astype(float), prob.astype(float), w.astype(float)
    c, f = settings["classes"], len(kept)
    unit = draws(settings["seed"], START, c, f + 1) / 2.0**64
    theta = np.round((2 * unit - 1) / np.sqrt(f), 6)
    losses = ["hellinger", "tv"] if loss == "hellinger-or-tv" else [loss]
    ends = [(*train(one, theta, z, prob, w, epochs), one) for one in losses]
    best, state, steps, stopped, used = min(ends, key=lambda end: end[0])
    state = state - state.mean(axis=0)
    print(loss, epochs, settings, "steps", steps, "best", f"{best:.6f}", stopped, used, flush=True)
    side = lambda t: dict(matrix=t[:, :f].tolist(), intercept=t[:, f].tolist())
    return dict(problem=p, loss=loss, kept=kept, epochs=epochs, start=side(theta), steps=steps, best=best, stopped=stopped,
                used=used, **side(state))


def settings(seed, rows, features, classes, strength, **more):
    return dict(seed=seed, rows=rows, features=features, classes=classes, strength=strength, **more)


if __name__ == "__main__":
    first, few = settings(400, 300, 8, 3, 900), [0, 2, 3, 7]
    cases = [
        *[("hellinger", list(range(8)), epochs, first) for epochs in (1, 10, 100, 1000)],
        ("hellinger", few, 1000, settings(401, 500, 12, 5, 1200)),
        ("hellinger", list(range(6)), 1000, settings(402, 128, 6, 2, 60)),
        ("hellinger", list(range(10)), 200, settings(403, 1000, 10, 4, 1500, empty=True)),
        ("tv", list(range(8)), 60, first),
        ("hellinger-or-tv", few, 40, settings(404, 260, 9, 3, 1000)),
    ]
    write(os.path.join(os.path.dirname(__file__), "authors.json"), [record(*c) for c in cases])
