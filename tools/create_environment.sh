#!/usr/bin/env bash
# Creates the virtual environment $1 with the newest Python >= 3.11 at hand, and says what is missing.
set -euo pipefail
venv=$1

for candidate in ${FAIRLOOM_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "Fairloom needs Python 3.11 or newer; found: $(python3 --version 2>&1 || true)." >&2
    echo "Install it (Debian, Ubuntu: apt-get install python3), or name one: FAIRLOOM_PYTHON=/path/to/python make run" >&2
    exit 1
fi

free_kb=$(df -Pk . | awk 'NR == 2 {print $4}')
if [ "$free_kb" -lt 8000000 ]; then
    echo "The environment takes about 6 GB, $((free_kb / 1000)) MB are free here. Free some space and try again." >&2
    exit 1
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing $package …"
        apt-get update -qq && apt-get install -y -qq "$package" >/dev/null
    else
        echo "Python's venv module is missing. Install it: sudo apt-get install $package" >&2
        exit 1
    fi
fi

"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --upgrade pip
