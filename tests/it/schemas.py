"""Checks answers against docs/schema, where a key that the schema doesn't have is a fault.

Takes lines of JSON, {"schema": name, "from": command, "answer": …}, and prints a line for each that doesn't hold.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator


def refs(schema, base):
    """The definitions that stand for the same object as `schema`, which has keys of its own."""
    inside = [part for key in ("anyOf", "oneOf", "allOf") for part in schema.get(key, ())]
    return {part["$ref"] for part in inside if "$ref" in part and ("properties" in schema or base)}


def close(schema, names, inside=False):
    """Adds `unevaluatedProperties: false` to each schema of an object."""
    if isinstance(schema, list):
        for item in schema:
            close(item, names, inside)
    elif isinstance(schema, dict):
        mixed = "properties" in schema or inside
        for key, value in schema.items():
            if key in ("properties", "$defs"):
                for name, item in value.items():
                    close(item, names, f"#/$defs/{name}" in names)
            elif key in ("anyOf", "oneOf", "allOf"):
                close(value, names, mixed)
            elif key in ("items", "additionalProperties", "prefixItems"):
                close(value, names)
        if not inside and "properties" in schema:
            schema["unevaluatedProperties"] = False


def parts_of_objects(schema):
    """Which definitions are part of an object that has other keys, too."""
    found = set()
    stack = [schema]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if "properties" in item:
                found |= refs(item, True)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return found


validators = {}
for path in pathlib.Path(sys.argv[1]).glob("*.json"):
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    close(schema, parts_of_objects(schema))
    validators[path.stem] = Draft202012Validator(schema)

for line in sys.stdin:
    told = json.loads(line)
    if told["schema"] not in validators:
        print(f"{told['from']}: docs/schema/{told['schema']}.json is missing")
        continue
    for error in validators[told["schema"]].iter_errors(told["answer"]):
        places = [error, *error.context]
        print(f"{told['from']}: " + "; ".join(f"{place.json_path}: {place.message[:300]}" for place in places))
