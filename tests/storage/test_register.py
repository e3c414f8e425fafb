"""The register keeps its promises on both databases."""

from datetime import UTC, datetime

import pytest

from mailer.address import address_key, domain_of
from mailer.audience.register import Arrivals, ImportOrder
from mailer.clock import SystemClock
from mailer.errors import Refused
from mailer.storage import audit
from mailer.storage.register import Register, recipients_of, suppressions
from mailer.storage.rights import Rights
from mailer.tokens import Signer

SEGMENTS = ["diplomats", "gads"]


def seals(key):
    return Signer(["a secret"]).seals("erased", key)


@pytest.fixture
def register(database):
    return Register(database, SystemClock(), seals)


def arrivals(*emails, post="", first=2):
    keys = [address_key(email) for email in emails]
    nothing, posts = [""] * len(emails), [post] * len(emails)
    details = (nothing, nothing, posts, nothing, nothing, nothing)
    return Arrivals(range(first, first + len(emails)), emails, keys, [domain_of(key) for key in keys], details)


def take_in(register, *batches, segment="gads", **how):
    rejected = []
    order = ImportOrder(segment=segment, source="list.csv", who="Redacción", **how)
    outcome = register.take_in(batches, order, lambda line, first: rejected.append((line, first)))
    return outcome, rejected


def test_new_changed_unchanged_and_repeated_are_told_apart(register):
    """Batches of the same import see what earlier ones did, and a second import sees the first."""
    a, b, c = "a@a.example", "b@b.example", "c@c.example"
    outcome, rejected = take_in(
        register, arrivals(a, b), arrivals(c, "A@a.example", first=4), arrivals(b, post="x", first=6)
    )
    assert (outcome.new, outcome.repeated) == (3, 1)
    assert rejected == [(6, 3)]
    outcome, _ = take_in(register, arrivals(a, post="Alcalde"), arrivals(b, "d@d.example", first=3))
    assert (outcome.new, outcome.changed, outcome.unchanged) == (1, 1, 1)
    assert [line.email for line in register.lines("gads")] == [a, b, c, "d@d.example"]


def test_a_repeated_address_is_told_by_its_line_wherever_it_was(register):
    """Some known, some new and some of them again in later batches: each is told the line that it stood on first."""
    take_in(register, arrivals("known@a.example"))
    _, rejected = take_in(
        register,
        arrivals("a@a.example", "b@a.example"),
        arrivals("known@a.example", "c@a.example", first=4),
        arrivals("d@a.example", first=6),
        arrivals(*(f"{who}@a.example" for who in ("a", "c", "d", "known")), post="x", first=7),
    )
    assert rejected == [(7, 2), (8, 5), (9, 6), (10, 4)]


def test_nothing_of_a_failed_import_stays(register, database):
    """A list that breaks in the middle leaves the register, the imports and the audit as they were."""

    def broken():
        yield arrivals("a@a.example")
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="gone"):
        register.take_in(broken(), ImportOrder(segment="gads", source="x", who="x"), lambda *_: None)
    assert not list(register.lines())
    assert not register.imports()
    with database.read() as connection:
        assert not list(audit.entries_about(connection, "import:1"))


def test_a_dry_run_leaves_no_trace(register):
    """A dry run answers as the real run does, and takes no number."""
    tried, _ = take_in(register, arrivals("a@a.example"), dry_run=True)
    done, _ = take_in(register, arrivals("a@a.example"), plan=tried.plan)
    assert (tried.new, done.new) == (1, 1)
    assert tried.import_id is None
    assert len(register.imports()) == 1


def test_two_segments_share_a_person(register, database):
    """One row a person in the first segment that holds them; the counts of the segments know them in each."""
    take_in(register, arrivals("a@a.example", "b@b.example"), segment="gads")
    take_in(register, arrivals("b@b.example", "c@c.example"), segment="diplomats")
    with database.read() as connection:
        found = {row.email: row.segment for row in connection.execute(recipients_of(SEGMENTS, "es"))}
    assert found == {"a@a.example": "gads", "b@b.example": "diplomats", "c@c.example": "diplomats"}
    assert [(count.subscribers, count.deliverable) for count in register.segment_counts(SEGMENTS)] == [(2, 2), (2, 2)]


def test_suppressed_erased_and_gone_are_left_alone(register, database):
    """By address, by domain, by seal, by their own leave: none of them is brought in or back."""
    take_in(register, arrivals("left@a.example", "gone@a.example", "erased@a.example", "kept@a.example"))
    register.unsubscribe("left@a.example", "gads", who="reader")
    register.unsubscribe("gone@a.example", None, who="reader")
    rights = Rights(database, SystemClock(), seals)
    rights.erase(register.find("erased@a.example").id, who="reader")
    with database.write() as connection:
        for key, until in (("@b.example", None), ("c@c.example", datetime(2020, 1, 1, tzinfo=UTC))):
            connection.execute(
                suppressions.insert().values(
                    key=key, reason="bounce", since=datetime(2019, 1, 1, tzinfo=UTC), until=until
                )
            )
    emails = ("left@a.example", "gone@a.example", "ERASED@a.example", "kept@a.example", "x@b.example", "c@c.example")
    outcome, _ = take_in(register, arrivals(*emails, post="x"))
    assert outcome.kept == {"left": 1, "unsubscribed": 1, "erased": 1, "suppressed": 1}
    assert (outcome.new, outcome.changed) == (1, 1)
    assert {line.email for line in register.lines() if line.deliverable} == {"kept@a.example", "c@c.example"}


def test_sync_and_undo_go_there_and_back(register):
    """Who is missing leaves, is brought back by the undo, and a second undo is refused."""
    take_in(register, arrivals(*(f"p{n}@a.example" for n in range(6))))
    outcome, _ = take_in(register, arrivals(*(f"p{n}@a.example" for n in range(1, 7)), post="x"), sync=True)
    assert (outcome.new, outcome.changed, outcome.removed) == (1, 5, 1)
    undone = register.undo(outcome.import_id, who="x")
    assert (undone.gone, undone.restored, undone.kept) == (1, 6, 0)
    assert register.segment_counts(["gads"])[0].deliverable == 6
    assert register.find("p1@a.example").position == ""
    with pytest.raises(Refused):
        register.undo(outcome.import_id, who="x")


def test_numbers_are_never_given_twice(register):
    """The number of somebody who was taken out goes to nobody else: links name people by it."""
    outcome, _ = take_in(register, arrivals("a@a.example"))
    before = register.find("a@a.example").id
    register.undo(outcome.import_id, who="x")
    take_in(register, arrivals("b@b.example"))
    assert register.find("b@b.example").id > before


def test_references_hold_after_the_bulk_lane(register, database):
    """What is written without looking references up still has none that dangles, and deleting cascades again."""
    take_in(register, arrivals("a@a.example"))
    if database.is_sqlite:
        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
