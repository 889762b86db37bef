"""ISO base media files: MP4, MOV, M4V, 3GP, fragmented MP4, lone media segments, HEIC and AVIF.

Sources: ISO/IEC 14496-12 (boxes, sample tables, fragments, items), Apple QuickTime File Format (MOV without
`ftyp`).
"""

from __future__ import annotations

from ...messages import say
from ..container import NotMedia
from .bounded import Malformed, Reading
from .isobmff_boxes import boxes, leaf
from .isobmff_fragments import Fragments
from .isobmff_items import read_items
from .isobmff_movie import Movie
from .isobmff_tags import read_meta, read_user_data, read_uuid
from .nal import CODECS

# Boxes that a file or segment may begin with; nothing else is taken for ISO BMFF.
FIRST_BOXES = frozenset(
    {
        b"ftyp",
        b"styp",
        b"moov",
        b"moof",
        b"mdat",
        b"wide",
        b"free",
        b"skip",
        b"pnot",
        b"sidx",
        b"prft",
        b"emsg",
    }
)

MIME = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "m4v": "video/x-m4v",
    "3gp": "video/3gpp",
    "3g2": "video/3gpp2",
    "m4s": "video/iso.segment",
    "heic": "image/heic",
    "avif": "image/avif",
}


def read_isobmff(reading: Reading) -> None:
    """Read a file or segment that begins with one of `FIRST_BOXES`.

    Raises:
        NotMedia: there is nothing in it that could be shown: no index, no fragment, no picture; or it only
            holds sound.
    """
    container = reading.container
    container.format = "mov"  # a file without ftyp is QuickTime's from before 2001
    movie: Movie | None = None
    fragments = Fragments()
    pictures = described = False
    try:
        for box in boxes(reading, 0, reading.size):
            match box.kind:
                case b"ftyp" | b"styp":
                    if box.offset == 0:
                        container.format = _format(box.kind, leaf(reading, box, 4096))
                case b"moov":
                    if movie is None:
                        movie = Movie()
                        movie.read(reading, box)
                case b"moof":
                    if box.offset == 0:
                        container.format = "m4s"
                    fragments.read(reading, box, movie)
                case b"sidx" | b"prft" | b"emsg" if box.offset == 0:
                    container.format = "m4s"
                case b"meta":
                    pictures |= read_items(reading, box)
                    read_meta(reading, box)
                case b"udta":
                    read_user_data(reading, box)
                case b"uuid":
                    described = True
                    read_uuid(reading, box)
                case _:
                    pass
    except Malformed as problem:
        reading.note(str(problem))
    container.mime = MIME[container.format]
    if movie is not None and (movie.tracks or pictures or described):
        movie.fill(reading, fragments)
    elif fragments.count:
        if reading.codec is None:
            reading.problem("segment_alone")
        elif reading.codec in CODECS:
            fragments.tag_first_access_units(reading, reading.codec)
    elif not pictures and not described:
        raise NotMedia(say("container.not_media.mp4_without_index", format=container.format.upper()))


def _format(kind: bytes, payload: bytes) -> str:
    """The format by brands (ISO/IEC 14496-12 annex E, mp4ra.org); unknown brands are MP4."""
    if kind == b"styp":
        return "m4s"
    major = payload[:4]
    brands = {major} | {payload[at : at + 4] for at in range(8, len(payload) - 3, 4)}
    if major in (b"avif", b"avis") or (major in (b"mif1", b"msf1", b"miaf") and brands & {b"avif", b"avis"}):
        return "avif"
    if major in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"):
        return "heic"
    if major == b"qt  ":
        return "mov"
    if major.startswith(b"M4V"):
        return "m4v"
    if major.startswith(b"3g2"):
        return "3g2"
    return "3gp" if major.startswith((b"3gp", b"3gr", b"3gs")) else "mp4"
