"""A scikit-learn pipeline as a black box: lipex text "A wonderful film" --model 'command:python3 examples/sklearn_predict.py'"""
import json, sys
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

good = ["a wonderful film", "wonderful acting and a wonderful story", "moving and funny", "a joy from start to end",
        "the best film of the year", "funny, warm and clever"]
bad = ["a dreadful film", "dreadful acting and a dreadful story", "boring and loud", "a bore from start to end",
       "the worst film of the year", "loud, cold and stupid"]
model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(good + bad, ["good"] * 6 + ["bad"] * 6)
print(json.dumps({"labels": model.classes_.tolist()}), flush=True)
for line in sys.stdin:
    print(json.dumps({"probabilities": model.predict_proba(json.loads(line)["texts"]).tolist()}), flush=True)
