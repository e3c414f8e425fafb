"""Posts change hands: who comes gets the post and its segments, once they agree; who goes keeps a past."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, select, update

from mailer.address import InvalidAddress, address_key, domain_of, parse_address
from mailer.errors import Refused
from mailer.storage.database import Database
from mailer.storage.register.institutions import hand_on
from mailer.storage.register.tables import memberships, subscribers

_OF_THE_POST: Final = ("position", "institution", "country", "language")


def succeed(connection: Connection, database: Database, old: str, new: str, at: datetime) -> tuple[int, int, list[str]]:
    """
    Move a post from one address to another in the caller's transaction: numbers of both, and the segments that moved.

    Who comes waits, unconfirmed, for their own yes; who goes is out of those segments.

    Raises:
        Refused: Nobody has the old address, or the new one is none or belongs to somebody who left.

    """
    going = connection.execute(select(subscribers).where(subscribers.c.email_key == address_key(old))).one_or_none()
    if going is None:
        raise Refused(f"nobody in the register has the address {old}; see `mailer subscribers list`")
    if address_key(old) == address_key(new):
        raise Refused("the old and the new address are the same")
    segments = list(
        connection.scalars(
            select(memberships.c.segment)
            .where(memberships.c.subscriber_id == going.id, memberships.c.state == "joined")
            .order_by(memberships.c.segment)
        )
    )
    coming = _coming(connection, database, going, new, at)
    join = database.insert(memberships).values(subscriber_id=coming, state="joined", changed_at=at)
    kept = join.on_conflict_do_update(
        index_elements=["subscriber_id", "segment"],
        set_={"state": "joined", "changed_at": at},
        where=memberships.c.state == "removed",
    )
    for segment in segments:
        connection.execute(kept, {"segment": segment})
    connection.execute(
        update(memberships)
        .where(memberships.c.subscriber_id == going.id, memberships.c.state == "joined")
        .values(state="removed", changed_at=at, import_id=None)
    )
    hand_on(connection, going.id, coming, at)
    return going.id, coming, segments


def _coming(connection: Connection, database: Database, going: Row[tuple[object, ...]], new: str, at: datetime) -> int:
    try:
        address = parse_address(new)
    except InvalidAddress as problem:
        raise Refused(f"{new!r} is no address: {problem}") from None
    post = {field: getattr(going, field) for field in _OF_THE_POST}
    known = connection.execute(
        select(subscribers.c.id, subscribers.c.state).where(subscribers.c.email_key == address_key(address))
    ).one_or_none()
    if known is not None and known.state == "unsubscribed":
        raise Refused(f"{new} has unsubscribed; only they themselves can come back, on the page to join")
    if known is not None:
        connection.execute(update(subscribers).where(subscribers.c.id == known.id).values(post | {"updated_at": at}))
        return int(known.id)
    entry = database.insert(subscribers).values(
        email=address,
        email_key=address_key(address),
        domain=domain_of(address_key(address)),
        name="",
        honorific="",
        state="unconfirmed",
        source=going.source,
        created_at=at,
        updated_at=at,
        **post,
    )
    return int(connection.execute(entry.returning(subscribers.c.id)).scalar_one())
