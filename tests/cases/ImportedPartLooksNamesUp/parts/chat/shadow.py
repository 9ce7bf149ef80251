import importlib


def cast(name: str) -> object:
    return importlib.import_module(name)
