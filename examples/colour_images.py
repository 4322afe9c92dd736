"""A classifier of images by colour: the shares of pixels that are mostly red, green, blue, or none of these.

lipex image examples/cat.jpg --segments grid:4x5 --model 'command:python3 examples/colour_images.py'"""
import base64, io, json, sys
import numpy as np

def shares(image):
    """image: height x width x 3, uint8"""
    low, high = image.min(axis=2), image.max(axis=2)
    colour = np.where(high - low < 32, 3, image.argmax(axis=2))
    return np.bincount(colour.ravel(), minlength=4) / colour.size

print(json.dumps({"labels": ["red", "green", "blue", "grey"], "images": "npy"}), flush=True)
for line in sys.stdin:
    images = [np.load(io.BytesIO(base64.b64decode(i))) for i in json.loads(line)["images"]]
    print(json.dumps({"probabilities": [shares(image).tolist() for image in images]}), flush=True)
