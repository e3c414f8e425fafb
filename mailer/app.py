"""The composition root: reads the config and puts the concrete parts together. The only place where they meet."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path

import msgspec

from mailer import config, tokens
from mailer.address import InvalidAddress, Mailbox, domain_of
from mailer.audience.greeting import greeting
from mailer.audience.recipient import Recipient
from mailer.campaigns.calendar import Calendar, parse_span
from mailer.campaigns.campaign import Campaign
from mailer.clock import Clock, SystemClock
from mailer.deliveries.delivery import Claimed
from mailer.deliveries.orders import Orders, Progress, Result
from mailer.deliveries.send import MakeMessage, send
from mailer.deliveries.transport import RecipientRefused, Transport
from mailer.editions.compose import compose
from mailer.editions.edition import Compiled, Edition, Imprint, Report
from mailer.editions.pictures import mail_safe
from mailer.errors import OperatorError
from mailer.feedback.absorb import Policy, Recorded, absorb
from mailer.feedback.intake import events_of
from mailer.issues import Issue, available_languages, locate, read
from mailer.issues.translation import completed
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
from mailer.providers import registry
from mailer.storage.agenda import SqlAgenda
from mailer.storage.database import Database
from mailer.storage.editions import Shelf
from mailer.storage.feedback import SqlFeedbackBook
from mailer.storage.ledger import SqlLedger
from mailer.storage.register import Register
from mailer.storage.rights import Rights
from mailer.storage.suppressions import Suppressions


class App:
    """One publication, composed from its config. Parts are made when first asked for."""

    def __init__(self, loaded: config.Loaded, clock: Clock | None = None) -> None:
        self.loaded = loaded
        self.config = loaded.config
        self.clock = clock or SystemClock()

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
    def database(self) -> Database:
        """The database, its tables up to date."""
        url = self.config.database.url
        prefix = "sqlite:///"
        if url.startswith(prefix) and url != f"{prefix}:memory:":
            url = prefix + str(self.loaded.resolve(url.removeprefix(prefix)))
        database = Database(url)
        database.upgrade()
        return database

    @cached_property
    def register(self) -> Register:
        """Who is subscribed to what."""
        return Register(self.database, self.clock, partial(self.signer.seals, "erased"))

    @cached_property
    def suppressions(self) -> Suppressions:
        """Who must not be written to."""
        return Suppressions(self.database, self.clock)

    @cached_property
    def rights(self) -> Rights:
        """Access to everything held about a person, and erasure."""
        return Rights(self.database, self.clock, partial(self.signer.seals, "erased"))

    @cached_property
    def agenda(self) -> SqlAgenda:
        """Campaigns, approvals and the fires of the schedule."""
        return SqlAgenda(self.database)

    @cached_property
    def ledger(self) -> SqlLedger:
        """Every delivery."""
        return SqlLedger(self.database)

    @cached_property
    def shelf(self) -> Shelf:
        """The compiled issues that were approved or sent."""
        return Shelf(self.database)

    @cached_property
    def feedback(self) -> SqlFeedbackBook:
        """Everything that came back."""
        return SqlFeedbackBook(self.database, self.clock, self.signer)

    @cached_property
    def feedback_policy(self) -> Policy:
        """How many bounces are enough."""
        table = self.config.feedback
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
        events = events_of(raw, signer=self.signer, now=now, source=source)
        outcomes = absorb(events, book=self.feedback, policy=self.feedback_policy, now=now, evidence=raw)
        if not outcomes or Recorded.UNATTRIBUTED in outcomes:
            folder = self.loaded.resolve(self.config.feedback.unattributed)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{sha256(raw).hexdigest()[:32]}.eml").write_bytes(raw)
        return outcomes

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
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(tokens.new_secret(), encoding="ascii")
        return path.read_text(encoding="ascii").strip()

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

    @property
    def templates(self) -> Path:
        """The folder of templates."""
        return self.loaded.resolve(self.config.content.templates)

    @property
    def theme(self) -> Path:
        """The file of tokens that `[content] theme` names, or the templates' own."""
        named = self.config.content.theme
        return self.loaded.resolve(named) if named else self.templates / "brief" / "theme.toml"

    def compile(
        self, name: str, *, segment: str | None = None, language: str | None = None
    ) -> tuple[tuple[Issue, ...], Compiled]:
        """
        Read the issue called `name` in all its languages and compile its editions; or only those of a segment, or of
        one of its languages.

        Raises:
            AuthorError: There is no such issue, or something in it or in the templates is wrong.

        """
        folder = locate(self.loaded.resolve(self.config.content.issues), name)
        issues = tuple(read(folder, each) for each in available_languages(folder) if language in {None, each})
        original, missing = read(folder), self.config.content.missing_translation
        whole = [completed(issue, original) if missing == "original" else issue for issue in issues]
        return issues, self._compose(whole, [name for name in self.config.segments if segment in {None, name}])

    def components(self) -> tuple[Issue, Compiled]:
        """The issue that shows every component, compiled for one segment."""
        issue = read(next((self.templates / "showcase").iterdir()))
        return issue, self._compose([issue], list(self.config.segments)[:1])

    def _compose(self, issues: Sequence[Issue], segments: Sequence[str]) -> Compiled:
        return compose(
            issues,
            {name: self.config.segments[name].title for name in segments},
            imprint=self.imprint,
            templates=self.templates / "brief",
            theme=self.theme,
            picture=partial(mail_safe, cache=self.loaded.resolve("var/cache")),
        )

    def check(self, name: str) -> Report:
        """
        Judge an issue in all its languages; a text or template that can't be used is the one error there is.

        Raises:
            AuthorError: There is no such issue.
            OperatorError: `[check.rules]` can't be followed.

        """
        from mailer.preflight import judge

        return judge(self, name).report

    def transport(self, name: str | None = None) -> Transport:
        """
        The way out called `name`, or the one that `[delivery] transport` names. Nothing is connected yet.

        Raises:
            OperatorError: There is none of that name, or its table is wrong.

        """
        name = name or self.config.delivery.transport
        if name not in self.config.transports:
            raise OperatorError(
                f"{self.loaded.path.name}: there is no [transports.{name}]; add it, or choose one of "
                f"{', '.join(self.config.transports) or 'none yet'}"
            )
        section = f"transports.{name}"
        table = dict(self.config.transports[name])
        kind = str(table.pop("kind", ""))
        if "folder" in table:
            table["folder"] = str(self.loaded.resolve(str(table["folder"])))
        try:
            return registry.make(
                kind, table, name=name, secrets=lambda key, variable: self.loaded.secret(section, key, variable)
            )
        except msgspec.ValidationError as problem:
            raise OperatorError(f"{self.loaded.path.name}: {config.explain(problem, section)}") from None

    def stencil(self, edition: Edition, *, campaign: int, date: datetime) -> Stencil:
        """An edition cut for one campaign: only the readers' own values are left to be filled in."""
        embedded = self.config.content.images == "embedded"
        return cut(edition, self.letterhead, campaign=campaign, date=date, keys=self.signing_keys, embedded=embedded)

    def test_message(self, edition: Edition, reader: Recipient) -> Message:
        """A message of an edition to the staff, marked as a test."""
        prefix = f"[{words(edition.language)('PRUEBA')}]"
        embedded = self.config.content.images == "embedded"
        stencil = cut_test(
            edition,
            self.letterhead,
            prefix=prefix,
            date=self.clock.now(),
            keys=self.signing_keys,
            embedded=embedded,
        )
        return personalise_test(stencil, reader, signer=self.signer, greet=greeting)

    def notice(self, to: Mailbox, *, subject: str, text: str, occasion: str) -> Message:
        """A plain letter of the program itself."""
        return write_notice(
            self.letterhead,
            to,
            subject=subject,
            text=text,
            date=self.clock.now(),
            occasion=occasion,
            keys=self.signing_keys,
        )

    async def send(
        self, campaign: Campaign, *, stop: asyncio.Event | None = None, progress: Callable[[Progress], None]
    ) -> Result:
        """Send what is due of a campaign whose recipients are frozen (see `deliveries.send`)."""
        table = self.config.delivery
        return await send(
            campaign.id,
            ledger=self.ledger,
            transport=self.transport(),
            make_message=await asyncio.to_thread(self.message_maker, campaign),
            clock=self.clock,
            orders=Orders(connections=table.connections, on_uncertain=table.on_uncertain),
            stop=stop,
            progress=progress,
        )

    def message_maker(self, campaign: Campaign) -> MakeMessage:
        """What writes the messages of a campaign, from the editions on the shelf: its stencils are cut once."""
        compiled = self.shelf.take(campaign.content_hash)
        date = campaign.frozen_at or campaign.created_at
        stencils: dict[tuple[str, str], Stencil] = {}

        def make_message(claimed: Claimed) -> Message:
            reader = claimed.recipient
            key = reader.segment, reader.language
            if key not in stencils:
                stencils[key] = self.stencil(compiled.edition(*key), campaign=campaign.id, date=date)
            try:
                return personalise(stencils[key], reader, signer=self.signer, greet=greeting)
            except Unwritable as problem:
                raise RecipientRefused(f"no message can be written to this reader: {problem}") from None

        return make_message

    def message_id(self, campaign: int, subscriber: int) -> str:
        """The Message-ID of one delivery."""
        return message_id(self.letterhead, self.signer, campaign, subscriber)

    def close(self) -> None:
        """Give back what was opened."""
        if "database" in self.__dict__:
            self.database.close()
