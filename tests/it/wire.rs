//! What goes over the wire: AWS's own signed requests, the words of refusals, and properties of all three parts.

use vmfa::time::Timestamp;
use vmfa::wire::sigv4::{Accept, Credentials, Error, Headers, Payload, Presented, Request, Signer, SigningKey, Style};

mod properties;
mod refusals;
mod vectors;

/// A request that owns its parts.
#[derive(Debug, Clone, Default)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    fn request(&self) -> Request<'_> {
        let headers: Headers<'_> = self.headers.iter().map(|(name, value)| (name, value)).collect();
        Request { method: &self.method, path: &self.path, query: &self.query, headers }
    }

    fn payload(&self) -> Payload<'_> {
        Payload::Bytes(&self.body)
    }

    fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn header(&self, name: &str) -> &str {
        &self.headers.iter().rfind(|(other, _)| other == name).unwrap().1
    }

    fn sign(&mut self, signer: &Signer<'_>, payload: Option<Payload<'_>>, time: Timestamp) {
        let signed = signer.sign(&self.request(), payload.unwrap_or(self.payload()), time).unwrap();
        for (name, value) in signed {
            self.add(name, &value);
        }
    }

    /// Reads and verifies, as somebody does who has the key.
    fn verify(&self, secret: &str, accept: &Accept<'_>) -> Result<(), Error> {
        let request = self.request();
        let presented = Presented::read(&request)?;
        let key = SigningKey::derive(secret, presented.scope());
        presented.verify(&key, &request, self.payload(), accept)
    }
}

fn time(text: &str) -> Timestamp {
    let (day, clock) = text.split_once('T').unwrap();
    let iso = format!("{}-{}-{}T{}:{}:{}", &day[..4], &day[4..6], &day[6..], &clock[..2], &clock[2..4], &clock[4..]);
    Timestamp::parse(&iso, Timestamp::from_unix(0)).unwrap()
}
