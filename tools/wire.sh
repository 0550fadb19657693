#!/bin/sh
# Generates src/dayfly/contract/wire from proto/. With --check, only compares.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
bin=$(dirname "$python")
out=src
if [ "${1:-}" = --check ]; then out=$(mktemp -d); trap 'rm -rf "$out"' EXIT; fi
PATH="$bin:$PATH" "$python" -m grpc_tools.protoc --proto_path=proto \
  --python_out="$out" --grpc_python_out="$out" --mypy_out="$out" --mypy_grpc_out="$out" \
  proto/dayfly/contract/wire/*.proto
if [ "$out" != src ]; then
  diff -r --exclude=__init__.py --exclude=__pycache__ "$out/dayfly/contract/wire" src/dayfly/contract/wire
  echo "generated code is what proto/ says"
fi
