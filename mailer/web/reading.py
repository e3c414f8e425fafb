"""`/`, `/brief/<issue>/`, `/images/<name>`, `/files/<name>`, `/feed.xml`: what went out, for anybody to read."""

from itertools import groupby
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailer.editions.edition import Edition
from mailer.web.desk import Desk, desk_of
from mailer.web.paper import paper as printed

# Mail sets its styles on every element, so they can't carry a nonce; nothing else may run or load.
_EDITION_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_FOR_EVERYBODY: Final = {"X-Robots-Tag": "all", "Cache-Control": "public, max-age=300"}
# A picture's name is the hash of its bytes; web mail loads it into pages of its own.
_FOR_EVER: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}

# What search engines are asked to leave alone: every page that belongs to one reader.
ROBOTS: Final = "User-agent: *\n" + "".join(f"Disallow: /{kind}/\n" for kind in "upmcl")


async def archive(request: Request) -> Response:
    """Every issue, by year."""
    desk = desk_of(request)
    entries = await run_in_threadpool(desk.newsstand.entries, desk.pages.language(request))
    years = [(year, list(issues)) for year, issues in groupby(entries, key=lambda entry: entry.year)]
    page = desk.pages.show(request, "archive.html", years=years)
    page.headers.update(_FOR_EVERYBODY)
    return page


async def issue(request: Request) -> Response:
    """An issue in the language of the one who looks."""
    desk, name = desk_of(request), request.path_params["issue"]
    return await _edition(request, desk, name, desk.pages.language(request))


async def translation(request: Request) -> Response:
    """An issue in the language of the path; nothing, if it went out in others alone."""
    desk, path = desk_of(request), request.path_params
    found = await run_in_threadpool(desk.newsstand.public, path["issue"], path["language"])
    if not found or found[0].language != path["language"]:
        raise HTTPException(404)
    return await _edition(request, desk, path["issue"], path["language"])


async def edition(request: Request) -> Response:
    """The very edition that a message was made of."""
    path = request.path_params
    return await _edition(request, desk_of(request), path["issue"], path["language"], path["segment"])


async def version(request: Request) -> Response:
    """An issue as it went out before it was corrected."""
    path = request.path_params
    desk = desk_of(request)
    found = await run_in_threadpool(desk.newsstand.version, path["issue"], path["number"], path["language"])
    return await _shown(request, desk, found, is_listed=False)


async def paper(request: Request) -> Response:
    """An issue as PDF; where no browser can print it, its web edition: what a message links to is never missing."""
    desk, path = desk_of(request), request.path_params
    found = await run_in_threadpool(desk.newsstand.public, path["issue"], path["language"])
    if path["name"] != path["issue"] or not found or found[0].language != path["language"]:
        raise HTTPException(404)
    async with desk.press:
        content = await run_in_threadpool(printed, desk.newsstand, found[0], desk.house.loaded.resolve("var/cache/pdf"))
    if content is None:
        return RedirectResponse(f"/brief/{path['issue']}/{path['language']}/", 302)
    return Response(content, media_type="application/pdf", headers=_FOR_EVERYBODY)


async def picture(request: Request) -> Response:
    """A picture of an edition."""
    found = await run_in_threadpool(desk_of(request).newsstand.holdings.picture, request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return Response(found.content, media_type=found.media_type, headers=_FOR_EVER)


async def file(request: Request) -> Response:
    """A document or a date for the calendar; it is handed out, never shown as a page of ours."""
    found = await run_in_threadpool(desk_of(request).newsstand.holdings.file, request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    headers = {**_FOR_EVER, "Content-Disposition": f'attachment; filename="{found.name.partition("-")[2]}"'}
    return Response(found.content, media_type=found.media_type, headers=headers)


async def search(request: Request) -> Response:
    """What the archive's page searches, as a script that it asks for when somebody begins to."""
    desk = desk_of(request)
    language = desk.pages.language(request)

    def address(issue: str, spoken: str) -> str:
        return f"/brief/{issue}/?lang={spoken}"

    script = await run_in_threadpool(desk.search.index, language, address)
    return Response(script, media_type="text/javascript", headers=_FOR_EVERYBODY)


async def feed(request: Request) -> Response:
    """The archive as an Atom feed (RFC 4287)."""
    desk = desk_of(request)
    language = desk.pages.language(request)
    issues = await run_in_threadpool(desk.newsstand.entries, language)
    updated = max((entry.published_at for entry in issues), default=desk.clock.now()).isoformat()
    xml = desk.pages.text("feed.xml", language, issues=issues, updated=updated)
    return Response(xml, media_type="application/atom+xml", headers=_FOR_EVERYBODY)


async def _edition(request: Request, desk: Desk, name: str, language: str, segment: str = "") -> Response:
    found: Edition | None = await run_in_threadpool(desk.newsstand.edition, name, language, segment)
    return await _shown(request, desk, found, is_listed=not segment)


async def _shown(request: Request, desk: Desk, found: Edition | None, *, is_listed: bool) -> Response:
    if found is None:
        raise HTTPException(404)
    versions = await run_in_threadpool(desk.newsstand.published.versions, found.issue)
    headers = {
        "Content-Security-Policy": _EDITION_POLICY,
        "Content-Language": found.language,
        "Vary": "Accept-Language",
        "ETag": f'"{found.hash}.{len(versions)}"',
        **_FOR_EVERYBODY,
    }
    if not is_listed:  # what some alone got, or what was corrected, is found by its address only
        headers["X-Robots-Tag"] = "noindex"
    if found.hash and request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(await run_in_threadpool(desk.newsstand.page, found), headers=headers)
