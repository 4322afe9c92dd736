"""A stand-in for a model of two texts, in Python alone: looks for words of one meaning.

python3 pairs_stub.py embeddings    a vector for each text alone
python3 pairs_stub.py similarities  a number for two texts together
python3 pairs_stub.py classes       logits of two classes for two texts together
"""
import json
import re
import sys

MEANINGS = ["dog puppy", "cat kitten", "guitar music song", "street outside", "runs ran chased"]
kind = sys.argv[1]


def vector(text):
    words = re.findall(r"\w+", text.lower())
    return [sum(w in meaning.split() for w in words) for meaning in MEANINGS]


def alike(first, second):
    return sum(a * b for a, b in zip(vector(first), vector(second)))


FIRST = {"embeddings": {"embeddings": True}, "similarities": {"pairs": True},
         "classes": {"pairs": True, "labels": ["alike", "apart"], "outputs": "logits"}}
print(json.dumps(FIRST[kind]), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if kind == "embeddings":
        # The last number keeps a text without any of these words from having no direction.
        answer = {"embeddings": [vector(text) + [0.5] for text in asked["texts"]]}
    elif kind == "similarities":
        answer = {"similarities": [alike(a, b) for a, b in asked["pairs"]]}
    else:
        answer = {"logits": [[alike(a, b) - 1, 1 - alike(a, b)] for a, b in asked["pairs"]]}
    print(json.dumps(answer), flush=True)
