"""`stackgen docs`: pages of every spec, as Markdown that holds together, and no secret."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sample_plan import sample_plan
from stackgen.cli import main
from stackgen.docs import all_pages, page
from stackgen.plan import Value
from stackgen.render.docs import DISTRIBUTION, distribution_page
from stackgen.resolve import compile_plan, distributions, providers
from stackgen.workspace import find_roots

ROOTS = find_roots(())
TEMPLATE = (ROOTS.templates / f"jinja/{DISTRIBUTION}.jinja").read_text("utf-8")
PAGES = {kind: all_pages(ROOTS, kind) for kind in ("distribution", "provider")}


@pytest.mark.parametrize("kind", ["distribution", "provider"])
def test_every_spec_has_a_page_and_the_list_names_it(kind: str) -> None:
    pages, problems = PAGES[kind]
    assert problems == []
    rows = distributions(ROOTS) if kind == "distribution" else providers(ROOTS)
    assert len(pages) == len(rows) + 1
    linked = re.findall(r"\]\(([^)]+)\)", pages["README.md"])
    assert sorted(linked) == sorted(pages.keys() - {"README.md"})


@pytest.mark.parametrize("kind", ["distribution", "provider"])
def test_pages_are_sound_markdown(kind: str) -> None:
    for path, text in PAGES[kind][0].items():
        assert text.count("```") % 2 == 0, path
        assert text.endswith("\n"), path
        assert "\n\n\n" not in text, path
        assert "None" not in text.split(), path
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(columns) == 1, (path, table)


def test_a_distribution_says_what_it_is_and_how_to_run_it() -> None:
    text = PAGES["distribution"][0]["starter.md"]
    assert text.startswith("# starter\n\nLlama Stack's starter")
    assert "stackgen run starter\n" in text
    assert "python -m starter_stack --port 8321" in text
    assert "| inference | `vllm` | `remote::vllm` | when `VLLM_URL` is set |" in text
    assert "| `vllm` | chat, completions, embeddings, rerank |" in text
    assert "| `VLLM_MAX_TOKENS` | `providers.inference.vllm.max_tokens` | integer | `4096` |" in text
    assert "| `providers.inference.vllm.network.tls.verify` | boolean | `true` |" in text
    assert "| `openai_api_key` | secret | `remote::openai`, `inline::braintrust` |" in text
    assert "POST   /v1/chat/completions" in text


def test_a_variable_that_must_be_set_is_in_the_command() -> None:
    plan = sample_plan()
    nvidia = plan.components[1]
    assert nvidia.config is not None
    fields = dict(nvidia.config.fields)
    key = fields["api_key"]
    assert isinstance(key, Value)
    fields["api_key"] = replace(key, required=True)
    changed = replace(nvidia, config=replace(nvidia.config, fields=tuple(fields.items())))
    plan = replace(plan, components=(plan.components[0], changed, *plan.components[2:]))
    assert "export NVIDIA_API_KEY=…\nstackgen run tiny\n" in distribution_page(TEMPLATE, plan)
    assert "export" not in distribution_page(TEMPLATE, sample_plan())


def test_no_secret_of_a_distribution_is_told() -> None:
    plan = sample_plan()
    openai = plan.components[0]
    assert openai.config is not None
    fields = dict(openai.config.fields)
    key = fields["api_key"]
    assert isinstance(key, Value)
    fields["api_key"] = replace(key, parts=("sk-very-secret",), default="sk-very-secret")
    changed = replace(openai, config=replace(openai.config, fields=tuple(fields.items())))
    text = distribution_page(TEMPLATE, replace(plan, components=(changed, *plan.components[1:])))
    assert "providers.inference.openai.api_key" in text
    assert "sk-very-secret" not in text


def test_a_provider_says_what_it_can_be_told() -> None:
    text = PAGES["provider"][0]["inference/vllm.md"]
    assert text.startswith("# inference/remote::vllm\n")
    assert "| capabilities | chat, completions, embeddings, rerank |" in text
    assert "| `base_url` | url | required |" in text
    assert "| `max_tokens` | integer | `4096` |" in text
    assert "| `network.tls.verify` | boolean | `true` |" in text
    assert "| `vllm_api_token` | secret |" in text
    assert "| packages | `aiohttp` |" in text
    assert "        base_url: ${env.VLLM_BASE_URL}\n" in text


def test_a_backend_is_shown_where_backends_stand() -> None:
    text = PAGES["provider"][0]["storage/sql-sqlite.md"]
    example = "storage:\n  backends:\n    sql_default:\n      type: inline::sql-sqlite\n      config:\n"
    assert f"```yaml\n{example}        db_path: ${{env.SQL_SQLITE_DB_PATH}}\n```" in text


def test_the_example_of_every_provider_compiles(tmp_path: Path) -> None:
    (tmp_path / "distributions").mkdir()
    for row in providers(ROOTS):
        if row.api != "inference":
            continue
        text = page(ROOTS, "provider", f"{row.api}/{row.type}")
        assert isinstance(text, str)
        example = text.partition("```yaml\n")[2].partition("```")[0]
        whole = f"name: mine\nsummary: One provider.\napis: [inference, models]\n{example}"
        (tmp_path / "distributions/mine.yaml").write_text(whole)
        found = compile_plan(find_roots([tmp_path]), "mine")
        assert not isinstance(found, list), (row.type, found)


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_page_goes_to_stdout_or_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "provider", "remote::vllm"]) == 0
    assert capsys.readouterr().out == PAGES["provider"][0]["inference/vllm.md"]
    assert main(["docs", "distribution", "nvidia", "--out", str(tmp_path / "new/nvidia.md")]) == 0
    assert (tmp_path / "new/nvidia.md").read_text("utf-8") == PAGES["distribution"][0]["nvidia.md"]


def test_all_pages_go_into_a_folder(tmp_path: Path) -> None:
    assert main(["docs", "provider", "--out", str(tmp_path)]) == 0
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert written == PAGES["provider"][0].keys()


def test_what_there_is_not_has_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "provider", "remote::vlm"]) == 2
    assert "did you mean remote::vllm?" in capsys.readouterr().err
    assert main(["docs", "distribution", "nvidai"]) == 2
    assert "did you mean nvidia?" in capsys.readouterr().err
    assert main(["docs", "distribution"]) == 2
    assert "--out" in capsys.readouterr().err


def test_a_broken_spec_keeps_no_other_from_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ws/distributions").mkdir(parents=True)
    (tmp_path / "ws/distributions/broken.yaml").write_text("name: broken\nsummary: B.\napis: [nothing]\n")
    out = tmp_path / "out"
    assert main(["docs", "distribution", "--specs", str(tmp_path / "ws"), "--out", str(out)]) == 1
    assert "broken.yaml:3:8: error SG302" in capsys.readouterr().err
    assert (out / "nvidia.md").is_file()
    assert not (out / "broken.md").exists()
    assert main(["docs", "distribution", "broken", "--specs", str(tmp_path / "ws")]) == 1
