"""What others may rely on: the names of the package, with their signatures, as one file that changes on purpose."""

import inspect
import os
from pathlib import Path

import vmfa
from vmfa import pytest_plugin

SNAPSHOT = Path(__file__).parent / "api.txt"


def described(name: str, value: object) -> list[str]:
    """Give a line for a name, and one for each public member of a class."""
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__)
        lines = [f"class {name}({bases})"]
        members = {**dict.fromkeys(inspect.get_annotations(value)), **vars(value)}
        protocol = getattr(value, "_is_protocol", False)
        special = ("__call__",) if protocol else ("__init__", "__bool__")
        for key in sorted(key for key in members if not key.startswith("_") or key in special):
            lines += [f"    {line}" for line in described(key, members[key])]
        return lines
    if isinstance(value, property):
        return [f"{name}: property{inspect.signature(value.fget).return_annotation!s}" if value.fget else name]
    if callable(value):
        return [f"def {name}{inspect.signature(value)}"]
    return [name]


def test_the_public_api_changes_on_purpose() -> None:
    lines = [line for name in sorted(vmfa.__all__) for line in described(name, getattr(vmfa, name))]
    for name in ("DeviceFactory", "CodeSource", "Clock"):
        lines += described(f"pytest_plugin.{name}", getattr(pytest_plugin, name))
    text = "\n".join(lines) + "\n"
    if "VMFA_UPDATE" in os.environ:
        SNAPSHOT.write_text(text)
    assert SNAPSHOT.read_text() == text, "api.txt is behind: run this test with VMFA_UPDATE=1, and read the diff"
