"""What code is looked through for: patterns of what attackers use, in the languages that models write most.

A pattern sees one line, or the few that it names, and nothing of where a value comes from. Every repetition in it is
bounded, so that a text takes time in proportion to its length, whatever it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rule:
    """cwe: the weakness in MITRE's list. level: "error" for what is hardly ever meant well."""

    id: str
    cwe: str
    level: Literal["warn", "error"]
    says: str
    pattern: re.Pattern[str]


def _rule(id: str, cwe: int, level: Literal["warn", "error"], says: str, pattern: str, flags: int = 0) -> Rule:
    return Rule(id, f"CWE-{cwe}", level, says, re.compile(pattern, flags))


_I = re.IGNORECASE
_SQL = r"(?:SELECT|INSERT\s{1,9}INTO|UPDATE|DELETE\s{1,9}FROM)\b[^\n\"'`]{1,200}"

RULES = (
    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────
    _rule("shell-from-python", 78, "error", "a shell runs a text", r"\bos\.(?:system|popen)\s?\("),
    _rule("shell-true", 78, "error", "a subprocess runs through a shell", r"\bshell\s{0,3}=\s{0,3}True\b"),
    _rule(
        "shell-from-javascript",
        78,
        "error",
        "a shell runs a text that is put together",
        r"\bexec(?:Sync)?\s?\(\s?(?:`[^`\n]{0,300}\$\{|[\"'][^\"'\n]{0,300}[\"']\s?\+)",
    ),
    _rule("shell-from-java", 78, "error", "a command is run", r"\bgetRuntime\(\)\s?\.exec\s?\("),
    _rule(
        "shell-from-php", 78, "error", "a shell runs a variable", r"\b(?:shell_exec|passthru|system|popen)\s?\(\s?\$"
    ),
    _rule("shell-from-c", 78, "warn", "a shell runs a text", r"(?<![\w.])system\s?\(\s?[A-Za-z_]\w{0,60}\s?\)"),
    # ── code made of data ───────────────────────────────────────────────────────────────────────────────────────────
    _rule("eval", 95, "error", "a text is run as code", r"(?<![\w.])(?:eval|exec)\s?\((?!\s{0,3}\))"),
    _rule("new-function", 95, "error", "a text is run as code", r"\bnew\s{1,3}Function\s?\("),
    _rule(
        "pickle",
        502,
        "error",
        "whoever wrote a pickle runs code",
        r"\b(?:c?[pP]ickle|dill|shelve)\.(?:loads?|open)\s?\(",
    ),
    _rule(
        "yaml-load",
        502,
        "error",
        "YAML makes objects of any class",
        r"\byaml\.(?:unsafe_load|full_load|load\s?\((?![^\n]{0,200}SafeLoader))",
    ),
    _rule(
        "unserialize", 502, "error", "data make objects of any class", r"\bunserialize\s?\(\s?\$|\bMarshal\.load\s?\("
    ),
    _rule(
        "object-stream",
        502,
        "error",
        "data make objects of any class",
        r"\bnew\s{1,3}(?:ObjectInputStream|BinaryFormatter|NetDataContractSerializer)\s?\(",
    ),
    # ── queries and pages ───────────────────────────────────────────────────────────────────────────────────────────
    _rule("sql-f-string", 89, "error", "a query holds values as text", r"\bf[\"']{1,3}\s{0,9}" + _SQL + r"\{", _I),
    _rule(
        "sql-put-together",
        89,
        "error",
        "a query holds values as text",
        r"[\"'`]{1,3}\s{0,9}" + _SQL + r"(?:'\s?)?(?:[\"'`]{1,3}\s?(?:\+|%\s?[\w(]|\.format\s?\(|\.\s?\$)|\$\{)",
        _I,
    ),
    _rule(
        "inner-html",
        79,
        "warn",
        "a text becomes part of a page",
        r"\.innerHTML\s?\+?=(?!=)|\bdocument\.write(?:ln)?\s?\(",
    ),
    _rule("dangerously-set", 79, "warn", "a text becomes part of a page", r"\bdangerouslySetInnerHTML\b"),
    _rule(
        "echo-request",
        79,
        "error",
        "a request becomes part of a page",
        r"\becho\s{1,3}[^\n;]{0,100}\$_(?:GET|POST|REQUEST)\b",
    ),
    # ── memory ──────────────────────────────────────────────────────────────────────────────────────────────────────
    _rule("gets", 242, "error", "nothing bounds what is read", r"(?<![\w.])gets\s?\(\s?[A-Za-z_]"),
    _rule("strcpy", 120, "warn", "nothing bounds what is copied", r"(?<![\w.])(?:strcpy|strcat|sprintf|vsprintf)\s?\("),
    # ── secrets and ciphers ─────────────────────────────────────────────────────────────────────────────────────────
    _rule(
        "private-key",
        321,
        "error",
        "a private key stands in the code",
        r"-----BEGIN (?:[A-Z]{1,10} ){0,2}PRIVATE KEY-----",
    ),
    _rule("aws-key", 798, "error", "a key of AWS stands in the code", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    _rule(
        "password-in-code",
        798,
        "warn",
        "a password stands in the code",
        r"\b(?:password|passwd|secret|api_?key|token)\s{0,3}[:=]\s{0,3}[\"'][^\"'\s${}<]{6,200}[\"']",
        _I,
    ),
    _rule(
        "weak-hash",
        327,
        "warn",
        "a hash that is broken",
        r"\b(?:md5|sha1)\s?\(|\bgetInstance\s?\(\s?\"(?:MD5|SHA-?1)\"|createHash\s?\(\s?[\"'](?:md5|sha1)[\"']",
        _I,
    ),
    _rule(
        "weak-cipher",
        327,
        "warn",
        "a cipher that is broken, or a mode that shows patterns",
        r"\b(?:DES|ARC4|RC4|Blowfish)\.new\s?\(|\bMODE_ECB\b|\"(?:AES|DES)/ECB|[\"'](?:des|rc4|aes-(?:128|192|256)-ecb)[\"']",
    ),
    _rule(
        "tls-unchecked",
        295,
        "error",
        "a certificate is not checked",
        r"\bverify\s?=\s?False\b|\brejectUnauthorized\s?:\s?false\b|\bInsecureSkipVerify\s?:\s?true\b"
        r"|CURLOPT_SSL_VERIFYPEER\s?,\s?(?:0|false)\b|\b_create_unverified_context\b",
    ),
    # ── files and servers ───────────────────────────────────────────────────────────────────────────────────────────
    _rule("mktemp", 377, "warn", "a temporary file that another may make first", r"\b(?:tempfile\.mktemp|tmpnam)\s?\("),
    _rule("world-writable", 732, "warn", "everybody may write to it", r"\bchmod\b[^\n]{0,40}(?<!\d)0?o?777\b"),
    _rule("debug-server", 489, "warn", "a server shows its insides", r"\.run\s?\([^\n)]{0,80}\bdebug\s?=\s?True\b"),
)
