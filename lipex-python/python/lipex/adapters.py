"""Models of other libraries as callables."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np


class PipelineModel:
    """A text-classification pipeline of transformers as a callable; see :func:`from_pipeline`."""

    def __init__(self, pipeline: Any, **options: Any) -> None:
        self.pipeline, self.options = pipeline, options
        names = getattr(getattr(getattr(pipeline, "model", None), "config", None), "id2label", None)
        #: The labels in the model's order; in the order of the first answer's names where the model does not say.
        self.class_names: list[str] | None = [str(names[i]) for i in sorted(names)] if names else None

    def __call__(self, texts: list[str]) -> np.ndarray:
        # Every label, in the pipeline's order: sorted by score.
        answers = self.pipeline(list(texts), top_k=None, **self.options)
        if self.class_names is None:
            self.class_names = sorted(str(score["label"]) for score in answers[0])
        place = {name: c for c, name in enumerate(self.class_names)}
        rows = np.full((len(answers), len(place)), np.nan)
        for row, scores in zip(rows, answers):
            for score in scores:
                if str(score["label"]) not in place:
                    raise ValueError(
                        f"the pipeline gave the label {score['label']!r}, which is none of {', '.join(place)}"
                    )
                row[place[str(score["label"])]] = score["score"]
        return rows


def from_pipeline(pipeline: Any, **options: Any) -> PipelineModel:
    """A text-classification pipeline of transformers as a callable with ``class_names``.

    ``options`` go to the pipeline with every call, such as ``batch_size`` or ``truncation=True``.

    >>> import lipex
    >>> def pipe(texts, top_k):  # answers as transformers' do
    ...     return [[{"label": "POS", "score": 0.9}, {"label": "NEG", "score": 0.1}] for _ in texts]
    >>> lipex.from_pipeline(pipe)(["fine"]).tolist()
    [[0.1, 0.9]]
    """
    return PipelineModel(pipeline, **options)


def from_torch(model: Any, tokenizer: Callable[..., Any], **options: Any) -> Callable[[list[str]], Any]:
    """A sequence classifier of transformers and its tokenizer as a callable; say ``outputs="logits"``.

    It runs under ``torch.inference_mode`` on the device that the model is on. ``options`` go to the tokenizer,
    which is asked for padding, truncation and tensors of torch in any case.

    >>> import lipex
    >>> predict = lipex.from_torch(model, tokenizer, max_length=128)                          # doctest: +SKIP
    >>> lipex.explain_text("a fine day", predict, outputs="logits", class_names=model.config.id2label)  # doctest: +SKIP
    """

    def predict(texts: list[str]) -> Any:
        import torch

        place = next(model.parameters()).device
        with torch.inference_mode():
            inputs = tokenizer(list(texts), **{"padding": True, "truncation": True, "return_tensors": "pt", **options})
            answer = model(**{name: tensor.to(place) for name, tensor in inputs.items()})
        return answer.logits if hasattr(answer, "logits") else answer

    return predict
