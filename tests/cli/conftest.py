"""The command line over the sample's lists, in a folder of the test's own."""

import json
import shutil
from pathlib import Path

import pytest

from mailer.cli.commands import run
from tests.publication import ROOT


@pytest.fixture
def house(tmp_path, monkeypatch) -> Path:
    """The config and the lists of the sample, where commands look for them."""
    shutil.copy(ROOT / "config.toml", tmp_path)
    shutil.copytree(ROOT / "subscribers", tmp_path / "subscribers")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILER_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def mailer(house, capfd):
    """Run a command and hold it to its status: what it prints, read if it is JSON, or with what it refuses."""

    def call(*arguments, status=0):
        assert run(list(arguments)) == status
        captured = capfd.readouterr()
        if status:
            assert captured.out == ""
            return captured.err
        return json.loads(captured.out) if "--json" in arguments else captured.out

    return call
