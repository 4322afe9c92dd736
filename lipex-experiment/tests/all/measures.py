"""Prints what measures.rs compares with: pip install torch captum, python measures.py (captum 0.9.0, torch 2.15)."""
import torch
from captum.metrics import infidelity, sensitivity_max

# Six features of 1 each; a removed one is 0. The output is no sum of its features.
masks = torch.tensor([[1, 0, 1, 1, 0, 1], [0, 0, 1, 1, 1, 1], [1, 1, 0, 0, 1, 0], [0, 1, 1, 0, 0, 1.0]], dtype=torch.float64)
scores = torch.tensor([[0.4, -0.2, 0.9, 0.1, 0.3, -0.5]], dtype=torch.float64)
x = torch.ones(1, 6, dtype=torch.float64)


def output(z):
    return torch.sigmoid(z @ torch.tensor([0.5, -0.3, 1.0, 0.2, 0.1, -0.7], dtype=torch.float64) + z[:, 0] * z[:, 2])


drawn = iter(masks)


def perturb(inputs):
    rows = torch.stack([next(drawn) for _ in range(inputs.shape[0])])
    return inputs - rows, rows  # what is taken away, and what is left


print("infidelity", infidelity(output, perturb, x, scores, n_perturb_samples=4).item())
print("lost", [round((output(x) - output(m[None])).item(), 12) for m in masks])

others = torch.tensor([[0.5, -0.2, 0.8, 0.1, 0.3, -0.5], [0.4, 0.0, 0.9, 0.4, 0.3, -0.5]], dtype=torch.float64)
answers = iter([scores, others[:1], others[1:]])
found = sensitivity_max(
    lambda inputs: (next(answers),), x, perturb_func=lambda inputs: inputs, n_perturb_samples=2, max_examples_per_batch=1
)
print("sensitivity", found.item())
