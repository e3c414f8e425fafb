"""A dictionary's answers are kept, and never believed once anything about them has changed."""

import pytest

from mailer.editions.checks import hunspell
from mailer.editions.checks.lexicon import lexicon


@pytest.fixture
def ask(tmp_path):
    """Ask the dictionary of `tmp_path`, as a new process would; gives the answers and whether it had to be loaded."""
    (tmp_path / "es_EC.aff").write_text("SET UTF-8\n", encoding="utf-8")
    (tmp_path / "es_EC.dic").write_text("2\nciudad\nquito\n", encoding="utf-8")

    def asked(*words, memory=tmp_path / "cache"):
        hunspell.dictionary.cache_clear()
        with lexicon("es", tmp_path, memory) as knows:
            answers = [knows(word) for word in words]
        return answers, hunspell.dictionary.cache_info().misses == 1

    return asked


def test_it_is_loaded_for_new_words_alone(ask, tmp_path):
    """What was asked once is answered without the dictionary; a new word, or another dictionary, loads it again."""
    assert ask("ciudad", "cuidad") == ([True, False], True)
    assert ask("cuidad", "ciudad") == ([False, True], False)
    assert ask("ciudad", "quito") == ([True, True], True)
    assert ask("ciudad", "cuidad", "quito") == ([True, False, True], False)
    (tmp_path / "es_EC.dic").write_text("2\ncuidad\nquito\n", encoding="utf-8")
    assert ask("ciudad", "cuidad", "quito") == ([False, True, True], True)


@pytest.mark.parametrize("damage", [b"", b"\x00\xff" * 99, b"{}", b"a\n{}", b'x\n{"cuidad":true}'])
def test_a_damaged_memory_costs_time_alone(ask, tmp_path, damage):
    """Kept answers that were cut short, overwritten or changed are forgotten, and kept anew."""
    kept = tmp_path / "cache" / "es_EC.words"
    assert ask("cuidad") == ([False], True)
    kept.write_bytes(damage or kept.read_bytes()[:-2])
    assert ask("cuidad") == ([False], True)
    assert ask("cuidad") == ([False], False)
    kept.write_bytes(kept.read_bytes().replace(b"false", b"true"))
    assert ask("cuidad") == ([False], True)


def test_no_place_to_remember_costs_time_alone(ask, tmp_path):
    """Where nothing can be kept the answers are the same."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "taken" / "es_EC.words").mkdir(parents=True)
    for memory in (None, tmp_path / "file", tmp_path / "taken"):
        assert ask("ciudad", "cuidad", memory=memory) == ([True, False], True)
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["es_EC.words"]
