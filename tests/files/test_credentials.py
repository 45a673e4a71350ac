"""Content credentials, signed with a certificate made here and verified by the c2pa library."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import pytest

from photochrom.albums.results import BatchSettings
from photochrom.errors import MissingExtraError, OptionError, UnsupportedPhotoError
from photochrom.files.credentials import Credentials, signed, verify
from photochrom.files.photo import Photo
from photochrom.files.provenance import (
    COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
    read_provenance,
    with_provenance,
)
from photochrom.files.reading import open_photo
from photochrom.files.writing import encode_photo
from photochrom.hints.hint import Hint
from photochrom.hints.sheet import HintSheet
from photochrom.options import OutputOptions
from tests.albums.test_batch import SETTINGS, folder, names_in, run, statuses  # noqa: F401 - a fixture
from tests.files.makers import pillow_bytes, textured

FORMATS = ("jpeg", "png", "tiff", "webp", "avif")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate chain and a key, as a photographer would have them."""
    pytest.importorskip("c2pa")
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> object:
        parts = ((NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Test"), (NameOID.COMMON_NAME, text))
        return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])

    def certificate(subject: str, key: object, extensions: list[tuple[object, bool]]) -> bytes:
        start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("Root"))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(start).not_valid_after(start + dt.timedelta(days=36500))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def usage(*, signs: bool) -> object:
        return x509.KeyUsage(
            digital_signature=signs, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=not signs, crl_sign=not signs, encipher_only=False, decipher_only=False,
        )  # fmt: skip

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_identity = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = certificate(
        "Root",
        root_key,
        [(x509.BasicConstraints(True, None), True), (usage(signs=False), True), (root_identity, False)],
    )
    leaf = certificate(
        "Photographer",
        key,
        [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (usage(signs=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        ],
    )
    directory = tmp_path_factory.mktemp("pem")
    (directory / "chain.pem").write_bytes(leaf + root)
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (directory / "key.pem").write_bytes(key.private_bytes(*kinds))
    return directory / "chain.pem", directory / "key.pem"


def writing(pem: tuple[Path, Path], **options: object) -> OutputOptions:
    return OutputOptions(certificate=pem[0], private_key=pem[1], **options)


@pytest.mark.parametrize("format", FORMATS)
def test_a_signed_file_verifies_and_a_changed_one_does_not(format: str, pem: tuple[Path, Path]) -> None:
    credentials = Credentials.of(writing(pem))
    assert credentials is not None
    plain = encode_photo(Photo(textured()), format, provenance=SETTINGS.provenance)
    original = (pillow_bytes(textured(channels=1), "JPEG"), "jpeg", "grandmother.jpg")
    data = signed(plain, format, SETTINGS.provenance, credentials, original=original)
    assert len(data) - len(plain) < 20_000, "no thumbnails"
    found = verify(data, format)
    assert found is not None
    assert found["validation_state"] == "Valid"
    text = json.dumps(found)
    assert COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA in text
    assert "grandmother.jpg" in text
    assert (open_photo(data).pixels == open_photo(plain).pixels).all()
    assert read_provenance(open_photo(data).metadata.xmp) == SETTINGS.provenance
    changed = bytearray(data)
    at = bytes(changed).find(b"vividness", bytes(changed).find(b"photochrom:Settings"))
    changed[at] ^= 1
    after = verify(bytes(changed), format)
    assert after is not None
    assert after["validation_state"] == "Invalid"


def test_what_a_person_gave_is_an_action_of_its_own(pem: tuple[Path, Path]) -> None:
    credentials = Credentials.of(writing(pem))
    assert credentials is not None
    hints = [Hint(point=(0.5, 0.5), color="seagreen"), Hint(point=(0.1, 0.1), color=(9, 9), by="reference")]
    sheet = HintSheet(hints=tuple(hints))
    for told, by_person in ((sheet, True), (HintSheet(hints=(hints[1],)), False)):
        provenance = SETTINGS.provenance.with_hints(told.summary)
        found = verify(signed(encode_photo(Photo(textured()), "png"), "png", provenance, credentials), "png")
        assert found is not None
        text = json.dumps(found)
        assert ("humanEdits" in text and "seagreen" in text) == by_person
        packet, _ = with_provenance(None, provenance)
        assert (b"HumanEdits" in packet) == by_person


def test_no_manifest_is_no_manifest(pem: tuple[Path, Path]) -> None:
    assert pem
    assert verify(encode_photo(Photo(textured()), "png"), "png") is None


def test_an_album_is_signed_and_resumed(folder: Path, tmp_path: Path, pem: tuple[Path, Path]) -> None:  # noqa: F811
    out = tmp_path / "out"
    settings = BatchSettings(SETTINGS.provenance, writing(pem))
    assert statuses(run(folder, out, settings)) == {"done"}
    for name in names_in(out):
        photo = open_photo(out / name)
        found = verify((out / name).read_bytes(), photo.format)
        assert found is not None
        assert found["validation_state"] == "Valid", name
    assert statuses(run(folder, out, settings)) == {"skipped"}
    assert statuses(run(folder, out, SETTINGS)) == {"done"}, "unsigned is another result"


def test_what_cannot_be_signed_is_one_line(tmp_path: Path, pem: tuple[Path, Path]) -> None:
    credentials = Credentials.of(writing(pem))
    assert credentials is not None
    with pytest.raises(UnsupportedPhotoError, match="BMP cannot carry"):
        signed(b"", "bmp", SETTINGS.provenance, credentials)
    with pytest.raises(OptionError, match="can have no recipe"):
        BatchSettings(SETTINGS.provenance, writing(pem), keep_recipe=True)
    data = encode_photo(Photo(textured()), "png")
    with pytest.raises(OptionError, match="not accepted"):
        signed(data, "png", SETTINGS.provenance, Credentials(b"-----BEGIN x", b"-----BEGIN y"))


def test_credentials_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    assert Credentials.of(OutputOptions()) is None
    path = tmp_path / "a.pem"
    path.write_text("not PEM")
    with pytest.raises(OptionError, match="needs both"):
        Credentials.of(OutputOptions(certificate=path))
    with pytest.raises(OptionError, match="is no PEM file"):
        Credentials.of(OutputOptions(certificate=path, private_key=path))
    with pytest.raises(OptionError, match="cannot be read"):
        Credentials.of(OutputOptions(certificate=tmp_path / "none", private_key=path))


def test_a_missing_library_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'photochrom\[c2pa\]'"):
        signed(b"", "png", SETTINGS.provenance, Credentials(b"", b""))
