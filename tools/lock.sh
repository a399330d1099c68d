#!/usr/bin/env bash
# Rewrites the Python lock files from their .in files: exact versions, hashes, no registry address.
# Needs `uv` (pip install uv). Cargo.lock and package-lock.json are kept by cargo and npm themselves.
set -euo pipefail
cd "$(dirname "$0")/.."
for list in requirements/runtime requirements/dev tests/e2e/clients/requirements tests/differential/requirements \
  contracts/requirements; do
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
    --custom-compile-command "make lock" "$list.in" --output-file "$list.txt"
done
