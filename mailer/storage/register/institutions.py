"""Institutions: what their names tell, what a person set right, who holds a post there and who did before."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, case, func, select, update

from mailer.audience.institution import Institution, institution
from mailer.audience.register import Arrivals
from mailer.errors import Refused
from mailer.storage.database import Database
from mailer.storage.register.tables import former_posts, institutions, may_be_written_to, subscribers

_REMEMBERED = 50_000


class Listed(msgspec.Struct, frozen=True):
    """An institution as it is listed, with how many people are there."""

    name: str
    kind: str
    country: str
    province: str
    canton: str
    is_by_hand: bool
    people: int


class Post(msgspec.Struct, frozen=True):
    """A post at an institution: who holds it, or held it until then, and who came after."""

    email: str
    name: str
    position: str
    until: datetime | None = None
    successor: str = ""


def learn(database: Database, connection: Connection, arrivals: Arrivals, known: set[str]) -> None:
    """Put down what new names of institutions tell; `known` are those that were looked at."""
    _, _, _, institution_at, country_at, _ = arrivals.details
    met = set(institution_at) - known - {""}
    if not met:
        return
    marks = ", ".join("?" * len(met))
    stand = database.bulk(connection).rows(f"SELECT name FROM institutions WHERE name IN ({marks})", [*met])  # noqa: S608
    new = sorted(met.difference(row[0] for row in stand))
    countries = dict(zip(institution_at, country_at, strict=True))
    told = [msgspec.structs.astuple(institution(name, of=countries[name])) for name in new]
    database.bulk(connection).insert(institutions, Institution.__struct_fields__, told, {"is_by_hand": False})
    if len(known) + len(met) > _REMEMBERED:
        known.clear()
    known |= met


def set_right(database: Database, connection: Connection, said: Institution) -> None:
    """
    Say what an institution is; no list changes it from then on.

    Raises:
        Refused: Nobody in the register is at an institution of that name, and it is not known.

    """
    name = said.name
    if not connection.scalar(select(institutions.c.name).where(institutions.c.name == name)) and not connection.scalar(
        select(subscribers.c.id).where(subscribers.c.institution == name).limit(1)
    ):
        raise Refused(f"there is no institution {name!r}; `mailer institutions list` names them as the lists do")
    row = msgspec.structs.asdict(said) | {"is_by_hand": True}
    entry = database.insert(institutions).values(row)
    connection.execute(entry.on_conflict_do_update(index_elements=["name"], set_=row))


def listed(connection: Connection, *, kind: str = "", name: str = "") -> list[Listed]:
    """Every institution by its name, with how many people of the register are there; those of a kind, or one."""
    people = (
        select(subscribers.c.institution, func.count().label("people"))
        .where(subscribers.c.institution != "")
        .group_by(subscribers.c.institution)
        .subquery()
    )
    query = (
        select(*(institutions.c[field] for field in Listed.__struct_fields__[:-1]), func.coalesce(people.c.people, 0))
        .outerjoin(people, people.c.institution == institutions.c.name)
        .order_by(institutions.c.name)
    )
    if kind:
        query = query.where(institutions.c.kind == kind)
    if name:
        query = query.where(institutions.c.name == name)
    return [Listed(*row) for row in connection.execute(query)]


def posts_at(connection: Connection, name: str) -> list[Post]:
    """Who is at an institution, and who was before them, the latest first."""
    held = connection.execute(
        select(subscribers.c.email, subscribers.c.name, subscribers.c.position)
        .where(subscribers.c.institution == name)
        .order_by(subscribers.c.id)
    )
    return [Post(row.email, row.name, row.position) for row in held] + _former(
        connection, former_posts.c.institution == name
    )


def posts_of(connection: Connection, person: int) -> list[tuple[str, Post]]:
    """The posts that somebody handed on, the latest first, each with its institution."""
    found = connection.execute(
        select(former_posts.c.institution)
        .where(former_posts.c.subscriber_id == person)
        .order_by(former_posts.c.id.desc())
    )
    former = _former(connection, former_posts.c.subscriber_id == person)
    return list(zip([row.institution for row in found], former, strict=True))


def _former(connection: Connection, which: object) -> list[Post]:
    after = subscribers.alias("after")
    rows = connection.execute(
        select(
            subscribers.c.email,
            subscribers.c.name,
            former_posts.c.position,
            former_posts.c.until,
            func.coalesce(after.c.email, "").label("successor"),
        )
        .select_from(former_posts)
        .join(subscribers, subscribers.c.id == former_posts.c.subscriber_id)
        .outerjoin(after, after.c.id == former_posts.c.successor_id)
        .where(which)  # type: ignore[arg-type]
        .order_by(former_posts.c.id.desc())
    )
    return [Post(*row) for row in rows]


def hand_on(connection: Connection, going: int, coming: int, at: datetime) -> None:
    """Put down that a post passed from one to the other, and take it off who goes."""
    post = connection.execute(
        select(subscribers.c.institution, subscribers.c.position).where(subscribers.c.id == going)
    ).one()
    if post.institution or post.position:
        connection.execute(
            former_posts.insert().values(
                institution=post.institution, position=post.position, subscriber_id=going, until=at, successor_id=coming
            )
        )
    connection.execute(
        update(subscribers).where(subscribers.c.id == going).values(institution="", position="", updated_at=at)
    )


def reached(connection: Connection, is_held: ColumnElement[bool]) -> Sequence[tuple[str, str, str, str]]:
    """Kind, province, canton and country of every institution that somebody held can be written to at."""
    # Where the name doesn't tell the country ("Embajada"), the list says it of the person.
    country = case((institutions.c.country == "", subscribers.c.country), else_=institutions.c.country)
    rows = connection.execute(
        select(institutions.c.kind, institutions.c.province, institutions.c.canton, country)
        .join(institutions, institutions.c.name == subscribers.c.institution)
        .where(is_held, may_be_written_to())
        .distinct()
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]
