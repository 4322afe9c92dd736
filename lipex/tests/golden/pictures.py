"""Small files as Pillow and NumPy write them, the pixels that Pillow reads out of them, and blurs by SciPy.

Run: python pictures.py   (writes the folder pictures/ and pictures.json beside it)
Written with Python 3.11, Pillow 13.0.0, NumPy 2.4.6, SciPy 1.17.1.

pictures.json: pictures: {file: {width, height, rgb}}, upright (ImageOps.exif_transpose), over white, 8 bits a channel;
maps: {file: {width, height, ids}} with the ids as names; blurs: {sigma: rgb} of rgb8.png.
"""

import json
import os

import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "pictures")
W, H = 11, 7

rng = np.random.default_rng(5)
# Smooth, so that a JPEG is near it, and not symmetric in any way.
y, x = np.mgrid[0:H, 0:W]
smooth = np.stack([20 * x + 5, 30 * y + 9, 12 * x + 13 * y], axis=2).astype(np.uint8)
rough = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
alpha = rng.integers(0, 256, (H, W), dtype=np.uint8)
alpha[0, :3] = [0, 255, 128]
ids = (x // 4 + 3 * (y // 3)).astype(np.uint8)


def save(name, image, **options):
    image.save(os.path.join(FOLDER, name), **options)


def write_pictures():
    save("rgb8.png", Image.fromarray(rough))
    save("rgba8.png", Image.fromarray(np.dstack([rough, alpha])))
    save("grey8.png", Image.fromarray(rough[:, :, 0]))
    save("greyalpha8.png", Image.fromarray(np.dstack([rough[:, :, 0], alpha]), "LA"))
    save("grey1.png", Image.fromarray(rough[:, :, 0] > 127))
    save("grey16.png", Image.fromarray(rough[:, :, 0].astype(np.uint16) * 256 + rough[:, :, 1]))
    save("palette.png", Image.fromarray(rough).quantize(9))
    save("smooth.jpg", Image.fromarray(smooth), quality=97, subsampling=0)
    save("subsampled.jpg", Image.fromarray(smooth), quality=95, subsampling=2)
    save("progressive.jpg", Image.fromarray(smooth), quality=97, progressive=True, subsampling=0)
    save("grey.jpg", Image.fromarray(smooth[:, :, 0]), quality=97)
    save("cmyk.jpg", Image.fromarray(smooth).convert("CMYK"), quality=97)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation{orientation}.jpg", Image.fromarray(smooth), quality=97, subsampling=0, exif=exif)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("orientation6.png", Image.fromarray(rough), exif=exif)
    save("rgb8.gif", Image.fromarray(rough).quantize(9))
    clear = Image.fromarray(rough).quantize(9)
    save("clear.gif", clear, transparency=clear.getpixel((2, 1)))
    save("rgb8.bmp", Image.fromarray(rough))
    save("grey8.bmp", Image.fromarray(rough[:, :, 0]))
    save("rgb8.webp", Image.fromarray(rough), lossless=True)
    save("rgba8.webp", Image.fromarray(np.dstack([rough, alpha])), lossless=True, exact=True)
    save("rgb8.tif", Image.fromarray(rough), compression="tiff_lzw")
    save("rgba8.tif", Image.fromarray(np.dstack([rough, alpha])), compression="tiff_adobe_deflate")
    save("grey8.tif", Image.fromarray(rough[:, :, 0]))
    save("grey16.tif", Image.fromarray(rough[:, :, 0].astype(np.uint16) * 256 + rough[:, :, 1]))
    save("orientation6.tif", Image.fromarray(rough), tiffinfo={274: 6})


def write_maps():
    save("map_grey8.png", Image.fromarray(ids))
    save("map_grey16.png", Image.fromarray(ids.astype(np.uint16) * 1000 + 7))
    save("map_grey1.png", Image.fromarray(ids % 2 == 1))
    colours = (ids.astype(int)[:, :, None] * [25, 7, 3] + [5, 0, 200]).astype(np.uint8)
    save("map_rgb.png", Image.fromarray(colours))
    save("map_rgba.png", Image.fromarray(np.dstack([colours, np.full((H, W), 255, np.uint8)])))
    # Fewer than 16 colours: Pillow packs indices into 4 bits.
    palette = Image.fromarray(ids, "P")
    palette.putpalette(rng.integers(0, 256, 27, dtype=np.uint8).tobytes())
    save("map_palette.png", palette)
    arrays = {
        "map_i8.npy": ids.astype(np.int64) * 10**15 - 7, "map_u1.npy": ids, "map_bool.npy": ids % 2 == 1,
        "map_big.npy": (ids.astype(int) - 3).astype(">i4"), "map_f.npy": np.asfortranarray(ids.astype(np.uint16) * 7000),
        "map_u8.npy": ids.astype(np.uint64) + np.uint64(2**64 - 9),
    }
    for name, array in arrays.items():
        np.save(os.path.join(FOLDER, name), array)
    arrays["map_bool.npy"] = np.where(arrays["map_bool.npy"], "true", "false")
    return {name: array.astype(str) for name, array in arrays.items()} | {
        "map_grey8.png": ids.astype(str), "map_grey16.png": (ids.astype(int) * 1000 + 7).astype(str),
        "map_grey1.png": np.where(ids % 2 == 1, "1", "0"), "map_palette.png": ids.astype(str),
        "map_rgb.png": np.apply_along_axis(lambda c: "#%02x%02x%02x" % tuple(c), 2, colours),
        "map_rgba.png": np.apply_along_axis(lambda c: "#%02x%02x%02x" % tuple(c), 2, colours),
    }


def read(name):
    image = ImageOps.exif_transpose(Image.open(os.path.join(FOLDER, name)))
    if image.mode == "I;16":
        pixels = np.repeat((np.array(image) >> 8).astype(np.uint8)[:, :, None], 3, axis=2)
    elif image.mode in ("RGBA", "LA") or "transparency" in image.info:
        rgba = np.array(image.convert("RGBA")).astype(float)
        a = rgba[:, :, 3:] / 255
        pixels = np.round(rgba[:, :, :3] * a + 255 * (1 - a)).astype(np.uint8)
    else:
        pixels = np.array(image.convert("RGB"))
    return dict(width=pixels.shape[1], height=pixels.shape[0], rgb=pixels.ravel().tolist())


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    write_pictures()
    maps = write_maps()
    pictures = {f: read(f) for f in sorted(os.listdir(FOLDER)) if not f.startswith("map_") and f != "cmyk.jpg"}
    blurs = {}
    for sigma in (0.8, 2.0, 9.0):
        blurred = gaussian_filter(rough.astype(float), (sigma, sigma, 0), mode="nearest")
        blurs[str(sigma)] = np.round(blurred).astype(int).ravel().tolist()
    whole = dict(pictures=pictures, blurs=blurs,
                 maps={f: dict(width=W, height=H, ids=m.ravel().tolist()) for f, m in maps.items()})
    with open(os.path.join(HERE, "pictures.json"), "w", encoding="utf-8") as f:
        json.dump(whole, f)
        f.write("\n")
