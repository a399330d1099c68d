#!/bin/sh
# Installs the clients, at locked versions, beside the tests: node_modules/ and .venv/ of this folder.
# Does nothing when what is installed is what the lock files name. PYTHON names the interpreter; without it, the
# checkout's own .venv or python3.
set -eu
cd "$(dirname "$0")"

stamp_of() { cat "$@" | cksum; }

npm_stamp=$(stamp_of package-lock.json)
if [ "$(cat node_modules/.stamp 2>/dev/null || true)" != "$npm_stamp" ]; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$npm_stamp" > node_modules/.stamp
fi

own=../../../.venv/bin/python
python=${PYTHON:-$([ -x "$own" ] && echo "$own" || echo python3)}
pip_stamp="$(stamp_of requirements.txt) $("$python" --version)"
if [ "$(cat .venv/.stamp 2>/dev/null || true)" != "$pip_stamp" ]; then
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
    echo "$pip_stamp" > .venv/.stamp
fi
