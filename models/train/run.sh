#!/bin/sh
# Renders faces, trains the net on them, writes face-regions.onnx and its SHA-256.
#   run.sh MESH WORK_FOLDER            the shipped net
#   run.sh MESH WORK_FOLDER --short    the same path with few renders and a tiny net, in minutes
# Stopped and started again, it goes on with the training where that was.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mesh=${1:?usage: run.sh ict_face.npz WORK_FOLDER [--short]}
work=${2:?usage: run.sh ict_face.npz WORK_FOLDER [--short]}
python=${PYTHON:-python3}
if [ "${3:-}" = --short ]; then
    renders=500 training="--steps 300 --tiny --held-out 64"
else
    renders=8000 training="--steps 10000"
fi
if [ ! -e "$work/renders.done" ]; then
    mkdir -p "$work/renders"
    "$python" "$here/render.py" --mesh "$mesh" --out "$work/renders" --first 0 --count "$renders"
    touch "$work/renders.done"
fi
# shellcheck disable=SC2086
"$python" "$here/train.py" --data "$work/renders" --out "$work" --seed 1 $training
sha256sum "$work/face-regions.onnx"
