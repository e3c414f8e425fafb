"""
What a message costs: the stencil against the standard library's EmailMessage, the same 60 kB and slots in one run.

Run it with `python -m benchmarks.messages [COUNT]`; it prints microseconds of CPU a message and their ratio.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from mailer.messages import dkim
from mailer.messages.letterhead import identity
from mailer.messages.personalise import personalise
from mailer.messages.stencil import cut
from mailer.testing import a_letterhead, a_recipient, an_edition
from mailer.tokens import Signer

DATE = datetime(2022, 11, 30, 14, tzinfo=UTC)
DOMAIN = "relaciones.quito.example"
SIGNER = Signer(["benchmark"])
LETTERHEAD = a_letterhead()
PARAGRAPH = '<p style="margin:0 0 16px">La ciudad recibió a delegaciones de cuatro continentes en noviembre.</p>\n'
EDITION = an_edition(html=an_edition().html.replace("<h1>", PARAGRAPH * 520 + "<h1>"), text=an_edition().text * 20)


def greet(recipient):
    return f"Estimada señora Alcaldesa {recipient.subscriber_id}"


def by_stencil(keys=()):
    stencil = cut(EDITION, LETTERHEAD, campaign=1, date=DATE, keys=keys)
    return lambda number: personalise(stencil, a_recipient(number), signer=SIGNER, greet=greet).content


def by_email_message(number):
    recipient, named = a_recipient(number), identity(LETTERHEAD, SIGNER, 1, number)
    values = {
        "greeting": greet(recipient),
        "institution": recipient.institution,
        "unsubscribe_url": named.unsubscribe_url,
        "preferences_url": named.preferences_url,
        "web_url": LETTERHEAD.web_url(EDITION),
    }
    text, page = EDITION.text, EDITION.html
    for slot, value in values.items():
        text, page = text.replace(f"@@{slot}@@", value), page.replace(f"@@{slot}@@", value)
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = str(LETTERHEAD.sender), f"{recipient.name} <{recipient.email}>"
    message["Subject"], message["Date"], message["Message-ID"] = EDITION.subject, DATE, named.message_id
    message["List-Unsubscribe"] = f"<{named.unsubscribe_url}>"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def microseconds(write: Callable[[int], bytes], count: int) -> float:
    write(0)
    start = time.process_time()
    for number in range(count):
        write(number)
    return (time.process_time() - start) / count * 1e6


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    keys = {
        kind: dkim.Key.load(dkim.keygen(DOMAIN, "b", kind=kind).private_pem, domain=DOMAIN, selector="b")
        for kind in ("rsa", "ed25519")
    }
    unit = microseconds(by_email_message, max(count // 20, 20))
    print(f"{len(by_stencil()(1)) / 1000:.0f} kB a message, {count} messages, CPU time of one core")
    print(f"EmailMessage, unsigned         {unit:9.1f} µs")
    for label, chosen in (
        ("unsigned", []),
        ("RSA-2048", [keys["rsa"]]),
        ("Ed25519", [keys["ed25519"]]),
        ("both", [*keys.values()]),
    ):
        cost = microseconds(by_stencil(chosen), count)
        print(f"stencil, {label:<22}{cost:9.1f} µs   1:{unit / cost:.0f}")


if __name__ == "__main__":
    main()
