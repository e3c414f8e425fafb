"""
Whether From, the signing domains and the bounce domain belong together, as DMARC asks (RFC 9989 4.4, relaxed).

The organisational domain is told from the names alone, without DNS: two labels, or three below a country's registry
(`gob.ec`, `co.uk`). Receivers ask the DNS; for the usual names the answer is the same.
"""

from collections.abc import Sequence
from typing import Final

from mailer.errors import OperatorError

_COUNTRY: Final = 2  # letters of a country's top-level domain
# What registries of countries sell names below, rather than the names themselves.
_REGISTRIES: Final = frozenset(
    ("ac", "co", "com", "edu", "fin", "go", "gob", "gouv", "gov", "gub", "info", "mil", "ne", "net", "nom", "or", "org")
)


def organisational_domain(domain: str) -> str:
    """
    The name that an organisation registered.

    >>> organisational_domain("brief.relaciones.quito.gob.ec")
    'quito.gob.ec'
    >>> organisational_domain("rebotes.quito.example")
    'quito.example'
    """
    labels = domain.lower().rstrip(".").split(".")
    is_below_registry = len(labels) > 2 and len(labels[-1]) == _COUNTRY and labels[-2] in _REGISTRIES  # noqa: PLR2004
    return ".".join(labels[-3 if is_below_registry else -2 :])


def require_alignment(sender: str, *, bounces: str, signers: Sequence[str]) -> None:
    """
    See to it that letters from `sender` (a domain) pass DMARC by their envelope and by each signature.

    Raises:
        OperatorError: The bounce domain or a signing domain is another organisation's.

    """
    home = organisational_domain(sender)
    claims = [("[publication] bounce_domain", bounces)] if bounces else []
    claims += [("[dkim] domain", signer) for signer in signers]
    for where, domain in claims:
        if organisational_domain(domain) != home:
            raise OperatorError(
                f"{where} {domain} is not of the organisation that [publication] from is of ({home}): "
                f"DMARC would fail and letters would be lost; choose {home} or a name below it"
            )
