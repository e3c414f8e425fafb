"""The half of the register that says who is meant: segments and their counts, rules, tags, institutions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
from sqlalchemy import Connection, delete, select

from mailer.address import address_key
from mailer.audience.coverage import Coverage, coverage
from mailer.audience.institution import Institution
from mailer.audience.rules import Rule
from mailer.audience.segments import needed, resolve, resolved
from mailer.audience.subscriber import SegmentCount
from mailer.clock import Clock
from mailer.errors import Refused
from mailer.storage import audit
from mailer.storage.database import Database
from mailer.storage.register.barring import Seals
from mailer.storage.register.choosing import holds
from mailer.storage.register.counting import NOWHERE, Fitting, count_lists, fitting
from mailer.storage.register.institutions import Listed, Post, listed, posts_at, posts_of, reached, set_right
from mailer.storage.register.rules import refuse_untold
from mailer.storage.register.tables import segment_rules, subscribers, tags


class Segments:
    """Counts, rules, tags and institutions; `rules` are the config's segments by rule."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        seals: Seals = lambda _: (),
        rules: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._database = database
        self._clock = clock
        self._seals = seals
        self._rules = rules

    def segment_counts(self, names: Sequence[str]) -> list[SegmentCount]:
        """How each named segment stands; one nobody was ever in counts zero."""
        with self._database.read() as connection:
            counts = count_lists(connection)
            rules = self._known_rules(connection)
            for name, rule in resolved(names, rules).items():
                counts[name] = Counter(fitting(connection, rule, name=name).standing)
        return [_segment_count(name, counts.get(name, Counter())) for name in names]

    def fitting(self, rule: Rule, sample: int = 0, *, name: str = "") -> Fitting:
        """
        Who fits a rule, and how they stand; of a segment by rule also who left it by its `name`.

        Raises:
            Refused: It asks what the books can't tell.

        """
        with self._database.read() as connection:
            whole = resolve(rule, self._known_rules(connection))
            refuse_untold(connection, whole)
            return fitting(connection, whole, name=name, sample=sample)

    def rules(self) -> dict[str, str]:
        """Every segment by rule: those of the config, then those that were given a name here."""
        with self._database.read() as connection:
            return self._known_rules(connection)

    def _known_rules(self, connection: Connection) -> dict[str, str]:
        kept = connection.execute(select(segment_rules).order_by(segment_rules.c.name))
        return dict(self._rules) | {row.name: row.rule for row in kept if row.name not in self._rules}

    def name_rule(self, name: str, rule: str, *, who: str) -> None:
        """
        Give a rule a name, or take the name away with an empty rule.

        Raises:
            Refused: It is no rule, leans on itself, or the name is taken.

        """
        at = self._clock.now()
        with self._database.write() as connection:
            if name in self._rules:
                raise Refused(f"the segment {name} has its rule in the config; change it there")
            if rule:
                needed([name], self._known_rules(connection) | {name: rule})
                said = {"rule": rule, "at": at, "who": who}
                entry = self._database.insert(segment_rules).values(name=name, **said)
                connection.execute(entry.on_conflict_do_update(index_elements=["name"], set_=said))
            elif not connection.execute(segment_rules.delete().where(segment_rules.c.name == name)).rowcount:
                raise Refused(f"no rule has the name {name}; `mailer segments rules` lists them")
            audit.record(connection, at=at, who=who, action="rule", subject=f"segment:{name}", detail=rule)

    def tag(self, emails: Sequence[str], tag: str, *, off: bool, who: str) -> int:
        """
        Put a tag on people, or take it off; how many it changed.

        Raises:
            Refused: Nobody has one of the addresses.

        """
        at, changed = self._clock.now(), 0
        with self._database.write() as connection:
            for email in emails:
                person = _number_of(connection, email)
                row = {"subscriber_id": person, "tag": tag}
                if off:
                    statement = delete(tags).where(tags.c.subscriber_id == person, tags.c.tag == tag)
                else:
                    statement = self._database.insert(tags).values(row).on_conflict_do_nothing()
                if connection.execute(statement).rowcount:
                    changed += 1
                    action = "untagged" if off else "tagged"
                    audit.record(connection, at=at, who=who, action=action, subject=f"subscriber:{person}", detail=tag)
        return changed

    def tags_of(self, subscriber_id: int) -> list[str]:
        """The tags of a person."""
        with self._database.read() as connection:
            found = select(tags.c.tag).where(tags.c.subscriber_id == subscriber_id).order_by(tags.c.tag)
            return list(connection.scalars(found))

    def coverage(self, segment: str) -> list[Coverage]:
        """Which places the segment reaches, and which it doesn't."""
        with self._database.read() as connection:
            return coverage(reached(connection, holds(segment, resolved([segment], self._known_rules(connection)))))

    def institutions(self, *, kind: str = "", name: str = "") -> list[Listed]:
        """The institutions of the register; those of a kind, or one."""
        with self._database.read() as connection:
            return listed(connection, kind=kind, name=name)

    def posts_at(self, name: str) -> list[Post]:
        """Who is at an institution, and who was before them."""
        with self._database.read() as connection:
            return posts_at(connection, name)

    def posts_of(self, subscriber_id: int) -> list[tuple[str, Post]]:
        """The posts that a person handed on, each with its institution."""
        with self._database.read() as connection:
            return posts_of(connection, subscriber_id)

    def set_institution(self, said: Institution, *, who: str) -> None:
        """
        Say what an institution is; no list changes it from then on.

        Raises:
            Refused: There is no such institution.

        """
        with self._database.write() as connection:
            set_right(self._database, connection, said)
            detail = " ".join(part for part in msgspec.structs.astuple(said) if part)
            audit.record(
                connection, at=self._clock.now(), who=who, action="institution", subject="institution", detail=detail
            )


def _segment_count(name: str, standing: dict[str, int]) -> SegmentCount:
    return SegmentCount(
        name=name,
        subscribers=sum(number for how, number in standing.items() if how != NOWHERE),
        deliverable=standing.get("deliverable", 0),
        unsubscribed=standing.get("unsubscribed", 0),
        suppressed=standing.get("suppressed", 0),
        unconfirmed=standing.get("unconfirmed", 0),
        paused=standing.get("paused", 0),
    )


def _number_of(connection: Connection, email: str) -> int:
    person = connection.scalar(select(subscribers.c.id).where(subscribers.c.email_key == address_key(email)))
    if person is None:
        raise Refused(f"nobody in the register has the address {email}; see `mailer subscribers list`")
    return int(person)
