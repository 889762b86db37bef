"""URLs: read as browsers read them, or refused."""

from __future__ import annotations

import pytest

from touchstone.intake import IntakeError
from touchstone.intake.addresses import PublicInternet
from touchstone.intake.urls import SHOWN_LENGTH, parse_url

READ = [
    ("https://example.com", "https://example.com/"),
    ("HTTPS://EXAMPLE.com/A", "https://example.com/A"),
    ("https://example.com:443/a", "https://example.com/a"),
    ("http://example.com:8080/a", "http://example.com:8080/a"),
    ("https://example.com?x=1", "https://example.com/?x=1"),
    ("https://example.com/a#part", "https://example.com/a"),
    ("https://example.com./a", "https://example.com./a"),
    ("https://bücher.example/ä b", "https://xn--bcher-kva.example/%C3%A4%20b"),
    ("https://EXAMPLE。com/", "https://example.com/"),
    ("https://cdn.example/v.mp4?sig=a%2Bb%3D&e=1", "https://cdn.example/v.mp4?sig=a%2Bb%3D&e=1"),
    ("https://a_b.example/v", "https://a_b.example/v"),
    ("http://[2606:4700::1]:8080/v", "http://[2606:4700::1]:8080/v"),
    ("  https://example.com/v  ", "https://example.com/v"),
    # Number forms of IPv4, as the URL Standard reads them
    ("http://0x08080808/", "http://8.8.8.8/"),
    ("http://134744072/", "http://8.8.8.8/"),
    ("http://010.8.8.8/", "http://8.8.8.8/"),
    ("http://8.8.2056/", "http://8.8.8.8/"),
    ("http://8.526344/", "http://8.8.8.8/"),
    ("http://8.8.8.8./", "http://8.8.8.8/"),
]

# Every one of these is 127.0.0.1, or an address of the local network, to some reader.
DISGUISED = [
    ("http://127.0.0.1/", "127.0.0.1"),
    ("http://127.1/", "127.0.0.1"),
    ("http://127.0.1/", "127.0.0.1"),
    ("http://2130706433/", "127.0.0.1"),
    ("http://017700000001/", "127.0.0.1"),
    ("http://0177.0.0.1/", "127.0.0.1"),
    ("http://0177.0.0.01/", "127.0.0.1"),
    ("http://0x7f000001/", "127.0.0.1"),
    ("http://0x7f.0x0.0x0.0x1/", "127.0.0.1"),
    ("http://0X7F.1/", "127.0.0.1"),
    ("http://127.0.0.1./", "127.0.0.1"),
    ("http://127%2e0%2E0.1/", "127.0.0.1"),
    ("http://%31%32%37.0.0.1/", "127.0.0.1"),
    ("http://①②⑦.⓪.⓪.①/", "127.0.0.1"),
    ("http://１２７。０。０。１/", "127.0.0.1"),
    ("http://0/", "0.0.0.0"),  # noqa: S104 - data
    ("http://0x/", "0.0.0.0"),  # noqa: S104 - data
    ("http://3232235521/", "192.168.0.1"),
    ("http://0xa9fea9fe/", "169.254.169.254"),
    ("http://[::1]/", "::1"),
    ("http://[0:0:0:0:0:0:0:1]/", "::1"),
    ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1"),
    ("http://[::ffff:7f00:1]/", "::ffff:7f00:1"),
    ("http://[::127.0.0.1]/", "::7f00:1"),
    ("http://[64:ff9b::7f00:1]/", "64:ff9b::7f00:1"),
    ("http://[fd00::1]/", "fd00::1"),
]

REFUSED = [
    ("", "starts? with https"),
    ("example.com/v.mp4", "start with https"),
    ("//example.com/v.mp4", "start with https"),
    ("file:///etc/passwd", "not file"),
    ("ftp://example.com/v.mp4", "not ftp"),
    ("data:video/mp4;base64,AAAA", "not data"),
    ("blob:https://example.com/1", "not blob"),
    ("javascript:alert(1)", "not javascript"),
    ("http:example.com", "names no server"),
    ("http://", "names no server"),
    ("http:///v.mp4", "names no server"),
    ("http://:80/", "names no server"),
    ("https://user@example.com/", "never sent"),
    ("https://user:secret@example.com/", "never sent"),
    ("https://example.com@127.0.0.1/", "never sent"),
    ("https://@example.com/", "never sent"),
    ("https://example.com\\@127.0.0.1/", "backslash"),
    ("https:\\\\127.0.0.1\\", "backslash"),
    ("https://exa\tmple.com/", "control characters"),
    ("https://example.com/\r\nHost: 127.0.0.1", "control characters"),
    ("https://example.com/\x00", "control characters"),
    ("https://example.com/\ud800", "control characters"),
    ("http://[fe80::1%25eth0]/", "network interface"),
    ("http://[fe80::1%eth0]/", "network interface"),
    ("http://[::1%25lo]/", "network interface"),
    ("http://[::1/", "not one that a browser"),
    ("http://[v1.a]/", "not one that a browser"),
    ("http://::1/", "not one that a browser"),
    ("http://1.2.3.4.5/", "not one that a browser"),
    ("http://256.1.1.1/", "not one that a browser"),
    ("http://1.2.3.256/", "not one that a browser"),
    ("http://4294967296/", "not one that a browser"),
    ("http://08.8.8.8/", "not one that a browser"),
    ("http://0x1ffffffff/", "not one that a browser"),
    ("http://1..1/", "not one that a browser"),
    ("http://example..com/", "not one that a browser"),
    ("http://exa mple.com/", "not one that a browser"),
    ("http://exa%00mple.com/", "not one that a browser"),
    ("http://exa%2fmple.com/", "not one that a browser"),
    ("http://127.0.0.1%2f@x.com/", "never sent"),
    ("http://" + "a" * 64 + ".com/", "not one that a browser"),
    ("http://example.com:65536/", "no port number"),
    ("http://example.com:123456/", "no port number"),
    ("http://example.com:8x/", "not one that a browser"),
    ("https://example.com/" + "a" * 16_384, "longer than"),
]


@pytest.mark.parametrize(("text", "read"), READ)
def test_a_url_is_read_as_a_browser_reads_it(text: str, read: str) -> None:
    assert str(parse_url(text)) == read
    assert str(parse_url(read)) == read, "reading is idempotent"
    assert str(parse_url(text).to_yarl()) == read, "what is asked for is what was checked"


@pytest.mark.parametrize(("text", "address"), DISGUISED)
def test_an_address_in_disguise_is_seen_for_what_it_is(text: str, address: str) -> None:
    url = parse_url(text)
    assert str(url.address) == address
    assert url.address is not None
    assert PublicInternet().refuses_address(url.address, url.port) is not None


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_anything_else_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(IntakeError, match=words) as problem:
        parse_url(text)
    assert problem.value.code == "bad_url"
    assert len(str(problem.value)) < SHOWN_LENGTH * 3
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("b.mp4", "https://example.com/x/b.mp4"),
        ("/b.mp4", "https://example.com/b.mp4"),
        ("//cdn.example/b.mp4", "https://cdn.example/b.mp4"),
        ("../b.mp4?c=d", "https://example.com/b.mp4?c=d"),
        ("?c=d", "https://example.com/x/a.mp4?c=d"),
        ("http://2130706433/", "http://127.0.0.1/"),
        (" b.mp4\n", "https://example.com/x/b.mp4"),
    ],
)
def test_a_reference_is_read_against_where_it_stands(reference: str, target: str) -> None:
    assert str(parse_url("https://example.com/x/a.mp4?s=1").join(reference)) == target


@pytest.mark.parametrize(
    "reference", ["file:///etc/passwd", "//user@x.example/", "http://[::1", "/a\\b", "/a\0b"]
)
def test_a_reference_is_held_to_the_same_rules(reference: str) -> None:
    with pytest.raises(IntakeError) as problem:
        parse_url("https://example.com/x/a.mp4").join(reference)
    assert problem.value.code == "bad_url"


def test_what_is_shown_to_a_person_leaves_the_query_out() -> None:
    url = parse_url("https://cdn.example/v.mp4?key=secret")
    assert url.shown == "https://cdn.example/v.mp4"
    assert len(parse_url("https://cdn.example/" + "v" * 500).shown) == SHOWN_LENGTH


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x.example/a/b%20c.mp4?d=e", "b c.mp4"),
        ("https://x.example/", "x.example"),
        ("https://x.example/a/", "a"),
        ("https://x.example/%0d%0aevil%1b[31m.mp4", "evil[31m.mp4"),
    ],
)
def test_the_name_of_the_video(url: str, name: str) -> None:
    assert parse_url(url).file_name == name
