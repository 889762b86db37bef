#!/bin/sh
# Makes sure that the fonts are there with which tests draw words into clips, Latin and Chinese. Without them
# those tests are skipped, so nothing fails here; on macOS they come with the system.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

command -v apt-get >/dev/null 2>&1 || exit 0
missing=""
[ -e /usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf ] || missing="fonts-dejavu-core"
[ -e /usr/share/fonts/truetype/wqy/wqy-zenhei.ttc ] ||
    [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing="$missing fonts-wqy-zenhei"
[ -z "$missing" ] || "$here/system-packages.sh" "Fonts that tests draw with are missing" "$missing" "" ||
    echo "Some tests will be skipped." >&2
