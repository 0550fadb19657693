#!/bin/sh
# Pins every dependency, with hashes: run.lock to use dayfly, dev.lock to work on it.
set -eu
cd "$(dirname "$0")/.."
mkdir -p requirements
compile() {
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
    --no-emit-index-url --no-emit-find-links "$@"
}
compile --extra docker --group build pyproject.toml -o requirements/run.lock
compile --all-extras --group build --group dev --constraint requirements/run.lock pyproject.toml \
  -o requirements/dev.lock
for stand_in in ministack moto; do
  compile requirements/$stand_in.in -o requirements/$stand_in.lock
done
