//! What AWS hands out for a new virtual MFA device: `CreateVirtualMFADevice` (IAM 2010-05-08).
//!
//! Read in every shape in which it comes along: the JSON of the AWS CLI, JSON that an SDK's answer
//! was dumped to (bytes as base64, as text, as arrays of numbers), and the XML of the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::events::Event;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::{Enrolment, Error, Foreign, Found, Limits, Warning, base32, foreign, payloads, tidy};
use crate::oath::Parameters;
use crate::secret::Secret;

/// The issuer that AWS writes into its QR codes.
pub const ISSUER: &str = "Amazon Web Services";

/// What holds devices in answers of AWS, with a seed or without.
const DEVICES: [&str; 6] = [
    "VirtualMFADevice",
    "VirtualMFADevices",
    "MFADevices",
    "CreateVirtualMFADeviceResponse",
    "SerialNumber",
    "SecretCode",
];

/// The fields of a `VirtualMFADevice`, wherever they were found.
#[derive(Default)]
struct Device {
    /// Whether anything in it is about devices of AWS.
    is_there: bool,
    /// Whether it is Cognito's: a code of its user pool, of no ARN.
    cognito: bool,
    serial: Option<String>,
    seed: Option<Zeroizing<Vec<u8>>>,
    image: Option<Zeroizing<Vec<u8>>>,
}

/// Reads JSON that holds a `VirtualMFADevice`.
///
/// # Errors
///
/// Malformed JSON; JSON without a seed or image; and anything wrong with these.
pub(super) fn from_json(text: &str, limits: &Limits) -> Result<Found, Error> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| Error::Malformed {
        format: "JSON",
        place: format!("line {}, column {}", error.line(), error.column()),
    })?;
    let mut device = Device::default();
    collect(&value, &mut device, 0);
    let found = if device.is_there { device.enrolment(limits) } else { Err(Error::Foreign(foreign::of_json(&value))) };
    wipe(&mut value);
    found
}

/// Reads the XML of a `CreateVirtualMFADeviceResponse`.
///
/// # Errors
///
/// Malformed XML; XML without a seed or image; and anything wrong with these.
pub(super) fn from_xml(text: &str, limits: &Limits) -> Result<Found, Error> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut device = Device::default();
    let (mut field, mut root) = (None, None);
    loop {
        let place = reader.buffer_position();
        let malformed = || Error::Malformed { format: "XML", place: format!("byte {place}") };
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(tag) => {
                let name = tag.local_name();
                if name.as_ref() == "svg" {
                    return Err(Error::WrongKind { what: "an SVG drawing" });
                }
                field = Field::named(name.as_ref());
                device.is_there |= field.is_some() || DEVICES.contains(&name.as_ref());
                root.get_or_insert_with(|| foreign::of_xml_root(name.as_ref()));
            }
            Event::Empty(tag) => {
                root.get_or_insert_with(|| foreign::of_xml_root(tag.local_name().as_ref()));
            }
            Event::Text(text) => {
                if let Some(field) = field {
                    device.set(field, Zeroizing::new(text.into_inner().into_owned().into_bytes()));
                }
            }
            Event::End(_) => field = None,
            Event::DocType(kind) if kind.trim_start().starts_with("svg") => {
                return Err(Error::WrongKind { what: "an SVG drawing" });
            }
            Event::DocType(kind) if kind.trim_start().starts_with("plist") => {
                return Err(Error::Foreign(Foreign::PropertyList));
            }
            Event::DocType(_) => return Err(Error::WrongKind { what: "XML with a document type" }),
            Event::Eof => break,
            _ => {}
        }
    }
    if !device.is_there {
        return Err(Error::Foreign(root.unwrap_or(Foreign::OtherXml)));
    }
    device.enrolment(limits)
}

/// The device of an answer whose fields have been read already: `seed` is base32 text, or base64 around it.
///
/// # Errors
///
/// What is wrong with the seed.
pub fn enrolment(serial: &str, seed_text: &str) -> Result<Enrolment, Error> {
    Ok(of_seed(Some(serial).filter(|serial| is_serial(serial)), seed(seed_text.as_bytes())?))
}

/// Whether a serial number (ARN) may be that of a device whose picture has this account: `NAME@ACCOUNT`, the account by its
/// 12 digits or its alias.
#[must_use]
pub fn is_named(serial: &str, account: &str) -> bool {
    let (name, of) = account.rsplit_once('@').unwrap_or((account, ""));
    let by_digits = of.len() == 12 && of.bytes().all(|byte| byte.is_ascii_digit());
    let fields: Vec<&str> = serial.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", _, "iam", _, number, resource] if is_serial(serial) => {
            let same_name = resource.starts_with("mfa/") && resource.rsplit('/').next() == Some(name);
            same_name && (!by_digits || *number == of)
        }
        _ => false,
    }
}

/// Whether a serial number is the ARN of an MFA device of IAM.
#[must_use]
pub fn is_mfa_arn(serial: &str) -> bool {
    let fields: Vec<&str> = serial.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", partition, "iam", "", account, resource] => {
            let numbered = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            let named = resource.strip_prefix("mfa/").is_some_and(|name| !name.is_empty() && !name.ends_with('/'));
            is_serial(serial) && partition.starts_with("aws") && numbered && named
        }
        _ => false,
    }
}

/// Gives an enrolment a serial number, and AWS's issuer and account where it has none.
pub fn number(enrolment: &mut Enrolment, serial: &str) {
    enrolment.serial = Some(serial.to_owned());
    if enrolment.issuer.is_none() && enrolment.account.is_empty() {
        enrolment.issuer = Some(ISSUER.to_owned());
        enrolment.account = account(serial);
    }
}

/// What AWS's seeds are: TOTP with the default parameters.
fn of_seed(serial: Option<&str>, secret: Secret) -> Enrolment {
    Enrolment {
        issuer: Some(ISSUER.to_owned()),
        account: serial.map(account).unwrap_or_default(),
        secret,
        parameters: Parameters::DEFAULT,
        serial: serial.map(str::to_owned),
    }
}

#[derive(Clone, Copy)]
enum Field {
    Serial,
    Seed,
    Image,
    /// `AssociateSoftwareToken` of Cognito: the seed, as base32.
    SecretCode,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        match name {
            "SerialNumber" => Some(Self::Serial),
            "Base32StringSeed" => Some(Self::Seed),
            "QRCodePNG" => Some(Self::Image),
            "SecretCode" => Some(Self::SecretCode),
            _ => None,
        }
    }
}

impl Device {
    fn set(&mut self, field: Field, bytes: Zeroizing<Vec<u8>>) {
        match field {
            Field::Serial => {
                let serial = String::from_utf8_lossy(&bytes).trim().to_owned();
                self.serial = Some(serial).filter(|serial| is_serial(serial));
            }
            Field::Seed => self.seed = Some(bytes),
            Field::Image => self.image = Some(bytes),
            Field::SecretCode => {
                self.cognito = true;
                self.seed.get_or_insert(bytes);
            }
        }
    }

    fn enrolment(self, limits: &Limits) -> Result<Found, Error> {
        let seed = self.seed.as_deref().map(|bytes| seed(bytes)).transpose()?;
        // The image is only looked into where it is the one source: seed and image of one answer agree.
        let mut found = match (&seed, &self.image) {
            (Some(_), _) => Found::default(),
            (None, Some(image)) => {
                let image = unwrap_base64(image);
                payloads::image(&image, limits)?
            }
            (None, None) => return Err(Error::NoSeed),
        };
        if let Some(secret) = seed {
            if secret.bits() < 128 {
                found.warnings.push(Warning::ShortSecret { bits: secret.bits() });
            }
            let enrolment = of_seed(self.serial.as_deref(), secret);
            // Cognito's accounts belong to the operator of the user pool.
            let issuer = enrolment.issuer.filter(|_| !self.cognito);
            found.enrolments.push(Enrolment { issuer, ..enrolment });
        }
        if let [enrolment] = found.enrolments.as_mut_slice() {
            enrolment.serial = self.serial;
        }
        Ok(found)
    }
}

/// Looks for the fields at any depth, so that dumps with wrappers around the answer are read too.
fn collect(value: &Value, device: &mut Device, depth: u8) {
    const DEEPEST: u8 = 8;
    if depth >= DEEPEST {
        return;
    }
    if let Value::Array(items) = value
        && let [only] = items.as_slice()
    {
        return collect(only, device, depth.saturating_add(1));
    }
    let Some(object) = value.as_object() else {
        return;
    };
    for (name, value) in object {
        device.is_there |= DEVICES.contains(&name.as_str());
        match Field::named(name) {
            Some(field) => {
                device.is_there = true;
                if let Some(bytes) = bytes(value) {
                    device.set(field, bytes);
                }
            }
            None => collect(value, device, depth.saturating_add(1)),
        }
    }
}

/// Bytes as JSON has them: text, an array of numbers (Java), `{"type":"Buffer","data":[…]}` and
/// `{"0":…,"1":…}` (JavaScript).
fn bytes(value: &Value) -> Option<Zeroizing<Vec<u8>>> {
    let number = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
    match value {
        Value::String(text) => Some(Zeroizing::new(text.as_bytes().to_vec())),
        Value::Array(items) => items.iter().map(number).collect::<Option<Vec<u8>>>().map(Zeroizing::new),
        Value::Object(object) => match object.get("data") {
            Some(data) => bytes(data),
            None => (0..object.len())
                .map(|index| object.get(&index.to_string()).and_then(number))
                .collect::<Option<Vec<u8>>>()
                .filter(|bytes| !bytes.is_empty())
                .map(Zeroizing::new),
        },
        _ => None,
    }
}

/// A seed is base32 text, or base64 around it as the wire has it.
fn seed(bytes: &[u8]) -> Result<Secret, Error> {
    let unwrapped = unwrap_base64(bytes);
    let plain = if looks_like_seed(&unwrapped) { unwrapped.as_slice() } else { bytes };
    let text = std::str::from_utf8(plain).map_err(|_| Error::NoSeed)?;
    base32::parse(text)
}

/// Whether bytes are a seed as AWS makes it: upper-case base32 and nothing else, of some length. Text
/// that happens to be base64 too never decodes to that by chance.
pub(super) fn looks_like_seed(bytes: &[u8]) -> bool {
    bytes.len() >= 16 && bytes.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
}

/// What base64 holds; the bytes themselves where they are none.
fn unwrap_base64(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    match STANDARD.decode(tidy::dense(bytes).as_slice()) {
        Ok(decoded) => Zeroizing::new(decoded),
        Err(_) => Zeroizing::new(bytes.to_vec()),
    }
}

/// Serial numbers are 9 to 256 characters of `[\w+=/:,.@-]`.
fn is_serial(text: &str) -> bool {
    (9..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=/:,.@-".contains(&b))
}

/// `NAME@ACCOUNT` of a serial number, as AWS writes it into the QR code.
fn account(serial: &str) -> String {
    let fields: Vec<&str> = serial.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", _, "iam", _, account, resource] if resource.starts_with("mfa/") => {
            format!("{}@{account}", resource.rsplit('/').next().unwrap_or(resource))
        }
        _ => serial.to_owned(),
    }
}

/// Overwrites every text of a parsed document: one of them was the seed.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(object) => object.values_mut().for_each(wipe),
        _ => *value = Value::Null,
    }
}
