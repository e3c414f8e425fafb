"""AWS Signature Version 4, by hand: four HMACs need no SDK."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Credentials(msgspec.Struct, frozen=True):
    """An access key; `session` is the token of a temporary one."""

    key_id: str
    secret: str
    session: str = ""


class Scope(msgspec.Struct, frozen=True):
    """Where a signature holds."""

    region: str
    service: str


def signed_headers(
    credentials: Credentials,
    scope: Scope,
    *,
    method: str,
    path: str,
    query: str = "",
    headers: Mapping[str, str],
    content: bytes,
    now: datetime,
) -> dict[str, str]:
    """
    The headers of a request with those that sign it.

    `path` is as it goes on the wire, `query` sorted and encoded; `headers` holds the host, and all of them are signed.
    """
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    sent = {**headers, "X-Amz-Date": stamp}
    if credentials.session:
        sent["X-Amz-Security-Token"] = credentials.session
    canonical = sorted((name.lower(), " ".join(value.split())) for name, value in sent.items())
    names = ";".join(name for name, _ in canonical)
    lines = "".join(f"{name}:{value}\n" for name, value in canonical)
    request = "\n".join((method, path, query, lines, names, sha256(content).hexdigest()))
    where = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, where, sha256(request.encode()).hexdigest()))
    key = f"AWS4{credentials.secret}".encode()
    for step in where.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    sent["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.key_id}/{where}, SignedHeaders={names}, Signature={signature}"
    )
    return sent
