#!/bin/sh
# Makes the virtual environment and installs exactly what requirements.lock pins, checked by hash, with
# Touchstone itself as an editable install. Where Node.js 20.19 or newer is missing, it comes as a pinned
# wheel into the same environment.
#
# usage: venv.sh FOLDER     PYTHON names the interpreter to use, if not the first of 3.11 or newer on PATH
set -eu
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)

is_new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

if ! python=$(find_python); then
    "$here/system-packages.sh" "Python 3.11 or newer is missing" "python3 python3-venv" "python@3.13"
    python=$(find_python) || {
        echo "This system's own Python is older than 3.11. Install a newer one and run again with PYTHON=/path/to/python3" >&2
        exit 1
    }
fi

if [ ! -x "$folder/bin/python" ]; then
    # Debian and Ubuntu split the module that fills a virtual environment into a package of its own.
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
        "$here/system-packages.sh" "Python's venv module is missing" "python$version-venv" "python@3.13"
    fi
    echo "Making the virtual environment $folder with $("$python" --version)"
    "$python" -m venv "$folder"
fi

pip() {
    "$folder/bin/python" -m pip --disable-pip-version-check install --quiet "$@"
}

echo "Installing the pinned Python packages (the first time this fetches some 400 MB)"
pip --require-hashes --requirement "$repository/requirements.lock"
pip --no-deps --no-build-isolation --editable "$repository"

# 20.19 is what the extension's build asks for.
has_node() {
    command -v npm >/dev/null 2>&1 && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}
if ! has_node; then
    echo "Node.js 20.19 or newer is missing: installing it into $folder"
    pip --require-hashes --requirement "$here/node.lock"
fi
