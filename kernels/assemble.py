"""Assembles the kernels, every built-in divergence in its places, for the devices that lipex supports.

    cargo run -p lipex-cuda --example splice -- target/ptx
    target/cuda/bin/python kernels/assemble.py target/ptx

Exit 1 if anything does not assemble, spills a register, has a stack, or takes more registers than its budget.
"""

import pathlib
import re
import subprocess
import sys

DEVICES = ["75", "80", "90", "100", "120"]
# Registers a thread, of kernels that have few to take.
BUDGET = {
    "lipex_gather": 32,
    "lipex_gather_bytes": 32,
    "lipex_check": 40,
    "lipex_render_tokens": 40,
    "lipex_weigh": 40,
}
# The others: what four blocks of 256 threads on a multiprocessor leave, half of its threads.
MOST = 64


def ptxas():
    for folder in map(pathlib.Path, sys.path):
        for path in folder.glob("nvidia/cuda_nvcc/bin/ptxas"):
            return str(path)
    sys.exit("ptxas is not there: pip install -r kernels/requirements.txt")


def assembled(tool, device, path):
    """Kernel → (registers, bytes of shared memory) of one file; complaints."""
    done = subprocess.run([tool, f"-arch=sm_{device}", "-v", str(path), "-o", "/dev/null"],
                          capture_output=True, text=True)
    if done.returncode:
        return {}, [f"{path.name} for sm_{device}: {done.stderr.strip()}"]
    kernels, complaints, name = {}, [], ""
    for line in done.stderr.splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            name = found[1]
        elif found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            if any(map(int, found.groups())):
                complaints.append(f"{name} of {path.name} for sm_{device}: {line.strip()}")
        elif found := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            kernels[name] = int(found[1]), int(shared[1]) if shared else 0
            budget = BUDGET.get(name, MOST)
            if int(found[1]) > budget:
                complaints.append(f"{name} of {path.name} for sm_{device}: {found[1]} registers, the budget is {budget}")
    return kernels, complaints


def main():
    tool, problems, most = ptxas(), [], {}
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.ptx"))
    for path in files:
        for device in DEVICES:
            kernels, complaints = assembled(tool, device, path)
            problems += complaints
            for name, sizes in kernels.items():
                most[name] = tuple(map(max, most.get(name, (0, 0)), sizes))
    for name, (registers, shared) in sorted(most.items()):
        print(f"{name}: at most {registers} registers, {shared} bytes of shared memory")
    print("\n".join(problems) or f"{len(files)} files assemble for sm_{', sm_'.join(DEVICES)} without a spill")
    sys.exit(bool(problems) or not files)


if __name__ == "__main__":
    main()
