#!/bin/sh
# Pins every package: requirements.lock and tools/setup/node.lock for Python, and the lock files of the
# extension and the end-to-end tests. Lock files name packages, versions and hashes, never a registry.
set -eu
cd "$(dirname "$0")/.."
compile() {
    # 3.11 is the oldest Python that is supported; --universal covers the newer ones and every platform.
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header "$@"
}
compile --upgrade --group dev pyproject.toml --output-file requirements.lock
compile --upgrade tools/setup/node.in --output-file tools/setup/node.lock
for folder in extension tests/e2e; do
    (cd "$folder" && npm update --package-lock-only --ignore-scripts --no-audit --no-fund \
        --omit-lockfile-registry-resolved=true)
done
