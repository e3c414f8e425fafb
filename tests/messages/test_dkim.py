"""Signatures, judged by another implementation."""

from base64 import b64decode
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import patch

import dkim as dkimpy
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mailer.errors import OperatorError
from mailer.messages import dkim
from mailer.messages.personalise import personalise
from mailer.messages.stencil import cut
from mailer.testing import a_letterhead, a_recipient, an_edition
from mailer.tokens import Signer

DOMAIN = "relaciones.quito.example"
PAIRS = {kind: dkim.keygen(DOMAIN, kind, kind=kind) for kind in ("rsa", "ed25519")}


def keys(*kinds):
    return [dkim.Key.load(PAIRS[kind].private_pem, domain=DOMAIN, selector=kind) for kind in kinds]


def look_up(name, timeout=5):
    kind = name.decode().partition(".")[0]
    assert name.decode().rstrip(".") == PAIRS[kind].name
    return PAIRS[kind].record.encode()


def signed(*kinds, **given):
    stencil = cut(an_edition(), a_letterhead(), campaign=3, date=datetime(2022, 11, 30, tzinfo=UTC), keys=keys(*kinds))
    return personalise(stencil, a_recipient(42, **given), signer=Signer(["x"]), greet=lambda _: "Señora").content


class VerifyKey:
    """What dkimpy uses of PyNaCl, which is not among our dependencies: Ed25519 by cryptography."""

    def __init__(self, key, encoder):
        self._key = ed25519.Ed25519PublicKey.from_public_bytes(b64decode(key))

    def verify(self, data, signature):
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            raise BadSignatureError from None


class BadSignatureError(Exception):
    pass


NACL = SimpleNamespace(
    signing=SimpleNamespace(VerifyKey=VerifyKey),
    encoding=SimpleNamespace(Base64Encoder=None),
    exceptions=SimpleNamespace(BadSignatureError=BadSignatureError, ValueError=ValueError),
)


def verifies(content, index=0):
    with patch.object(dkimpy, "nacl", NACL, create=True):
        try:
            return dkimpy.DKIM(content).verify(idx=index, dnsfunc=look_up)
        except dkimpy.ValidationError:
            return False


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("name", ["", "Alcaldía", "Gobierno Autónomo Descentralizado de la Provincia de Orellana " * 2])
def test_a_signature_verifies(kind, name):
    """Another implementation finds each kind good, whatever the folding of the headers."""
    assert verifies(signed(kind, name=name))


def test_two_keys_make_two_good_signatures():
    """With both keys a message bears both signatures, and each is good."""
    content = signed("rsa", "ed25519")
    assert content.count(b"DKIM-Signature:") == 2
    assert verifies(content, 0)
    assert verifies(content, 1)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize(
    "name",
    [
        b"From",
        b"To",
        b"Subject",
        b"Date",
        b"Message-ID",
        b"Reply-To",
        b"List-Id",
        b"List-Unsubscribe",
        b"List-Unsubscribe-Post",
        b"Feedback-ID",
        b"MIME-Version",
        b"Content-Type",
        b"Content-Language",
    ],
)
def test_an_altered_header_is_found(kind, name):
    """A change in any header that matters breaks the signature."""
    content = signed(kind)
    altered = content.replace(b"\r\n" + name + b": ", b"\r\n" + name + b": x", 1)
    assert altered != content
    assert not verifies(altered)


@pytest.mark.parametrize("name", [b"From", b"To", b"Subject"])
def test_an_added_header_is_found(name):
    """A second From, To or Subject above or below the first breaks the signature."""
    content = signed("rsa")
    assert not verifies(name + b": intruder@b.example\r\n" + content)
    head, _, body = content.partition(b"\r\n\r\n")
    assert not verifies(head + b"\r\n" + name + b": intruder@b.example\r\n\r\n" + body)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_an_altered_body_is_found(kind):
    """A changed octet of the body breaks the signature."""
    content = signed(kind)
    altered = content.replace(b"saludo", b"saIudo", 1)
    assert altered != content
    assert not verifies(altered)


def test_lines_stay_short():
    """The signature is folded like any other header."""
    head = signed("rsa", "ed25519").partition(b"\r\nFrom:")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 80


def test_a_single_message_can_be_signed():
    """A notice that shares nothing with other messages is signed as well."""
    fields = [b"From: a@relaciones.quito.example\r\n", b"To: b@quito.example\r\n", b"Subject: Aviso\r\n"]
    body = b"Hola\r\n"
    content = dkim.sign(fields, body, keys("rsa")) + b"".join(fields) + b"\r\n" + body
    assert verifies(content)


def test_the_record_fits_into_dns():
    """The record of a zone file is cut into strings of at most 255 characters that join to the whole."""
    pair = PAIRS["rsa"]
    strings = pair.zone_line.split('"')[1::2]
    assert all(len(string) <= 255 for string in strings)
    assert "".join(strings) == pair.record
    assert pair.zone_line.startswith(f"rsa._domainkey.{DOMAIN}. IN TXT (")


def test_a_key_that_cannot_sign_is_refused_in_words():
    """No key, a wrong kind, a short key and a bad selector are each one sentence."""
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    short = rsa.generate_private_key(65537, 1024).private_bytes(*pem)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(*pem)
    for octets in (b"no key", curve):
        with pytest.raises(OperatorError):
            dkim.Key.load(octets, domain=DOMAIN, selector="s")
    with pytest.raises(OperatorError, match="no DNS name"):
        dkim.Key.load(PAIRS["rsa"].private_pem, domain=DOMAIN, selector="s;x")
    with pytest.raises(OperatorError, match="rsa or ed25519"):
        dkim.keygen(DOMAIN, "s", kind="dsa")
    assert dkim.Key.load(short, domain=DOMAIN, selector="s").algorithm == "rsa-sha256"
