"""Detached Ed25519 signatures (RFC 8032) over the bytes of a manifest, and the key that makes them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_VARIABLE: Final = "DISCLOSURE_SIGNING_KEY"


class KeyFileError(Exception):
    """A signing or public key that is missing, unreadable, or not Ed25519. The message never holds key material."""


class Signer:
    """Signs manifests with one private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Take the key; ``public_pem`` and ``key_id`` follow from it."""
        self._key = key
        self.public_pem: Final = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key_id: Final = key_id(self.public_pem)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read an unencrypted PKCS#8 PEM.

        Raises:
            KeyFileError: not a PEM of an Ed25519 private key.
        """
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyFileError("签名私钥无法读取: 应为未加密的 Ed25519 私钥 (PEM, PKCS#8)") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileError("签名私钥不是 Ed25519 密钥")
        return cls(key)

    @classmethod
    def load(cls, environ: Mapping[str, str], key_file: Path, *, generate: bool = False) -> Self:
        """Take the key from ``DISCLOSURE_SIGNING_KEY`` (a PEM), else from ``key_file``, else make ``key_file`` (0600).

        Raises:
            KeyFileError: there is no key and none is to be made, or the key cannot be read.
        """
        if pem := environ.get(KEY_VARIABLE):
            return cls.from_pem(pem.encode())
        if not key_file.exists():
            if not generate:
                raise KeyFileError(f"没有签名私钥: 请设置环境变量 {KEY_VARIABLE}, 或放置密钥文件 {key_file.name}")
            _make_key_file(key_file)
        return cls.from_pem(key_file.read_bytes())

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature; the same message always gives the same bytes."""
        return self._key.sign(message)


def _make_key_file(file: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_bytes(pem)
    try:
        os.link(draft, file)  # fails where another process was first: its key holds
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _public(pem: bytes) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError("公钥无法读取: 应为 Ed25519 公钥 (PEM)") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError("公钥不是 Ed25519 密钥")
    return key


def key_id(public_pem: bytes) -> str:
    """Return the SHA-256, in hex, of the DER form of a public key: ``openssl pkey -pubin -outform DER | sha256sum``.

    Raises:
        KeyFileError: not a PEM of an Ed25519 public key.
    """
    der = _public(public_pem).public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def is_signed_by(public_pem: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether ``signature`` over ``message`` was made with the private half of ``public_pem``.

    Raises:
        KeyFileError: not a PEM of an Ed25519 public key.
    """
    try:
        _public(public_pem).verify(signature, message)
    except InvalidSignature:
        return False
    return True
