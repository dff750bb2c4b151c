"""What the generators share: accounts, the otpauth URIs that are expected of them, and the writing of a folder.

Nothing is random: bytes that an app would draw are made of a label, so that each run writes the same files.
"""

import base64
import copy
import hashlib
import json
import pathlib
import shutil
from urllib.parse import quote

ROOT = pathlib.Path(__file__).resolve().parent.parent
PASSWORD = "correct horse"
LONG_PASSWORD = "Größer als 64 Bytes, damit HMAC sie vorher streut: " + "0123456789" * 4


def drawn(label, length):
    """Bytes that stand for random ones."""
    return hashlib.shake_256(label.encode()).digest(length)


def account(issuer, name, secret, kind="totp", algorithm="SHA1", digits=6, period=30, counter=0):
    return dict(
        issuer=issuer, name=name, secret=secret, kind=kind, algorithm=algorithm, digits=digits, period=period, counter=counter
    )


def secret(label, length=20):
    return base64.b32encode(drawn(label, length)).decode().rstrip("=")


FIRST = account("Example", "alice@example.com", secret("first"))
SECOND = account("Amazon Web Services", "root-account-mfa-device@123456789012", secret("second", 64), algorithm="SHA512")
THIRD = account("Müller & Söhne", "jörg:ops", secret("third", 32), algorithm="SHA256", digits=8, period=60)
COUNTER = account("Hardware", "token 7", secret("counter"), kind="hotp", counter=41)
STEAM = account("Steam", "gaben", secret("steam"), kind="steam", digits=5)
ALL = [FIRST, SECOND, THIRD, COUNTER]
# For apps that have six digits, SHA-1 and 30 s only, or are tested on something else.
PLAIN = [FIRST, account("Other", "bob", secret("other")), account("", "carol", secret("bare"))]


def uri(entry):
    """As vmfa writes an entry: defaults are left out."""
    encode = lambda text: quote(text, safe="-._~@")
    label = encode(entry["name"])
    if entry["issuer"]:
        label = encode(entry["issuer"]) + ":" + label
    elif ":" in entry["name"]:
        label = ":" + label
    text = f"otpauth://{entry['kind']}/{label}?secret={entry['secret']}"
    if entry["issuer"]:
        text += "&issuer=" + encode(entry["issuer"])
    if entry["algorithm"] != "SHA1":
        text += "&algorithm=" + entry["algorithm"]
    if entry["digits"] != 6 and entry["kind"] != "steam":
        text += f"&digits={entry['digits']}"
    if entry["kind"] == "hotp":
        text += f"&counter={entry['counter']}"
    elif entry["period"] != 30:
        text += f"&period={entry['period']}"
    return text


def dump(value):
    """JSON as most apps write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def changed(value, **fields):
    """A copy with other fields; `None` takes one out."""
    copied = copy.deepcopy(value)
    for key, field in fields.items():
        if field is None:
            copied.pop(key, None)
        else:
            copied[key] = field
    return copied


def nested(levels=400):
    return b"[" * levels + b"]" * levels


class Folder:
    """The files of a format, and what they give."""

    def __init__(self, name, source):
        self.name, self.source, self.cases, self.files = name, source, [], {}

    def good(self, file, content, accounts, password=None, source=None, **more):
        self.case(file, content, source, password, entries=[uri(entry) for entry in accounts], **more)

    def partly(self, file, content, accounts, errors, password=None, source=None, **more):
        """Some entries that can't be taken: pairs of a number and a code."""
        self.good(file, content, accounts, password, source, errors=errors, **more)

    def fails(self, file, content, code, password=None, source=None):
        self.case(file, content, source, password, fails=code)

    def case(self, file, content, source, password, **more):
        assert file not in self.files, file
        self.files[file] = content
        case = {"file": file, "from": source or self.source}
        if password is not None:
            case["password"] = password
        self.cases.append({**case, **more})

    def one_bad(self, make, items, accounts, variants, suffix=".json"):
        """Files of three entries, the second of which is bad: name, the bad one, its error's code."""
        for name, bad, code in variants:
            content = make([items[0], bad, items[2]])
            self.partly(f"bad-{name}{suffix}", content, [accounts[0], accounts[2]], [[2, code]])

    def write(self):
        folder = ROOT / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file, content in self.files.items():
            (folder / file).write_bytes(content)
        text = json.dumps(self.cases, ensure_ascii=False, indent=1)
        (folder / "cases.json").write_text(text + "\n")
        good = sum(1 for case in self.cases if not case.get("errors") and "fails" not in case)
        size = sum(map(len, self.files.values()))
        print(f"{self.name}: {good} good, {len(self.cases) - good} bad, {size} bytes")
