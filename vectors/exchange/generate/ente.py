"""Ente Auth: after docs/auth/migration/export.md of ente-io/ente; Argon2 and secretstream by libsodium (`pynacl`)."""

import base64

from nacl import bindings, pwhash

from common import ALL, COUNTER, FIRST, LONG_PASSWORD, PASSWORD, SECOND, STEAM, Folder, changed, drawn, dump, nested, uri

SMALLEST = pwhash.argon2id.MEMLIMIT_MIN
MIB = 1 << 20


def encrypted(data, password=PASSWORD, memory=SMALLEST, passes=1, asked=None, version=1, messages=None, **more):
    salt = drawn("ente salt", 16)
    key = pwhash.argon2id.kdf(32, password.encode(), salt, passes, memory)
    header, sealed = push(key, messages or [data])
    whole = {
        "version": version,
        "kdfParams": {"memLimit": memory, "opsLimit": passes, "salt": base64.b64encode(salt).decode(), **(asked or {})},
        "encryptedData": base64.b64encode(sealed).decode(),
        "encryptionNonce": base64.b64encode(header).decode(),
    }
    return dump({**whole, **more})


def push(key, messages):
    """A stream. libsodium draws its header itself; its state for a chosen one is that of a receiver."""
    header = drawn("ente header", 24)
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
    sealed = b""
    for index, message in enumerate(messages):
        final = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
        tag = final if index + 1 == len(messages) else bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
        sealed += bindings.crypto_secretstream_xchacha20poly1305_push(state, message, tag=tag)
    return header, sealed


def line(a, tags=(), kind=None):
    text = uri({**a, "kind": kind or a["kind"]})
    listed = "%2C".join(f"%22{tag}%22" for tag in tags)
    return f"{text}&codeDisplay=%7B%22pinned%22%3Afalse%2C%22trashed%22%3Afalse%2C%22lastUsedAt%22%3A0%2C%22tapCount%22%3A0%2C%22tags%22%3A%5B{listed}%5D%7D"


def listed(*lines):
    return "\n".join(lines).encode() + b"\n"


folder = Folder("ente", "generated after docs/auth/migration/export.md of Ente")
data = listed(*map(line, ALL))
folder.good("encrypted.txt", encrypted(data), ALL, PASSWORD)
folder.good("encrypted-64-mib.txt", encrypted(data, memory=64 * MIB, passes=4), ALL, PASSWORD)
folder.good("encrypted-long.txt", encrypted(data, LONG_PASSWORD), ALL, LONG_PASSWORD)
tagged = listed(line(FIRST, ["Work", "AWS"]), line(SECOND))
folder.good("tags.txt", encrypted(tagged), [FIRST, SECOND], PASSWORD, groups=[["Work", "AWS"], []])
folder.good("no-final-newline.txt", encrypted(data[:-1]), ALL, PASSWORD)
folder.good("one.txt", encrypted(listed(line(COUNTER))), [COUNTER], PASSWORD)

folder.good("steam.txt", encrypted(listed(line(FIRST), line(STEAM))), [FIRST, STEAM], PASSWORD)
folder.partly("bad-secret.txt", encrypted(listed(line(FIRST), "otpauth://totp/x?secret=1", line(SECOND))), [FIRST, SECOND], [[2, "invalid"]], PASSWORD)
folder.partly("bad-line.txt", encrypted(listed(line(FIRST), "hello", line(SECOND))), [FIRST, SECOND], [[2, "missing"]], PASSWORD)
folder.fails("wrong-password.txt", encrypted(data), "wrong-password-or-damaged", "incorrect horse")
folder.fails("damaged.txt", encrypted(data, encryptedData=base64.b64encode(drawn("x", 99)).decode()), "wrong-password-or-damaged", PASSWORD)
folder.fails("header.txt", encrypted(data, encryptionNonce=base64.b64encode(drawn("x", 24)).decode()), "wrong-password-or-damaged", PASSWORD)
folder.fails("two-messages.txt", encrypted(b"", messages=[data, data]), "wrong-password-or-damaged", PASSWORD)
folder.fails("empty-data.txt", encrypted(data, encryptedData=""), "wrong-password-or-damaged", PASSWORD)
folder.fails("not-text-inside.txt", encrypted(b"\xff\xfe\x00"), "damaged", PASSWORD)
folder.fails("header-short.txt", encrypted(data, encryptionNonce="AAAA"), "damaged")
folder.fails("not-base64.txt", encrypted(data, encryptedData="*"), "damaged")
folder.fails("no-parameters.txt", encrypted(data, kdfParams={}), "damaged")
folder.fails("memory.txt", encrypted(data, asked={"memLimit": 64 << 30}), "costly")
folder.fails("memory-most.txt", encrypted(data, asked={"memLimit": (1 << 64) - 1}), "costly")
folder.fails("memory-none.txt", encrypted(data, asked={"memLimit": 0}), "damaged")
folder.fails("passes.txt", encrypted(data, asked={"opsLimit": 1 << 32}), "costly")
folder.fails("salt.txt", encrypted(data, asked={"salt": "AAAA"}), "damaged")
folder.fails("version-2.txt", encrypted(data, version=2), "version")
folder.fails("cut-off.txt", encrypted(data)[:120], "unrecognized")
folder.write()
