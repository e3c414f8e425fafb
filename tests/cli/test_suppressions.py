"""`mailer suppressions`, run as a person runs it."""

import pytest

from mailer.audience.suppression import read_suppressions


def test_a_suppressed_domain_gets_nothing_until_it_is_lifted(mailer):
    """A suppression by domain takes its people off the deliverable ones; lifting it gives them back."""
    mailer("subscribers", "import", "subscribers/partners.csv", "--segment", "partners", "--json")
    assert mailer("suppressions", "add", "@JICA.example", "--reason", "legal", "--json")["added"]
    assert not mailer("suppressions", "add", "@jica.example", "--json")["added"]
    partners = mailer("segments", "--json")[-1]
    assert (partners["deliverable"], partners["suppressed"]) == (39, 1)
    assert [each["address"] for each in mailer("suppressions", "list", "--json")] == ["@jica.example"]
    assert mailer("suppressions", "lift", "@jica.example", "--why", "asked again", "--json")["lifted"]
    assert mailer("segments", "--json")[-1]["deliverable"] == 40


def test_an_export_can_be_imported(mailer, tmp_path):
    """What one house exports another takes in, reasons and domains included."""
    mailer("suppressions", "add", "a@a.example", "--reason", "complaint", "--note", "=1+1")
    mailer("suppressions", "add", "@b.example", "--reason", "legal")
    exported = mailer("suppressions", "export")
    assert "'=1+1" in exported
    (tmp_path / "list.csv").write_text(exported)
    listed, wrong = read_suppressions(tmp_path / "list.csv", "bounce")
    assert [(each.address, each.reason) for each in listed] == [("@b.example", "legal"), ("a@a.example", "complaint")]
    assert not wrong
    account = mailer("suppressions", "import", "list.csv", "--json")
    assert (account["listed"], account["added"], account["known"]) == (2, 0, 2)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a@a.example\n# old ones\nB@b.example\n@c.example\n", ["bounce", "bounce", "bounce"]),
        (
            "EmailAddress,Reason,LastUpdateTime\na@a.example,BOUNCE,2022\nb@b.example,COMPLAINT,2022\n",
            ["bounce", "complaint"],
        ),
        ('{"SuppressedDestinationSummaries": [{"EmailAddress": "a@a.example", "Reason": "COMPLAINT"}]}', ["complaint"]),
        ("status,reason,email,created\n5.1.1,550 no such user,a@a.example,1669800000\n", ["bounce"]),
        ("email,created,ip\na@a.example,1669800000,192.0.2.1\n", ["bounce"]),
        ("\ufeffCorreo;Motivo\na@a.example;baja\n", ["asked"]),
    ],
)
def test_lists_of_services_are_understood(tmp_path, content, expected):
    """Plain lists, SES's CSV and JSON, SendGrid's CSV and Spanish headings give addresses with reasons."""
    (tmp_path / "list").write_text(content)
    listed, wrong = read_suppressions(tmp_path / "list", "bounce")
    assert [each.reason for each in listed] == expected
    assert not wrong


def test_what_is_no_address_is_told_by_line(mailer, tmp_path):
    """A wrong line is told and the others go in; a wrong order is one sentence."""
    (tmp_path / "list.txt").write_text("a@a.example\nnobody\n")
    account = mailer("suppressions", "import", "list.txt", "--json")
    assert (account["added"], [each["line"] for each in account["rejected"]]) == (1, [2])
    assert "no address" in mailer("suppressions", "add", "nobody", status=1)
    assert "bounce, complaint" in mailer("suppressions", "add", "a@a.example", "--reason", "x", status=1)
