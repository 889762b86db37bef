#!/bin/sh
# Has the system's package manager install packages: apt (as root or through sudo without a password) or
# Homebrew. Where neither can be used it says exactly what to install, and fails.
#
# usage: system-packages.sh WHY APT_PACKAGES BREW_ARGUMENTS
set -eu
why=$1 apt_packages=$2 brew_arguments=$3

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
        echo "$why. Install it and run this again:  sudo apt-get install $apt_packages" >&2
        exit 1
    fi
    echo "$why: installing $apt_packages with apt" >&2
    # The list of packages may be missing or old, so it is fetched first; a mirror that is briefly away is
    # no reason to stop while the list at hand still works.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 || true
    # shellcheck disable=SC2086 # the packages are words of their own
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $apt_packages >&2
elif command -v brew >/dev/null 2>&1; then
    echo "$why: installing $brew_arguments with Homebrew" >&2
    # shellcheck disable=SC2086
    brew install $brew_arguments >&2
else
    echo "$why. Install it with your system's package manager (Debian and Ubuntu: $apt_packages;" \
        "Homebrew: $brew_arguments) and run this again." >&2
    exit 1
fi
