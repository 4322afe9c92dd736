"""Compiles the kernels to PTX with a pinned NVRTC, and checks what came out.

    python3 -m venv target/cuda && target/cuda/bin/pip install -r kernels/requirements.txt
    target/cuda/bin/python kernels/compile.py            # writes kernels/ptx/*.ptx
    target/cuda/bin/python kernels/compile.py --check    # exit 1 unless they are those, byte for byte, and pass the lint

Neither a driver nor a GPU nor a toolkit is needed. PTX of NVRTC 12.0 is version 8.0, which drivers from r525 on take.
"""

import ctypes
import pathlib
import re
import sys

KERNELS = pathlib.Path(__file__).resolve().parent
OPTIONS = ["--gpu-architecture=compute_75", "--fmad=false", "-default-device"]
VERSION = (12, 0)
# What makes results differ between runs or devices, or hides a cost.
FORBIDDEN = {
    "a float atomic": r"\b(atom|red)\.[\w.]*\.f(16|32|64)",
    "flushing of subnormal numbers": r"\.ftz\b",
    "local memory": r"\.local\b",
    "an approximation by the hardware": r"\.approx\b",
    "a contraction that nobody wrote": r"\bmad\.rn\.f",
}


def library():
    for folder in map(pathlib.Path, sys.path):
        for path in folder.glob("nvidia/cuda_nvrtc/lib/libnvrtc.so.12"):
            return ctypes.CDLL(str(path))
    sys.exit("libnvrtc is not there: pip install -r kernels/requirements.txt")


def compiled(nvrtc, source):
    """The PTX of a source file."""
    files = sorted(KERNELS.glob("*.cuh"))
    program = ctypes.c_void_p()
    headers = (ctypes.c_char_p * len(files))(*(f.read_bytes() for f in files))
    names = (ctypes.c_char_p * len(files))(*(f.name.encode() for f in files))
    made = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), source.read_bytes(), source.name.encode(), len(files), headers, names
    )
    options = (ctypes.c_char_p * len(OPTIONS))(*(o.encode() for o in OPTIONS))
    failed = made or nvrtc.nvrtcCompileProgram(program, len(OPTIONS), options)
    log = text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
    if log.strip("\0\n "):
        print(f"{source.name}: {log}", file=sys.stderr)
    if failed:
        sys.exit(f"{source.name} does not compile ({failed})")
    ptx = text(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return trimmed(ptx.rstrip("\0"))


def text(size_of, get, program):
    size = ctypes.c_size_t()
    size_of(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    get(program, buffer)
    return buffer.raw.decode()


def trimmed(ptx):
    """Without the constants of nv/target, which no kernel uses and every file would carry."""
    lines = [line for line in ptx.splitlines() if not re.match(r"\.global .*_INTERNAL_.*nv6target", line)]
    return "\n".join(lines) + "\n"


def lint(name, ptx):
    problems = [f"{name} line {i}: {what}: {line.strip()}"
                for i, line in enumerate(ptx.splitlines(), 1)
                for what, pattern in FORBIDDEN.items() if re.search(pattern, line)]
    if not re.search(r"\.visible \.entry lipex_", ptx):
        problems.append(f"{name}: no kernel whose name starts with lipex_")
    return problems


def main():
    nvrtc = library()
    major, minor = ctypes.c_int(), ctypes.c_int()
    nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    if (major.value, minor.value) != VERSION:
        sys.exit(f"NVRTC {major.value}.{minor.value}, not {VERSION[0]}.{VERSION[1]}: see kernels/requirements.txt")
    problems = []
    for source in sorted(KERNELS.glob("*.cu")):
        ptx, target = compiled(nvrtc, source), KERNELS / "ptx" / f"{source.stem}.ptx"
        problems += lint(source.name, ptx)
        if "--check" not in sys.argv:
            target.write_text(ptx)
        elif not target.exists() or target.read_text() != ptx:
            problems.append(f"{target.name} is not what {source.name} compiles to: run kernels/compile.py")
    print("\n".join(problems) or "the kernels compile to the committed PTX, and it is clean")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
