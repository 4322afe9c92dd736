"""The peers: forward selection and LIPEX's fit in numpy and scipy, written to be fast, in f64 unless said."""

import time

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

INTERCEPT_PENALTY = 1e-8


def problem(rows, features, classes, seed, scale=0.5, noise=0.3):
    """Masks (uint8) of uniform size, probabilities (float32) of a softmax of features and noise, weights (float64)."""
    r = np.random.default_rng(seed)
    masks = np.ones((rows, features), np.uint8)
    for i in range(1, rows):
        masks[i, r.choice(features, r.integers(1, features + 1), replace=False)] = 0
    a = r.normal(size=(classes, features)) * scale * np.sqrt(67 / features)
    a[:, r.random(features) < 0.5] *= 0.1
    logits = masks @ a.T + r.normal(size=classes) + noise * r.normal(size=(rows, classes))
    p = np.exp(logits - logits.max(1, keepdims=True))
    p = (p / p.sum(1, keepdims=True)).astype(np.float32)
    distance = 1 - np.sqrt(masks.mean(1))
    return masks, p, np.exp(-distance * distance / (2 * 0.25**2)).astype(np.float32).astype(float)


def forward(masks, p, w, k, dtype=np.float64):
    """Forward selection of k features a class by weighted least squares with intercept, through the whole Gram."""
    root = np.sqrt(w / w.sum()).astype(dtype)[:, None]
    z, y = masks.astype(dtype), p.astype(dtype)
    z = (z - (root * root * z).sum(0)) * root
    y = (y - (root * root * y).sum(0)) * root
    gram, right = z.T @ z, z.T @ y
    picks = []
    for c in range(y.shape[1]):
        left, r, shares, chosen = gram.diagonal().copy(), right[:, c].copy(), [], []
        for _ in range(k):
            with np.errstate(divide="ignore", invalid="ignore"):
                gain = np.where(left > 1e-9, r * r / left, 0)
            gain[chosen] = -1
            s = int(gain.argmax())
            share = gram[s].copy()
            for q in shares:
                share -= q[s] * q
            share /= np.sqrt(left[s])
            r -= share * (r[s] / np.sqrt(left[s]))
            left -= share * share
            shares.append(share)
            chosen.append(s)
        picks.append(chosen)
    return picks


class Objective:
    """(1/N) sum pi d(P || softmax(W z + b)) + lambda/2 |W|^2 and its gradient, for squared Hellinger and KL."""

    def __init__(self, masks, p, w, divergence, lam, intercept):
        z = masks.astype(float)
        self.z = np.ascontiguousarray(np.hstack([z, np.ones((len(z), 1))]) if intercept else z)
        self.p, self.w = p.astype(float), (w / len(z))[:, None]
        self.root = np.sqrt(self.p)
        self.divergence = divergence
        self.entropy = (self.w * self.p * np.log(np.maximum(self.p, 1e-300))).sum()
        self.penalty = np.full(self.z.shape[1], lam)
        if intercept:
            self.penalty[-1] = INTERCEPT_PENALTY
        self.shape = (p.shape[1], self.z.shape[1])

    def __call__(self, x):
        x = x.reshape(self.shape)
        logits = self.z @ x.T
        logits -= logits.max(1, keepdims=True)
        q = np.exp(logits)
        total = q.sum(1, keepdims=True)
        q /= total
        if self.divergence == "kl":
            value = self.entropy - (self.w * self.p * (logits - np.log(total))).sum()
            slope = q - self.p
        else:
            mixed = self.root * np.sqrt(q)
            shared = mixed.sum(1, keepdims=True)
            value = (self.w * (0.5 * (self.p.sum(1, keepdims=True) + 1) - shared)).sum()
            slope = 0.5 * (q * shared - mixed)
        gradient = (slope * self.w).T @ self.z
        pulled = x * self.penalty
        return value + 0.5 * (pulled * x).sum(), (gradient + pulled).ravel()


class Watch:
    """Calls an objective and notes when each value was reached."""

    def __init__(self, objective):
        self.objective, self.seen, self.start = objective, [], time.process_time()

    def __call__(self, x):
        value, gradient = self.objective(x)
        self.seen.append((time.process_time() - self.start, value))
        return value, gradient

    def until(self, value):
        """Milliseconds and evaluations until this value was reached, or None."""
        for n, (t, v) in enumerate(self.seen):
            if v <= value:
                return 1e3 * t, n + 1
        return None


def scipy_fit(objective):
    watch = Watch(objective)
    minimize(watch, np.zeros(np.prod(objective.shape)), jac=True, method="L-BFGS-B",
             options=dict(maxiter=20000, maxfun=20000, ftol=1e-15, gtol=1e-10))
    return watch


def own_fit(make, memory=10, tolerance=1e-9):
    """Our algorithm in numpy: centred L-BFGS from a Gram a class. `make` makes the objective, which is timed too."""
    watch = Watch(None)
    o = watch.objective = make()
    classes, columns = o.shape
    kappa = 1.0 if o.divergence == "kl" else 0.25
    weights = kappa * o.w * np.maximum(o.p * (1 - o.p), 1e-4)
    factors = [cho_factor((o.z.T * weights[:, c]) @ o.z + np.diag(o.penalty)) for c in range(classes)]
    centre = lambda v: v - v.mean(0)
    solve = lambda v: np.stack([cho_solve(f, r, check_finite=False) for f, r in zip(factors, v)])
    h = lambda v: centre(solve(centre(v.reshape(o.shape)))).ravel()
    target = np.log(np.maximum(o.p, 1e-6))
    target -= target.mean(1, keepdims=True)
    x = centre(solve((weights * target).T @ o.z)).ravel()
    f, g = watch(x)
    pairs = []
    for _ in range(500):
        d, shares = g.copy(), []
        for s, y, r in reversed(pairs):
            shares.append(r * (s @ d))
            d -= shares[-1] * y
        d = h(d)
        for (s, y, r), share in zip(pairs, reversed(shares)):
            d += (share - r * (y @ d)) * s
        slope = -(g @ d)
        if -0.5 * slope <= tolerance * f:
            break
        t = 1.0
        for _ in range(30):
            new_f, new_g = watch(x - t * d)
            if new_f <= f + 1e-4 * t * slope + 1e-14 * f:
                break
            t *= 0.5
        s, y = -t * d, new_g - g
        if s @ y > 0:
            pairs = (pairs + [(s, y, 1 / (s @ y))])[-memory:]
        x, f, g = x + s, new_f, new_g
    return watch
