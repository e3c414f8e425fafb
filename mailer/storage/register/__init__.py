"""
The register in SQL: who is subscribed to what, who must not be written to, and how each came in.

`tables` holds the tables, `choosing` the selectables that other books join; the other modules keep them.
"""

from mailer.storage.register.book import Register
from mailer.storage.register.choosing import is_still_held, recipients_of
from mailer.storage.register.tables import (
    is_suppressed,
    may_be_written_to,
    memberships,
    subscribers,
    suppressions,
)

__all__ = [
    "Register",
    "is_still_held",
    "is_suppressed",
    "may_be_written_to",
    "memberships",
    "recipients_of",
    "subscribers",
    "suppressions",
]
