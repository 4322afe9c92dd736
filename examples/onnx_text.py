"""An ONNX text classifier as a black box; needs `pip install onnxruntime tokenizers`.
lipex text "i feel like a faithful servant" --model 'command:python3 examples/onnx_text.py FOLDER'
FOLDER holds model.onnx, tokenizer.json and config.json (`id2label`)."""
import json, os, sys
import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

folder = sys.argv[1]
options = ort.SessionOptions()
options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
session = ort.InferenceSession(os.path.join(folder, "model.onnx"), options)
wanted = {i.name for i in session.get_inputs()}
tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
tokenizer.no_padding()
tokenizer.enable_truncation(512)
config = json.load(open(os.path.join(folder, "config.json")))
names, pad = config["id2label"], config.get("pad_token_id") or 0
print(json.dumps({"labels": [names[str(i)] for i in range(len(names))], "outputs": "logits"}), flush=True)
for line in sys.stdin:
    # A text without a word has no token where the tokenizer adds none: a graph wants one.
    ids = [e.ids or [pad] for e in tokenizer.encode_batch(json.loads(line)["texts"])]
    logits = [None] * len(ids)
    for length in sorted(set(map(len, ids))):  # equal lengths together: no padding
        at = [i for i, row in enumerate(ids) if len(row) == length]
        rows = np.array([ids[i] for i in at], dtype=np.int64)
        feed = {"input_ids": rows, "attention_mask": np.ones_like(rows), "token_type_ids": np.zeros_like(rows)}
        for i, row in zip(at, session.run(["logits"], {k: v for k, v in feed.items() if k in wanted})[0]):
            logits[i] = row.tolist()
    print(json.dumps({"logits": logits}), flush=True)
