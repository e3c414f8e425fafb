"""What `[delivery]` may say, and what the commands say of a campaign that waits."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer import config, dispatch
from mailer.app import App
from mailer.cli.commands import run
from mailer.deliveries.rate import Rate
from mailer.errors import OperatorError
from mailer.testing import FrozenClock
from tests.pictures import keep_pictures_of

ROOT = Path(__file__).parents[2]


def set_up(folder: Path, delivery: str) -> Path:
    """A config whose `[delivery]` holds these lines besides its own."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    path = folder / "config.toml"
    path.write_text(text.replace("connections = 4\n", f"connections = 4\n{delivery}\n", 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("delivery", "names"),
    [
        ('rate = "fast"', r'\[delivery\] rate: "fast" is no rate'),
        ('rate = ["14/s", "10/year"]', r'\[delivery\] rate: "10/year" is no rate'),
        ('window = "office hours"', r"\[delivery\] window: .*mon-fri 08:00-18:00"),
        ('domains."a.example" = { rate = "0/s" }', r'\[delivery.domains."a.example"\] rate'),
        ('domains."a.example" = { conections = 1 }', "conections"),
        ('domains."a.example" = { connections = 0 }', "connections"),
        ('processes = "many"', r"\[delivery\] processes"),
        ("processes = 0", r"\[delivery\] processes"),
    ],
)
def test_what_is_wrong_in_delivery_is_named(tmp_path: Path, delivery: str, names: str):
    """A wrong value is refused with its section, its key and how to write it."""
    path = set_up(tmp_path, delivery)
    with pytest.raises(OperatorError, match=names):
        App(config.load(path)).outgoing.orders()


def test_delivery_is_read(tmp_path: Path):
    """Rates, one or several, domains in any spelling, and the hours in the publication's time zone."""
    lines = 'rate = ["14/s", "10000/day"]\nwindow = "mon-fri 08:00-18:00"\nprocesses = 8\n'
    app = App(config.load(set_up(tmp_path, lines + 'domains."Ñandú.Example" = { connections = 1 }')))
    orders = app.outgoing.orders()
    assert orders.pace.rates == (Rate(14, 1), Rate(10000, 86400))
    assert orders.pace.domains["xn--and-6ma2c.example"].connections == 1
    assert orders.window is not None
    assert orders.window.is_open(datetime(2022, 11, 30, 13, tzinfo=UTC))
    assert not orders.window.is_open(datetime(2022, 11, 30, 23, tzinfo=UTC))


def test_a_campaign_that_waits_says_for_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Outside its hours `send` ends in peace, and `campaigns show` says when it goes on."""
    for part in ("templates", "issues", "subscribers"):
        (tmp_path / part).symlink_to(ROOT / part)
    keep_pictures_of(tmp_path)
    path = set_up(tmp_path, 'window = "mon 00:00-00:01"')
    base = ["--config", str(path)]
    assert run([*base, "subscribers", "import", str(ROOT / "subscribers/partners.csv"), "--segment", "partners"]) == 0
    app = App(config.load(path), FrozenClock(datetime(2022, 11, 30, 14, tzinfo=UTC)))
    dispatch.approve(app, "2022-11", "Dirección")
    app.close()
    capsys.readouterr()
    assert run([*base, "send", "2022-11", "--segment", "partners", "--yes"]) == 0
    said = capsys.readouterr()
    assert "wait for the hours of [delivery] window" in said.err
    assert "outside its hours (mon 00:00-00:01); it goes on at" in said.out
    assert run([*base, "campaigns", "show", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["state"], document["reconciled"]) == ("sending", True)
    assert document["next_at"]
    assert document["outlook"].startswith("outside its hours")
    shutil.rmtree(tmp_path / "var", ignore_errors=True)
