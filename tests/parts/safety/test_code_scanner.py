"""What the code scanner finds, what it leaves alone, and that its patterns take no more than their time."""

from __future__ import annotations

import time

import pytest
from parts.contracts.safety.requests import RunShieldRequest
from parts.contracts.shared.violation import SafetyViolation
from parts.providers.safety.code_rules import RULES
from parts.providers.safety.code_scanner import MOST_FINDINGS, CodeScannerConfig, open_code_scanner, scan
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest

FOUND = {
    "shell-from-python": "os.system('rm -rf ' + path)",
    "shell-true": "subprocess.run(command, shell=True)",
    "shell-from-javascript": "child_process.exec(`ls ${folder}`)",
    "shell-from-java": "Runtime.getRuntime().exec(command);",
    "shell-from-php": "echo shell_exec($_GET['c']);",
    "shell-from-c": "system(buffer);",
    "eval": "x = eval(input())",
    "new-function": "const f = new Function(text)",
    "pickle": "pickle.loads(data)",
    "yaml-load": "yaml.load(text, Loader=yaml.Loader)",
    "unserialize": "$x = unserialize($_COOKIE['x']);",
    "object-stream": "new ObjectInputStream(socket.getInputStream())",
    "sql-f-string": 'db.execute(f"SELECT * FROM users WHERE name = {name}")',
    "sql-put-together": "query = \"SELECT * FROM users WHERE id = \" + id",
    "inner-html": "element.innerHTML = text",
    "dangerously-set": "<p dangerouslySetInnerHTML={{__html: text}} />",
    "echo-request": "echo 'Hello ' . $_GET['name'];",
    "gets": "gets(buffer);",
    "strcpy": "strcpy(target, source);",
    "private-key": "-----BEGIN RSA PRIVATE KEY-----",
    "aws-key": "key = 'AKIAIOSFODNN7EXAMPLE'",
    "password-in-code": "password = 'correct-horse'",
    "weak-hash": "hashlib.md5(data)",
    "weak-cipher": "AES.new(key, AES.MODE_ECB)",
    "tls-unchecked": "requests.get(url, verify=False)",
    "mktemp": "tempfile.mktemp()",
    "world-writable": "os.chmod(path, 0o777)",
    "debug-server": "app.run(host='0.0.0.0', debug=True)",
}  # fmt: skip
"""By rule, a line that it finds."""

LEFT_ALONE = (
    "model.eval()",
    "re.compile(pattern)",
    "subprocess.run([program, path])",
    "yaml.safe_load(text)",
    "yaml.load(text, Loader=yaml.SafeLoader)",
    'db.execute("SELECT * FROM users WHERE name = ?", (name,))',
    "element.textContent = text",
    "if (element.innerHTML === '') return",
    "fgets(buffer, sizeof buffer, stdin);",
    "snprintf(target, size, format);",
    "password = os.environ['PASSWORD']",
    'password = "${DB_PASSWORD}"',
    "requests.get(url, verify=True)",
    "os.chmod(path, 0o600)",
    "Select a seat from the plan, or update your order.",
)


async def found_in(*texts: str) -> SafetyViolation | None:
    said = [{"role": "user", "content": text} for text in texts]
    request = RunShieldRequest.model_validate({"shield_id": "code", "messages": said})
    async with open_code_scanner(CodeScannerConfig()) as scanner:
        return (await scanner.run_shield(request, Context("r"))).violation


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_every_rule_finds_its_line(rule: object) -> None:
    name = rule.id  # type: ignore[attr-defined]
    assert name in {each.rule.id for each in scan([FOUND[name]])}


@pytest.mark.parametrize("line", LEFT_ALONE)
def test_sound_code_is_left_alone(line: str) -> None:
    assert [each.rule.id for each in scan([line])] == []


async def test_it_is_told_what_was_found_and_where() -> None:
    found = await found_in("Here:\n```python\nimport os\nos.system(x)\n```\nand hashlib.md5(y)")
    assert found is not None
    assert found.violation_level == "error"
    assert found.metadata["violation_type"] == "shell-from-python,weak-hash"
    told = {"rule": "shell-from-python", "cwe": "CWE-78", "level": "error", "turn": 1, "line": 4}
    assert found.metadata["findings"][0] == told
    weak = await found_in("hashlib.md5(y)")
    assert weak is not None
    assert weak.violation_level == "warn"


async def test_what_is_too_long_is_refused_and_many_findings_are_bounded() -> None:
    with pytest.raises(BadRequest, match="250000 characters"):
        await found_in("x" * 260_000)
    found = await found_in("os.system(x)\n" * 5000)
    assert found is not None
    assert len(found.metadata["findings"]) == MOST_FINDINGS


@pytest.mark.parametrize("piece", ["a", " ", "'SELECT ", "\"'`", ".run(", "chmod ", "echo $", "password = '", "exec('"])
def test_a_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        start = time.thread_time()
        scan([text])
        return time.thread_time() - start

    short, long = min(seconds(20_000) for _ in range(3)), min(seconds(160_000) for _ in range(3))
    assert long < 8 * 4 * short + 0.05, "eight times the text, and no more than four times that"
