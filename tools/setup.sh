#!/usr/bin/env bash
# Make .venv from requirements.lock: everything the demo, the tests and the bench need. Says what it installs.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[setup] %s\n' "$*"; }

python=${PYTHON:-python3.11}
command -v "$python" >/dev/null 2>&1 || { say "needs Python 3.11 ($python not found)"; exit 1; }

apt_install() {
    say "installing system packages: $*"
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq "$@" >/dev/null
}

missing=()
"$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3.11-venv)
(PATH="$PATH:/usr/sbin:/sbin"; command -v useradd) >/dev/null 2>&1 || missing+=(passwd)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
# MariaDB serves one simulated exchange database; only its programs, so that no service is set up or started.
(PATH="$PATH:/usr/sbin"; command -v mariadbd && command -v mariadb-install-db && command -v my_print_defaults) \
    >/dev/null 2>&1 || missing+=(mariadb-server-core mariadb-client-core)
# The browser tests drive the distribution's Chromium; without a Chinese font its pages would be boxes.
command -v chromium >/dev/null 2>&1 || missing+=(chromium)
[ -n "$(fc-list :lang=zh 2>/dev/null | head -1)" ] || missing+=(fontconfig fonts-wqy-microhei)
[ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"

if [ ! -x .venv/bin/python ]; then
    say "creating .venv"
    "$python" -m venv .venv
fi

# The installer is the one pinned in the lock; pip itself is the way back where it cannot reach the index.
say "installing $(grep -c '^[a-z0-9].*==' requirements.lock) Python packages from requirements.lock"
awk '/^[a-z0-9].*==/ {keep = /^uv==/} keep' requirements.lock > .venv/installer.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/installer.lock
if ! .venv/bin/uv pip sync --system-certs --quiet --require-hashes --python .venv/bin/python requirements.lock; then
    say "falling back to pip"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
fi

say "installing the project (command: .venv/bin/disclosure)"
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2>/dev/null \
    || .venv/bin/uv pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable .

say "compiling bytecode"
PYTHONDONTWRITEBYTECODE='' .venv/bin/python -m compileall -q -j 0 "$site" >/dev/null 2>&1 || true

touch .venv/.ready
say "done"
