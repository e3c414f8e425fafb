"""Values to test with; what a test is about is given by name, the rest is plausible."""

from typing import Any

from mailer.address import Mailbox
from mailer.audience.recipient import Recipient
from mailer.editions.edition import Edition
from mailer.messages.letterhead import Letterhead

_HTML = """<!DOCTYPE html>
<html lang="es"><body>
<p>@@greeting@@:</p><h1>Brief de noviembre</h1><p>Para @@institution@@, con el saludo de Quito.</p>
<p><a href="@@web_url@@">Ver en la web</a> · <a href="@@unsubscribe_url@@">Darse de baja</a> ·
<a href="@@preferences_url@@">Preferencias</a></p>
</body></html>
"""
_TEXT = """@@greeting@@:

Brief de noviembre, para @@institution@@, con el saludo de Quito.

Ver en la web: @@web_url@@
Darse de baja: @@unsubscribe_url@@
Preferencias: @@preferences_url@@
"""

A_SHORT_ISSUE = """---
title: Brief de noviembre
month: 2022-11
number: 1
subject: Brief Internacional, noviembre
preheader: Lo que Quito hizo en el mundo este mes
---

## Noticias

### Una asamblea

La asamblea se reunió en Quito.
"""


def an_edition(**given: Any) -> Edition:
    """An edition in which every slot stands in both parts."""
    plausible: dict[str, Any] = {
        "issue": "2022-11",
        "language": "es",
        "segment": "gads",
        "subject": "Brief Internacional · noviembre de 2022",
        "preheader": "Quito en el mundo",
        "html": _HTML,
        "text": _TEXT,
        "mjml": "",
    }
    return Edition(**plausible | given)


def a_recipient(number: int = 1, **given: Any) -> Recipient:
    """The recipient with this number, at an address of their own."""
    plausible: dict[str, Any] = {
        "subscriber_id": number,
        "email": f"alcaldia{number}@canton.example",
        "segment": "gads",
        "language": "es",
        "name": "Alcaldía",
        "institution": "GAD Municipal",
        "country": "Ecuador",
    }
    return Recipient(**plausible | given)


def a_letterhead(**given: Any) -> Letterhead:
    """The publication's letterhead, at `.example` addresses."""
    plausible: dict[str, Any] = {
        "publication": "Brief Internacional",
        "sender": Mailbox("Brief Internacional", "brief@relaciones.quito.example"),
        "reply_to": Mailbox("", "relaciones@quito.example"),
        "list_id": "brief.relaciones.quito.example",
        "public_url": "https://brief.quito.example",
        "bounce_domain": "rebotes.quito.example",
    }
    return Letterhead(**plausible | given)
