"""LIME's explainers by their names and signatures: change one import.

    from lipex.lime import LimeTextExplainer, LimeImageExplainer, LimeTabularExplainer

An explainer draws LIME's own masks for the same ``random_state`` and fits LIME's own ridge, for every class at
once: weights, intercepts, ``score`` and ``local_pred`` are those of PyPI lime 0.2.0.1 to rounding (tests hold
1e-7). What is not taken is refused in one line. ``.lipex`` of what comes out is the :class:`lipex.Explanation`,
with all of its readings.
"""

from __future__ import annotations

from ._lime.image import ImageExplanation, LimeImageExplainer
from ._lime.shared import LimeExplanation
from ._lime.tabular import LimeTabularExplainer
from ._lime.text import LimeTextExplainer

__all__ = ["ImageExplanation", "LimeExplanation", "LimeImageExplainer", "LimeTabularExplainer", "LimeTextExplainer"]
