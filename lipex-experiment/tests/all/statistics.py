"""Prints what statistics.rs compares with: pip install numpy scipy statsmodels, python statistics.py"""
import numpy as np
from scipy import stats

few = np.array([0.3, -0.1, 0.25, 0.4, 0.05, -0.2, 0.15, 0.35, 0.1, -0.05])
many = np.concatenate([few, [0.2, -0.3, 0.1, 0.0, 0.3]])
for x in (few, many):
    found = stats.permutation_test((x,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided")
    print(found.pvalue)
try:
    from statsmodels.stats.multitest import multipletests
    print(multipletests([0.001, 0.04, 0.03, 0.6, 0.011], method="holm")[1])
except ImportError:
    print("statsmodels is not there: Holm by SciPy's definition is 5p1, 4p2, … with a running maximum")
