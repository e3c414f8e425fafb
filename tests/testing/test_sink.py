"""The sink itself: fast, honest about what it took, and as bad as it is told to be."""

import os
import signal
import smtplib

import pytest

from mailer.testing import Fault, SmtpSink, sink_process


def mail(client, number=1, content=b"x"):
    body = b"Message-ID: <%d@quito.example>\r\n\r\n" % number + content
    return client.sendmail("a@quito.example", [f"r{number}@nabon.example"], body)


def test_in_a_thread_it_takes_what_smtplib_sends(tmp_path):
    """A blocking client beside it is served; content, folder and log agree."""
    sink = SmtpSink(folder=tmp_path / "mail", log=tmp_path / "log", durable=True)
    with sink.in_thread(), smtplib.SMTP("127.0.0.1", sink.port) as client:
        mail(client, 1, b".\r\n..dots\r\n.")
        mail(client, 2)
    assert [message.message_id for message in sink.accepted] == ["<1@quito.example>", "<2@quito.example>"]
    assert sink.accepted[0].content.endswith(b"\r\n\r\n.\r\n..dots\r\n.\r\n")
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 2
    assert (tmp_path / "log").read_text().splitlines()[1] == "<2@quito.example>\tr2@nabon.example"


def test_a_login_is_asked_for():
    """With logins nobody sends without one; PLAIN and LOGIN both work."""
    with SmtpSink(logins={"brief": "right"}).in_thread() as sink:
        for method in ("auth_plain", "auth_login"):
            with smtplib.SMTP("127.0.0.1", sink.port) as client:
                client.ehlo()
                with pytest.raises(smtplib.SMTPSenderRefused):
                    mail(client)
                client.user, client.password = "brief", "right"
                client.auth(method.removeprefix("auth_").upper(), getattr(client, method))
                mail(client)
        assert sink.count == 2


def test_faults_are_narrowed_by_count_and_address():
    """`nth`, `every`, `times` and `address` choose when and to whom it happens."""
    faults = [
        Fault("rcpt", reply="550 5.1.1 r2", address="r2@"),
        Fault("dot", reply="451 4.3.0 third", nth=3),
        Fault("data", reply="451 4.3.0 twice", every=2, times=1),
    ]
    outcomes = []
    with SmtpSink(faults=faults).in_thread() as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        for number in range(1, 7):
            try:
                mail(client, number)
                outcomes.append(250)
            except smtplib.SMTPRecipientsRefused:
                outcomes.append(550)
            except smtplib.SMTPDataError as problem:
                outcomes.append(problem.smtp_error.split()[1])
                client.rset()  # smtplib leaves the transaction open after a refused DATA
    assert outcomes == [250, 550, b"twice", 250, b"third", 250]


def test_by_itself_it_logs_before_it_confirms(tmp_path):
    """In a process of its own, the log holds a message as soon as its sender knows it was taken."""
    with sink_process(tmp_path / "log") as sink, smtplib.SMTP(sink.host, sink.port) as client:
        mail(client, 7, b"y" * 200_000)
        assert sink.accepted() == [("<7@quito.example>", "r7@nabon.example")]
        os.kill(sink.pid, signal.SIGKILL)
        client.close()
    assert sink.accepted() == [("<7@quito.example>", "r7@nabon.example")]
