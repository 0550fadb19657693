#!/bin/sh
# Pins every development dependency, with hashes, into requirements/dev.lock.
set -eu
cd "$(dirname "$0")/.."
mkdir -p requirements
uv=$(dirname "${PYTHON:-.venv/bin/python}")/uv
"$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links --all-extras --group dev pyproject.toml -o requirements/dev.lock
