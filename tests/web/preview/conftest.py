"""A publication with an issue in two languages and two readers, for the preview to show."""

import shutil
from pathlib import Path

import pytest

from mailer.app import App
from mailer.audience.importing.importer import ListFile, import_list
from mailer.audience.register import ImportOrder
from tests.pictures import keep_pictures_of

ROOT = Path(__file__).parents[3]
FRONT = (
    "---\ntitle: Boletín\nmonth: 2026-12\nnumber: 12\nlanguage: {language}\n"
    "subject: Un asunto que tiene el largo debido\n"
    "preheader: Una frase que acompaña al asunto en la bandeja de entrada.\n---\n"
)
BODY = (
    "### El agua\n{id=agua}\n\n![Una fuente](images/fuente.svg)\n\nUn texto sobre el agua de Quito.\n\n"
    "### El viento\n{id=viento}\n\n" + "Un texto muy largo sobre el viento. " * 120 + "\n\n"
    "### El fuego\n{id=fuego}\n\nDijo , y calló.\n\n### Solo gads\n{id=gads segments=gads}\n\nPara ustedes.\n"
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="675">'
    '<rect width="1200" height="675" fill="#0B2A5B"/></svg>'
)
LIST = (
    "correo,tratamiento,nombre,cargo,institución\n"
    "ana@gad.example,Dra.,Ana,Alcaldesa del cantón Nabón,GAD Municipal de Nabón\n"
    "zoe@gad.example,,,,\n"
)


def publish(home: Path) -> Path:
    """Write the publication into a folder."""
    shutil.copytree(ROOT / "templates" / "brief", home / "templates" / "brief")
    images = home / "issues" / "2026-12" / "images"
    images.mkdir(parents=True)
    (images / "fuente.svg").write_text(SVG, encoding="utf-8")
    (images.parent / "issue.md").write_text(FRONT.format(language="es") + BODY, encoding="utf-8")
    (images.parent / "issue.en.md").write_text(FRONT.format(language="en") + BODY, encoding="utf-8")
    (home / "gads.csv").write_text(LIST, encoding="utf-8")
    keep_pictures_of(home)
    (home / "config.toml").write_text((ROOT / "config.toml").read_text(encoding="utf-8"), encoding="utf-8")
    app = App.load(home / "config.toml")
    order = ImportOrder(segment="gads", source="gads.csv", who="test")
    import_list(ListFile(path=home / "gads.csv"), order, app.register)
    app.close()
    return home


@pytest.fixture
def folder(tmp_path):
    """The publication in a folder of its own."""
    return publish(tmp_path)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """The same for all tests of a module, which leave it as it was."""
    return publish(tmp_path_factory.mktemp("lasting"))
