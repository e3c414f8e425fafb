"""The composition root: reads the config and puts the concrete parts together. The only place where they meet."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mailer import config, storage, tokens
from mailer.address import InvalidAddress, Mailbox, domain_of
from mailer.audience.greeting import greeting
from mailer.audience.recipient import Recipient
from mailer.audience.rules import parse_rule
from mailer.audience.segments import needed
from mailer.campaigns.calendar import Calendar, parse_span
from mailer.campaigns.campaign import Campaign
from mailer.clock import Clock, SystemClock
from mailer.deliveries.delivery import Claimed
from mailer.deliveries.ledger import Ledger
from mailer.deliveries.orders import Orders, Progress, Result
from mailer.deliveries.transport import RecipientRefused
from mailer.editions.edition import Compiled, Edition, Imprint
from mailer.errors import OperatorError, Refused
from mailer.issues import Issue
from mailer.language import words
from mailer.messages import dkim
from mailer.messages.alignment import require_alignment
from mailer.messages.dkim import Key
from mailer.messages.headers import Unwritable
from mailer.messages.letterhead import Letterhead, message_id
from mailer.messages.message import Message
from mailer.messages.notice import write_notice
from mailer.messages.personalise import personalise, personalise_test
from mailer.messages.stencil import Stencil, cut, cut_test
from mailer.messages.trail import Trail, Trails, links_of
from mailer.press import Press

if TYPE_CHECKING:
    import asyncio

    from mailer.deliveries.carrier import MakeMessage
    from mailer.mailroom import Mailroom
    from mailer.outgoing import Outgoing


class App:
    """One publication, composed from its config. Parts are made when first asked for."""

    def __init__(self, loaded: config.Loaded, clock: Clock | None = None, *, tables_are_current: bool = False) -> None:
        self._tables_are_current = tables_are_current
        self._signers: dict[int, tokens.Signer] = {}
        self.is_hushed = False
        self.loaded = loaded
        self.config = loaded.config
        self.clock = clock or SystemClock()
        self.press = Press(loaded, self.imprint)

    def hush(self) -> None:
        """Log errors alone until this is closed (see `log.hush`)."""
        from mailer import log

        log.hush()
        self.is_hushed = True

    @classmethod
    def load(cls, path: Path | None = None) -> "App":
        """
        Compose the application for the config at `path` (see `config.load`).

        Raises:
            OperatorError: The config is missing or wrong.

        """
        loaded = config.load(path)
        shown = loaded.config.publication
        require_alignment(
            domain_of(shown.from_.strip(" >")),
            bounces=shown.bounce_domain,
            signers=[key.domain for key in loaded.config.signing if key.domain],
        )
        return cls(loaded)

    @cached_property
    def database(self) -> "storage.Database":
        """The database, its tables those of this program."""
        if not self._tables_are_current:
            storage.make_ready(self.bare_database, self.bare_database.upgrade)
        return self.bare_database

    @cached_property
    def bare_database(self) -> "storage.Database":
        """The database as it stands."""
        return self.database_at(self.config.database.url)

    def database_at(self, url: str) -> "storage.Database":
        """The database of that URL; a relative path is relative to the config."""
        prefix = "sqlite:///"
        if url.startswith(prefix) and url != f"{prefix}:memory:":
            url = prefix + str(self.loaded.resolve(url.removeprefix(prefix)))
        return storage.Database(url)

    @cached_property
    def register(self) -> "storage.Register":
        """Who is subscribed to what."""
        return storage.Register(self.database, self.clock, partial(self.signer.seals, "erased"), self._rules)

    @cached_property
    def _rules(self) -> dict[str, str]:
        """
        The config's segments by rule.

        Raises:
            OperatorError: One of them is no rule.

        """
        rules = {name: segment.rule for name, segment in self.config.segments.items() if segment.rule}
        for name, rule in rules.items():
            try:
                parse_rule(rule)
            except Refused as problem:
                raise OperatorError(f"{self.loaded.path.name}: [segments.{name}] rule: {problem}") from None
        return rules

    def rules_of(self, segments: Sequence[str]) -> dict[str, str]:
        """
        The rules that these segments are made of, as they stand now: the config's, and those that the register named.

        Raises:
            Refused: One leans on itself.

        """
        return needed(segments, self.register.rules())

    @cached_property
    def suppressions(self) -> "storage.Suppressions":
        """Who must not be written to."""
        return storage.Suppressions(self.database, self.clock)

    @cached_property
    def rights(self) -> "storage.Rights":
        """Access to everything held about a person, and erasure."""
        return storage.Rights(self.database, self.clock, partial(self.signer.seals, "erased"))

    @cached_property
    def agenda(self) -> "storage.SqlAgenda":
        """Campaigns, approvals and the fires of the schedule."""
        return storage.SqlAgenda(self.database)

    @cached_property
    def ledger(self) -> "storage.SqlLedger":
        """Every delivery."""
        return storage.SqlLedger(self.database) if self.database.is_sqlite else storage.SharedLedger(self.database)

    @cached_property
    def clicks(self) -> "storage.Clicks":
        """Which links are counted, and how often each was followed."""
        return storage.Clicks(self.database)

    @cached_property
    def shelf(self) -> "storage.Shelf":
        """The compiled issues that were approved or sent."""
        return storage.Shelf(self.database)

    @cached_property
    def mailroom(self) -> "Mailroom":
        """What comes back, and what follows from it."""
        from mailer.mailroom import Mailroom

        return Mailroom(self.loaded, self.database, self.clock, self.signer)

    @cached_property
    def calendar(self) -> Calendar:
        """When the monthly send comes round."""
        return Calendar.parse(self.config.schedule.monthly, self.config.publication.timezone)

    def monthly_hour(self, issue: str) -> datetime:
        """When the monthly send of an issue's month is due."""
        month = self.compile(issue)[0][0].month
        return self.calendar.in_month(month.year, month.month)

    @cached_property
    def late_grace(self) -> timedelta:
        """How late a send may still start."""
        return parse_span(self.config.schedule.late_grace)

    @cached_property
    def signer(self) -> tokens.Signer:
        """Signs links and envelope senders with the publication's secret, or with one kept beside the database."""
        variable = self.config.publication.secret_env
        if variable and self.loaded.environ.get(variable):
            return tokens.Signer(self.loaded.environ[variable].split())
        return tokens.Signer([self._kept_secret()])

    def _kept_secret(self) -> str:
        url = self.database.url
        if url.get_backend_name() != "sqlite" or not url.database:
            raise OperatorError(
                f"set the environment variable {self.config.publication.secret_env or 'MAILER_SECRET'} "
                f"(and name it in [publication] secret_env): without it links can't be signed"
            )
        path = Path(url.database).with_name("secret")
        return tokens.kept_secret(path)

    @cached_property
    def imprint(self) -> Imprint:
        """The publication as its editions show it."""
        shown = self.config.publication
        return Imprint(
            name=shown.name,
            publisher=shown.publisher,
            organization=shown.organization,
            postal_address=shown.postal_address,
            public_url=shown.public_url.rstrip("/"),
            timezone=shown.timezone,
            pdf=self.config.content.pdf,
        )

    @cached_property
    def letterhead(self) -> Letterhead:
        """The publication as its messages' headers show it."""
        shown = self.config.publication
        return Letterhead(
            publication=shown.name,
            sender=self._mailbox("publication", "from", shown.from_),
            reply_to=self._mailbox("publication", "reply_to", shown.reply_to),
            list_id=shown.list_id,
            public_url=shown.public_url.rstrip("/"),
            bounce_domain=shown.bounce_domain,
        )

    def _mailbox(self, section: str, key: str, text: str) -> Mailbox:
        try:
            return Mailbox.parse(text)
        except InvalidAddress as problem:
            raise OperatorError(f"{self.loaded.path.name}: [{section}] {key}: {problem}") from None

    @cached_property
    def signing_keys(self) -> tuple[Key, ...]:
        """
        The DKIM keys that every message is signed with; none without `[dkim]`.

        Raises:
            OperatorError: A key is missing or can't be read.

        """
        sender = domain_of(self.letterhead.sender.address)
        return tuple(
            Key.load(self.loaded.signing_pem(table), domain=table.domain or sender, selector=table.selector)
            for table in self.config.signing
        )

    def signed(self, content: bytes) -> bytes:
        """A finished message with our signatures before it."""
        return dkim.signed(content, self.signing_keys)

    def staff(self, addresses: Sequence[str] = ()) -> list[Mailbox]:
        """
        Who gets tests and alerts: the addresses given, or `[staff] addresses`.

        Raises:
            OperatorError: There is none, or one is no address.

        """
        chosen = addresses or self.config.staff.addresses
        if not chosen:
            raise OperatorError(f"{self.loaded.path.name}: [staff] addresses is empty; name who gets tests and alerts")
        return [self._mailbox("staff", "addresses", text) for text in chosen]

    def compile(
        self, name: str, *, segment: str | None = None, language: str | None = None
    ) -> tuple[tuple[Issue, ...], Compiled]:
        """The issue called `name` as it is written, and its editions (see `Press.compile`)."""
        return self.press.compile(name, segment=segment, language=language)

    @cached_property
    def outgoing(self) -> "Outgoing":
        """The ways out and the pace, as `[transports]` and `[delivery]` say."""
        from mailer.outgoing import Outgoing

        return Outgoing(self.loaded, self.calendar.zone)

    def stencil(self, edition: Edition, *, campaign: int, date: datetime, trail: Trail | None = None) -> Stencil:
        """An edition cut for one campaign: only the readers' own values are left to be filled in."""
        embedded, keys = self.config.content.images == "embedded", self.signing_keys
        return cut(edition, self.letterhead, campaign=campaign, date=date, keys=keys, embedded=embedded, trail=trail)

    def lay_trails(self, campaign: Campaign) -> None:
        """Fix which links a campaign counts, and how; once for all (see `Clicks.lay`)."""
        compiled = self.shelf.take(campaign.content_hash)
        editions = {
            (edition.segment, edition.language): links_of(edition)
            for edition in compiled.editions
            if edition.segment in campaign.segments
        }
        tracking, home = self.config.feedback.tracking, f"{self.letterhead.public_url}/"
        self.clicks.lay(campaign.id, tracking, editions, trap_url=home, now=self.clock.now())

    def test_message(self, edition: Edition, reader: Recipient) -> Message:
        """A message of an edition to the staff, marked as a test."""
        prefix = f"[{words(edition.language)('PRUEBA')}]"
        embedded = self.config.content.images == "embedded"
        stencil = cut_test(
            edition, self.letterhead, prefix=prefix, date=self.clock.now(), keys=self.signing_keys, embedded=embedded
        )
        return personalise_test(stencil, reader, signer=self.signer, greet=greeting)

    def samples(self, compiled: Compiled, segments: Sequence[str]) -> Iterator[Message]:
        """A message of each edition that these segments get, as any reader of it would."""
        for edition in compiled.editions:
            if edition.segment in segments:
                reader = Recipient(
                    subscriber_id=0,
                    email=self.letterhead.sender.address,
                    name=self.letterhead.sender.name,
                    segment=edition.segment,
                    language=edition.language,
                )
                yield self.test_message(edition, reader)

    def notice(self, to: Mailbox, *, subject: str, text: str, occasion: str) -> Message:
        """A plain letter of the program itself."""
        date, keys = self.clock.now(), self.signing_keys
        return write_notice(self.letterhead, to, subject=subject, text=text, date=date, occasion=occasion, keys=keys)

    async def send(
        self,
        campaign: Campaign,
        *,
        stop: "asyncio.Event | None" = None,
        progress: Callable[[Progress], None],
        orders: Orders | None = None,
        ledger: Ledger | None = None,
    ) -> Result:
        """Send what is due of a campaign whose recipients are frozen (see `deliveries.send`)."""
        import asyncio

        from mailer.deliveries.send import send

        return await send(
            campaign.id,
            ledger=ledger or self.ledger,
            transport=self.outgoing.ways,
            make_message=await asyncio.to_thread(self.message_maker, campaign),
            clock=self.clock,
            orders=orders or self.outgoing.orders(),
            stop=stop,
            progress=progress,
        )

    def message_maker(self, campaign: Campaign) -> "MakeMessage":
        """What writes the messages of a campaign, from the editions on the shelf: its stencils are cut once."""
        compiled = self.shelf.take(campaign.content_hash)
        date = campaign.frozen_at or campaign.created_at
        signer = self.signer.preferring(campaign.signed_with)
        trails = Trails(self.clicks.laid(campaign.id), signer, self.letterhead.public_url)
        # As it stood at the freeze: what is sent again is the same message.
        clickers = self.clicks.consenting(date) if trails.are_individual else frozenset()
        stencils: dict[tuple[str, str, bool], Stencil] = {}

        def make_message(claimed: Claimed) -> Message:
            reader = claimed.recipient
            key = reader.segment, reader.language, reader.subscriber_id in clickers
            if key not in stencils:
                edition = compiled.edition(*key[:2])
                trail = trails.of(edition, named=key[2])
                stencils[key] = self.stencil(edition, campaign=campaign.id, date=date, trail=trail)
            try:
                return personalise(stencils[key], reader, signer=signer, greet=greeting)
            except Unwritable as problem:
                raise RecipientRefused(f"no message can be written to this reader: {problem}") from None

        return make_message

    def message_id(self, campaign: int, subscriber: int) -> str:
        """The Message-ID of one delivery."""
        return message_id(self.letterhead, self._signer_of(campaign), campaign, subscriber)

    def _signer_of(self, campaign: int) -> tokens.Signer:
        if campaign not in self._signers:
            self._signers[campaign] = self.signer.preferring(self.agenda.get(campaign).signed_with)
        return self._signers[campaign]

    def close(self) -> None:
        """Give back what was opened."""
        if "bare_database" in self.__dict__:
            self.bare_database.close()
        if self.is_hushed:
            from mailer import log

            log.speak()
