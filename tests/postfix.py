"""A Postfix of a test's own: its configuration, its queue and its port are private, and it goes when the test goes."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IS_HERE = shutil.which("postfix") is not None and os.geteuid() == 0
_SPARE_USER = 65534  # "nobody": owns the mailbox

_MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.quito.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
notify_classes =
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_connection_cache_on_demand = no
relayhost = [127.0.0.1]:{relay}
virtual_mailbox_domains = {bounce_domain}
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = static:returned/
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{user}
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
smtp unix - - n - - smtp
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def running(bounce_domain: str, relay: int) -> Iterator[tuple[int, Path]]:
    """Run it; give its port, and the Maildir where mail to `bounce_domain` lands. All else goes to port `relay`."""
    home = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))
    try:
        home.chmod(0o755)
        for name in ("etc", "queue", "data", "mail"):
            (home / name).mkdir()
        shutil.chown(home / "data", "postfix")
        os.chown(home / "mail", _SPARE_USER, _SPARE_USER)
        port = _free_port()
        told = {"home": home, "relay": relay, "bounce_domain": bounce_domain, "user": _SPARE_USER, "port": port}
        (home / "etc/main.cf").write_text(_MAIN.format(**told), encoding="ascii")
        (home / "etc/master.cf").write_text(_MASTER.format(**told), encoding="ascii")
        _postfix(home, "start")
        try:
            yield port, home / "mail/returned"
        finally:
            _postfix(home, "abort")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _postfix(home: Path, order: str) -> None:
    command = ["postfix", "-c", str(home / "etc"), order]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    log = (home / "log").read_text() if (home / "log").exists() else ""
    assert done.returncode == 0, f"postfix {order}: {done.stderr}\n{log[-2_000:]}"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
