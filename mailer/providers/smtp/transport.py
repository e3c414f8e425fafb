"""Send over SMTP: the settings, the connection, and message after message over it."""

import ipaddress
import ssl
from typing import Literal

import aiosmtplib
import msgspec

from mailer.deliveries.transport import ConnectionLost, HandOff, Receipt, RecipientRefused, TransportError
from mailer.errors import OperatorError
from mailer.messages.message import Message
from mailer.providers.oauth import OAuth, tokens
from mailer.providers.registry import Secrets
from mailer.providers.smtp.connection import Login, PasswordLogin, TokenLogin, connect
from mailer.providers.smtp.conversation import Conversation, Ended
from mailer.providers.smtp.transaction import Offers, Timeouts, Transaction

_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    `[transports.<name>]` with `kind = "smtp"`.

    `port` 0 is the usual one of `security`. `ca_file` names a certificate authority to trust besides the system's;
    `helo` is the name given in EHLO, by default the machine's. With `auth` "xoauth2" the login is by a token:
    `token_env` holds one, or `[transports.<name>.oauth]` fetches it. `messages_per_connection` 0 sets no limit.
    """

    host: str
    port: int = 0
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password_env: str = ""
    auth: Literal["password", "xoauth2"] = "password"
    token_env: str = ""
    oauth: OAuth = OAuth()
    helo: str = ""
    ca_file: str = ""
    messages_per_connection: int = 1000
    timeouts: Timeouts = Timeouts()


def make(settings: Settings, name: str, secrets: Secrets) -> "Smtp":
    """
    Make the transport, without connecting.

    Raises:
        OperatorError: No TLS to another machine, a login without password or token, a CA file that can't be read.

    """
    where = f"[transports.{name}]"
    if settings.security == "none" and not _is_loopback(settings.host):
        raise OperatorError(
            f'{where} security = "none" would send letters in the clear to {settings.host}; '
            f'write "starttls" or "tls" ("none" is for this machine alone)'
        )
    login = _login(settings, name, secrets)
    try:
        context = None if settings.security == "none" else _tls(settings.ca_file)
    except (OSError, ssl.SSLError) as problem:
        raise OperatorError(f"{where} ca_file {settings.ca_file} can't be read: {problem}") from None
    return Smtp(settings, name=name, login=login, context=context)


class Smtp:
    """
    An SMTP server as a Transport.

    `pipelines` says that several commands may be said at once, where the server offers to take them (RFC 2920).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        name: str = "smtp",
        login: Login | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self.pipelines = True
        self._login = login
        self._context = context

    async def open(self) -> "SmtpChannel":
        """
        Connect, secure and log in.

        Raises:
            ConnectionLost: Nobody answers, or the server puts everybody off.
            TransportDown: Login or TLS refused.

        """
        return SmtpChannel(self, *await self.connect())

    async def connect(self) -> tuple[Conversation, Offers]:
        """Open one more connection; raises as `open` does."""
        settings = self.settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port or _PORTS[settings.security],
            use_tls=settings.security == "tls",
            start_tls=False,  # asked for by hand, to know the stage
            tls_context=self._context,
            local_hostname=settings.helo or None,
            timeout=settings.timeouts.connect,
        )
        conversation, offers = await connect(client, starttls=settings.security == "starttls", login=self._login)
        pipelining = offers.pipelining and self.pipelines
        return conversation, msgspec.structs.replace(offers, pipelining=pipelining)


class SmtpChannel:
    """One connection, and the next when the server has had enough of it."""

    def __init__(self, transport: Smtp, conversation: Conversation, offers: Offers) -> None:
        self._transport = transport
        self._conversation = conversation
        self._offers = offers
        self._carried = 0
        self._clean = True
        self._announced: Transaction | None = None

    async def transmit(self, message: Message, hand_off: HandOff) -> Receipt:
        """Hand one message over; see `Channel.transmit`."""
        transaction: Transaction | None = None
        try:
            transaction = await self._announced_before(message) or await self._begun(message)
            return await transaction.hand_over(hand_off, self._announce)
        except TransportError:
            raise
        except BaseException:
            self._conversation.abort()
            raise
        finally:
            self._clean = self._clean if transaction is None else transaction.clean

    async def close(self) -> None:
        """Say QUIT and hang up; what comes back is of no interest any more (RFC 5321 4.1.1.10)."""
        try:
            if self._announced is None:
                self._conversation.send(b"QUIT\r\n")
                await self._conversation.reply(self._transport.settings.timeouts.quit)
        except Ended:
            pass
        finally:
            # Behind an announcement the server may wait for content: it is taken back by hanging up.
            self._conversation.abort()

    async def _begun(self, message: Message) -> Transaction:
        """A transaction whose envelope is taken, over a new connection if this one is used up."""
        if self._is_used_up():
            await self._reconnect()
        transaction = self._transaction(message)
        try:
            transaction.begin(reset=not self._clean)
        except Ended as problem:
            raise ConnectionLost(str(problem)) from problem
        finally:
            self._clean = transaction.clean
        await self._opened(transaction)
        return transaction

    async def _opened(self, transaction: Transaction) -> None:
        """Wait until an envelope is taken; who leaves one unanswered is from then on told one command at a time."""
        try:
            await transaction.opened()
        except ConnectionLost:
            # A server may lose what comes behind a command or a message, though it offered to take it.
            self._transport.pipelines = self._transport.pipelines and not self._conversation.timed_out
            raise
        finally:
            self._clean = transaction.clean

    async def _announced_before(self, message: Message) -> Transaction | None:
        """
        The transaction whose envelope went out behind the last message, if it is taken.

        A connection that ends here has served the message before and says nothing about this one: it begins anew.
        """
        transaction, self._announced = self._announced, None
        if transaction is None:
            return None
        if transaction.message is not message:
            self._conversation.abort("another message was announced")
            return None
        try:
            await self._opened(transaction)
        except ConnectionLost:
            self._conversation.abort()
            return None
        return transaction

    def _announce(self, message: Message, behind: bytes) -> bool:
        limit = self._transport.settings.messages_per_connection
        if not (self._offers.pipelining and self._transport.pipelines) or 0 < limit <= self._carried:
            return False
        transaction = self._transaction(message)
        try:
            transaction.begin(behind=behind)
        except RecipientRefused:
            return False
        self._announced = transaction
        return True

    def _transaction(self, message: Message) -> Transaction:
        self._carried += 1
        return Transaction(message, self._conversation, self._offers, self._transport.settings.timeouts)

    def _is_used_up(self) -> bool:
        """A server may hang up on an idle connection, or take only so many messages over one; nothing is lost by it."""
        limit = self._transport.settings.messages_per_connection
        # Whatever was said between two messages can only be a farewell.
        return self._conversation.is_over or self._conversation.has_reply or 0 < limit <= self._carried

    async def _reconnect(self) -> None:
        await self.close()
        self._conversation, self._offers = await self._transport.connect()
        self._carried, self._clean = 0, True


def _login(settings: Settings, name: str, secrets: Secrets) -> Login | None:
    where = f"[transports.{name}]"
    if settings.auth == "xoauth2":
        if not settings.username:
            raise OperatorError(f'{where} auth = "xoauth2" needs the username that the token is for')
        return TokenLogin(settings.username, tokens(settings.oauth, settings.token_env, name=name, secrets=secrets))
    if settings.token_env or settings.oauth.token_url:
        raise OperatorError(f'{where} has a token that nobody uses; write auth = "xoauth2"')
    if not settings.username:
        return None
    if not settings.password_env:
        raise OperatorError(f"{where} has a username and no password_env; name the environment variable that holds it")
    return PasswordLogin(settings.username, secrets("password_env", settings.password_env))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context
