#!/usr/bin/env bash
# Looks for the programs that a build needs. Prints the Python to use; or says what is missing and the command that installs it.
set -euo pipefail

RUST_MINOR_MIN=90 # 1.90: the oldest that builds our dependencies; Cargo.toml says the same
NODE_MAJOR_MIN=20 # the oldest that the client libraries of the end-to-end tests support

missing=()
packages=()
need() { # program, Debian package
  command -v "$1" > /dev/null && return
  missing+=("$1")
  packages+=("$2")
}

python=""
for candidate in python3 python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
    python="$candidate"
    break
  fi
done
if [ -z "$python" ]; then
  missing+=("Python 3.11 or newer")
  packages+=(python3 python3-venv)
elif ! "$python" -c 'import ensurepip' 2> /dev/null; then
  missing+=("Python's venv module")
  packages+=(python3-venv)
fi
need gcc gcc
need make make
need node nodejs
need npm npm

if command -v node > /dev/null; then
  node_major="$(node --version | sed -E 's/^v([0-9]+).*/\1/')"
  if [ "$node_major" -lt "$NODE_MAJOR_MIN" ]; then
    missing+=("Node $NODE_MAJOR_MIN or newer (here: $node_major)")
    packages+=(nodejs)
  fi
fi

rust_cure=""
rust_minor="$(cargo --version 2> /dev/null | sed -nE 's/^cargo 1\.([0-9]+).*/\1/p' || true)"
if [ -z "$rust_minor" ] || [ "$rust_minor" -lt "$RUST_MINOR_MIN" ]; then
  missing+=("Rust 1.$RUST_MINOR_MIN or newer")
  if apt-cache show rustup > /dev/null 2>&1; then
    packages+=(rustup)
    rust_cure=" && rustup default stable"
  else
    packages+=(curl)
    rust_cure=" && curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y && . ~/.cargo/env"
  fi
fi

if [ "${#missing[@]}" -gt 0 ]; then
  {
    printf 'coc cannot be built here yet; missing:\n'
    printf '  - %s\n' "${missing[@]}"
    printf 'This installs it on Debian and Ubuntu:\n  sudo apt-get update && sudo apt-get install -y %s%s\n' "${packages[*]}" "$rust_cure"
  } >&2
  exit 1
fi
printf '%s\n' "$python"
