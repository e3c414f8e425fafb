"""The grounds on which people are written to: what their lists said, and what was recorded of each since."""

from sqlalchemy import Connection, insert, select

from mailer.audience.subscriber import BASES, Ground
from mailer.errors import Refused
from mailer.storage.register.tables import consents, imports, memberships


def grounds_of(connection: Connection, subscriber_id: int) -> list[Ground]:
    """Every ground of a person, oldest first: those of the lists that hold them, and their own record."""
    lists = connection.execute(
        select(imports.c.at, imports.c.basis, imports.c.source, imports.c.proof, imports.c.who)
        .join(memberships, memberships.c.import_id == imports.c.id)
        .where(memberships.c.subscriber_id == subscriber_id)
    )
    found = [Ground(row.at, row.basis or "not stated", f"list {row.source}", "", row.proof, row.who) for row in lists]
    own = connection.execute(select(consents).where(consents.c.subscriber_id == subscriber_id).order_by(consents.c.id))
    found += [Ground(row.at, row.basis, row.source, row.text_version, row.proof, row.who) for row in own]
    return sorted(found, key=lambda ground: ground.at)


def add_ground(connection: Connection, subscriber_id: int, ground: Ground) -> None:
    """
    Add to a person's record; nothing in it is ever changed.

    Raises:
        Refused: The basis is none that the law knows.

    """
    check_basis(ground.basis)
    connection.execute(
        insert(consents).values(
            subscriber_id=subscriber_id,
            at=ground.at,
            basis=ground.basis,
            source=ground.source,
            text_version=ground.text_version,
            proof=ground.proof,
            who=ground.who,
        )
    )


def check_basis(basis: str) -> None:
    """Refuse a basis that isn't one of `BASES`."""
    if basis not in BASES:
        raise Refused(f"{basis!r} is no basis; it is one of {', '.join(BASES)}")
