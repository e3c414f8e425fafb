"""A list's column of tags: put on whom it brings, never on who left, and taken off with the import."""

import pytest

from mailer.audience.register import Change
from mailer.storage.database import Database

LIST = "correo,cargo,Etiquetas\na@a.example,Alcalde,Ciudad hermana; prensa\nb@b.example,Prefecta,-\n"


@pytest.fixture
def database(database_url):
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def tags(register):
    """What somebody's tags are."""
    return lambda who: register.tags_of(register.find(f"{who}@{who}.example").id)


def test_a_column_of_tags_is_put_on_and_counted(take_in, register, tags):
    """New people and known ones get what the list gives them, counted alike in a dry run, and nothing twice."""
    dry = take_in(LIST, dry_run=True)
    done = take_in(LIST, plan=dry.plan)
    assert (dry.tagged, done.tagged) == (2, 2)
    assert (tags("a"), tags("b")) == (["ciudad hermana", "prensa"], [])
    assert take_in(LIST).tagged == 0
    more = take_in("correo,Grupo\nb@b.example,prensa\n", mapping={"tags": "Grupo"})
    assert (more.tagged, more.changes) == (1, [Change("b@b.example", "tag", "", "prensa")])


def test_undoing_takes_the_tags_off_but_not_those_of_a_person(take_in, register, tags):
    """What an import put on goes with it; what stood there before, or was put on by hand again, stays."""
    take_in(LIST)
    more = take_in("correo,tags\na@a.example,prensa|norte|sur\nb@b.example,norte\n")
    register.tag(["a@a.example"], "sur", off=True, who="Redacción")
    assert [register.tag(["a@a.example"], "sur", off=False, who="Redacción") for _ in range(2)] == [1, 0]
    register.undo(more.import_id, who="Redacción")
    assert (tags("a"), tags("b")) == (["ciudad hermana", "prensa", "sur"], [])


def test_who_left_and_rows_put_aside_get_no_tag(take_in, register, tags):
    """A list says nothing of those who left its segment or everything, and a contradicting row gives nothing either."""
    take_in(LIST)
    register.unsubscribe("a@a.example", "gads", who="a reader")
    register.unsubscribe("b@b.example", None, who="a reader")
    account = take_in("correo,cargo,tags\na@a.example,x,n\nb@b.example,y,n\nc@c.example,y,n\nc@c.example,z,m\n")
    assert (account.tagged, account.kept_unsubscribed, account.rejected) == (1, 2, 1)
    assert (tags("a"), tags("b"), tags("c")) == (["ciudad hermana", "prensa"], [], ["n"])


def test_a_tag_that_is_a_sentence_is_left_out_and_told(take_in, tags):
    """A tag has up to 64 letters; a longer one costs the row nothing but the tag."""
    account = take_in(f"correo,tags\na@a.example,norte;{'x' * 65}\n", language="es")
    assert tags("a") == ["norte"]
    assert "más de 64 letras" in str(account.notes[0]["note"])
