"""The set-up that the November issue is compiled with in tests."""

from pathlib import Path

from mailer.editions.edition import Imprint

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "templates" / "brief"
SEGMENTS = {
    "diplomats": {"es": "Cuerpo diplomático", "en": "Diplomatic corps"},
    "gads": {"es": "Gobiernos autónomos descentralizados", "en": "Local governments"},
}
IMPRINT = Imprint(
    name="Brief Internacional",
    publisher="Dirección Metropolitana de Relaciones Internacionales",
    organization="Municipio del Distrito Metropolitano de Quito",
    postal_address="Venezuela y Chile, Quito, Ecuador",
    public_url="https://brief.quito.example",
)
