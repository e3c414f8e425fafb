"""The tree of commands. Each module of this folder holds one group and registers its commands on `root`."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

root = typer.Typer(
    name="mailer",
    help="A monthly newsletter from files to every reader, once, with an account of each message.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    # Boxes are for a terminal, and drawing them is half of the time that the help takes.
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
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


from mailer.cli import (  # noqa: E402 — the groups
    archive,
    bounces,
    campaigns,
    catalogues,
    cellar,
    clicks,
    databases,
    deliveries,
    demo,
    dispatch,
    dkim,
    editions,
    examining,
    feedback,
    institutions,
    issues,
    machine,
    preview,
    proof,
    providers,
    register,
    rehearse,
    rights,
    segments,
    subscribers,
    suppressions,
    trial,
    web,
    workers,
)

# In the order of the help: a month's work from the first line to the account, then what keeps it going.
root.command("demo")(demo.demo)
root.command("new")(issues.new)
root.command("render")(editions.render)
root.command("preview")(preview.preview)
root.command("check")(issues.check)
root.command("proof")(proof.proof)
root.add_typer(subscribers.group, name="subscribers")
subscribers.group.command("tag")(rights.tag)
subscribers.group.command("ground")(rights.ground)
subscribers.group.command("succeed")(rights.succeed)
subscribers.group.command("export")(rights.export)
subscribers.group.command("erase")(rights.erase)
root.add_typer(register.group, name="register")
root.add_typer(suppressions.group, name="suppressions")
root.add_typer(segments.group, name="segments")
root.add_typer(institutions.group, name="institutions")
root.command("test-send")(trial.send_test)
root.command("rehearse")(rehearse.rehearse)
root.command("approve")(dispatch.approve)
root.command("schedule")(dispatch.schedule)
root.command("send")(dispatch.send)
root.add_typer(campaigns.group, name="campaigns")
campaigns.group.command("archive")(cellar.archive)
root.command("deliveries")(deliveries.deliveries)
root.command("clicks")(clicks.clicks)
root.command("run")(workers.run)
root.command("worker")(workers.worker)
root.command("workers")(workers.workers)
root.command("bounces")(bounces.bounces)
root.add_typer(feedback.group, name="feedback")
root.command("serve")(web.serve)
root.add_typer(archive.group, name="archive")
root.command("doctor")(examining.doctor)
root.add_typer(providers.group, name="providers")
root.add_typer(dkim.group, name="dkim")
root.add_typer(databases.group, name="db")
root.add_typer(catalogues.group, name="i18n")


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit status; an error of ours becomes one sentence on standard error."""
    from mailer.errors import MailerError

    try:
        return _ended(arguments)
    except MailerError as problem:
        print(f"mailer: {problem}", file=sys.stderr)
    except OSError as problem:
        if (refused := machine.refusal(problem)) is None:
            raise
        print(f"mailer: {refused}", file=sys.stderr)
        with suppress(OSError):
            machine.end_output()
    return 1


def _ended(arguments: list[str]) -> int:
    try:
        typer.main.get_command(root).main(arguments, prog_name="mailer")
    except SystemExit as end:  # how typer ends: 0, 2 for wrong usage, or what typer.Exit was given
        machine.end_output()
        return end.code if isinstance(end.code, int) else 1
    return 0
