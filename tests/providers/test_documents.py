"""What the documents tell an administrator to write is taken by the program as it stands there."""

import re
from functools import partial
from pathlib import Path

import pytest

from mailer import config
from mailer.providers import registry, webhooks

ROOT = Path(__file__).parents[2]
TEXT = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("providers.md", "bounces.md")}
BLOCKS = [
    block for text in TEXT.values() for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
]


class Anything(dict):
    """An environment in which every variable is set."""

    def get(self, key, default=None):
        return super().get(key, "c2VjcmV0")


def loaded(folder: Path, block: str) -> config.Loaded:
    (folder / "config.toml").write_text((ROOT / "config.toml").read_text(encoding="utf-8") + "\n" + block, "utf-8")
    (folder / "sns.pem").write_text("a certificate", encoding="ascii")
    return config.load(folder / "config.toml", Anything())


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_of_the_documents_are_taken(block: str, tmp_path: Path) -> None:
    """Every TOML of the documents loads, and gives a way out, the keys of a webhook, or a mailbox."""
    known = loaded(tmp_path, "")
    told = loaded(tmp_path, block)
    for name in told.config.transports.keys() - known.config.transports.keys():
        table = dict(told.config.transports[name])
        assert registry.make(table.pop("kind"), table, name=name, secrets=partial(told.secret, f"transports.{name}"))
    for name, table in told.config.webhooks.items():
        assert webhooks.keys_of(name, told.with_secrets(f"webhooks.{name}", table))
    assert told.config != known.config


def test_every_provider_has_its_block() -> None:
    """There is a way out to copy for every kind, and a webhook for every provider that has one."""
    whole = "\n".join(BLOCKS)
    assert set(re.findall(r'^kind = "(\w+)"', whole, re.MULTILINE)) == set(registry.KINDS) - {"outbox"}
    assert set(re.findall(r"^\[webhooks\.(\w+)\]", whole, re.MULTILINE)) == set(webhooks.PROVIDERS)
