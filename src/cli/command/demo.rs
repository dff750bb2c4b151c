mod aws;

use std::io::{self, Write};

use serde::Serialize;

use aws::{Answer as AwsAnswer, Aws, Keys};

use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer};
use crate::cli::{Global, clock, lines};
use crate::device::drift::change_drift;
use crate::device::issue::Moment;
use crate::device::pair::Terms;
use crate::device::{Devices, find};
use crate::oath::relying_party;
use crate::provision::{self, Limits};
use crate::registry::memory::Memory as Registry;
use crate::time::Drift;
use crate::vault::memory::Memory as Vault;

/// See the whole journey: enrol, sign in, drift, resynchronize
///
/// A stand-in for AWS, a user who may do nothing without MFA, and a device, all in memory and on virtual time: it stores
/// nothing, uses no network, and waits for nothing. Each step shows the command that does the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa demo")]
pub(in crate::cli) struct Args {}

/// What was done, and what came of it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Step {
    /// What happens.
    title: String,
    /// The commands that do the same.
    commands: Vec<String>,
    /// `accepted` or `refused`.
    outcome: &'static str,
    /// What came of it.
    detail: String,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Journey {
    steps: Vec<Step>,
}

const FORCE_MFA: &str = include_str!("../../../vectors/policies/force-mfa.json");
const OWN_MFA: &str = include_str!("../../../vectors/policies/own-mfa.json");

const USER: &str = "mfauser";

/// By which a device runs whose server has a time of its own.
const CLOCK: &str = "--clock $AWS_ENDPOINT_URL";

/// How far the device goes wrong, in seconds: ahead, for AWS takes no pair from before the last one.
const DRIFT: i64 = 600;

/// How long a binding takes to reach STS, in seconds.
const PROPAGATION: i64 = relying_party::PROPAGATION.changed.as_secs().cast_signed();

impl Answer for Journey {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = terminal_size::terminal_size_of(io::stdout()).map_or(80, |(width, _)| usize::from(width.0));
        // `before` stands in front of the first line; `indent` in front of the others.
        let broken = |before: &str, text: &str, indent: usize| {
            format!("{before}{}", lines::broken(text, width.saturating_sub(before.len()), indent))
        };
        for (number, step) in (1..).zip(&self.steps) {
            writeln!(out, "{}", broken("", &format!("{number}. {}", step.title), 3))?;
            for command in &step.commands {
                pasted(command, width).iter().try_for_each(|line| writeln!(out, "{line}"))?;
            }
            let mark = if step.outcome == "accepted" { "✓" } else { "✗" };
            writeln!(out, "{}", broken("   ", &format!("{mark} {}", step.detail), 5))?;
            if let Some(why) = &step.why {
                writeln!(out, "{}", broken("     ", &format!("why: {why}"), 10))?;
            }
            writeln!(out)?;
        }
        let end =
            "All of it ran in this process, in memory and on virtual time: no account, no network, and nothing stored.";
        writeln!(out, "{}", broken("", end, 0))?;
        let next = "Next: `vmfa add NAME IMAGE` adds a device of your own, `vmfa serve` starts the stand-in for AWS.";
        writeln!(out, "{}", broken("", next, 0))
    }
}

/// A command in lines that a shell takes as they stand.
fn pasted(command: &str, width: usize) -> Vec<String> {
    let mut lines = vec!["   $".to_owned()];
    for word in command.split(' ') {
        // With room for what says that it goes on.
        let full = lines.last().is_some_and(|line| line.len().saturating_add(word.len()).saturating_add(3) > width);
        if full && let Some(line) = lines.last_mut() {
            line.push_str(" \\");
            lines.push("      ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
}

impl Args {
    #[expect(clippy::unused_self, reason = "as all commands")]
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        render::print(&journey()?, global.json)
    }
}

/// Everything, one step after the other. A step that ends otherwise than it should is an error: the demonstration is a
/// test of itself.
fn journey() -> Result<Journey> {
    let (aws, administrator) = Aws::open(clock::now())?;
    let (vault, registry) = (Vault::default(), Registry::default());
    let devices = Devices { vault: &vault, registry: &registry };
    let mut steps = Vec::new();
    let mut told = |title: &str, commands: &[&str], answer: AwsAnswer, refused: bool| {
        let wrong = answer.refused != refused;
        let step = Step {
            title: title.to_owned(),
            commands: commands.iter().map(|command| (*command).to_owned()).collect(),
            outcome: if answer.refused { "refused" } else { "accepted" },
            detail: answer.text,
            why: answer.why,
        };
        if wrong {
            return Err(Error::new(Kind::Remote, "demo", format!("{}: {}", step.title, step.detail)));
        }
        steps.push(step);
        Ok(())
    };

    let user = prepare(&aws, &administrator)?;
    told(
        "A stand-in for AWS, and a user whom a policy denies everything without MFA",
        &["vmfa serve --time virtual"],
        AwsAnswer::good(format!("account {}, user {USER}, groups ec2-users and force-mfa", aws::ACCOUNT)),
        false,
    )?;
    told("Without MFA, EC2 is denied", &["aws ec2 describe-instances"], aws.ec2(&user), true)?;

    let created = aws.call(&user, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", USER)]);
    let png = created.blob("QRCodePNG")?;
    told(
        "The user makes a virtual MFA device",
        &[&format!(
            "aws iam create-virtual-mfa-device --virtual-mfa-device-name {USER} --bootstrap-method QRCodePNG --outfile qr.png"
        )],
        created.saying(format!("a QR code of {} bytes", png.len())),
        false,
    )?;
    let serial = format!("arn:aws:iam::{}:mfa/{USER}", aws::ACCOUNT);
    let found = provision::read(&png, &Limits::default())?;
    let enrolment = found
        .enrolments
        .into_iter()
        .next()
        .ok_or_else(|| Error::new(Kind::Remote, "demo", "the QR code holds no enrolment"))?;
    devices.add(&[(USER.parse()?, enrolment.clone())], false, aws.now())?;
    told(
        "vmfa reads the QR code and keeps the secret",
        &[&format!("vmfa add {USER} qr.png")],
        AwsAnswer::good(format!(
            "device {USER}: {}, account {}",
            enrolment.issuer.as_deref().unwrap_or_default(),
            enrolment.account
        )),
        false,
    )?;

    let codes = || {
        let moment = Moment { time: aws.now(), now: aws.now() };
        let device = find(&registry, USER)?;
        let issued = devices.codes(&device, &enrolment, moment, 0, 1)?;
        Ok::<String, Error>(issued.first().map(|issued| issued.code.to_string()).unwrap_or_default())
    };
    let pair = |action: &str| {
        let moment = Moment { time: aws.now(), now: aws.now() };
        let device = find(&registry, USER)?;
        let terms = Terms { live: false, consumes: false, patience: 0 };
        let [one, two] = devices.pair(&device, &enrolment, moment, terms)?.codes.map(|one| one.issued.code.to_string());
        let parameters = [
            ("UserName", USER),
            ("SerialNumber", &serial),
            ("AuthenticationCode1", &one),
            ("AuthenticationCode2", &two),
        ];
        let answer = aws.call(&user, action, &parameters);
        let verb = if action == "EnableMFADevice" { "enable" } else { "resync" };
        let command = format!(
            "aws iam {verb}-mfa-device --user-name {USER} --serial-number {serial} --authentication-code1 {one} \
             --authentication-code2 {two}"
        );
        Ok::<_, Error>((format!("vmfa pair {USER} {CLOCK}"), command, answer.saying(format!("{one} {two} accepted"))))
    };
    let (pairing, enabling, answer) = pair("EnableMFADevice")?;
    told("Two consecutive codes, previous and current: nobody waits 30 s", &[&pairing, &enabling], answer, false)?;

    let token = |code: &str| {
        let answer = aws.call(&user, "GetSessionToken", &[("SerialNumber", &serial), ("TokenCode", code)]);
        (format!("aws sts get-session-token --serial-number {serial} --token-code {code}"), answer)
    };
    aws.wait(PROPAGATION)?;
    let code = codes()?;
    let (command, answer) = token(&code);
    let session = answer.keys()?;
    told(
        "Ten seconds later STS knows the device, and gives a session for a code",
        &["vmfa serve time +10s", &format!("vmfa code {USER} {CLOCK}"), &command],
        answer.saying(format!("temporary credentials {}", session.access_key_id)),
        false,
    )?;
    told("With MFA, EC2 is allowed", &["aws ec2 describe-instances"], aws.ec2(&session), false)?;

    change_drift(&registry, USER, |_| Ok(Drift { seconds: DRIFT, ppm: 0, since: 0 }))?;
    let wrong = codes()?;
    let (command, answer) = token(&wrong);
    told(
        "The device's clock goes wrong by ten minutes: its codes are refused",
        &[&format!("vmfa drift {USER} --set +{DRIFT}"), &format!("vmfa code {USER} {CLOCK}"), &command],
        answer,
        true,
    )?;
    let (pairing, resync, answer) = pair("ResyncMFADevice")?;
    told("Two consecutive codes tell AWS how far it is off", &[&pairing, &resync], answer, false)?;
    aws.wait(PROPAGATION)?;
    let code = codes()?;
    let (command, answer) = token(&code);
    told(
        "From then on its codes are accepted, those of the pair once each",
        &["vmfa serve time +10s", &format!("vmfa code {USER} {CLOCK}"), &command],
        answer.saying(format!("{code} accepted")),
        false,
    )?;
    let (command, answer) = token(&code);
    told("And none is accepted twice", &[&command], answer, true)?;
    Ok(Journey { steps })
}

/// A user in a group that may use EC2, and in one that may do nothing without MFA but enrol.
fn prepare(aws: &Aws, administrator: &Keys) -> Result<Keys> {
    let arn = |name: &str| format!("arn:aws:iam::{}:policy/{name}", aws::ACCOUNT);
    for (name, document) in [("ForceMFA", FORCE_MFA), ("OwnMFA", OWN_MFA)] {
        aws.done(administrator, "CreatePolicy", &[("PolicyName", name), ("PolicyDocument", document)])?;
    }
    let ec2 = "arn:aws:iam::aws:policy/AmazonEC2FullAccess".to_owned();
    aws.done(administrator, "CreateUser", &[("UserName", USER)])?;
    for (group, policies) in [("ec2-users", vec![ec2]), ("force-mfa", vec![arn("ForceMFA"), arn("OwnMFA")])] {
        aws.done(administrator, "CreateGroup", &[("GroupName", group)])?;
        for policy in &policies {
            aws.done(administrator, "AttachGroupPolicy", &[("GroupName", group), ("PolicyArn", policy)])?;
        }
        aws.done(administrator, "AddUserToGroup", &[("GroupName", group), ("UserName", USER)])?;
    }
    aws.done(administrator, "CreateAccessKey", &[("UserName", USER)])?.keys()
}

#[cfg(test)]
crate::cli::schema::answers! {
    "demo": Journey;
}
