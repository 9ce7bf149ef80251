"""The file of `--config`: settings by name, as YAML or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .settings import SettingsError


def read_values(path: Path | None) -> Mapping[str, object]:
    """What the file says; nothing without one. Raises SettingsError if it cannot be read or is no mapping of names.

    A name that ends in `.json` is read as JSON, any other as YAML.
    """
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if path.suffix == ".json" else _read_yaml(text)
    except (OSError, ValueError) as error:
        raise SettingsError([f"{path}: {error}"]) from error
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
        raise ValueError(f"not YAML: {error}") from error
