"""
Reachability: asks the web, politely, whether the pages that an issue links to are there.

An address that leads inside the house's own network is refused, whatever name or redirect hides it: the address is
resolved here, judged, and the connection goes to the very number that was judged.
"""

import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import httpx

from mailer.editions.checks.circumstances import Failure

Number = IPv4Address | IPv6Address

AT_ONCE: Final = 4
MOST: Final = 200
SECONDS: Final = 10.0
REDIRECTS: Final = 5
_NOT_THERE: Final = frozenset({404, 410})
# Servers that don't answer a HEAD as they would a GET.
_ASK_AGAIN: Final = frozenset({400, 403, 404, 405, 406, 410, 429, 500, 501, 503})


class InsideError(Exception):
    """The name leads to an address that only this network reaches."""


def is_public(number: Number) -> bool:
    """
    Whether an address belongs to the public internet; what is mapped or tunnelled is judged by what it carries.

    >>> is_public(ip_address("127.0.0.1")), is_public(ip_address("169.254.169.254")), is_public(ip_address("1.1.1.1"))
    (False, False, True)
    >>> is_public(ip_address("::ffff:10.0.0.1")), is_public(ip_address("2002:7f00:1::"))
    (False, False)
    """
    if isinstance(number, IPv6Address):
        carried = number.ipv4_mapped or number.sixtofour or (number.teredo[1] if number.teredo else None)
        if carried is not None:
            return is_public(carried)
    return number.is_global and not number.is_multicast and not number.is_reserved


class NoHostError(httpx.ConnectError):
    """No name server knows the name."""


class Pinned(httpx.BaseTransport):
    """Connects to the number that the name was judged by; TLS still asks for the name."""

    def __init__(self, allowed: Callable[[Number], bool] = is_public) -> None:
        self._allowed = allowed
        self._inner = httpx.HTTPTransport(retries=0, limits=httpx.Limits(max_connections=AT_ONCE))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request to where its host was resolved to."""
        host = request.url.host
        number = self._resolved(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=str(number)),
            headers=request.headers,
            extensions=request.extensions | {"sni_hostname": host},
        )
        return self._inner.handle_request(pinned)

    def _resolved(self, host: str, port: int) -> Number:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NoHostError(f"there is no host {host}") from None
        numbers = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        # One number inside is enough to refuse: a name that leads to both is a trick.
        if not numbers or not all(map(self._allowed, numbers)):
            raise InsideError(host)
        # Offices without IPv6 are many, those without IPv4 are none.
        return min(numbers, key=lambda number: number.version)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def ask(
    urls: Collection[str], *, agent: str = "mailer", allowed: Callable[[Number], bool] = is_public
) -> Mapping[str, Failure]:
    """
    Ask for each address once, at most four hosts at a time and one page a host at a time; give the failures.

    At most 200 are asked, each within ten seconds a step and five redirects.
    """
    hosts: dict[str, list[str]] = {}
    for url in list(dict.fromkeys(urls))[:MOST]:
        try:
            hosts.setdefault(httpx.URL(url).host, []).append(url)
        except httpx.InvalidURL:
            hosts.setdefault(url, []).append(url)
    failures: dict[str, Failure] = {}
    with _client(agent, allowed) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(lambda group: [(url, _asked(client, url)) for url in group], hosts.values()):
            failures.update((url, failure) for url, failure in found if failure)
    return failures


@contextmanager
def _client(agent: str, allowed: Callable[[Number], bool]) -> Iterator[httpx.Client]:
    with httpx.Client(
        transport=Pinned(allowed),
        follow_redirects=True,
        max_redirects=REDIRECTS,
        timeout=SECONDS,
        trust_env=False,
        headers={"User-Agent": agent, "Accept": "*/*"},
    ) as client:
        yield client


def _asked(client: httpx.Client, url: str) -> Failure | None:
    try:
        status = client.head(url).status_code
        if status in _ASK_AGAIN:
            # Streamed and closed: the head of the answer says all.
            with client.stream("GET", url) as answer:
                status = answer.status_code
    except InsideError as problem:
        return Failure(f"{problem} is reached from inside only", certain=True)
    except httpx.TooManyRedirects:
        return Failure(f"it is sent on more than {REDIRECTS} times", certain=True)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Failure("it leads to something that is no web page", certain=True)
    except NoHostError as problem:
        return Failure(str(problem), certain=True)
    except httpx.ConnectError as problem:
        is_untrusted = "CERTIFICATE" in str(problem)  # OpenSSL's word; httpx has no class of its own for it
        told = "its certificate can't be trusted, and browsers would warn" if is_untrusted else "nobody answers there"
        return Failure(told, certain=False)
    except httpx.TimeoutException:
        return Failure(f"no answer within {SECONDS:.0f} seconds", certain=False)
    except httpx.HTTPError as problem:
        return Failure(f"the server's answer can't be read ({type(problem).__name__})", certain=False)
    if status in _NOT_THERE:
        return Failure(f"the server says that the page is not there ({status})", certain=True)
    return Failure(f"the server answers {status}", certain=False) if status >= httpx.codes.BAD_REQUEST else None
