"""What `stackgen init` and `stackgen new` write: templates/scaffold/ and a name in, {path: text} out.

    files(roots, "provider", {"name": "parrot", …}, api="inference")  →  {"providers/inference/parrot.yaml": "type: …"}

A folder of templates is the tree that it becomes. API, NAME and MODULE in a file's name stand for what the view says; a
file that ends in .jinja is printed with the view, any other is taken as it is.

init     a workspace, and the changes of a later template     new     an API, a provider, a distribution in one
"""

from __future__ import annotations

from collections.abc import Mapping

from ..render.printed import printed
from ..workspace import Roots

View = Mapping[str, object]
SUFFIX = ".jinja"


def files(roots: Roots, template: str, view: View) -> dict[str, str]:
    """The texts of a folder of templates by the path each is for, sorted."""
    folder = roots.templates / "scaffold" / template
    found: dict[str, str] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        name = path.relative_to(folder).as_posix()
        text = path.read_text("utf-8")
        target = _named(name.removesuffix(SUFFIX), view)
        found[target] = printed(name, text, view) if name.endswith(SUFFIX) else text
    return found


def _named(path: str, view: View) -> str:
    """`parts/providers/API/NAME.py` → `parts/providers/inference/my_parrot.py`: Python's files have Python's names."""
    name = str(view["module" if path.endswith(".py") else "name"]) if "NAME" in path else ""
    return path.replace("NAME", name).replace("API", str(view.get("api", "")))
