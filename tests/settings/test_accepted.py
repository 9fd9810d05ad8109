"""Fingerprints put into a settings file: everything else in it stays, and what cannot be done safely is not done."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import hypothesis_profile  # noqa: F401 - the settings of every property
from costscan.errors import CostscanError
from costscan.settings.accepted import accept, file_of, refuse_wrong
from costscan.settings.load import load

A, B, C = "0123456789abcdef", "fedcba9876543210", "1111111111111111"


def accepting(folder: Path, text: str | None, *fingerprints: str, name: str = "costscan.toml") -> str:
    """Return what the file holds then."""
    path = folder / name
    if text is not None:
        path.write_bytes(text.encode())
    now, new = accept(path, fingerprints)
    assert (now is None) == (not new)
    return (text or "") if now is None else now


WRITTEN = {
    "nothing": ("", f'[findings]\naccepted = ["{B}"]\n'),
    "other settings": (
        '# ours\n[check]\nfail_on = ["usd:+5%"]  # why\n',
        f'# ours\n[check]\nfail_on = ["usd:+5%"]  # why\n\n[findings]\naccepted = ["{B}"]\n',
    ),
    "no end of the last line": ("redact = false", f'redact = false\n\n[findings]\naccepted = ["{B}"]\n'),
    "a table without the list": (
        "[findings]  # later\n\n[check]\n",
        f'[findings]  # later\naccepted = ["{B}"]\n\n[check]\n',
    ),
    "a table at the very end": ("[ findings ]", f'[ findings ]\naccepted = ["{B}"]\n'),
    "a list on a line": (f'[findings]\naccepted = ["{A}"] # ok\n', f'[findings]\naccepted = ["{A}", "{B}"] # ok\n'),
    "a comma behind the last": (f"findings.accepted = ['{A}',]\n", f"findings.accepted = ['{A}', \"{B}\",]\n"),
    "quotes as of a longer text": (
        f'findings.accepted = ["""{A}"""]',
        f'findings.accepted = ["""{A}""", "{B}"]',
    ),
    "an empty list": ("[findings]\naccepted = [ ]\n", f'[findings]\naccepted = [ "{B}"]\n'),
    "a list of lines": (
        f'[findings]\naccepted = [\n  "{A}@run ] \\" # 7",  # Ann: a [demo]\n  # more\n]\n[check]\n',
        f'[findings]\naccepted = [\n  "{A}@run ] \\" # 7",  # Ann: a [demo]\n  "{B}",\n  # more\n]\n[check]\n',
    ),
    "a last line without a comma": (
        f'[findings]\naccepted = ["{C}",\n\t"{A}" # why\n]',
        f'[findings]\naccepted = ["{C}",\n\t"{A}", # why\n\t"{B}",\n]',
    ),
    "an inline table": (f'findings = {{ accepted = ["{A}"] }}\n', f'findings = {{ accepted = ["{A}", "{B}"] }}\n'),
    "lines as Windows ends them": (
        "redact = true\r\n[findings]\r\n[check]\r\n",
        f'redact = true\r\n[findings]\r\naccepted = ["{B}"]\r\n[check]\r\n',
    ),
    "a mark of the byte order": ("\ufeffredact = true\n", f'\ufeffredact = true\n\n[findings]\naccepted = ["{B}"]\n'),
    "the same words elsewhere": (
        '# accepted = ["x"]\n# [findings]\ntz = "UTC" # [findings]\n',
        f'# accepted = ["x"]\n# [findings]\ntz = "UTC" # [findings]\n\n[findings]\naccepted = ["{B}"]\n',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRITTEN)
def test_the_list_gets_longer_and_nothing_else_changes(tmp_path: Path, case: str) -> None:
    before, after = WRITTEN[case]
    assert accepting(tmp_path, before, B) == after
    assert accepting(tmp_path, after, B) == after
    assert load(tmp_path).findings.accepted[-1] == B


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert file_of(tmp_path) == tmp_path / "costscan.toml"
    assert accepting(tmp_path, None, A, B, A) == f'[findings]\naccepted = ["{A}", "{B}"]\n'


def test_the_file_that_holds_is_the_one(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    (tmp_path / ".git").mkdir()
    assert file_of(below) == below / "costscan.toml"
    (tmp_path / "pyproject.toml").write_text("[tool.costscan]\n", encoding="utf-8")
    assert file_of(below) == tmp_path / "pyproject.toml"
    (tmp_path / "costscan.toml").touch()
    assert file_of(below) == tmp_path / "costscan.toml"


PROJECTS = {
    '[project]\nname = "x"\n': f'[project]\nname = "x"\n\n[tool.costscan.findings]\naccepted = ["{B}"]\n',
    "[tool.costscan]\nredact = false\n[findings]\n": "[tool.costscan]\nredact = false\n[findings]\n\n"
    f'[tool.costscan.findings]\naccepted = ["{B}"]\n',
    f'[tool.other]\naccepted = ["{A}"]\n[tool]\ncostscan.findings.accepted = ["{A}"]\n': f'[tool.other]\naccepted = ["{A}"]\n'
    f'[tool]\ncostscan.findings.accepted = ["{A}", "{B}"]\n',
    '[tool."costscan".findings]\n': f'[tool."costscan".findings]\naccepted = ["{B}"]\n',
}


@pytest.mark.parametrize("before", PROJECTS)
def test_a_project_file_has_the_list_in_the_table_of_the_tool(tmp_path: Path, before: str) -> None:
    after = accepting(tmp_path, before, B, name="pyproject.toml")
    assert after == PROJECTS[before]
    assert accepting(tmp_path, after, B, name="pyproject.toml") == after


def test_what_is_accepted_in_every_run_is_not_accepted_in_one(tmp_path: Path) -> None:
    text = f'[findings]\naccepted = ["{A}"]\n'
    assert accepting(tmp_path, text, f"{A}@run-1") == text
    assert f'["{A}", "{B}"]' in accepting(tmp_path, text, f"{B}@run-1", B)
    assert f'["{A}@run-1", "{A}"]' in accepting(tmp_path, text.replace(A, f"{A}@run-1"), A)


@pytest.mark.parametrize(
    "text", ["findings = {}\n", '[findings]\n"acc\\u0065pted" = []\n', f'findings.accepted = ["""\n{A}"""]\n']
)
def test_what_cannot_be_done_safely_is_refused(tmp_path: Path, text: str) -> None:  # fmt: skip
    with pytest.raises(CostscanError) as caught:
        accepting(tmp_path, text, B)
    assert "in a way that cannot be added to safely; the file is as it was" in caught.value.what
    assert caught.value.hint == f'add by hand: accepted = ["{B}"]'
    assert (tmp_path / "costscan.toml").read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"[findings\n", "this is not TOML"),
        (b"[finding]\naccepted = []\n", "unknown setting finding.accepted"),
        (b'[findings]\naccepted = "x"\n', "findings.accepted must be a list of fingerprints, not 'x'"),
        (b"# \xff\n", "cannot read settings: not UTF-8 text"),
    ],
)
def test_a_file_that_is_wrong_is_left_alone(tmp_path: Path, text: bytes, what: str) -> None:
    (tmp_path / "costscan.toml").write_bytes(text)
    with pytest.raises(CostscanError) as caught:
        accept(tmp_path / "costscan.toml", [A])
    assert what in caught.value.what
    assert (tmp_path / "costscan.toml").read_bytes() == text


@pytest.mark.parametrize(
    "wrong", ["", "x", A[:15], A.upper(), f"{A}0", f"{A}@", f"@{A}", f" {A}", f"{A}@a\nb", f"{A}@\x1b[31m", f"{A}@\ud800"]
)  # fmt: skip
def test_what_is_no_fingerprint_is_refused(wrong: str) -> None:
    with pytest.raises(CostscanError) as caught:
        refuse_wrong([A, wrong])
    assert caught.value.what == f"{wrong}: not a fingerprint"
    assert "costscan findings PATH" in caught.value.hint


@pytest.fixture(scope="module")
def a_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own: a settings file holds for all folders below it."""
    return tmp_path_factory.mktemp("any")


RUNS = st.text(min_size=1, max_size=9).filter(str.isprintable)
GAPS = st.sampled_from(["", " ", "\n", "\n    ", ' # it\'s "so" ]\n', "\t"])


@given(
    st.lists(RUNS.map(lambda run: f"{C}@{run}"), max_size=3, unique=True),
    st.lists(RUNS.map(lambda run: f"{A}@{run}"), min_size=1, max_size=3),
    st.lists(GAPS, min_size=8, max_size=8),
    st.booleans(),
)
def test_any_list_of_any_runs(
    a_folder: Path, known: list[str], new: list[str], gaps: list[str], comma: bool
) -> None:
    quoted = [
        "'" + one + "'" if "'" not in one else '"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for one in known
    ]
    inside = "".join(f"{gaps[2 * n]}{one}{gaps[2 * n + 1]}{',' if comma or n < len(known) - 1 else ''}" for n, one in enumerate(quoted))  # fmt: skip
    text = (
        f"# ü\nredact = true\n[findings]\naccepted = [{inside}{gaps[7]}] # end\n[check]\nundecided = 'pass'\n"
    )
    assume(_parses(text))
    refuse_wrong([*known, *new])
    now = accepting(a_folder, text, *new)
    wanted = tomllib.loads(text)
    wanted["findings"]["accepted"] = [*known, *dict.fromkeys(new)]
    assert tomllib.loads(now) == wanted
    left = iter(now)
    assert all(character in left for character in text)
    assert [line.partition("#")[2] for line in text.splitlines() if "#" in line] == [
        line.partition("#")[2] for line in now.splitlines() if "#" in line
    ] or any("#" in one for one in (*known, *new))


def _parses(text: str) -> bool:
    try:
        return bool(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return False
