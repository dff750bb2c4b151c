"""Key containers, from RFC 6030. Packages: cryptography.

The ciphertexts of figure 6 and figure 7 are the RFC's own, so these two don't depend on this program's cryptography.
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from fixtures import Folder, fixed, secret, uri

XENC = "http://www.w3.org/2001/04/xmlenc#"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
b64 = lambda data: base64.b64encode(data).decode()


def container(inside, version="1.0", prefix=True):
    names = ('xmlns="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
             'xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" '
             'xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"')
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<KeyContainer Version="{version}" {names}>{inside}</KeyContainer>\n'


def plain(key):
    return f"<PlainValue>{b64(key)}</PlainValue>"


def package(value, *, kind="totp", issuer="Acme", account="<FriendlyName>alice</FriendlyName>", length="6", encoding="DECIMAL",
            data="", suite="", check="", serial="987654321", ident="12345678"):
    suite = f"<Suite>{suite}</Suite>" if suite else ""
    name, user = (account, "") if "FriendlyName" in account else ("", account)
    issuer = f"<Issuer>{issuer}</Issuer>" if issuer else ""
    return (
        f"<KeyPackage><DeviceInfo><Manufacturer>Manufacturer</Manufacturer><SerialNo>{serial}</SerialNo></DeviceInfo>"
        f'<CryptoModuleInfo><Id>CM_ID_001</Id></CryptoModuleInfo><Key Id="{ident}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:{kind}">'
        f'{issuer}<AlgorithmParameters>{suite}<ResponseFormat Length="{length}" Encoding="{encoding}"{check}/></AlgorithmParameters>'
        f"{name}<Data><Secret>{value}</Secret>{data}</Data>{user}</Key></KeyPackage>"
    )


def counter(number):
    return f"<Counter><PlainValue>{number}</PlainValue></Counter>"


def period(number):
    return f"<Time><PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>{number}</PlainValue></TimeInterval>"


def cbc(key, data, vector, only_last=False):
    padding = 16 - len(data) % 16
    # PKCS #7's padding is one of those that XML Encryption allows: it says the last byte only.
    data += (bytes(padding - 1) if only_last else bytes([padding] * (padding - 1))) + bytes([padding])
    return vector + Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor().update(data)


def method(name, key):
    return f'<xenc:EncryptionMethod Algorithm="{XENC}{name}{len(key) * 8}{"-cbc" if name == "aes" else ""}"/>'


def cipher_data(value):
    return f"<xenc:CipherData><xenc:CipherValue>\n  {b64(value)}\n</xenc:CipherValue></xenc:CipherData>"


PRE_SHARED = "<EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>"


def derived(salt, rounds, length, prf=None):
    prf = f'<PRF Algorithm="{prf}"/>' if prf else "<PRF/>"
    length = f"<KeyLength>{length}</KeyLength>" if length else ""
    return (
        '<EncryptionKey><xenc11:DerivedKey><xenc11:KeyDerivationMethod '
        'Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2"><pkcs5:PBKDF2-params>'
        f"<Salt><Specified>{b64(salt)}</Specified></Salt><IterationCount>{rounds}</IterationCount>{length}{prf}"
        "</pkcs5:PBKDF2-params></xenc11:KeyDerivationMethod><xenc11:MasterKeyName>My Password 1</xenc11:MasterKeyName>"
        "</xenc11:DerivedKey></EncryptionKey>"
    )


def mac_method(key, mac_key, algorithm=DSIG + "hmac-sha1"):
    return (f'<MACMethod Algorithm="{algorithm}"><MACKey>{method("aes", key)}'
            f'{cipher_data(cbc(key, mac_key, fixed("mac vector", 16)))}</MACKey></MACMethod>')


def sealed(key, mac_key, data, digest="sha1", with_mac=True, damage=False):
    value = cbc(key, data, fixed(f"vector {data.hex()}", 16))
    mac = f"<ValueMAC>{b64(hmac.new(mac_key, value, digest).digest())}</ValueMAC>" if with_mac else ""
    if damage:
        value = value[:-1] + bytes([value[-1] ^ 1])
    return f'<EncryptedValue>{method("aes", key)}{cipher_data(value)}</EncryptedValue>{mac}'


def wrapped(key, data):
    return f'<EncryptedValue>{method("kw-aes", key)}{cipher_data(aes_key_wrap(key, data))}</EncryptedValue>'


A, B = secret("a"), secret("b", 32)
ALICE = uri("alice", A, "Acme")
FIGURES = b"12345678901234567890"
MAC = fixed("mac key", 20)
KEYS = {length: fixed(f"key {length}", length) for length in (16, 24, 32)}


def figure(head, mac_value, value, mac, data, key="12345678", issuer="Issuer"):
    aes = f'<xenc:EncryptionMethod Algorithm="{XENC}aes128-cbc"/>'
    inside = lambda text: f"<xenc:CipherData><xenc:CipherValue>{text}</xenc:CipherValue></xenc:CipherData>"
    return container(
        f'{head}<MACMethod Algorithm="{DSIG}hmac-sha1"><MACKey>{aes}{inside(mac_value)}</MACKey></MACMethod>'
        + package(f"<EncryptedValue>{aes}{inside(value)}</EncryptedValue><ValueMAC>{mac}</ValueMAC>", kind="hotp", length="8",
                  issuer=issuer, account="", data=data, ident=key))


FIGURE_6 = figure(PRE_SHARED, "ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX",
                  "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv", "Su+NvtQfmvfJzF6bmQiJqoLRExc=", counter(0))
FIGURE_7 = figure(derived(base64.b64decode("Ej7/PEpyEpw="), 1000, 16), "2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx",
                  "oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f", "LP6xMvjtypbfT9PdkJhBZ+D6O4w=", "",
                  "123456", "Example-Issuer")


def pbkdf2(password, salt, rounds, length, algorithm=hashes.SHA1):
    return PBKDF2HMAC(algorithm(), length, salt, rounds).derive(password.encode())


def with_password(rounds, length, prf=None, algorithm=hashes.SHA1, said=True):
    salt = fixed("salt", 16)
    key = pbkdf2("pass word", salt, rounds, length, algorithm)
    return container(derived(salt, rounds, length if said else None, prf) + mac_method(key, MAC) + package(sealed(key, MAC, A)))


folder = Folder("pskc", "generate/pskc.py, from RFC 6030", kept=("python-pskc.pskcxml",))
add = folder.add
add("plain.pskcxml", container(package(plain(A))), [ALICE])
add("parameters.pskcxml", container(
    package(plain(A), length="8", data=period(60)) + package(plain(B), suite="HMAC-SHA256", account="<FriendlyName>bob</FriendlyName>")
    + package(plain(A), kind="hotp", data=counter(17), account="<UserId>CN=carol</UserId>")),
    [uri("alice", A, "Acme", digits=8, period=60), uri("bob", B, "Acme", "SHA256"), uri("CN=carol", A, "Acme", counter=17)])
add("names.pskcxml", container(package(plain(A), account="", issuer="") + package(plain(A), account="", issuer="", serial="")),
    [uri("987654321", A, "Manufacturer"), uri("12345678", A, "Manufacturer")])
add("prefixed.pskcxml", container(package(plain(A))).replace("<KeyContainer", "<pskc:KeyContainer").replace("</KeyContainer", "</pskc:KeyContainer")
    .replace('xmlns="urn', 'xmlns:pskc="urn').replace("<KeyPackage", "<pskc:KeyPackage").replace("</KeyPackage", "</pskc:KeyPackage"), [ALICE])
add("comment.pskcxml", container("<!-- a comment -->" + package(plain(A)) + "<Extensions><x/></Extensions>"), [ALICE])
add("pin.pskcxml", container(package(plain(A)) + package(plain(b"1234"), kind="pin")), [ALICE])
add("empty.pskcxml", container(""), [])
RFC = "RFC 6030, figure {}: its ciphertexts, in a document of generate/pskc.py"
add("figure-6.pskcxml", FIGURE_6, [uri("987654321", FIGURES, "Issuer", digits=8, counter=0)], password="12345678901234567890123456789012",
    source=RFC.format(6))
add("figure-7.pskcxml", FIGURE_7, [uri("987654321", bytes.fromhex("3132333435363738393031323334353637383930"), "Example-Issuer", digits=8, counter=0)],
    password="qwerty", source=RFC.format(7))
for length, key in KEYS.items():
    add(f"aes{length * 8}-cbc.pskcxml", container(PRE_SHARED + mac_method(key, MAC) + package(sealed(key, MAC, A))), [ALICE], password=key.hex())
    add(f"kw-aes{length * 8}.pskcxml", container(PRE_SHARED + package(wrapped(key, B))), [uri("alice", B, "Acme")], password=key.hex().upper())
key = KEYS[16]
add("mac-sha256.pskcxml", container(PRE_SHARED + mac_method(key, MAC, MORE + "hmac-sha256") + package(sealed(key, MAC, A, "sha256"))), [ALICE], password=key.hex())
value = cbc(key, A, fixed("other vector", 16), only_last=True)
mac = b64(hmac.new(MAC, value, "sha1").digest())
add("other-padding.pskcxml", container(PRE_SHARED + mac_method(key, MAC) + package(
    f"<EncryptedValue>{method('aes', key)}{cipher_data(value)}</EncryptedValue><ValueMAC>{mac}</ValueMAC>")), [ALICE], password=key.hex())
add("mac-by-key.pskcxml", container(PRE_SHARED + f'<MACMethod Algorithm="{DSIG}hmac-sha1"/>' + package(sealed(key, key, A))), [ALICE], password=key.hex())
add("password-sha256.pskcxml", with_password(10, 32, MORE + "hmac-sha256", hashes.SHA256), [ALICE], password="pass word")
add("password-no-length.pskcxml", with_password(10, 16, said=False), [ALICE], password="pass word")
add("password-real.pskcxml", with_password(100_000, 32), [ALICE], password="pass word")
add("python-pskc.pskcxml", None, [uri("alice", A, "Acme", digits=8, period=60), uri("123457", B, "Maker", counter=9)], password="pass word",
    source="PyPI's python-pskc 1.4: add_key, encryption.setup_pbkdf2, write")
mixed = container(PRE_SHARED + mac_method(key, MAC) + package(sealed(key, MAC, A)) + package(plain(B)) + package(sealed(key, MAC, A, damage=True)))
add("one-damaged.pskcxml", mixed, [ALICE, uri("alice", B, "Acme")], password=key.hex(), errors=[[3, "damaged"]])

add("bad-entries.pskcxml", container(
    package(plain(A)) + package("") + package("<PlainValue>!</PlainValue>") + package(plain(A), length="99") + package(plain(A), length="x")
    + package(plain(A), data=period(0)) + package(plain(A), data="<TimeInterval/>") + package(plain(A), suite="HMAC-MD5")
    + package(plain(A), encoding="HEXADECIMAL") + package(plain(A), check=' CheckDigits="true"') + package(plain(A), kind="OCRA-1")
    + package(plain(A), kind="hotp", data=counter("x")) + package(plain(A))), [ALICE, ALICE],
    errors=[[2, "missing"], [3, "invalid"], [4, "invalid"], [5, "invalid"], [6, "invalid"], [7, "invalid"], [8, "invalid"], [9, "invalid"],
            [10, "invalid"], [11, "unsupported"], [12, "invalid"]])
add("wrong-password.pskcxml", FIGURE_7, password="querty", fails="wrong-password-or-damaged")
add("wrong-key.pskcxml", container(PRE_SHARED + package(wrapped(key, B))), password="00" * 16, fails="wrong-password-or-damaged")
add("key-not-hex.pskcxml", FIGURE_6, password="not hex", fails="wrong-password")
add("key-too-short.pskcxml", FIGURE_6, password="1234", fails="wrong-password")
add("changed.pskcxml", container(PRE_SHARED + mac_method(key, MAC) + package(sealed(key, MAC, A, damage=True))), password=key.hex(), fails="wrong-password-or-damaged")
add("no-mac.pskcxml", container(PRE_SHARED + package(sealed(key, MAC, A, with_mac=False))), [], password=key.hex(), errors=[[1, "missing"]])
add("rounds.pskcxml", container(derived(fixed("salt", 16), 2**40, 16) + mac_method(key, MAC) + package(sealed(key, MAC, A))), fails="costly")
add("no-rounds.pskcxml", container(derived(fixed("salt", 16), 0, 16) + mac_method(key, MAC) + package(sealed(key, MAC, A))), fails="damaged")
add("key-length.pskcxml", container(derived(fixed("salt", 16), 10, 2**30) + mac_method(key, MAC) + package(sealed(key, MAC, A))), fails="damaged")
add("no-key.pskcxml", container(mac_method(key, MAC) + package(sealed(key, MAC, A))), fails="damaged")
add("certificate.pskcxml", container("<EncryptionKey><ds:X509Data/></EncryptionKey>" + package(sealed(key, MAC, A))), fails="unsupported")
add("mac-md5.pskcxml", container(PRE_SHARED + mac_method(key, MAC, MORE + "hmac-md5") + package(sealed(key, MAC, A))), fails="unsupported")
add("camellia.pskcxml", container(PRE_SHARED + package(wrapped(key, B)).replace("xmlenc#kw-aes128", "xmlenc#kw-camellia128")), [], password=key.hex(), errors=[[1, "invalid"]])
add("truncated.pskcxml", container(package(plain(A)))[:-40], fails="damaged")
add("version-2.pskcxml", container(package(plain(A)), version="2.0"), fails="version")
add("doctype.pskcxml", container(package(plain(A))).replace("?>\n", '?>\n<!DOCTYPE x [<!ENTITY a "b">]>\n'), fails="damaged")
add("deep.pskcxml", container("<a>" * 5000 + "</a>" * 5000), fails="damaged")
add("many.pskcxml", container("<KeyPackage/>" * 20_001), fails="too-large")
add("many-elements.pskcxml", container("<KeyPackage>" + "<a/>" * 10_001 + "</KeyPackage>"), fails="too-large")
add("other-root.pskcxml", container(package(plain(A))).replace("<KeyContainer", "<x:KeyContainers").replace("</KeyContainer", "</x:KeyContainers"), fails="damaged")
folder.write()
