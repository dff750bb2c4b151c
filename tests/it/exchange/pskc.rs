//! Key containers of hardware tokens: OATH Toolkit's `pskctool`, and python-pskc.

use super::{PASSWORD, script};
use crate::export::uris;
use crate::support::{Home, run, tool};

const CONTAINER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
  <KeyPackage>
    <DeviceInfo><Manufacturer>Acme</Manufacturer><SerialNo>1001</SerialNo></DeviceInfo>
    <Key Id="1001" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
      <Issuer>Acme</Issuer>
      <AlgorithmParameters><ResponseFormat Length="8" Encoding="DECIMAL"/></AlgorithmParameters>
      <Data>
        <Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>
        <Time><PlainValue>0</PlainValue></Time>
        <TimeInterval><PlainValue>60</PlainValue></TimeInterval>
      </Data>
    </Key>
  </KeyPackage>
  <KeyPackage>
    <DeviceInfo><Manufacturer>Acme</Manufacturer><SerialNo>1002</SerialNo></DeviceInfo>
    <Key Id="1002" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
      <Issuer>Acme</Issuer>
      <AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
      <Data>
        <Secret><PlainValue>SGVsbG8h3q2+70hlbGxvId6tvu8=</PlainValue></Secret>
        <Counter><PlainValue>42</PlainValue></Counter>
      </Data>
    </Key>
  </KeyPackage>
</KeyContainer>
"#;

/// What is in the container.
const URIS: [&str; 2] = [
    "otpauth://hotp/Acme:1002?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme&counter=42\n",
    "otpauth://totp/Acme:1001?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme&digits=8&period=60\n",
];

/// Debian's `pskctool`, in the home's directory.
fn pskctool(home: &Home, arguments: &[&str]) -> String {
    tool("pskctool", "pskctool");
    run(home.other("pskctool").args(arguments), b"").expect(0).stdout
}

#[test]
fn what_pskctool_reads_and_signs_is_imported_with_the_same_secrets() {
    let home = Home::new();
    home.file("tokens.xml", CONTAINER);
    assert_eq!(pskctool(&home, &["--validate", "tokens.xml"]), "OK\n");
    let read = pskctool(&home, &["--info", "tokens.xml"]);
    for told in [
        "Key Secret (base64): MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
        "Key TimeInterval: 60",
        "Response Format Length: 8",
        "Key Secret (base64): SGVsbG8h3q2+70hlbGxvId6tvu8=",
        "Key Counter: 42",
    ] {
        assert!(read.contains(told), "{told}: {read}");
    }
    home.run(&["import", "tokens.xml"]).expect(0);
    assert_eq!(uris(&home), URIS);

    // As the program writes it, with a signature, which isn't checked.
    script(&home, "tokens.py", &["certificate", "key.pem", "certificate.pem"], "");
    let signed = pskctool(&home, &["--sign", "--sign-key", "key.pem", "--sign-crt", "certificate.pem", "tokens.xml"]);
    assert!(signed.contains("SignatureValue"), "{signed}");
    let there = Home::new();
    there.file("signed.xml", &signed);
    there.run(&["import", "signed.xml"]).expect(0);
    assert_eq!(uris(&there), URIS);
}

#[test]
fn what_python_pskc_writes_under_a_password_is_imported() {
    for (file, password) in [("plain.xml", &[][..]), ("sealed.xml", &[PASSWORD])] {
        let home = Home::new();
        script(&home, "tokens.py", &[&["make", file], password].concat(), "");
        if password.is_empty() {
            home.run(&["import", file]).expect(0);
        } else {
            home.run_with(&["import", file, "--password-fd", "0"], PASSWORD.as_bytes()).expect(0);
        }
        assert_eq!(uris(&home), URIS, "{file}");
    }
}
