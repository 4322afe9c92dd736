"""An ONNX classifier of images as a black box; needs `pip install onnxruntime pillow`.
lipex image examples/cat.jpg --segments grid:7x9 --model 'command:python3 examples/onnx_images.py FOLDER'
FOLDER holds model.onnx, labels.txt and preprocessor_config.json. Only the central square of the image is looked at."""
import base64, io, json, os, sys
import numpy as np
import onnxruntime as ort
from PIL import Image

folder = sys.argv[1]
options = ort.SessionOptions()
options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
session = ort.InferenceSession(os.path.join(folder, "model.onnx"), options)
config = json.load(open(os.path.join(folder, "preprocessor_config.json")))
size = (config["size"]["width"], config["size"]["height"])
mean, std = (255 * np.array(config[k], np.float32) for k in ("image_mean", "image_std"))

def prepare(png):
    image = Image.open(io.BytesIO(base64.b64decode(png)))
    side = config["crop_pct"] * min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    image = image.resize(size, Image.BICUBIC, box=(left, top, left + side, top + side))
    return ((np.asarray(image, np.float32) - mean) / std).transpose(2, 0, 1)

labels = open(os.path.join(folder, "labels.txt"), encoding="utf-8").read().splitlines()
print(json.dumps({"labels": labels, "outputs": "logits", "images": "png"}), flush=True)
for line in sys.stdin:
    pixels = np.stack([prepare(png) for png in json.loads(line)["images"]])
    print(json.dumps({"logits": session.run(["logits"], {session.get_inputs()[0].name: pixels})[0].tolist()}), flush=True)
