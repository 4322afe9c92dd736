#!/usr/bin/env bash
# That lipex's CUDA backend and candle's fit into one program, as far as a machine without CUDA can tell: cudarc's build
# script takes the features that both want together, and cudarc and lipex-cuda compile with them (linked, not loaded). What it
# cannot tell: candle's own kernels want nvcc, and the linker wants libcuda.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-../../target/interop}
features=$(cargo tree --quiet --edges features --invert cudarc)
for wanted in dynamic-linking fallback-dynamic-loading cuda-12000; do
    grep -q "cudarc feature \"$wanted\"" <<<"$features" || { echo "cudarc has no feature $wanted here" >&2; exit 1; }
done
if grep -q 'cudarc feature "dynamic-loading"' <<<"$features"; then
    echo "cudarc is to be linked and loaded at once, which its build script refuses" >&2
    exit 1
fi
cargo check --quiet -p lipex-cuda -p cudarc
echo "lipex-cuda compiles with cudarc as candle wants it"
if command -v nvcc >/dev/null; then
    cargo check --quiet
    echo "both compile"
else
    echo "skipped: candle's kernels want nvcc"
fi
