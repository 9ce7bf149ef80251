"""The file of `--config`: settings by name, as YAML or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .errors import SettingsError


def read_values(path: Path | None) -> Mapping[str, object]:
    """What the file says; nothing without one. Raises SettingsError if it cannot be read or is no mapping of names.

    A name that ends in `.json` is read as JSON, any other as YAML.
    """
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if path.suffix == ".json" else _read_yaml(text)
    except OSError as error:
        raise SettingsError([f"{path} cannot be read: {error.strerror or error}"]) from None
    except ValueError as error:
        raise SettingsError([f"{path}: {error}"]) from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise SettingsError([f"{path}: expected settings by name, such as `server: {{port: 8321}}`"])
    return values


def _read_yaml(text: str) -> object:
    import yaml  # here, since a server without a YAML file does not need it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        # Where it went wrong, without the text there: it may hold a secret.
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"this is not YAML{place}") from None
