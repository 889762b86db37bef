#!/bin/sh
# Makes sure that a Chromium and a Firefox are there for the end-to-end tests.
# CHROMIUM and FIREFOX name the programs to use, if not the first that is found.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# The paths of tests/e2e/src/programs.ts
has_chromium() {
    [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
        [ -x "/Applications/Chromium.app/Contents/MacOS/Chromium" ] ||
        [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}
has_firefox() {
    [ -n "${FIREFOX:-}" ] || command -v firefox-esr >/dev/null 2>&1 || command -v firefox >/dev/null 2>&1 ||
        [ -x "/Applications/Firefox.app/Contents/MacOS/firefox" ]
}

# Without its sandbox helper Chromium does not start for an ordinary user on a machine that forbids user
# namespaces; without a font nothing has a size.
extras="fonts-dejavu-core"
firefox_package=firefox
if [ -r /etc/os-release ] && grep -q '^ID=debian' /etc/os-release; then
    firefox_package=firefox-esr # what Debian calls it
    extras="chromium-sandbox $extras"
fi

has_chromium || "$here/system-packages.sh" "Chromium is missing" "chromium $extras" "--cask google-chrome"
has_firefox || "$here/system-packages.sh" "Firefox is missing" "$firefox_package" "--cask firefox"
