"""The pages against a fuzzer: whatever is sent, the answer is one of ours and never a failure."""

import asyncio

import httpx
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from schemathesis import openapi

TEXT = {"type": "string"}
TOKEN = {"name": "token", "in": "path", "required": True, "schema": TEXT}
LANGUAGE = {"name": "lang", "in": "query", "schema": TEXT}
ACCEPT = {"name": "Accept-Language", "in": "header", "schema": TEXT}
ANSWERS = {"200": {"description": "a page"}}
FIELDS = ("action", "email", "name", "language", "segment", "consent", "puzzle", "number", "pause", "sure")


def page(*parameters: dict, fields: tuple[str, ...] = ()) -> dict:
    """An operation that takes these parameters, and a form of these fields."""
    operation: dict = {"parameters": [*parameters, LANGUAGE, ACCEPT], "responses": ANSWERS}
    if fields:
        form = {"schema": {"type": "object", "properties": dict.fromkeys(fields, TEXT)}}
        kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
        operation["requestBody"] = {"content": dict.fromkeys(kinds, form)}
    return operation


def part(name: str) -> dict:
    """A part of a path."""
    return TOKEN | {"name": name}


PATHS = {
    "/": {"get": page()},
    "/health": {"get": page()},
    "/feed.xml": {"get": page()},
    "/privacy": {"get": page()},
    "/brief/{issue}/": {"get": page(part("issue"))},
    "/brief/{issue}/{segment}/{language}": {"get": page(part("issue"), part("segment"), part("language"))},
    "/brief/{issue}/{language}/": {"get": page(part("issue"), part("language"))},
    "/images/{name}": {"get": page(part("name"))},
    "/files/{name}": {"get": page(part("name"))},
    "/subscribe": {"get": page(), "post": page(fields=FIELDS)},
    **{f"/{kind}/{{token}}": {"get": page(TOKEN), "post": page(TOKEN, fields=FIELDS)} for kind in "upmc"},
    "/l/{token}": {"get": page(TOKEN)},
    "/l/{token}/{reader}": {"get": page(TOKEN, part("reader"))},
}
SCHEMA = openapi.from_dict({"openapi": "3.0.3", "info": {"title": "pages", "version": "1"}, "paths": PATHS})
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


async def ask(app, case) -> int:
    """Send a case as `requests` would put it on the wire, and give the answer's status."""
    made = requests.Request(**case.as_transport_kwargs(base_url="http://pages.example")).prepare()
    body = made.body.encode() if isinstance(made.body, str) else made.body or b""
    headers = [
        (name, value.encode("latin-1", "replace") if isinstance(value, str) else value)
        for name, value in made.headers.items()
    ]
    request = httpx.Request(made.method, made.url, headers=headers, content=body)
    return (await httpx.ASGITransport(app=app).handle_async_request(request)).status_code


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
def test_fuzzer_finds_no_failure(app, operation) -> None:
    """Every operation answers every case that schemathesis makes up without an error of ours."""

    @given(case=operation.as_strategy())
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def fuzz(case) -> None:
        assert asyncio.run(ask(app, case)) < 500

    fuzz()
