"""Compiles the .cu files of this folder to PTX with NVRTC: python3 make.py path/to/libnvrtc.so.12

The library is in the PyPI wheel nvidia-cuda-nvrtc-cu12; the committed files are from 12.0.140.
"""

import ctypes
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent
OPTIONS = {"mathematics.cu": [], "philox.cu": []}


def compile(nvrtc, path):
    program = ctypes.c_void_p()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), path.read_bytes(), path.name.encode(), 0, None, None)
    arch = "compute_80" if path.name == "mathematics.cu" else "compute_75"
    options = [f"--gpu-architecture={arch}".encode(), *(o.encode() for o in OPTIONS.get(path.name, []))]
    failed = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    what = "ProgramLog" if failed else "PTX"
    size = ctypes.c_size_t()
    getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, f"nvrtcGet{what}")(program, text)
    if failed:
        sys.exit(text.value.decode())
    return text.value


if __name__ == "__main__":
    nvrtc = ctypes.CDLL(sys.argv[1])
    for path in sorted(FOLDER.glob("*.cu")):
        path.with_suffix(".ptx").write_bytes(compile(nvrtc, path))
