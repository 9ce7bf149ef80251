"""`stackgen report`: one page that holds all of a distribution, and no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sample_plan import sample_inputs, sample_plan
from stackgen.cli import main
from stackgen.lock import read_locks
from stackgen.lockfile import Locked, Weight, parse_lock
from stackgen.plan import Config, JsonValue, Plan, Value
from stackgen.render import render
from stackgen.render.report import Installed, report_page
from stackgen.render.rows import default_text
from stackgen.report import installed
from stackgen.workspace import find_roots

TEMPLATE = (find_roots(()).templates / "jinja/report.html.jinja").read_text("utf-8")
AIOHTTP = Locked(name="aiohttp", version="3.14.5", hashes=("sha256:0",), via=(), weight=Weight(1536, "sha256:0"))


def page(
    plan: Plan,
    there: Installed | None = None,
    asked: tuple[str, ...] = ("inference/remote::openai",),
    package: Locked = AIOHTTP,
) -> str:
    files = render(sample_inputs(plan))
    return report_page(
        TEMPLATE, plan, files, [(package, asked)], "<svg></svg>", lambda at: f"{at.file}#L{at.line}", there
    )


class Text(HTMLParser):
    """The text of a page, and whether its elements end in the order they began."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br", "rect", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "path"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def secrets(config: Config) -> Iterator[Value]:
    for _, field in config.fields:
        if isinstance(field, Config):
            yield from secrets(field)
        elif field.kind == "secret":
            yield field


def test_routes_settings_packages_and_files_are_there() -> None:
    plan = sample_plan()
    html = page(plan)
    text = Text(html).text
    for route in plan.routes:
        assert f"{route.method} {route.path}" in text
    for path in ("server.port", "providers.inference.openai.network.tls.verify", "resources.models.0.model_id"):
        assert path in text
    assert "there when OPENAI_API_KEY is set" in text
    assert "src/tiny_stack/wiring.py" in text
    assert 'href="specs/apis/inference.yaml#L12"' in html
    assert "{x-from: …}" in text
    assert "say " not in text


def test_no_secret_is_told() -> None:
    plan = sample_plan()
    openai = plan.components[0]
    assert openai.config is not None
    fields = dict(openai.config.fields)
    key = fields["api_key"]
    assert isinstance(key, Value)
    fields["api_key"] = replace(key, parts=("sk-very-secret",), default="sk-very-secret")
    told = replace(openai, config=replace(openai.config, fields=tuple(fields.items())))
    plan = replace(plan, components=(told, *plan.components[1:]))
    assert [each.default for each in secrets(told.config or openai.config)] == ["sk-very-secret"]
    assert "sk-very-secret" not in page(plan)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("https://me:secret@host.example/v1", "https://…@host.example/v1"),
        ("https://host.example/a@b", "https://host.example/a@b"),
        ({"authorization": "secret"}, "{authorization: …}"),
        (False, "false"),
        ([], "[]"),
        (None, ""),
    ],
)
def test_a_default_shows_no_credential(value: JsonValue, told: str) -> None:
    assert default_text(value) == told


def test_a_package_weighs_what_the_lock_says() -> None:
    html = page(sample_plan())
    assert '<td class="number">1.5 KiB</td>' in html
    assert "<li><b>1.5 KiB</b> to download</li>" in html
    assert "<p>1 package, 1.5 KiB to download for CPython 3.11 on Linux x86-64.</p>" in html
    assert "installed" not in Text(html).text


def test_what_no_lock_says_is_unknown_and_in_no_sum() -> None:
    html = page(sample_plan(), package=replace(AIOHTTP, weight=None))
    assert '<td class="number">unknown</td>' in html
    assert "<p>1 package, whose weight is unknown.</p>" in html
    assert "to download" not in html


def test_what_it_takes_installed_is_told_of_its_locked_version() -> None:
    assert '<td class="number">3.0 MiB</td>' in page(sample_plan(), {"aiohttp": ("3.14.5", 3 * 1024**2)})
    other = page(sample_plan(), {"aiohttp": ("3.14.4", 3 * 1024**2)})
    assert "3.0 MiB" not in other
    assert "0 of 1 take 0 B once installed" in other


def test_many_who_asked_are_counted() -> None:
    assert "a, b, c, and 2 more" in page(sample_plan(), asked=("a", "b", "c", "d", "e"))


def test_texts_of_specs_are_escaped() -> None:
    assert "<script>" not in page(replace(sample_plan(), summary="<script>alert(1)</script>"))


def test_the_command_writes_a_page_that_needs_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "nvidia.html"
    assert main(["report", "nvidia", "--out", str(out)]) == 0
    html = out.read_text("utf-8")
    text = Text(html).text
    assert "providers.inference.nvidia.base_url" in text
    assert "NVIDIA_API_KEY" in text
    assert html.count("<svg") == 1
    assert not re.search(r'<(script|link|img|iframe)|src="|@import|url\(', html)
    lock = parse_lock((Path(__file__).parents[2] / "generated/nvidia/requirements.txt").read_text())
    assert all(each.name in text for each in lock.packages)
    (aiohttp,) = read_locks(find_roots(())).by_name()["aiohttp"]
    assert aiohttp.size
    assert f"{aiohttp.size / 1024**2:.1f} MiB" in text


def test_packages_are_weighed_where_they_are_installed(tmp_path: Path) -> None:
    folder = tmp_path / "lib/python3.11/site-packages/Some_Thing-1.2.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.2\n")
    (folder / "RECORD").write_text(
        "some_thing.py,sha256=x,1000\nbig.so,sha256=y,24\nSome_Thing-1.2.dist-info/RECORD,,\n"
    )
    assert installed(tmp_path) == {"some-thing": ("1.2", 1024)}


def test_a_folder_that_is_no_environment_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "nvidia", "--environment", str(tmp_path)]) == 2
    assert "is no virtual environment" in capsys.readouterr().err
