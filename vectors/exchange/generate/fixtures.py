"""What the generators of password managers' formats share: writing a folder, and the URIs that are expected."""

import base64
import hashlib
import json
import pathlib
from urllib.parse import quote


def secret(name: str, length: int = 20) -> bytes:
    """A secret that is the same on each run."""
    return hashlib.sha512(b"secret of " + name.encode()).digest()[:length]


def fixed(name: str, length: int) -> bytes:
    """A salt, nonce or key that is the same on each run."""
    return hashlib.shake_256(b"fixed " + name.encode()).digest(length)


def base32(key: bytes) -> str:
    return base64.b32encode(key).decode().rstrip("=")


def uri(account, key, issuer=None, algorithm="SHA1", digits=6, period=30, counter=None, steam=False):
    """The key URI format, as vmfa writes it: defaults left out."""
    enc = lambda text: quote(text, safe="-._~@")
    label = f"{enc(issuer)}:{enc(account)}" if issuer else enc(account)
    text = f"otpauth://{'steam' if steam else 'totp' if counter is None else 'hotp'}/{label}?secret={base32(key)}"
    if issuer:
        text += f"&issuer={enc(issuer)}"
    if algorithm != "SHA1":
        text += f"&algorithm={algorithm}"
    if digits != 6:
        text += f"&digits={digits}"
    if counter is not None:
        text += f"&counter={counter}"
    elif period != 30:
        text += f"&period={period}"
    return text


def inside(name: str, content: bytes):
    """What a format encrypts, for the fuzzer: as base64, in a folder of its own."""
    folder = pathlib.Path(__file__).parent.parent / "inside"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.b64").write_bytes(base64.encodebytes(content))


class Folder:
    """The fixtures of one format."""

    def __init__(self, name: str, source: str, kept=()):
        self.path = pathlib.Path(__file__).parent.parent / name
        self.path.mkdir(exist_ok=True)
        for old in self.path.iterdir():
            if old.name not in kept:
                old.unlink()
        self.source = source
        self.cases = []

    def add(self, file, content, entries=(), *, password=None, groups=None, errors=None, fails=None, source=None):
        """A fixture and what it gives; `content` of None is a file that is there and stays."""
        if isinstance(content, str):
            content = content.encode()
        if content is not None:
            (self.path / file).write_bytes(content)
        case = {"file": file, "from": source or self.source}
        if password is not None:
            case["password"] = password
        if fails:
            case["fails"] = fails
        else:
            case["entries"] = list(entries)
            if groups is not None:
                case["groups"] = [list(group) for group in groups]
            if errors:
                case["errors"] = [list(error) for error in errors]
        self.cases.append(case)

    def write(self):
        text = json.dumps(self.cases, indent=2, ensure_ascii=False)
        (self.path / "cases.json").write_text(text + "\n")
        print(f"{self.path.name}: {len(self.cases)} cases")
