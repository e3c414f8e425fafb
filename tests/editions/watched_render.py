"""Run by a test: compiles an issue while Python reports every file and socket that is opened."""

import sys
import sysconfig
import tempfile
from functools import partial
from pathlib import Path

allowed = [Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("stdlib")), Path("/usr/lib")]
found: list[str] = []


def watch(event: str, arguments: tuple) -> None:
    """Note what opens a socket, starts a program, or opens a file outside the folders allowed."""
    if (
        event.startswith(("socket.", "subprocess.", "os.exec", "os.system", "urllib."))
        and event != "socket.gethostname"
    ):
        found.append(f"{event} {arguments}")
    if event == "open" and isinstance(arguments[0], str | bytes):
        path = Path(arguments[0] if isinstance(arguments[0], str) else arguments[0].decode()).absolute()
        if not any(path.is_relative_to(folder) for folder in allowed):
            found.append(f"open {path}")


def main(root: Path) -> None:
    """Compile the November issue under watch, twice as a template author with bad intent."""
    from november import IMPRINT, SEGMENTS, TEMPLATES

    from mailer.editions.compose import compose
    from mailer.editions.inline import inline
    from mailer.editions.pictures import mail_safe
    from mailer.issues import read

    with tempfile.TemporaryDirectory() as folder:
        allowed.extend([root, Path(folder)])
        sys.addaudithook(watch)
        picture = partial(mail_safe, cache=Path(folder))
        compose([read(root / "issues" / "2022-11")], SEGMENTS, imprint=IMPRINT, templates=TEMPLATES, picture=picture)
        for url in ("http://127.0.0.1:9/x.css", "file:///etc/passwd", "/etc/passwd"):
            page = (
                f'<!doctype html><html><head><style>@import "{url}"; p {{}}</style><link rel="stylesheet" href="{url}">'
            )
            inline(f"{page}</head><body><p>x</p></body></html>", f"@import url({url}); p {{ margin: 0 }}")
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    root = Path(sys.argv[1])
    sys.path.insert(0, str(root))
    main(root)
