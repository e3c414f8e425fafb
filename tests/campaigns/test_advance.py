"""Campaigns: which may be opened, and where each may go."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.campaigns import advance
from mailer.campaigns.account import Account
from mailer.campaigns.approval import Approval
from mailer.campaigns.campaign import MOVES, Campaign, State, move
from mailer.errors import Refused
from mailer.storage.agenda import SqlAgenda
from mailer.storage.audit import entries_about
from mailer.storage.database import Database
from mailer.storage.ledger import SqlLedger

NOW = datetime(2022, 11, 30, 14, tzinfo=UTC)
ORDER = {"by": "Redacción", "now": NOW}


@pytest.fixture
def agenda(database: Database) -> SqlAgenda:
    """An agenda in which issue 2022-11 is approved with the content `a`."""
    made = SqlAgenda(database)
    made.approve(Approval("2022-11", "a", "Dirección", NOW))
    return made


def opened(agenda: SqlAgenda, *segments: str, **more: object) -> Campaign:
    return advance.open_campaign(agenda, "2022-11", "a", segments or ("gads",), **(ORDER | more))


def test_an_unapproved_issue_is_refused(agenda: SqlAgenda):
    """Nothing goes out that nobody signed."""
    with pytest.raises(Refused, match="not approved"):
        advance.open_campaign(agenda, "2022-12", "a", ("gads",), **ORDER)


def test_an_edit_voids_the_approval(agenda: SqlAgenda):
    """Content that differs from what was signed is refused, with who signed and what to do."""
    with pytest.raises(Refused, match="edited after Dirección approved it"):
        advance.open_campaign(agenda, "2022-11", "b", ("gads",), **ORDER)


def test_the_latest_approval_counts(agenda: SqlAgenda):
    """A newer sign-off of other content voids the older one."""
    agenda.approve(Approval("2022-11", "b", "Dirección", NOW))
    with pytest.raises(Refused, match="edited"):
        opened(agenda)


def test_a_second_campaign_to_a_segment_is_refused(agenda: SqlAgenda):
    """A segment gets an issue once, unless --again is given."""
    first = opened(agenda, "gads", "partners")
    with pytest.raises(Refused, match=f"campaign {first.id} .*gads.*--again"):
        opened(agenda, "diplomats", "gads")
    assert opened(agenda, "diplomats").state is State.APPROVED
    assert opened(agenda, "gads", again=True).id > first.id


def test_a_held_campaign_gives_way(agenda: SqlAgenda):
    """What was held doesn't bar the way: the new campaign takes its place."""
    held = advance.hold_fire(agenda, "2022-11", ("gads",), reason="unapproved", now=NOW)
    new = opened(agenda)
    assert agenda.get(held.id).state is State.CANCELLED
    assert agenda.get(held.id).reason == f"replaced by campaign {new.id}"


def test_a_campaign_cancelled_before_it_froze_gives_its_segments_back(agenda: SqlAgenda):
    """Nobody was written to, so the issue may still be sent."""
    first = opened(agenda)
    advance.cancel(agenda, first, who="Redacción", now=NOW)
    assert opened(agenda).state is State.APPROVED


def test_a_move_made_by_another_is_noticed(agenda: SqlAgenda):
    """Two people who order at once don't overwrite each other."""
    campaign = opened(agenda)
    advance.cancel(agenda, campaign, who="Redacción", now=NOW)
    with pytest.raises(Refused, match="moved by somebody else"):
        advance.schedule(agenda, campaign, NOW + timedelta(hours=1), who="Dirección", now=NOW)


def test_a_past_hour_is_refused(agenda: SqlAgenda):
    """A campaign can't be scheduled for an hour that is gone."""
    with pytest.raises(Refused, match="is past"):
        advance.schedule(agenda, opened(agenda), NOW - timedelta(minutes=1), who="Redacción", now=NOW)


def test_the_audit_tells_who_moved_it(agenda: SqlAgenda, database: Database):
    """Each move is written down with its author."""
    campaign = opened(agenda)
    advance.cancel(agenda, campaign, who="Dirección", now=NOW)
    with database.read() as connection:
        told = [(entry.who, entry.action) for entry in entries_about(connection, f"campaign:{campaign.id}")]
    assert told == [
        ("Redacción", "campaign-opened"),
        ("Redacción", "campaign-approved"),
        ("Dirección", "campaign-cancelled"),
    ]


def test_it_finishes_only_when_the_sums_agree(agenda: SqlAgenda, database: Database):
    """Open deliveries, or a recipient that no figure accounts for, keep a campaign open."""
    campaign = opened(agenda)
    SqlLedger(database).freeze(campaign.id, language="es", now=NOW)
    sending = advance.start(agenda, agenda.get(campaign.id), who="test", now=NOW)
    with pytest.raises(Refused, match="open"):
        advance.finish(agenda, sending, Account(recipients=2, sent=1, pending=1), now=NOW)
    with pytest.raises(Refused, match="difference"):
        advance.finish(agenda, sending, Account(recipients=2, sent=1), now=NOW)
    assert advance.finish(agenda, sending, Account(recipients=1, sent=1), now=NOW).finished_at == NOW


def test_a_fire_is_noted_once(agenda: SqlAgenda):
    """Whoever asks second is told that it fired already."""
    assert agenda.fire("monthly", NOW, now=NOW)
    assert not agenda.fire("monthly", NOW, now=NOW)
    assert list(agenda.fires("monthly")) == [NOW]


@given(st.sampled_from(State), st.sampled_from(State))
def test_only_the_drawn_moves_are_made(before: State, after: State):
    """A move that the table doesn't hold raises; one that it holds changes the state and nothing else."""
    campaign = Campaign(1, "2022-11", "a", ("gads",), before, NOW)
    if after in MOVES[before]:
        assert move(campaign, after) == msgspec.structs.replace(campaign, state=after)
    else:
        with pytest.raises(Refused):
            move(campaign, after)
