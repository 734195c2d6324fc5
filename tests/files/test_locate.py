"""Reading text files safely, and finding the line of every key."""

import os
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadyflux.files.locate import MOST_BYTES, lines_of, parse_json, parse_toml, read_text
from steadyflux.ground.errors import InputError

TEXT = '''# a comment with [brackets] and "quotes
[model]
name = "x"  # [[

[[law]]
kind = "fick"
d.e = 3
[[law]]
kind = """a
b [[["""
array = [1, # one
 2, { a = 1, "K+" = 2 },
]
[law.sub]
x = 1.0
[[law.deep]]
y = 2
[given."a.b"]
z = 'it''' + """'s' # not a string's end
""".replace("'s'", "s'")


def test_every_key_has_its_line():
    text = TEXT.replace("it's'", "its'")
    tomllib.loads(text)
    found = lines_of(text)
    assert found[("model", "name")] == 3
    assert found[("law", 0, "d", "e")] == 7
    assert found[("law", 1, "kind")] == 9
    assert found[("law", 1, "array", 2, "K+")] == 12
    assert found[("law", 1, "sub", "x")] == 15
    assert found[("law", 1, "deep", 0, "y")] == 17
    assert found[("given", "a.b", "z")] == 19


KEY = st.text("ab-c_ .K+é\"'\\", min_size=1, max_size=6)
LEAF = st.one_of(st.integers(-5, 5), st.booleans(), st.text("a\"'\\#[]{}=,\n ", max_size=8))
VALUE = st.recursive(
    LEAF, lambda x: st.one_of(st.lists(x, max_size=3), st.dictionaries(KEY, x, max_size=3)), max_leaves=8
)


def quoted(text):
    return '"' + "".join(f"\\u{ord(c):04x}" if c in '"\\\n' else c for c in text) + '"'


def written(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {written(v)}" for k, v in value.items()) + "}"
    return str(value)


def paths(value, path=()):
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in ((*path, k), *paths(v, (*path, k)))]
    if isinstance(value, list):
        return [p for n, v in enumerate(value) for p in ((*path, n), *paths(v, (*path, n)))]
    return []


@given(st.dictionaries(KEY, VALUE, max_size=5))
def test_the_lines_of_any_document_are_those_it_was_written_on(document):
    text = "\n".join(f"{quoted(k)} = {written(v)} # ]" for k, v in document.items())
    assert tomllib.loads(text) == document
    found = lines_of(text)
    assert set(found) == set(paths(document))
    for number, key in enumerate(document, 1):
        assert all(line == number for path, line in found.items() if path[0] == key)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = ", 2),
        ("a = 1\n\na = 2\n", 3),
        ("a = 1\nb = " + "[" * 1_000_000, 2),
        ("a = 1\nb = " + "{a=" * 100_000, 2),
        ("\n" + "a." * 500_000 + "b = 1", 2),
        ("a = 1\nb = " + "9" * 50_000, 2),
        ('a = 1\nb = """\n\n', 2),
        ("a = 'x'\n\x00b = 1", 2),
        ("[a]\n[a]\n", 2),
    ],
)
def test_a_mistake_in_toml_is_told_with_its_line(text, line):
    with pytest.raises(InputError, match=rf"^f\.toml, line {line}: ") as caught:
        parse_toml(text, "f.toml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "line"),
    [("{\n,", 2), ("[" * 1_000_000, 1), ('{"a": 1,\n"a": 2}', 2), ('{\n"a": ' + "9" * 50_000 + "}", 2)],
)
def test_a_mistake_in_json_is_told_with_its_line(text, line):
    with pytest.raises(InputError, match=rf"^f\.json, line {line}: "):
        parse_json(text, "f.json")


@settings(max_examples=200)
@given(st.text("[]{}=.,\"'\\#\n ab1-_x0", max_size=60))
def test_any_text_is_parsed_or_refused_in_one_sentence(text):
    for parse in (parse_toml, parse_json):
        try:
            parse(text, "f")
        except InputError as error:
            assert "\n" not in str(error)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines_of(text)) == set(paths(document))


def test_what_is_no_regular_utf8_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_text(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="is a folder"):
        read_text(tmp_path)
    bad = tmp_path / "latin.toml"
    bad.write_bytes(b"a = 1\nb = 'caf\xe9'\n")
    with pytest.raises(InputError, match=r"latin\.toml, line 2: is not UTF-8"):
        read_text(bad)
    with pytest.raises(InputError, match="null"):
        read_text("a\0b.toml")
    marked = tmp_path / "marked.toml"
    marked.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_text(marked) == "a = 1\n"


def test_a_file_too_large_is_refused_unread(tmp_path):
    large = tmp_path / "large.toml"
    with large.open("wb") as file:
        file.truncate(1_000_000_000)
    with pytest.raises(InputError, match="1,000,000,000 bytes"):
        read_text(large)
    with large.open("wb") as file:
        file.write(b"#" * MOST_BYTES)
    assert len(read_text(large)) == MOST_BYTES


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(InputError, match="no regular file"):
        read_text(tmp_path / "pipe.toml")
