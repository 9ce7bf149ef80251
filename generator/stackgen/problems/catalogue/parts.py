"""SG7 parts, what they import, and what the lock has of it."""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Entry

PARTS: Mapping[str, Entry] = {
    "SG701": Entry(
        "part not found",
        "The provider spec names a Python file that no root has under `parts/`, or a part imports from one.",
        "correct the path (it is relative to `parts/`), or write the file",
        "part: providers/inference/opnai.py",
    ),
    "SG702": Entry(
        "part with a syntax error",
        "The file is not Python, so it can be neither checked nor vendored.",
        "mend the line",
        "def open_x(:",
    ),
    "SG703": Entry(
        "opener not found",
        "The part has no function or class of the name that `open:` gives, or the name is something else than an"
        " async context manager function or a class.",
        "name an `@asynccontextmanager async def` or a class of the part",
        "open: open_opnai",
    ),
    "SG704": Entry(
        "opener's arguments do not fit",
        "The wiring calls the opener with its config and one keyword argument for each of `needs`, `uses`, "
        "`takes`, `arguments` and config property with `x-backend`. It has to take exactly these, or have a "
        "default for those it is not given.",
        "add the keyword-only parameter to the opener, or the line to the spec",
        "arguments: {credental: openai_api_key}   # open_x(config, *, credential)",
    ),
    "SG705": Entry(
        "config schema and dataclass differ",
        "The config a provider gets is a dataclass of its part. Its fields and the schema's properties are the "
        "same names, and their types fit: string str, format password Secret, array of strings tuple[str, ...], "
        "object of strings Mapping[str, str], null None.",
        "change the dataclass or the schema",
        "timeout: {type: number}   # timeout: int in the dataclass",
    ),
    "SG706": Entry(
        "part does not fit the contract",
        "A provider has one method for each operation it offers: `async def operation(self, request, ctx)`.",
        "write the method, or leave the capability out of the spec",
        "capabilities: [chat]   # and no create_chat_completion",
    ),
    "SG707": Entry(
        "run-time lookup",
        "A generated server looks nothing up by name while it runs: everything is imported and called in the "
        "open, so that a reader, a type checker and the trimmer can see it. So no importlib, `__import__`, entry"
        " points, signature inspection, or getattr with a text.",
        "import what is meant, or take it as an argument",
        "module = importlib.import_module(name)",
    ),
    "SG708": Entry(
        "import of a part that is not there",
        "A part imports other parts relatively, and what it imports is vendored with it; this import leads to no file.",
        "correct the import, or add the part",
        "from ...runtime.upstreem import Upstream",
    ),
    "SG709": Entry(
        "import that nothing declares",
        "A server is installed from the requirements of its distribution and nothing else: a package that a part "
        "imports and no spec requires would be missing there, or be there by chance.",
        "add the package to `requires` of the provider spec that names the part",
        "import numpy   # and no spec of this distribution requires numpy",
    ),
    "SG710": Entry(
        "requirement that nothing imports",
        "What is installed and never imported makes a server larger for nothing.",
        "remove it from `requires`, or write it as {package: name, reason: why it is needed without an import}",
        "requires: [aiohttp, numpy]   # and no part imports numpy",
    ),
    "SG711": Entry(
        "requirement that is not locked",
        "A build is offline and gives the same bytes everywhere: versions come from the lock, and it lacks this one.",
        "run `stackgen lock`, with the `--specs DIR` of the provider if it has one",
        "requires: [aiohttp>=99]",
    ),
    "SG712": Entry(
        "over budget",
        "A distribution says how many packages its environment may hold, so that growth is a decision and no accident. "
        "Those of every platform count.",
        "`stackgen why NAME PACKAGE` tells what each is for: do without one, or raise the budget",
        "budget: {packages: 10}   # and its locked requirements are 24 packages",
    ),
    "SG713": Entry(
        "API without a contract",
        "The models and protocols of an API are generated once, when its document changes, and stand beside the parts.",
        "run `stackgen contracts`, with the `--specs DIR` of the API if it has one",
        "apis: [weather]   # and there is no parts/contracts/weather/",
    ),
    "SG714": Entry(
        "range of a package that is not locked",
        "Which build of some packages is right depends on the machine, so no lock fixes them: a server says which "
        "versions it takes and checks that at start. All its providers share one package, and so one range.",
        "write the name alone; base.yaml of stackgen's own specs holds the range",
        "requires: ['torch>=2.8']",
    ),
    "SG715": Entry(
        "contracts of another version",
        "A provider from a package is written against the contracts of stackgen-api, and a server holds one version of "
        "them: the one that its compiler has. With another, they may not understand each other.",
        "take a release of the provider's package for this version of stackgen-api, then run `stackgen lock`; "
        "or use the stackgen whose contracts it was written against",
        "package: acme-stack==1.2   # and the lock has stackgen-api 0.1.0, and this stackgen 0.2.0",
    ),
    "SG716": Entry(
        "more code than the budget",
        "A distribution says how many bytes its own modules may be, parts and generated ones together, so that it stays"
        " as small as what it names. What it installs is counted in packages.",
        "`stackgen report NAME` lists the files with their sizes: do without a provider or an API, or raise the budget",
        "budget: {code_bytes: 200000}   # and its modules are 412,345 bytes",
    ),
    "SG717": Entry(
        "locked package that is looked for at use",
        "`at: use` is for packages that no lock has: whoever installs a server may leave them out, and what needs them "
        "says so when it is first used. A locked package is installed with the server.",
        "write the name alone",
        "requires: [{package: aiohttp, at: use}]",
    ),
}
