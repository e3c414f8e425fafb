"""Tokens are good for one purpose, from whoever holds a secret, and say nothing to anybody else."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.tokens import InvalidToken, Signer, kept_secret

PAYLOADS = st.from_regex(r"[a-z0-9]{1,20}(-[a-z0-9]{1,10}){0,3}", fullmatch=True)


@given(PAYLOADS)
def test_what_was_signed_is_read(payload: str) -> None:
    """A payload comes back for its purpose, also when the token was put into capitals on its way."""
    signer = Signer(["a secret"])
    token = signer.sign("unsubscribe", payload)
    assert signer.read("unsubscribe", token) == signer.read("unsubscribe", token.upper()) == payload


@given(PAYLOADS, st.data())
def test_anything_else_is_refused(payload: str, data: st.DataObject) -> None:
    """Another purpose, another secret, or one changed character: the same refusal."""
    signer = Signer(["a secret"])
    token = signer.sign("unsubscribe", payload)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(
        st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-.").filter(lambda char: char != token[place])
    )
    for reader, purpose, text in (
        (signer, "preferences", token),
        (Signer(["another secret"]), "unsubscribe", token),
        (signer, "unsubscribe", token[:place] + other + token[place + 1 :]),
    ):
        with pytest.raises(InvalidToken, match="not valid"):
            reader.read(purpose, text)


def test_secrets_can_be_changed() -> None:
    """After a change of secret old links are still good, and new ones are signed with the new secret."""
    old = Signer(["old"]).sign("unsubscribe", "1-2")
    both = Signer(["new", "old"])
    assert both.read("unsubscribe", old) == "1-2"
    assert Signer(["new"]).read("unsubscribe", both.sign("unsubscribe", "1-2")) == "1-2"


def test_a_kept_secret_is_made_once(tmp_path: Path) -> None:
    """Many who begin at once read one secret, from a file that only its owner may read."""
    path = tmp_path / "secret"
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: kept_secret(path), range(64)))
    assert len(found) == 1
    assert len(found.pop()) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]
