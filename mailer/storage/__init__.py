"""
The books in SQL: `database` knows the dialects, each other module keeps one book.

A book that is asked for by its name here is read in then: who only looks at an issue needs no database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mailer.storage.agenda import SqlAgenda
    from mailer.storage.clicks import Clicks
    from mailer.storage.database import Database
    from mailer.storage.editions import Shelf
    from mailer.storage.ledger import SqlLedger
    from mailer.storage.register import Register
    from mailer.storage.revision import make_ready
    from mailer.storage.rights import Rights
    from mailer.storage.slices import SharedLedger
    from mailer.storage.suppressions import Suppressions

_BOOKS: Final = {
    "Clicks": "clicks",
    "Database": "database",
    "Register": "register",
    "Rights": "rights",
    "SharedLedger": "slices",
    "Shelf": "editions",
    "SqlAgenda": "agenda",
    "SqlLedger": "ledger",
    "Suppressions": "suppressions",
    "make_ready": "revision",
}
__all__ = [
    "Clicks",
    "Database",
    "Register",
    "Rights",
    "SharedLedger",
    "Shelf",
    "SqlAgenda",
    "SqlLedger",
    "Suppressions",
    "make_ready",
]


def __getattr__(name: str) -> Any:
    """The book of that name (PEP 562)."""
    if name not in _BOOKS:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_BOOKS[name]}"), name)
