"""The shelf in SQL: what an issue compiled to, whole and by its hash, so that a sender needs no files."""

import zlib
from datetime import datetime

import msgspec
from sqlalchemy import select

from mailer.editions.edition import Compiled
from mailer.errors import Refused
from mailer.storage.campaign_tables import shelf
from mailer.storage.database import Database


class Shelf:
    """Keeps compiled issues under their content hash; what stands there never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, compiled: Compiled, *, now: datetime) -> None:
        """Keep a compiled issue; the same content is kept once."""
        row = {
            "content_hash": compiled.content_hash,
            "issue": compiled.issue,
            "shelved_at": now,
            "compiled": zlib.compress(msgspec.msgpack.encode(compiled)),
        }
        with self._database.write() as connection:
            connection.execute(self._database.insert(shelf).values(row).on_conflict_do_nothing())

    def take(self, content_hash: str) -> Compiled:
        """
        The compiled issue of that hash.

        Raises:
            Refused: Nothing of that hash was ever kept.

        """
        found = self.find(content_hash)
        if found is None:
            raise Refused(f"the editions {content_hash[:12]} are not on the shelf; approve the issue and send it again")
        return found

    def find(self, content_hash: str) -> Compiled | None:
        """The compiled issue of that hash, or None."""
        with self._database.read() as connection:
            packed = connection.scalar(select(shelf.c.compiled).where(shelf.c.content_hash == content_hash))
        return None if packed is None else msgspec.msgpack.decode(zlib.decompress(packed), type=Compiled)
