"""
`POST /webhooks/<provider>`: what a provider reports of deliveries.

The answer is 204 only once the call is recorded, so that the provider repeats what we lost. A caller who isn't
believed learns nothing of why; the log does.
"""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mailer.errors import MailerError
from mailer.feedback.webhook import WebhookRefused
from mailer.log import get_logger
from mailer.providers.ses.webhook import Confirmation
from mailer.web.desk import Desk, desk_of

PATH: Final = "/webhooks/"
WEBHOOK_BYTES: Final = 1024 * 1024
log = get_logger("mailer.web")


async def receive(request: Request) -> Response:
    """Record one call of a provider; the guard has bounded its size and its time."""
    desk, provider = desk_of(request), request.path_params["provider"]
    if provider not in desk.house.config.webhooks:
        return Response(status_code=404)
    body = await request.body()
    return Response(status_code=await run_in_threadpool(_record, desk, provider, dict(request.headers), body))


def _record(desk: Desk, provider: str, headers: dict[str, str], body: bytes) -> int:
    """Hand one call to the mailroom; give the answer's status."""
    try:
        outcomes = desk.house.mailroom.receive_webhook(provider, headers, body)
    except Confirmation as asked:
        # Never fetched: whoever could make us open an address could make us reach into our own network.
        log.warning(
            "a subscription waits for a person to confirm it at this address",
            action="webhook-confirmation",
            provider=provider,
            url=asked.url,
        )
        return asked.status
    except WebhookRefused as refused:
        log.warning("a webhook was not believed", action="webhook-refused", provider=provider, why=str(refused))
        return refused.status
    except MailerError as problem:  # the config or the database: the provider shall come again
        log.warning("a webhook could not be recorded", action="webhook-failed", provider=provider, why=str(problem))
        return 503
    log.info("a webhook was recorded", action="webhook-recorded", provider=provider, events=len(outcomes))
    return 204
