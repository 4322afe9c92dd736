#!/usr/bin/env bash
# Puts seeds into fuzz/corpus/: the golden NumPy files, alone and as members of one input, pictures
# and segment maps, a saved explanation, lines, PTX.
set -euo pipefail
cd "$(dirname "$0")"
golden=../lipex-cli/tests/golden/npy
mkdir -p corpus/{npy,npz,picture,explanation,protocol,ptx,onnx,gradients}
cp "$golden"/*.np[yz] corpus/npy/
for masks in "$golden"/masks*.npy; do
    for kind in 0 1; do
        { printf "\\$kind\\200\\007"; cat "$masks"; printf '\253'; cat "$golden/probs.npy"; printf '\253'; cat "$golden/weights.npy"; } \
            >"corpus/npz/$(basename "$masks" .npy)-$kind"
    done
done
cp ../lipex/tests/golden/pictures/* corpus/picture/
number=0
for file in digits/model.onnx digits/config.json digits/preprocessor_config.json emotions/model.onnx emotions/config.json \
    emotions/tokenizer.json; do
    { printf "\\$number"; cat "../examples/models/$file"; } >"corpus/onnx/$number"
    number=$((number + 1))
done
cp ../examples/models/digits/model.onnx corpus/gradients/
cp ../docs/explanation.json corpus/explanation/
cp ../cuda-emulator/tests/ptx/*.ptx corpus/ptx/
printf '{"labels": ["no", "yes"], "outputs": "logits"}' >corpus/protocol/labels
printf '{"labels": ["no", "yes"], "images": "png"}' >corpus/protocol/images
printf '{"probabilities": [[0.25, 0.75], [NaN, -Infinity]]}' >corpus/protocol/answer
printf '{"independent": [[0.25, 0.5], ["x\\"NaN", 1e400]]}' >corpus/protocol/independent
