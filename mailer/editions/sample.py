"""An edition with its slots filled for nobody in particular: to look at, never to send."""

import html
from collections.abc import Mapping

from mailer.editions.edition import SLOT, Edition, Imprint
from mailer.language import words


def sample_values(edition: Edition, imprint: Imprint) -> dict[str, str]:
    """What stands in the slots of a copy that is only looked at; its links lead to the public pages' front."""
    home = imprint.public_url.rstrip("/")
    return {
        "greeting": _greeting(edition),
        "institution": imprint.organization,
        "unsubscribe_url": f"{home}/u/sample",
        "preferences_url": f"{home}/p/sample",
        "web_url": imprint.place(edition.issue, "").removesuffix("#"),
    }


def _greeting(edition: Edition) -> str:
    """As a reader of the sample lists' segments may be greeted; of another, as one of whom nothing is known."""
    translate = words(edition.language)
    known = {
        "diplomats": translate("Excelentísima señora Embajadora"),
        "gads": translate("Estimado señor Alcalde"),
        "partners": translate("Estimada señora Rectora"),
    }
    return known.get(edition.segment, translate("Estimada/o colega"))


def sample_html(edition: Edition, imprint: Imprint) -> str:
    """The HTML as a file that opens offline: pictures lie in `images/` beside it."""
    values = {slot: html.escape(value) for slot, value in sample_values(edition, imprint).items()}
    local = edition.html.replace(f"{imprint.public_url.rstrip('/')}/images/", "images/")
    return _filled(local, values)


def sample_text(edition: Edition, imprint: Imprint) -> str:
    """The text part as a reader would get it."""
    return _filled(edition.text, sample_values(edition, imprint))


def _filled(content: str, values: Mapping[str, str]) -> str:
    return SLOT.sub(lambda slot: values[slot[1]], content)
