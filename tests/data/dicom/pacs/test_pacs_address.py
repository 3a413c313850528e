"""The address of a PACS."""

import pytest

from lucency.data.dicom.pacs.address import parse_address
from lucency.errors import PlanError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("dicomweb://pacs.hospital", "http://pacs.hospital:80"),
        ("dicomweb://127.0.0.1:8042/dicom-web/", "http://127.0.0.1:8042/dicom-web"),
        ("dicomwebs://pacs/a/b", "https://pacs:443/a/b"),
        ("dicomweb://[::1]:8042/x", "http://[::1]:8042/x"),
    ],
)
def test_dicomweb_is_http_unless_it_says_encrypted(text: str, url: str) -> None:
    assert parse_address(text).url == url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pacs://ORTHANC@10.0.0.7:4242", ("ORTHANC", "10.0.0.7", 4242)),
        ("pacs://My%20PACS@pacs", ("My PACS", "pacs", 104)),
        ("pacs://a_b-c.d@pacs:11112/", ("a_b-c.d", "pacs", 11112)),
    ],
)
def test_dimse_names_title_host_and_port(text: str, expected: tuple[str, str, int]) -> None:
    address = parse_address(text)
    assert (address.ae_title, address.host, address.port) == expected


@pytest.mark.parametrize(
    "text",
    [
        "dicomweb://",
        "dicomweb:///dicom-web",
        "dicomweb://host:99999/x",
        "dicomweb://host:0",
        "dicomweb://host:web/x",
        "dicomweb://[::1/x",
        "dicomweb://ho st/x",
        "dicomweb://host/x?PatientID=7",
        "dicomweb://user:secret@host/x",
        "pacs://host:104",
        "pacs://@host:104",
        "pacs://SEVENTEEN_LETTERS@host",
        "pacs://A%5CB@host",
        "pacs://%20A@host",
        "pacs://A@host/path",
        "https://host/x",
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_sent(text: str) -> None:
    """The sentence says what is wrong and how it is written, and does not repeat a password."""
    with pytest.raises(PlanError) as refusal:
        parse_address(text)
    assert "`data.images`" in str(refusal.value)
    assert "secret" not in str(refusal.value)
