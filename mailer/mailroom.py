"""
The mailroom: composes what takes feedback in, by mail and by webhook, for the config at hand.

A part of the composition root, kept apart from `app` for its size.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property, partial
from hashlib import sha256
from typing import Final

import msgspec

from mailer import config
from mailer.campaigns.calendar import parse_span
from mailer.clock import Clock
from mailer.errors import OperatorError
from mailer.feedback.absorb import Policy, Recorded, TokenSpent, absorb, attribute
from mailer.feedback.intake import events_of
from mailer.feedback.webhook import WebhookRefused
from mailer.providers import webhooks
from mailer.providers.imap.mailbox import Settings, unread, with_token
from mailer.storage.database import Database
from mailer.storage.feedback import SqlFeedbackBook
from mailer.tokens import Signer

_MOST_AT_ONCE: Final = 10_000


class Mailroom:
    """Takes in what comes back to one publication."""

    def __init__(self, loaded: config.Loaded, database: Database, clock: Clock, signer: Signer) -> None:
        self.loaded = loaded
        self.clock = clock
        self._database = database
        self._signer = signer

    @cached_property
    def book(self) -> SqlFeedbackBook:
        """Everything that came back."""
        return SqlFeedbackBook(self._database, self.clock, self._signer)

    @cached_property
    def policy(self) -> Policy:
        """How many bounces are enough."""
        table = self.loaded.config.feedback
        return Policy(
            hard_bounces=table.hard_bounces,
            soft_bounces=table.soft_bounces,
            soft_within=parse_span(table.soft_within),
            soft_pause=parse_span(table.soft_pause),
        )

    def take_in(self, raw: bytes, *, source: str = "mailbox") -> list[Recorded]:
        """
        Absorb one returned mail; say what became of each recipient it speaks of.

        What names no delivery of ours, and mail that is no feedback, is also laid into the folder for a person.
        """
        now = self.clock.now()
        events = events_of(raw, signer=self._signer, now=now, source=source)
        outcomes = absorb(events, book=self.book, policy=self.policy, now=now, evidence=raw)
        if not outcomes or Recorded.UNATTRIBUTED in outcomes:
            folder = self.loaded.resolve(self.loaded.config.feedback.unattributed)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{sha256(raw).hexdigest()[:32]}.eml").write_bytes(raw)
        return outcomes

    def reprocess(self) -> Counter[str]:
        """
        Try again on the mail that could not be attributed; count what became of it.

        A webhook's call has proved itself once and can't again: its events stay as they are.
        """
        outcomes: Counter[str] = Counter()
        seen: set[str] = set()
        now = self.clock.now()
        for entry in self.book.entries(outcome=Recorded.UNATTRIBUTED, limit=_MOST_AT_ONCE):
            found = self.book.entry(entry.id)
            raw = found[1] if found else b""
            digest = sha256(raw).hexdigest()
            if not raw or entry.source in webhooks.PROVIDERS or digest in seen:
                continue
            seen.add(digest)
            events = events_of(raw, signer=self._signer, now=entry.at, source=entry.source)
            tried = attribute(events, book=self.book, policy=self.policy, now=now, evidence=raw)
            outcomes.update(map(str, tried))
        return outcomes

    def receive_webhook(self, provider: str, headers: Mapping[str, str], raw_body: bytes) -> list[Recorded]:
        """
        Absorb one call of a provider's webhook; answer 2xx only when this has returned.

        Raises:
            WebhookRefused: Forged, stale, replayed or too large; `status` is the HTTP answer.
            OperatorError: `[webhooks.<provider>]` is missing or wrong.

        """
        section = f"webhooks.{provider}"
        if provider not in self.loaded.config.webhooks:
            raise OperatorError(f"{self.loaded.path.name}: there is no [{section}]; see docs/bounces.md")
        table = self.loaded.config.webhooks[provider]
        try:
            keys = webhooks.keys_of(provider, self.loaded.with_secrets(section, table))
        except msgspec.ValidationError as problem:
            raise self.loaded.wrong(problem, webhooks.kind_of_keys(provider), table, section) from None
        now = self.clock.now()
        events = webhooks.receive(provider, headers, raw_body, now, keys=keys)
        try:
            return absorb(events, book=self.book, policy=self.policy, now=now, evidence=raw_body)
        except TokenSpent:
            raise WebhookRefused("the token was used before", 406) from None

    @property
    def has_mailbox(self) -> bool:
        """Whether there is a mailbox to collect from."""
        return bool(self.loaded.config.feedback.mailbox)

    @property
    def collect_every(self) -> timedelta:
        """How often the service looks into the mailbox."""
        return parse_span(self.loaded.config.feedback.collect_every)

    def drop_old_evidence(self) -> int:
        """Drop the raw mail and calls that have come of age; say of how many events. The events stay."""
        return self.book.drop_evidence(self.clock.now() - parse_span(self.loaded.config.feedback.evidence))

    def collect_mail(self, progress: Callable[[int], None] = lambda _: None) -> Counter[str]:
        """
        Take in what lies unread in the mailbox of `[feedback.mailbox]`; count what became of it.

        A mail is marked as read only after it was recorded, so none is lost, and none counts twice.

        Raises:
            OperatorError: The table is missing or wrong, or the server refuses us.

        """
        section = "feedback.mailbox"
        if not self.has_mailbox:
            raise OperatorError(f"{self.loaded.path.name}: there is no [{section}]; see docs/bounces.md")
        table = self.loaded.config.feedback.mailbox
        try:
            settings = msgspec.convert(self.loaded.with_secrets(section, table), Settings)
        except msgspec.ValidationError as problem:
            raise self.loaded.wrong(problem, Settings, table, section) from None
        outcomes: Counter[str] = Counter()
        settings = with_token(settings, partial(self.loaded.secret, f"{section}.oauth"))
        for number, raw in enumerate(unread(settings), start=1):
            outcomes.update([str(one) for one in self.take_in(raw)] or ["none"])
            progress(number)
        return outcomes
