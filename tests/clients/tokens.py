"""Key containers (RFC 6030) by python-pskc, and what pskctool signs with.

make FILE [PASSWORD]            writes a container with a TOTP and an HOTP token
certificate KEY CERTIFICATE     writes a private key and its self-signed certificate
"""

import datetime
import sys

import pskc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def make(file, password=None):
    container = pskc.PSKC()
    common = {"manufacturer": "Acme", "issuer": "Acme", "response_encoding": "DECIMAL"}
    container.add_key(
        id="1001", serial="1001", secret=b"12345678901234567890", algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp",
        response_length=8, time_interval=60, **common,
    )
    container.add_key(
        id="1002", serial="1002", secret=b"Hello!\xde\xad\xbe\xef" * 2, algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp",
        response_length=6, counter=42, **common,
    )
    if password is not None:
        # The counter and the interval stay readable.
        container.encryption.setup_pbkdf2(password, algorithm="aes256-cbc", fields=["secret"])
    container.write(file)


def certificate(key_file, certificate_file):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vmfa's tests")])
    today = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(today).not_valid_after(today + datetime.timedelta(days=36500))
    with open(key_file, "wb") as file:
        file.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption(),
        ))
    with open(certificate_file, "wb") as file:
        file.write(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


what, *rest = sys.argv[1:]
{"make": make, "certificate": certificate}[what](*rest)
