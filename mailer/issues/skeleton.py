"""A new issue: a folder with a commented `issue.md` that an officer fills in."""

from datetime import date
from pathlib import Path
from typing import Final

from mailer.errors import AuthorError
from mailer.issues.reading import NAME
from mailer.language import words

SKELETON: Final = """\
---
# Lo que está entre las dos líneas de tres guiones son los datos del número.
# Las líneas que empiezan con # son notas: puede borrarlas.
title: Brief Internacional
tagline: Gestión mensual de la Dirección de Relaciones Internacionales
month: {month}
number: {number}
language: es
# El asunto es lo primero que se lee: entre 30 y 60 letras.
subject: "Brief Internacional de {name}: escriba aquí el asunto"
# El preheader aparece junto al asunto en la bandeja de entrada: entre 40 y 110 letras.
preheader: "Escriba aquí, en una frase, las dos o tres noticias más importantes del mes."
# Los Objetivos de Desarrollo Sostenible del mes, del 1 al 17.
sdgs: "11, 17"
---

<!--
  Estas notas no se envían. Guarde las imágenes en la carpeta images, junto a este archivo.

  ## abre una sección y ### abre un artículo.
  Debajo de un título puede ir una línea de atributos: {{layout=lead sdgs="11, 17"}}
  Una imagen va sola en su línea:  ![Qué se ve en la imagen](images/foto.jpg)
  Un enlace solo en su línea es el botón del artículo:  [Leer más](https://…)
  Cuando termine:  mailer check {month}
-->

### TODO: el título del artículo principal
{{layout=lead}}

TODO: el texto del artículo principal. Deje una línea en blanco entre párrafos.

## TODO: el título de una sección

### TODO: el título de un artículo

TODO: el texto del artículo. Puede escribir **negrita**, *cursiva* y [enlaces](https://quito.example/).
"""


def begin(issues: Path, name: str) -> Path:
    """
    Make the folder `name` among the issues with a commented `issue.md`, and give that file's path.

    Raises:
        AuthorError: The name is no month, or the folder is there already.

    """
    if not NAME.fullmatch(name):
        raise AuthorError(f'an issue is called by its month, as in 2026-12, not "{name}"')
    folder = issues / name
    path = folder / "issue.md"
    if folder.exists():
        raise AuthorError(f"{issues.name}/{name} is there already; write in it, or choose another month")
    (folder / "images").mkdir(parents=True)
    month = date(int(name[:4]), int(name[5:7]), 1)
    filled = SKELETON.format(month=name[:7], number=month.month, name=words("es").month(month))
    path.write_text(filled, encoding="utf-8")
    return path
