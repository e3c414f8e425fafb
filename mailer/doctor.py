"""
Is everything ready for a send? Each examination looks at one thing and says that it is well, or what to do.

Nothing is changed but the database's tables, which are brought up to date; the transport is asked to log in, no more.
"""

import asyncio
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import Final

import dns.exception
import dns.resolver
import msgspec

from mailer.address import domain_of
from mailer.app import App
from mailer.deliveries.transport import Transport, TransportError
from mailer.errors import MailerError
from mailer.providers.webhooks import PROVIDERS

_PATIENCE: Final = 3.0  # seconds for one DNS question


class Health(StrEnum):
    """How a thing was found."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True):
    """What one examination found, and what to do about it."""

    subject: str
    health: Health
    message: str


def examine(app: App, *, nameserver: tuple[str, int] | None = None) -> Iterator[Finding]:
    """
    Examine the publication, one thing after the other.

    `nameserver` (address and port) answers instead of the machine's own.
    """
    yield Finding("config", Health.OK, f"{app.loaded.path} is read")
    for subject, look in (
        ("folders", _folders),
        ("database", _database),
        ("staff", _staff),
        ("schedule", _schedule),
        ("lists", _lists),
        ("links", _links),
    ):
        yield _look(subject, look, app)
    try:
        for way in app.outgoing.alarms:
            yield _look("transport", partial(_transport, way), app)
    except MailerError as problem:
        yield Finding("transport", Health.FAILED, str(problem))
    resolver = _resolver(nameserver)
    for subject, ask in (("SPF", _spf), ("DKIM", _dkim), ("DMARC", _dmarc)):
        yield _look(subject, partial(ask, resolver), app)


def _look(subject: str, look: Callable[[App], tuple[Health, str]], app: App) -> Finding:
    try:
        return Finding(subject, *look(app))
    except MailerError as problem:
        return Finding(subject, Health.FAILED, str(problem))
    except dns.exception.DNSException as problem:
        told = f"DNS could not be asked ({type(problem).__name__}); try again on-line"
        return Finding(subject, Health.WARNING, told)


def _folders(app: App) -> tuple[Health, str]:
    content = app.config.content
    for key, name in (("issues", content.issues), ("templates", content.templates)):
        if not app.loaded.resolve(name).is_dir():
            return Health.FAILED, f"[content] {key} names {name}, which is no folder; make it or mend the path"
    return Health.OK, f"{content.issues}/ and {content.templates}/ are there"


def _database(app: App) -> tuple[Health, str]:
    with app.database.read() as connection:
        dialect = connection.dialect.name
    return Health.OK, f"{dialect} answers, its tables are up to date"


def _staff(app: App) -> tuple[Health, str]:
    return Health.OK, ", ".join(mailbox.address for mailbox in app.staff())


def _schedule(app: App) -> tuple[Health, str]:
    now = app.clock.now().astimezone(app.calendar.zone)
    following = app.calendar.after(app.clock.now()).astimezone(app.calendar.zone)
    said = (
        f"it is {now:%Y-%m-%d %H:%M} in {app.config.publication.timezone}; "
        f"the next monthly send is {following:%Y-%m-%d %H:%M}"
    )
    return Health.OK, said


def _lists(app: App) -> tuple[Health, str]:
    counts = {line.name: line.deliverable for line in app.register.segment_counts(list(app.config.segments))}
    said = ", ".join(f"{name} {count}" for name, count in counts.items())
    if not all(counts.values()):
        return (
            Health.WARNING,
            f"a segment has nobody who may be written to ({said}); `mailer subscribers import` fills it",
        )
    return Health.OK, said


def _links(app: App) -> tuple[Health, str]:
    url = app.config.publication.public_url
    if not url.startswith("https://"):
        advice = (
            f"[publication] public_url is {url}; one-click unsubscribe needs https (RFC 8058): set the address at "
            f"which readers reach `mailer serve`"
        )
        return Health.WARNING, advice
    variable = app.config.publication.secret_env
    kept = "the environment" if variable and app.loaded.environ.get(variable) else "a file beside the database"
    app.signer.sign("examination", "1")
    return Health.OK, f"links lead to {url}, signed with the secret in {kept}"


def _transport(transport: Transport, app: App) -> tuple[Health, str]:
    """One way out: does it let us in, and does it tell us what becomes of the messages?"""

    async def log_in() -> None:
        channel = await transport.open()
        await channel.close()

    try:
        asyncio.run(log_in())
    except TransportError as problem:
        return Health.FAILED, f"{transport.name} refuses: {problem.reply}; see [transports.{transport.name}]"
    kind = str(app.config.transports[transport.name].get("kind", ""))
    if kind in PROVIDERS and kind not in app.config.webhooks:
        advice = (
            f"{transport.name} takes us, but its bounces and complaints come by webhook only: "
            f"set [webhooks.{kind}] up (docs/providers.md)"
        )
        return Health.WARNING, advice
    return Health.OK, f"{transport.name} takes us"


# --- DNS -------------------------------------------------------------------------------------------------------------


def _resolver(nameserver: tuple[str, int] | None) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=nameserver is None)
    if nameserver:
        resolver.nameservers, resolver.port = [nameserver[0]], nameserver[1]
    resolver.lifetime = _PATIENCE
    return resolver


def _texts(resolver: dns.resolver.Resolver, name: str) -> list[str]:
    """The TXT records of a name; an empty list where there are none."""
    try:
        answer = resolver.resolve(name, "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def _asked(resolver: dns.resolver.Resolver, name: str, start: str, advice: str) -> tuple[Health, str]:
    found = [text for text in _texts(resolver, name) if text.lower().startswith(start)]
    if not found:
        return Health.WARNING, f"{name} has no TXT record {start}…; {advice}"
    if len(found) > 1:
        return Health.FAILED, f"{name} has {len(found)} TXT records {start}…; receivers want exactly one"
    return Health.OK, f"{name}: {found[0]}"


def _spf(resolver: dns.resolver.Resolver, app: App) -> tuple[Health, str]:
    """RFC 7208: the domain of the envelope sender names who may send for it."""
    domain = app.config.publication.bounce_domain or domain_of(app.letterhead.sender.address)
    return _asked(resolver, domain, "v=spf1", "publish one that names the servers you send through (RFC 7208)")


def _dkim(resolver: dns.resolver.Resolver, app: App) -> tuple[Health, str]:
    """RFC 6376 3.6: the public part of every key that signs stands in the DNS, and is that key's."""
    if not app.signing_keys:
        advice = "no [dkim] in the config: only a way out that signs by itself gets mail past Gmail and Outlook"
        return Health.WARNING, f"{advice}; `mailer dkim keygen` makes a key"
    for key in app.signing_keys:
        published = [_public_part(text) for text in _texts(resolver, key.name)]
        if _public_part(key.record) not in published:
            told = "holds another key than the one that signs" if published else "has no TXT record"
            return Health.FAILED, f"{key.name} {told}; receivers can't check our signatures: publish {key.record}"
    return Health.OK, f"{', '.join(key.name for key in app.signing_keys)}: the key that signs"


def _public_part(record: str) -> str:
    """The `p=` of a key's record, in which white space means nothing."""
    tags = dict(tag.partition("=")[::2] for tag in "".join(record.split()).split(";"))
    return tags.get("p", "")


def _dmarc(resolver: dns.resolver.Resolver, app: App) -> tuple[Health, str]:
    """RFC 9989: what receivers are to do with mail that isn't aligned; large ones ask it of all who send lists."""
    labels = domain_of(app.letterhead.sender.address).split(".")
    advice = "publish at least v=DMARC1; p=none (RFC 9989): Gmail, Yahoo and Outlook ask it of list senders"
    first: tuple[Health, str] | None = None
    for start in range(len(labels) - 1):
        asked = _asked(resolver, "_dmarc." + ".".join(labels[start:]), "v=dmarc1", advice)
        if asked[0] is Health.OK:
            return asked
        first = first or asked
    assert first is not None
    return first
