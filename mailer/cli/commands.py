"""The tree of commands. Each module of this folder holds one group and registers its commands on `root`."""

import sys
from pathlib import Path
from typing import Annotated

import click
import typer

root = typer.Typer(
    name="mailer",
    help="A monthly newsletter from files to every reader, once, with an account of each message.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@root.callback()
def config_option(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The config file.", envvar="MAILER_CONFIG", show_default="config.toml"),
    ] = None,
) -> None:
    context.obj = config


from mailer.cli import editions, issues, subscribers, trial, web  # noqa: E402 — the groups, in the order of the help

root.command("new")(issues.new)
root.command("render")(editions.render)
root.command("check")(issues.check)
root.command("test-send")(trial.send_test)
root.add_typer(subscribers.group, name="subscribers")
root.command("segments")(subscribers.segments)
root.command("serve")(web.serve)


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit status; an error of ours becomes one sentence on standard error."""
    from mailer.errors import MailerError

    try:
        status = typer.main.get_command(root).main(arguments, prog_name="mailer", standalone_mode=False)
    except MailerError as problem:
        print(f"mailer: {problem}", file=sys.stderr)
        return 1
    except click.exceptions.Abort:
        print("mailer: stopped", file=sys.stderr)
        return 1
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    return status if isinstance(status, int) else 0
