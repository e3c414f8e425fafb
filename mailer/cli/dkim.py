"""`mailer dkim`: the keys that messages are signed with."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.console import JSON, house, print_json

group = typer.Typer(help="The keys that messages are signed with.", no_args_is_help=True)


@group.callback()
def keys() -> None:
    """The keys that messages are signed with."""


class Kind(StrEnum):
    """Kinds of keys: every receiver verifies RSA; Ed25519 may stand beside it."""

    RSA = "rsa"
    ED25519 = "ed25519"


@group.command()
def keygen(
    context: typer.Context,
    *,
    selector: Annotated[str, typer.Option(help="The key's name in the DNS.")] = "",
    domain: Annotated[str, typer.Option(help="The domain that signs.", show_default="From's")] = "",
    kind: Annotated[Kind, typer.Option(help="RSA has 2048 bits.")] = Kind.RSA,
    out: Annotated[Path | None, typer.Option(help="Where the private key is written.")] = None,
    as_json: bool = JSON,
) -> None:
    """Make a signing key: writes the private part to a file of its own, prints the DNS record to publish."""
    from mailer.address import domain_of
    from mailer.messages import dkim
    from mailer.messages.alignment import require_alignment

    app = house(context)
    tables = app.config.signing
    selector = selector or (tables[0].selector if len(tables) == 1 else "brief")
    sender = domain_of(app.letterhead.sender.address)
    domain = domain or (tables[0].domain if len(tables) == 1 else "") or sender
    require_alignment(sender, bounces="", signers=[domain])
    planned = next((table.key_file for table in tables if table.selector == selector), "") or f"dkim-{selector}.pem"
    path = out.absolute() if out else app.loaded.resolve(planned)
    pair = dkim.keygen(domain, selector, kind=kind)
    _write_privately(path, pair.private_pem)
    if as_json:
        print_json({"key_file": str(path), "name": pair.name, "type": "TXT", "value": pair.record})
        return
    shown = path.relative_to(app.loaded.folder) if path.is_relative_to(app.loaded.folder) else path
    print(
        f"The private key is in {path}; keep it out of the repository and of backups that others read.\n\n"
        f"Publish this record in the DNS:\n\n{pair.zone_line}\n\nThen set in {app.loaded.path.name}:\n\n"
        f'[dkim]\ndomain = "{domain}"\nselector = "{selector}"\nkey_file = "{shown}"'
    )


def _write_privately(path: Path, pem: str) -> None:
    """Write the key so that nobody else can read it at any moment; an existing key is never overwritten."""
    from mailer.errors import OperatorError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OperatorError(
            f"{path} holds a key already, and letters on their way need it; name another file with --out"
        ) from None
    except OSError as problem:
        raise OperatorError(f"{path} can't be written ({problem.strerror}); name another file with --out") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(pem)
