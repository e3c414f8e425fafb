"""An import can be taken back without taking back what people did, and nothing brings back who left."""

import random
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from mailer.address import address_key
from mailer.audience.importing.importer import ListFile, import_list
from mailer.audience.register import ImportOrder
from mailer.clock import SystemClock
from mailer.errors import Refused
from mailer.storage.database import Database
from mailer.storage.preferences import Choices, Preferences
from mailer.storage.register import Register
from mailer.storage.register.tables import memberships, subscribers
from mailer.storage.rights import Rights
from mailer.storage.suppressions import Suppressions
from mailer.tokens import Signer
from tests.databases import empty_books, empty_database


def everything(database):
    """The register's people and places, without the times of change."""
    with database.read() as connection:
        kept = [column for column in subscribers.c if column.name not in {"updated_at", "id"}]
        people = connection.execute(select(*kept).order_by(subscribers.c.email_key)).all()
        places = connection.execute(
            select(subscribers.c.email_key, memberships.c.segment, memberships.c.state)
            .join(subscribers)
            .order_by(subscribers.c.email_key, memberships.c.segment)
        ).all()
    return people, places


def test_undo_restores_the_register(take_in, register, database):
    """People whom the import brought are gone, and the others are as before, to the letter."""
    take_in("correo,cargo\na@a.example,Uno\nb@a.example,\n", "diplomats")
    before = everything(database)
    account = take_in("correo,cargo,nombre\na@a.example,Dos,Ana\nb@a.example,Dos,\nc@a.example,Dos,\n", "gads")
    assert everything(database) != before
    undone = register.undo(account.import_id, who="Redacción")
    assert everything(database) == before
    assert (undone.gone, undone.kept) == (1, 0)
    assert register.imports()[0].undone_at is not None


def test_undo_keeps_what_people_did_since(take_in, register, database):
    """Who left after the import stays known as gone, so that the list can't bring them back."""
    account = take_in("correo\na@a.example\nb@a.example\n")
    register.unsubscribe("a@a.example", None, who="reader")
    undone = register.undo(account.import_id, who="Redacción")
    assert (undone.gone, undone.kept) == (1, 1)
    assert register.find("a@a.example").state == "unsubscribed"
    again = take_in("correo\na@a.example\nb@a.example\n")
    assert (again.new, again.kept) == (1, {"unsubscribed": 1})


def test_undo_goes_from_the_newest_back(take_in, register):
    """An import that a later one of the segment stands on is not undone under it; nothing is undone twice."""
    first, second = take_in("correo\na@a.example\n"), take_in("correo\nb@a.example\n")
    with pytest.raises(Refused, match=f"import {second.import_id}"):
        register.undo(first.import_id, who="x")
    register.undo(second.import_id, who="x")
    register.undo(first.import_id, who="x")
    with pytest.raises(Refused, match="already"):
        register.undo(first.import_id, who="x")
    with pytest.raises(Refused, match="no import 99"):
        register.undo(99, who="x")


def test_sync_lets_the_missing_leave_and_undo_brings_them_back(take_in, register, database):
    """With `--sync` who isn't on the list leaves the segment; many only when it is confirmed; undo restores them."""
    ten = "correo\n" + "".join(f"p{n}@a.example\n" for n in range(10))
    take_in(ten)
    before = everything(database)
    account = take_in("correo\n" + "".join(f"p{n}@a.example\n" for n in range(8)), sync=True)
    assert account.removed == 2
    assert register.segment_counts(["gads"])[0].deliverable == 8
    with pytest.raises(Refused, match="5 of the 8"):
        take_in("correo\np0@a.example\np1@a.example\np2@a.example\n", sync=True)
    assert take_in("correo\np0@a.example\n", sync=True, dry_run=True).removed == 7
    assert register.segment_counts(["gads"])[0].deliverable == 8
    assert register.undo(account.import_id, who="x").restored == 2
    assert everything(database) == before


def test_sync_leaves_alone_who_joined_by_themselves(take_in, register, database, clock):
    """Somebody whom no list brought is not removed by one."""
    take_in("correo\na@a.example\n")
    with database.write() as connection:
        connection.execute(memberships.update().values(import_id=None))
    assert take_in("correo\nb@a.example\n", sync=True).removed == 0


def test_a_run_does_what_its_dry_run_said_or_nothing(take_in, register):
    """With the dry run's plan the real run does exactly that; when the register moved on, it says so and stops."""
    text = "correo,cargo\na@a.example,Uno\nb@a.example,Uno\n"
    plan = take_in(text, dry_run=True).plan
    assert take_in(text, plan=plan).new == 2
    plan = take_in(text.replace("Uno", "Dos"), dry_run=True).plan
    register.unsubscribe("b@a.example", None, who="reader")
    with pytest.raises(Refused, match="changed since"):
        take_in(text.replace("Uno", "Dos"), plan=plan)
    assert register.find("a@a.example").position == "Uno"


ADDRESSES = [f"{name}@a.example" for name in "abcd"]
SEGMENTS = ["diplomats", "gads"]
WHAT = ["undo", "leave", "suppress", "lift", "write_own_name", "succeed", "leave_all", "erase", "tidy"]
WHAT += ["leave", "lift", "suppress", "undo", "write_own_name"]  # erasing and tidying leave nobody for long


class RegisterMachine(RuleBasedStateMachine):
    """
    Any order of imports, departures, suppressions, erasures, undoings, successions, hand edits and tidying, against a
    plain account of them.
    """

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = self.books()
        seals = Signer(["a secret"]).seals
        self.register = Register(self.database, SystemClock(), lambda key: seals("erased", key))
        self.rights = Rights(self.database, SystemClock(), lambda key: seals("erased", key))
        self.gone: set[str] = set()  # left everything
        self.left: set[tuple[str, str]] = set()
        self.erased: set[str] = set()
        self.suppressed: set[str] = set()
        self.handed_on: set[tuple[str, str]] = set()  # the post that had them in a segment
        self.names: dict[str, str] = {}  # as people wrote them
        self.successors = 0
        self.suppressions = Suppressions(self.database, SystemClock())
        self.preferences = Preferences(self.database, SystemClock())
        self.wanted: dict[str, set[str]] = {segment: set() for segment in SEGMENTS}  # by the lists that stand
        self.stack: dict[str, list[tuple[int, set[str]]]] = {segment: [] for segment in SEGMENTS}

    def books(self):
        return Database(empty_books(Path(self.folder.name, "mailer.db")))

    def teardown(self):
        self.database.close()
        self.folder.cleanup()

    @initialize(segment=st.sampled_from(SEGMENTS))
    def begin(self, segment):
        """A list of everybody, so that whatever happens next happens to somebody."""
        self.take_in(people=ADDRESSES, segment=segment, post="Uno", name="", dry=False, sync=False)

    @rule(
        what=st.sampled_from(WHAT),
        who=st.sampled_from(ADDRESSES),
        segment=st.sampled_from(SEGMENTS),
    )
    def something_happens(self, what, who, segment):
        """One rule for all, since Hypothesis leaves out rules of many."""
        getattr(self, what)(who, segment)

    @rule(
        people=st.sampled_from([ADDRESSES[at:] + ADDRESSES[:at] for at in range(len(ADDRESSES))]).flatmap(
            lambda order: st.integers(1, len(order)).map(lambda many: order[:many])
        ),
        segment=st.sampled_from(SEGMENTS),
        post=st.sampled_from(["", "Uno", "Dos"]),
        name=st.sampled_from(["", "Lista"]),
        dry=st.booleans(),
        sync=st.booleans(),
    )
    def take_in(self, *, people, segment, post, name, dry, sync):
        path = Path(self.folder.name, "list.csv")
        path.write_text("correo,cargo,nombre\n" + "".join(f"{each.upper()},{post},{name}\n" for each in people))
        order = ImportOrder(segment=segment, source="list.csv", who="x", dry_run=dry, sync=sync, confirmed=True)
        before = everything(self.database)
        account = import_list(ListFile(path=path), order, self.register)
        if dry:
            assert everything(self.database) == before
            return
        self.stack[segment].append((account.import_id, set(self.wanted[segment])))
        before = self.wanted[segment]
        taken = {who for who in people if who in before or who not in self.suppressed}
        self.wanted[segment] = taken | (set() if sync else before)

    def leave_all(self, who, segment):
        self.leave(who, None)

    def leave(self, who, segment):
        try:
            self.register.unsubscribe(who, segment, who="reader")
        except Refused:
            return
        if segment is None:
            self.gone.add(who)
        else:
            self.left.add((who, segment))

    def erase(self, who, segment):
        person = self.register.find(who)
        if person is not None:
            self.rights.erase(person.id, who="reader")
            self.erased.add(who)
            self.suppressed.discard(who)  # it named them; the seal keeps them away

            self.names.pop(who, None)

    def tidy(self, who, segment):
        """Who left everything is shrunk to a seal, as after the time that the config names."""
        for number in self.register.long_gone(SystemClock().now() + timedelta(days=1)):
            self.rights.erase(number, who="x")
        self.erased |= self.gone
        self.suppressed -= self.gone
        for erased in self.gone:
            self.names.pop(erased, None)

    def succeed(self, who, segment):
        """Somebody nobody knew takes the post over, and waits for their own yes."""
        self.successors += 1
        try:
            moved = self.register.succeed(who, f"new{self.successors}@b.example", who="x")
        except Refused:
            return
        self.handed_on |= {(who, segment) for segment in moved}

    def write_own_name(self, who, segment):
        name = f"Mano {who[0]}"
        person = self.register.find(who)
        if person is not None and person.state == "active":
            joined = tuple(each.segment for each in self.register.memberships(person.id) if each.state == "joined")
            if person.name != name:
                self.names[who] = name
            self.preferences.change(person.id, Choices(person.language, joined, None, name=name))

    def lift(self, who, segment):
        self.suppressions.lift(who, who="x", why="a mistake")
        self.suppressed.discard(who)

    def suppress(self, who, segment):
        self.suppressions.add(who, "complaint", who="x")
        self.suppressed.add(who)

    def undo(self, who, segment):
        if self.stack[segment]:
            number, wanted = self.stack[segment].pop()
            self.register.undo(number, who="x")
            self.wanted[segment] = wanted

    @invariant()
    def nobody_is_revived_and_nobody_is_lost(self):
        """Exactly those are written to whom a list that stands names, and who neither left nor was erased."""
        for segment in SEGMENTS:
            written_to = {address_key(line.email) for line in self.register.lines(segment) if line.deliverable}
            away = (
                self.gone
                | self.erased
                | self.suppressed
                | {who for who, place in self.left | self.handed_on if place == segment}
            )
            assert written_to == self.wanted[segment] - away
            assert self.register.segment_counts([segment])[0].deliverable == len(written_to)
        for who in self.erased:
            assert self.register.find(who) is None
        for who, name in self.names.items():
            assert self.register.find(who).name == name
        for who in self.gone - self.erased:
            assert self.register.find(who).state == "unsubscribed"


TestRegisterMachine = RegisterMachine.TestCase
TestRegisterMachine.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, phases=[Phase.generate, Phase.shrink]
)


@pytest.mark.parametrize("seed", range(8))
def test_orders_drawn_evenly(seed):
    """Long histories in which everything is as likely as anything else: Hypothesis prefers simple ones."""
    live_through(RegisterMachine(), seed)


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(8, 11))
def test_orders_drawn_evenly_on_postgresql(postgres_url, seed):
    """The same account holds on PostgreSQL, whatever the order."""
    with empty_database(postgres_url) as url:

        class OnPostgres(RegisterMachine):
            def books(self):
                return Database(url)

        live_through(OnPostgres(), seed)


def live_through(machine, seed):
    """Forty orders, drawn evenly; the account is looked at after each."""
    drawn = random.Random(seed)
    machine.begin(segment=drawn.choice(SEGMENTS))
    for _ in range(40):
        if drawn.random() < 0.4:
            machine.take_in(
                people=drawn.sample(ADDRESSES, drawn.randint(1, len(ADDRESSES))),
                segment=drawn.choice(SEGMENTS),
                post=drawn.choice(["", "Uno", "Dos"]),
                name=drawn.choice(["", "Lista"]),
                dry=drawn.random() < 0.1,
                sync=drawn.random() < 0.3,
            )
        else:
            machine.something_happens(
                what=drawn.choice(WHAT), who=drawn.choice(ADDRESSES), segment=drawn.choice(SEGMENTS)
            )
        machine.nobody_is_revived_and_nobody_is_lost()
    machine.teardown()
