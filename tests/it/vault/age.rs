//! age files.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use vmfa::vault::age::{Age, Identity, Passphrase, encrypt_identity, generate, recipient_of, write_new_file};
use vmfa::vault::{Error, Id, Vault};
use zeroize::Zeroizing;

use super::{STAGE, conformance, item, names, uri_of};
use crate::support::{again, start};

const WRITERS: usize = 20;
const WRITES: usize = 50;

/// Says the same to everyone who asks, and counts them.
fn saying(passphrase: &'static str) -> (Passphrase, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let passphrase: Passphrase = Arc::new(move |_: &str| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Zeroizing::new(passphrase.to_owned()))
    });
    (passphrase, asked)
}

/// For identities that need no passphrase.
fn never() -> Passphrase {
    Arc::new(|file: &str| panic!("asked for a passphrase of {file}"))
}

fn new_vault(directory: &Path) -> Age {
    let (identity, recipient) = generate();
    Age::new(directory.to_owned(), vec![recipient], Identity::Text(identity))
}

fn ssh_key(directory: &Path, kind: &str, passphrase: &str) -> PathBuf {
    let path = directory.join(format!("id_{kind}"));
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", kind, "-N", passphrase, "-f"]).arg(&path).stdin(Stdio::null());
    assert!(start(&mut command, "openssh-client").wait().unwrap().success());
    path
}

pub fn play(scene: &str, arguments: &[&str]) -> bool {
    let vault = |arguments: &[&str]| Age::new(arguments[0].into(), vec![arguments[1].to_owned()], Identity::None);
    match scene {
        "age put many" => {
            let vault = vault(arguments);
            for _ in 0..WRITES {
                let id = Id::random();
                vault.put(id, &item("many", &uri_of(id))).unwrap();
                again::tell(id);
            }
        }
        "age put until killed" => {
            let vault = vault(arguments);
            loop {
                let id = Id::random();
                vault.put(id, &item("killed", &uri_of(id))).unwrap();
                again::tell(id);
            }
        }
        "age put under umask 0" => {
            rustix::process::umask(rustix::fs::Mode::empty());
            let id = Id::random();
            vault(arguments).put(id, &item("umask", &uri_of(id))).unwrap();
        }
        _ => return false,
    }
    true
}

#[test]
fn files_for_an_x25519_identity_conform() {
    let home = tempfile::tempdir().unwrap();
    conformance::check(&new_vault(&home.path().join("vault")));
}

#[test]
fn files_for_an_identity_file_conform() {
    let home = tempfile::tempdir().unwrap();
    let (identity, recipient) = generate();
    let path = home.path().join("keys/identity.txt");
    write_new_file(&path, format!("# a comment\n{}\n", *identity).as_bytes()).unwrap();
    let identity = Identity::File { path, passphrase: never() };
    assert_eq!(recipient_of(&identity).unwrap().as_slice(), std::slice::from_ref(&recipient));
    conformance::check(&Age::new(home.path().join("vault"), vec![recipient], identity));
}

#[test]
fn files_for_ssh_keys_conform() {
    for kind in ["ed25519", "rsa"] {
        let home = tempfile::tempdir().unwrap();
        let path = ssh_key(home.path(), kind, "");
        let recipient = fs::read_to_string(path.with_extension("pub")).unwrap();
        let identity = Identity::File { path, passphrase: never() };
        let named = recipient_of(&identity).unwrap();
        assert!(recipient.starts_with(&named[0]), "{recipient} {named:?}");
        conformance::check(&Age::new(home.path().join("vault"), vec![recipient], identity));
    }
}

#[test]
fn files_for_an_ssh_key_with_a_passphrase_conform() {
    let home = tempfile::tempdir().unwrap();
    let path = ssh_key(home.path(), "ed25519", "of a test");
    let recipient = fs::read_to_string(path.with_extension("pub")).unwrap();
    let (passphrase, asked) = saying("of a test");
    let vault = Age::new(home.path().join("vault"), vec![recipient], Identity::File { path, passphrase });
    assert!(vault.probe().unwrap().contains("passphrase"));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    conformance::check(&vault);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn files_for_an_identity_with_a_passphrase_conform() {
    for armored in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let (identity, recipient) = generate();
        let mut encrypted = encrypt_identity(&identity, &Zeroizing::new("of a test".to_owned()), Some(4)).unwrap();
        if armored {
            use std::io::Write;
            let mut writer =
                age::armor::ArmoredWriter::wrap_output(Vec::new(), age::armor::Format::AsciiArmor).unwrap();
            writer.write_all(&encrypted).unwrap();
            encrypted = writer.finish().unwrap();
        }
        let path = home.path().join("identity.age");
        write_new_file(&path, &encrypted).unwrap();

        let (passphrase, asked) = saying("of a test");
        let identity = Identity::File { path: path.clone(), passphrase };
        let vault = Age::new(home.path().join("vault"), vec![recipient.clone()], identity.clone());
        assert!(vault.probe().unwrap().contains("passphrase"));
        let id = Id::random();
        vault.put(id, &item("stored unasked", &uri_of(id))).unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        conformance::check(&vault);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(recipient_of(&identity).unwrap().as_slice(), std::slice::from_ref(&recipient));

        let (wrong, asked) = saying("another");
        let vault = Age::new(home.path().join("vault"), vec![recipient], Identity::File { path, passphrase: wrong });
        for _ in 0..2 {
            let error = vault.get(id).unwrap_err();
            assert!(matches!(&error, Error::Identity(text) if text.contains("the passphrase is wrong")), "{error}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}

#[test]
fn many_items_are_stored_together_and_none_is_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let vault = new_vault(home.path());
    for many in [5, 300] {
        let items: Vec<_> = (0..many).map(|_| Id::random()).map(|id| (id, item("many", &uri_of(id)))).collect();
        vault.put_all(&items).unwrap();
        for (id, _) in &items {
            assert_eq!(*vault.get(*id).unwrap(), uri_of(*id));
        }
        // One in the middle that is there: those before it are stored, as the error tells, and it stays as it was.
        let mut again: Vec<_> = (0..many).map(|_| Id::random()).map(|id| (id, item("again", &uri_of(id)))).collect();
        again[3] = (items[0].0, item("other", "otpauth://totp/x?secret=MY"));
        let (place, error) = vault.put_all(&again).unwrap_err();
        assert!(place == 3 && matches!(error, Error::Exists { id, .. } if id == items[0].0), "{place} {error}");
        assert_eq!(*vault.get(items[0].0).unwrap(), uri_of(items[0].0));
        let there = |index: usize| vault.holds(again[index].0).unwrap();
        assert!(there(0) && there(2) && !there(4) && !there(many - 1));
    }
    let left = names(&home.path().join("items")).into_iter().filter(|name| name.starts_with(".unfinished-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn several_recipients_can_each_read() {
    let home = tempfile::tempdir().unwrap();
    let both = [generate(), generate()];
    let recipients: Vec<String> = both.iter().map(|(_, recipient)| recipient.clone()).collect();
    let id = Id::random();
    let storing = Age::new(home.path().to_owned(), recipients.clone(), Identity::None);
    storing.put(id, &item("shared", &uri_of(id))).unwrap();
    for (identity, _) in both {
        let vault = Age::new(home.path().to_owned(), recipients.clone(), Identity::Text(identity));
        assert_eq!(*vault.get(id).unwrap(), uri_of(id));
    }
    assert!(matches!(storing.get(id), Err(Error::NoIdentity)));
    assert!(matches!(storing.probe(), Err(Error::NoIdentity)));
}

#[test]
fn swapped_files_are_found_out() {
    let home = tempfile::tempdir().unwrap();
    let vault = new_vault(home.path());
    let (one, other) = (Id::random(), Id::random());
    for id in [one, other] {
        vault.put(id, &item("swapped", &uri_of(id))).unwrap();
    }
    let path = |id: Id| home.path().join(format!("items/{id}.age"));
    fs::rename(path(one), home.path().join("kept")).unwrap();
    fs::rename(path(other), path(one)).unwrap();
    fs::rename(home.path().join("kept"), path(other)).unwrap();
    for id in [one, other] {
        let error = vault.get(id).unwrap_err();
        assert!(
            matches!(&error, Error::AgeFile { reason, .. } if reason == "holds the secret of another device"),
            "{error}"
        );
        assert!(!error.to_string().contains("secret="));
    }
}

#[test]
fn files_that_are_damaged_foreign_or_huge_are_errors_that_name_them() {
    let home = tempfile::tempdir().unwrap();
    let vault = new_vault(home.path());
    let id = Id::random();
    vault.put(id, &item("damaged", &uri_of(id))).unwrap();
    let path = home.path().join(format!("items/{id}.age"));
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cases: [&[u8]; 6] = [b"", b"text", &whole[..40], &whole[..whole.len() - 1], &flipped, &[b'x'; 70_000]];
    for bytes in cases {
        fs::write(&path, bytes).unwrap();
        let error = vault.get(id).unwrap_err();
        assert!(
            matches!(&error, Error::AgeFile { path: named, .. } if *named == path.display().to_string()),
            "{error:?}"
        );
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(*vault.get(id).unwrap(), uri_of(id));
    let (stranger, recipient) = generate();
    let stranger = Age::new(home.path().to_owned(), vec![recipient], Identity::Text(stranger));
    let error = stranger.get(id).unwrap_err();
    assert!(matches!(&error, Error::AgeFile { reason, .. } if reason.contains("encrypted for another identity")));
}

#[test]
fn an_identity_that_fits_no_recipient_fails_the_probe() {
    let home = tempfile::tempdir().unwrap();
    let ((identity, _), (_, recipient)) = (generate(), generate());
    let vault = Age::new(home.path().to_owned(), vec![recipient], Identity::Text(identity));
    assert!(matches!(vault.probe(), Err(Error::Identity(_))));
    // Where no recipients are named, they are the identity's own.
    Age::new(home.path().to_owned(), Vec::new(), Identity::Text(generate().0)).probe().unwrap();
    let secret = generate().0;
    let vault = Age::new(home.path().to_owned(), vec![secret.to_string()], Identity::Text(secret.clone()));
    let error = vault.probe().unwrap_err();
    assert!(matches!(error, Error::Identity(_)) && !error.to_string().contains(&*secret));
}

#[test]
fn an_identity_file_that_others_can_read_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (identity, recipient) = generate();
    let path = home.path().join("identity.txt");
    write_new_file(&path, identity.as_bytes()).unwrap();
    let vault = Age::new(
        home.path().join("vault"),
        vec![recipient],
        Identity::File { path: path.clone(), passphrase: never() },
    );
    vault.probe().unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = vault.probe().unwrap_err();
    assert!(matches!(error, Error::IdentityTooOpen { mode: 0o644, .. }), "{error}");
}

#[test]
fn files_are_for_their_owner_alone_whatever_the_umask() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("above/vault");
    let (_, recipient) = generate();
    again::play(again::command(STAGE, "age put under umask 0", &[directory.to_str().unwrap(), &recipient]));
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&home.path().join("above")), 0o700);
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("items")), 0o700);
    let names = names(&directory.join("items"));
    assert_eq!(names.len(), 2, "{names:?}");
    for name in names {
        assert_eq!(mode(&directory.join("items").join(name)), 0o600);
    }
}

#[test]
fn nothing_is_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("identity.txt");
    write_new_file(&path, b"first").unwrap();
    let error = write_new_file(&path, b"second").unwrap_err();
    assert!(matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists));
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(names(home.path()), ["identity.txt"]);
}

#[test]
fn a_killed_writer_leaves_whole_items_and_nothing_that_stays() {
    let home = tempfile::tempdir().unwrap();
    let (identity, recipient) = generate();
    let mut promised = Vec::new();
    for round in 0..40 {
        let mut command = again::command(STAGE, "age put until killed", &[home.path().to_str().unwrap(), &recipient]);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.by_ref().find_map(|line| again::told(&line.unwrap()).pop()).unwrap();
        promised.push(first);
        // Not a wait for anything: it spreads the kills over the moments of a write.
        thread::sleep(Duration::from_micros(137 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        promised.extend(lines.map_while(Result::ok).filter_map(|line| again::told(&line).pop()));
    }
    let vault = Age::new(home.path().to_owned(), vec![recipient], Identity::Text(identity));
    let items = home.path().join("items");
    // One more as a writer of long ago would have left it.
    fs::write(items.join(".unfinished-gone"), "half").unwrap();
    let last = Id::random();
    vault.put(last, &item("last", &uri_of(last))).unwrap();
    promised.push(last.to_string());
    let there = names(&items);
    for name in there.iter().filter(|name| *name != ".lock") {
        let id: Id = name.strip_suffix(".age").unwrap().parse().unwrap();
        assert_eq!(*vault.get(id).unwrap(), uri_of(id));
    }
    for id in promised.iter().filter(|id| id.len() == 36) {
        assert!(there.contains(&format!("{id}.age")), "{id} was promised");
    }
}

#[test]
fn twenty_processes_lose_no_write() {
    let home = tempfile::tempdir().unwrap();
    let (identity, recipient) = generate();
    let arguments = &[home.path().to_str().unwrap(), recipient.as_str()];
    let writers: Vec<_> =
        (0..WRITERS).map(|_| again::command(STAGE, "age put many", arguments).spawn().unwrap()).collect();
    let ids = again::told_by_all(writers);
    assert_eq!(ids.len(), WRITERS * WRITES);
    let vault = Age::new(home.path().to_owned(), vec![recipient], Identity::Text(identity));
    for id in ids {
        let id: Id = id.parse().unwrap();
        assert_eq!(*vault.get(id).unwrap(), uri_of(id));
    }
}
