"""Lists of otpauth URIs: after what WinAuth, Ente Auth and the browser extension Authenticator write."""

from common import ALL, COUNTER, FIRST, PLAIN, SECOND, STEAM, Folder, changed, uri


def listed(*lines, end="\n"):
    return end.join(line if isinstance(line, str) else uri(line) for line in lines).encode() + end.encode()


def full(a):
    """As WinAuth writes them: all parameters, at their defaults too."""
    return f"otpauth://totp/{a['issuer']}:{a['name']}?secret={a['secret']}&digits={a['digits']}&issuer={a['issuer']}&period={a['period']}"


DISPLAY = "&codeDisplay=%7B%22pinned%22%3Afalse%2C%22trashed%22%3Afalse%2C%22lastUsedAt%22%3A0%2C%22tapCount%22%3A0%2C%22tags%22%3A%5B{}%5D%7D"

folder = Folder("uris", "generated after the key URI format")
folder.good("list.txt", listed(*ALL), ALL)
folder.good("winauth.txt", listed(full(FIRST), full(PLAIN[1]), end="\r\n"), PLAIN[:2], source="generated after WinAuth's export")
tagged = [uri(FIRST) + DISPLAY.format("%22Work%22%2C%22AWS%22"), uri(SECOND) + DISPLAY.format("")]
folder.good("ente.txt", listed(*tagged), [FIRST, SECOND], groups=[["Work", "AWS"], []], source="generated after Ente's export")
folder.good("comments.txt", listed("# mine", "", "  " + uri(FIRST), "", "# theirs", SECOND), [FIRST, SECOND])
folder.good("one.txt", uri(FIRST).encode(), [FIRST])
folder.good("bom.txt", b"\xef\xbb\xbf" + listed(FIRST, COUNTER), [FIRST, COUNTER])
folder.good("same-twice.txt", listed(FIRST, FIRST), [FIRST, FIRST])
folder.good("odd-display.txt", listed(uri(FIRST) + "&codeDisplay=%7B%22tags%22%3A7%7D", uri(SECOND) + "&codeDisplay=%FF"), [FIRST, SECOND])

folder.good("steam.txt", listed(FIRST, STEAM, "steam://" + STEAM["secret"]), [FIRST, STEAM, changed(STEAM, name="")])
start = "otpauth://totp/x?secret="
folder.one_bad(lambda lines: listed(*lines), [FIRST, None, SECOND], [FIRST, None, SECOND], [
    ("secret", start + "0", "invalid"),
    ("no-secret", "otpauth://totp/x", "invalid"),
    ("digits", uri(FIRST) + "&digits=11", "invalid"),
    ("algorithm", uri(FIRST) + "&algorithm=MD5", "invalid"),
    ("counter", "otpauth://hotp/x?secret=" + FIRST["secret"], "invalid"),
    ("type", "otpauth://push/x?secret=" + FIRST["secret"], "invalid"),
    ("motp", "otpauth://motp/x?secret=" + FIRST["secret"], "unsupported"),
    ("yandex", "otpauth://yaotp/x?secret=" + FIRST["secret"], "unsupported"),
    ("word", "hello", "missing"),
    ("long", start + "A" * 20_000, "invalid"),
    ("escape", "otpauth://totp/%zz?secret=" + FIRST["secret"], "invalid"),
    ("twice", uri(FIRST) + "&secret=" + SECOND["secret"], "invalid"),
], ".txt")
folder.partly("cut-off.txt", listed(FIRST, SECOND)[:-130], [FIRST], [[2, "invalid"]])
folder.fails("table.txt", b"OTPAuth,Title\n" + uri(FIRST).encode() + b",x\n", "unrecognized")
folder.fails("empty.txt", b"", "unrecognized")
folder.fails("comments-alone.txt", b"# otpauth://totp/x\n", "unrecognized")
folder.fails("utf16.txt", listed(FIRST).decode().encode("utf-16"), "unrecognized")
folder.fails("too-many.txt", b"x\n" * 20_001 + listed(FIRST), "too-large")
folder.write()
