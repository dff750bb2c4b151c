#!/usr/bin/env python3
"""A preprocessor of mdBook: pages of the book that are files outside of docs/.

Such a page is one line, `{{#include ../README.md}}`. It becomes that file, with its links as the book has them; and a link
elsewhere to that file leads to the page. A link to anything that the book doesn't have becomes plain text.
"""

import json
import os
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r"\s*\{\{#include (\S+)\}\}\s*")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
SOURCE = re.compile(r'\b(src|srcset|href)="([^"]+)"')


def chapters(items):
    for item in items:
        if isinstance(item, dict) and "Chapter" in item:
            yield item["Chapter"]
            yield from chapters(item["Chapter"]["sub_items"])


def main():
    context, book = json.load(sys.stdin)
    root = Path(context["root"]).resolve()
    docs = root / context["config"]["book"]["src"]
    pages = [page for page in chapters(book["items"]) if page["path"]]
    # The file that a page is.
    files = {}
    for page in pages:
        path = docs / page["path"]
        if included := INCLUDE.fullmatch(page["content"]):
            path = Path(os.path.normpath(path.parent / included[1]))
            page["content"] = path.read_text()
        files[page["path"]] = path
    page_of = {path: name for name, path in files.items()}

    for page in pages:
        base, here = files[page["path"]].parent, (docs / page["path"]).parent

        def moved(target, base=base, here=here):
            """Where a link leads from the book's page, or None if the book has no such place."""
            if re.match(r"[a-z]+:|#", target):
                return target
            file, mark, anchor = target.partition("#")
            path = Path(os.path.normpath(base / file))
            if path in page_of:
                path = docs / page_of[path]
            elif not path.is_relative_to(docs) or path.suffix == ".md":
                return None
            return os.path.relpath(path, here) + mark + anchor

        def link(match, moved=moved):
            target = moved(match[3])
            text = LINK.sub(link, match[2])
            return text if target is None else f"{match[1]}[{text}]({target})"

        def source(match, moved=moved):
            return f'{match[1]}="{moved(match[2]) or match[2]}"'

        # What stands in fences is as it stands.
        parts = re.split(r"(^```.*?^```$)", page["content"], flags=re.MULTILINE | re.DOTALL)
        parts[::2] = [SOURCE.sub(source, LINK.sub(link, part)) for part in parts[::2]]
        page["content"] = "".join(parts)
    json.dump(book, sys.stdout)


if sys.argv[1:2] != ["supports"]:
    main()
