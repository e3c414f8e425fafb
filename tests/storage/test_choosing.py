"""A campaign reaches whom its segments hold: lists and rules in the config's order, without those left out."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from mailer.audience.importing.importer import ListFile, import_list
from mailer.audience.register import ImportOrder
from mailer.audience.rules import parse_rule
from mailer.audience.segments import needed
from mailer.campaigns import advance
from mailer.campaigns.approval import Approval
from mailer.clock import SystemClock
from mailer.deliveries.process import Process
from mailer.errors import Refused
from mailer.storage.agenda import SqlAgenda
from mailer.storage.campaign_tables import deliveries
from mailer.storage.ledger import SqlLedger
from mailer.storage.register import Register

LIST = """correo;cargo;institución;país
lima@a.example;Embajador;Embajada del Perú;
bogota@a.example;Embajadora;Embajada;Colombia
viena@a.example;Cónsul;Consulado de Austria en Quito;
nabon@a.example;Alcalde;Municipio de Nabón;
"""
RULES = {
    "andean": 'institution.country in [PE, CO] and institution.kind = "embassy"',
    "others": "segment = diplomats minus segment = andean",
}


@pytest.fixture
def register(database, tmp_path):
    register = Register(database, SystemClock(), rules=RULES)
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    import_list(ListFile(path=path), ImportOrder(segment="diplomats", source="list.csv", who="x"), register)
    return register


def frozen(database, *segments, excluded=()):
    """Open a campaign, freeze it and let it send; address to segment."""
    agenda, ledger, now = SqlAgenda(database), SqlLedger(database), SystemClock().now()
    agenda.approve(Approval("2026-05", "hash", "x", now))
    opened = advance.open_campaign(
        agenda,
        "2026-05",
        "hash",
        segments,
        by="x",
        now=now,
        again=True,
        rules=needed([*segments, *excluded], RULES),
        excluded=excluded,
    )
    ledger.freeze(opened.id, language="es", now=now)
    started = advance.start(agenda, agenda.get(opened.id), who="x", now=now)
    with database.read() as connection:
        rows = connection.execute(
            select(deliveries.c.email, deliveries.c.segment).where(deliveries.c.campaign_id == started.id)
        )
        return started, {row.email.partition("@")[0]: row.segment for row in rows}


def test_the_order_of_segments_decides_and_exclusions_take_out(register, database):
    """Who is in two segments is in the first of them; who is excluded, by rule or list, is in none."""
    assert frozen(database, "andean", "diplomats")[1] == {
        "lima": "andean",
        "bogota": "andean",
        "viena": "diplomats",
        "nabon": "diplomats",
    }
    assert set(frozen(database, "diplomats", "andean")[1].values()) == {"diplomats"}
    assert frozen(database, "diplomats", excluded=("andean",))[1].keys() == {"viena", "nabon"}
    assert frozen(database, "others")[1].keys() == {"viena", "nabon"}


def test_who_leaves_after_the_freeze_is_not_written_to(register, database):
    """A rule's recipient who left the list, everything, or nothing: only the last is claimed."""
    campaign, _ = frozen(database, "andean", "others")
    register.unsubscribe("lima@a.example", "diplomats", who="reader")
    register.unsubscribe("viena@a.example", None, who="reader")
    ledger, now = SqlLedger(database), SystemClock().now()
    run = ledger.begin(campaign.id, Process.this(), lease=timedelta(minutes=1), now=now)
    claimed = {each.recipient.email for each in ledger.claim(run, 10, now=now)}
    assert claimed == {"bogota@a.example", "nabon@a.example"}
    assert ledger.account(campaign.id).suppressed == 2
    assert frozen(database, "andean")[1].keys() == {"bogota"}


def test_counts_follow_rules_and_those_who_left(register, database):
    """Segments by rule are counted as lists are; tags and named rules are understood; the untellable is refused."""
    register.unsubscribe("bogota@a.example", None, who="reader")
    andean, everybody = register.segment_counts(["andean", "diplomats"])
    assert (andean.subscribers, andean.deliverable, andean.unsubscribed) == (2, 1, 1)
    assert (everybody.subscribers, everybody.deliverable) == (4, 3)
    register.tag(["viena@a.example"], "music", off=False, who="x")
    register.name_rule("friends", 'tag = "music" or segment = andean', who="x")
    assert register.fitting(parse_rule("segment = friends")).people == 3
    with pytest.raises(Refused, match="leans on itself"):
        register.name_rule("round", "segment = round", who="x")
    with pytest.raises(Refused, match="clicked 2026-05"):
        register.fitting(parse_rule("clicked 2026-05"))


def test_a_post_changes_hands_once(register, database, tmp_path):
    """The successor has the post, the one before keeps a past, and a list that is behind doesn't bring them back."""
    register.succeed("nabon@a.example", "nueva@a.example", who="x")
    posts = register.posts_at("Municipio de Nabón")
    assert [(post.email, post.position, post.successor) for post in posts] == [
        ("nueva@a.example", "Alcalde", ""),
        ("nabon@a.example", "Alcalde", "nueva@a.example"),
    ]
    path = tmp_path / "again.csv"
    path.write_text(LIST)
    account = import_list(ListFile(path=path), ImportOrder(segment="diplomats", source="x", who="x"), register)
    assert account.kept == {"succeeded": 1}
    assert register.find("nabon@a.example").segments == ()
