"""Access tokens (RFC 6749): one that the environment holds, or one that is fetched and renewed when it runs out."""

import asyncio

import msgspec

from mailer.clock import Clock, SystemClock
from mailer.deliveries.transport import ConnectionLost, TransportDown
from mailer.errors import OperatorError
from mailer.providers.registry import Secrets

_EARLY = 120.0  # seconds before its end that a token is renewed
_PATIENCE = 30.0
_LIFE = 3600.0  # where the server doesn't say


class OAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Where tokens come from: `[transports.<name>.oauth]`, `[feedback.mailbox.oauth]`.

    With a refresh token (Google), by that; without, by the client's own credentials (Microsoft 365).
    """

    token_url: str = ""
    client_id: str = ""
    client_secret_env: str = ""
    refresh_token_env: str = ""
    scope: str = ""


class Tokens:
    """A token that is good now."""

    def __init__(
        self, *, fixed: str = "", token_url: str = "", form: dict[str, str] | None = None, clock: Clock | None = None
    ) -> None:
        self._fixed = fixed
        self._url = token_url
        self._form = form or {}
        self._clock = clock or SystemClock()
        self._current = ""
        self._until = 0.0
        self._turn = asyncio.Lock()

    def forget(self) -> None:
        """The token was refused: the next one is fetched."""
        self._until = 0.0

    async def current(self) -> str:
        """
        The token.

        Raises:
            ConnectionLost: The server that gives tokens doesn't answer, or not now.
            TransportDown: It refuses us.

        """
        if self._fixed:
            return self._fixed
        async with self._turn:
            if self._clock.monotonic() >= self._until:
                await self._fetch()
        return self._current

    async def _fetch(self) -> None:
        import httpx  # half of what a sender over SMTP would have to load, and most log in by a password

        from mailer.providers.http import lost

        asked = self._clock.monotonic()
        try:
            async with asyncio.timeout(2 * _PATIENCE), httpx.AsyncClient(timeout=_PATIENCE) as client:
                response = await client.post(self._url, data=self._form, headers={"Accept": "application/json"})
        except (httpx.HTTPError, TimeoutError) as problem:
            failure = lost(problem)
            raise type(failure)(f"no access token: {failure.reply}") from problem
        told = _decoded(response.content)
        token, code = told.get("access_token"), response.status_code
        if response.is_success and isinstance(token, str) and token:
            life = told.get("expires_in")
            self._current = token
            self._until = asked + max(float(life) if isinstance(life, int | float) else _LIFE, 2 * _EARLY) - _EARLY
            return
        why = told.get("error_description") or told.get("error") or response.reason_phrase
        words = f"no access token: {code} {' '.join(str(why).split())}"[:500]
        passing = code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error
        raise ConnectionLost(words, code=code) if passing else TransportDown(words, code=code)


def tokens(oauth: OAuth, token_env: str, *, name: str, secrets: Secrets) -> Tokens:
    """
    Make the source of tokens that a transport's table describes.

    Raises:
        OperatorError: It describes none or two, or a secret isn't set.

    """
    if bool(token_env) == bool(oauth.token_url):
        raise OperatorError(f"[transports.{name}] needs one of token_env and [transports.{name}.oauth] token_url")
    if token_env:
        return Tokens(fixed=secrets("token_env", token_env))
    return fetched(oauth, section=f"transports.{name}.oauth", secrets=secrets)


def fetched(oauth: OAuth, *, section: str, secrets: Secrets) -> Tokens:
    """
    Make the source of tokens that an `oauth` table describes.

    Raises:
        OperatorError: A key is missing, or a secret isn't set.

    """
    if not (oauth.token_url and oauth.client_id and oauth.client_secret_env):
        raise OperatorError(f"[{section}] needs token_url, client_id and client_secret_env")
    form = {"client_id": oauth.client_id, "client_secret": secrets("client_secret_env", oauth.client_secret_env)}
    if oauth.refresh_token_env:
        form |= {
            "grant_type": "refresh_token",
            "refresh_token": secrets("refresh_token_env", oauth.refresh_token_env),
        }
    else:
        form["grant_type"] = "client_credentials"
    if oauth.scope:
        form["scope"] = oauth.scope
    from mailer.providers.http import secure

    return Tokens(token_url=secure(oauth.token_url, "", section=section), form=form)


def _decoded(body: bytes) -> dict[str, object]:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
