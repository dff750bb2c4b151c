//! A client with a user's keys.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::bench::{ACCOUNT, Bench};
use super::{Device, Error};
use crate::aws::answer::Element;
use crate::aws::client::{Caller, Effect};
use crate::aws::enroll::Wanted;
use crate::aws::flow::Flow;
use crate::aws::session;
use crate::aws::settings::Service;
use crate::aws::sts::{Identity, RoleRequest, Token};
use crate::device::Error as DeviceError;
use crate::wire::query::Form;
use crate::wire::sigv4::Credentials;

/// A client of the stand-in, with somebody's keys.
#[derive(Debug, Clone)]
pub struct Client {
    bench: Arc<Bench>,
    user: Option<String>,
    credentials: Credentials,
}

impl Client {
    pub(super) fn new(bench: &Arc<Bench>, user: Option<String>, credentials: Credentials) -> Self {
        Self { bench: Arc::clone(bench), user, credentials }
    }

    /// Its keys: give them to the program that you test.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Calls any action, by its name and parameters as they go over the wire.
    ///
    /// ```
    /// use vmfa::testing::{Aws, Service};
    ///
    /// let aws = Aws::start()?;
    /// let answer = aws.administrator().call(Service::Iam, "CreateGroup", &[("GroupName", "testers")])?;
    /// let group = answer.child("CreateGroupResult").and_then(|result| result.child("Group"));
    /// assert_eq!(group.and_then(|group| group.text("GroupName")), Some("testers"));
    /// # Ok::<(), vmfa::testing::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Aws`].
    pub fn call(&self, service: Service, action: &str, parameters: &[(&str, &str)]) -> Result<Element, Error> {
        let version = match service {
            Service::Iam => "2010-05-08",
            Service::Sts => "2011-06-15",
        };
        let form = parameters.iter().fold(Form::new(action, version), |form, (name, value)| form.pair(name, value));
        Ok(self.bench.client().call(service, &self.credentials, &form, Effect::Changes)?)
    }

    /// Who it is: `GetCallerIdentity`.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`]; so where a session has expired.
    pub fn identity(&self) -> Result<Identity, Error> {
        let client = self.bench.client();
        Ok(Caller { client: &client, credentials: &self.credentials }.identity()?)
    }

    /// The user's virtual MFA device, with which STS accepts codes: the scenario's where it gives one, else a new one that
    /// the administrator creates and enables. The time moves on until STS knows it.
    ///
    /// # Errors
    ///
    /// [`Error::NoUser`] for the administrator and for sessions; [`Error::Aws`].
    pub fn enroll(&self) -> Result<Device, Error> {
        let user = self.user.as_deref().ok_or(Error::NoUser)?;
        let of_user = |seeded: &&crate::serve::scenario::Seeded| seeded.user.as_deref() == Some(user);
        if let Some(seeded) = self.bench.seeded.iter().find(of_user) {
            return self.bench.shelf.add(seeded.secret.as_bytes(), Some(&seeded.serial_number));
        }
        let name = self.bench.shelf.name(user);
        let wanted = Wanted {
            partition: "aws".to_owned(),
            account: ACCOUNT.to_owned(),
            user: user.to_owned(),
            device_name: user.to_owned(),
            path: "/".to_owned(),
            tags: Vec::new(),
            name,
        };
        let client = self.bench.client();
        let flow = self.flow(Caller { client: &client, credentials: &self.bench.administrator });
        let enrolled = flow.enroll(&wanted)?;
        // Codes that come before STS knows the device are lost.
        let known = enrolled.enabled.plus(crate::oath::relying_party::PROPAGATION.most.as_secs().saturating_add(1));
        if let Some(known) = known {
            self.bench.shelf.reach(known);
        }
        Ok(Device::new(&self.bench.shelf, enrolled.device))
    }

    /// A new session with a code of a device: `GetSessionToken`.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`]: a refused code with its reason, a device that isn't the user's.
    pub fn sign_in(&self, device: &Device) -> Result<Self, Error> {
        let client = self.bench.client();
        let flow = self.flow(Caller { client: &client, credentials: &self.credentials });
        let wanted = session::Wanted { fresh: true, ..session::Wanted::default() };
        let session = flow.session(device.record(), &wanted)?;
        Ok(Self { user: None, bench: Arc::clone(&self.bench), credentials: session.temporary.credentials })
    }

    /// A session of a role, with a code of a device where one is given: `AssumeRole`.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`].
    pub fn assume_role(&self, arn: &str, device: Option<&Device>) -> Result<Self, Error> {
        let client = self.bench.client();
        let role = RoleRequest { arn, session_name: "test", external_id: None, duration: None };
        let code = device.map(|device| Ok::<_, Error>((device.serial_number()?, device.code()?))).transpose()?;
        let code = code.map(|(serial, code)| (serial, Zeroizing::new(code.to_string())));
        let token = code.as_ref().map(|(serial, code)| Token { serial, code });
        let caller = Caller { client: &client, credentials: &self.credentials };
        let credentials = caller.assume_role(&role, token)?.credentials;
        Ok(Self { user: None, bench: Arc::clone(&self.bench), credentials })
    }

    /// A new user, and a new access key of it.
    pub(super) fn create_user(&self, name: &str) -> Result<Credentials, Error> {
        self.call(Service::Iam, "CreateUser", &[("UserName", name)])?;
        let answer = self.call(Service::Iam, "CreateAccessKey", &[("UserName", name)])?;
        let key = answer.child("CreateAccessKeyResult").and_then(|result| result.child("AccessKey"));
        let text = |name| key.and_then(|key| key.text(name)).ok_or(Error::Unreadable("CreateAccessKey"));
        Ok(Credentials::new(text("AccessKeyId")?, text("SecretAccessKey")?, None))
    }

    fn flow<'a>(&'a self, caller: Caller<'a>) -> Flow<'a> {
        Flow { caller, devices: self.bench.shelf.devices(), locks: &self.bench.locks, clock: None, retry: true }
    }
}

impl From<crate::registry::Error> for Error {
    fn from(error: crate::registry::Error) -> Self {
        Self::Device(DeviceError::from(error))
    }
}
