"""Ed25519 as in RFC 8032; a key is made only when told, readable by its owner alone, and never shown in an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import KEY_PEM
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from feeds.signature import KEY_VARIABLE, KeyFileError, Signer, is_signed_by, key_id


def test_the_first_vector_of_rfc_8032() -> None:
    signer = Signer.from_pem(KEY_PEM)
    public = serialization.load_pem_public_key(signer.public_pem)
    assert isinstance(public, Ed25519PublicKey)
    assert public.public_bytes_raw().hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert signer.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


def test_a_signature_holds_for_its_message_and_key_only(tmp_path: Path) -> None:
    signer, other = Signer.from_pem(KEY_PEM), Signer.load({}, tmp_path / "key.pem", generate=True)
    signature = signer.sign(b"manifest")
    assert is_signed_by(signer.public_pem, signature, b"manifest")
    assert not is_signed_by(signer.public_pem, signature, b"Manifest")
    assert not is_signed_by(signer.public_pem, signature[:-1], b"manifest")
    assert not is_signed_by(other.public_pem, signature, b"manifest")
    assert key_id(other.public_pem) != signer.key_id


def test_a_key_file_is_made_once_and_only_when_told(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "signing.pem"
    with pytest.raises(KeyFileError, match=KEY_VARIABLE):
        Signer.load({}, file)
    made = Signer.load({}, file, generate=True)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Signer.load({}, file, generate=True).key_id == made.key_id
    assert [path.name for path in file.parent.iterdir()] == ["signing.pem"]
    assert Signer.load({KEY_VARIABLE: KEY_PEM.decode()}, file).key_id != made.key_id


def test_another_kind_of_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    foreign = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem in (foreign, b"", KEY_PEM[:40]):
        with pytest.raises(KeyFileError) as error:
            Signer.from_pem(pem)
        assert "BEGIN" not in str(error.value)
    with pytest.raises(KeyFileError):
        key_id(KEY_PEM)
