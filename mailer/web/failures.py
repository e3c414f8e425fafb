"""What is said when a page can't be shown: one sentence on what happened, one on what to do."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mailer.language import words
from mailer.web.desk import desk_of
from mailer.web.speech import marked


class InvalidLink(HTTPException):
    """A token that opens nothing. Never said: why."""

    def __init__(self) -> None:
        super().__init__(404)


_SAID = {
    404: (
        marked("Aquí no hay nada"),
        marked("El enlace no es válido o está incompleto. Cópielo entero del mensaje, o escríbanos y lo arreglamos."),
    ),
    405: (
        marked("Así no se puede abrir"),
        marked("Esta página se abre de otra manera. Vuelva al mensaje y pulse el enlace."),
    ),
    408: (marked("Tardó demasiado"), marked("La conexión se cortó antes de terminar. Inténtelo de nuevo.")),
    413: (
        marked("Es demasiado grande"),
        marked("Lo que se envió no cabe en este formulario. Acórtelo e inténtelo de nuevo."),
    ),
    500: (
        marked("Algo falló de nuestro lado"),
        marked("No es culpa suya. Inténtelo de nuevo en unos minutos; no se ha perdido nada."),
    ),
}
_OTHERWISE = (
    marked("No lo hemos entendido"),
    marked("Lo que se envió no se puede leer. Vuelva atrás e inténtelo de nuevo."),
)


async def say(request: Request, problem: Exception) -> Response:
    """The page for an error, in the language of the one who met it."""
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    pages = desk_of(request).pages
    speak = words(pages.language(request))
    heading, advice = (speak(text) for text in _SAID.get(status, _OTHERWISE))
    response = pages.show(request, "error.html", status=status, heading=heading, advice=advice)
    if isinstance(problem, HTTPException) and problem.headers:
        response.headers.update(problem.headers)
    return response
