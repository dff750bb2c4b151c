//! This test binary once more, as another process: with an environment of its own, or one to be killed.

use std::env;
use std::process::{Child, Command, Stdio};

const SCENE: &str = "VMFA_TEST_SCENE";
const ARGUMENTS: &str = "VMFA_TEST_ARGUMENTS";
/// What sets a line apart from those of the test harness.
const MARK: &str = "» ";

/// This binary, to play one scene of the test `stage`, which calls [`scene`].
pub fn command(stage: &str, scene: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", stage, "--ignored", "--nocapture", "--test-threads=1"])
        .env(SCENE, scene)
        .env(ARGUMENTS, arguments.join("\n"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Plays a scene to its end, and gives what it told.
pub fn play(mut command: Command) -> Vec<String> {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    told(&text)
}

/// Lets scenes that were started beside each other come to their ends, and gives what they told.
pub fn told_by_all(scenes: Vec<Child>) -> Vec<String> {
    let mut lines = Vec::new();
    for scene in scenes {
        let output = scene.wait_with_output().unwrap();
        assert!(output.status.success());
        lines.extend(told(&String::from_utf8(output.stdout).unwrap()));
    }
    lines
}

/// The lines that were told among others.
pub fn told(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| Some(line.split_once(MARK)?.1.to_owned())).collect()
}

/// Within a scene: tells the parent a line.
pub fn tell(line: impl std::fmt::Display) {
    println!("{MARK}{line}");
}

/// Within a stage: which scene, with which arguments; `None` when nobody plays one.
pub fn scene() -> Option<(String, Vec<String>)> {
    let arguments = env::var(ARGUMENTS).unwrap_or_default();
    Some((env::var(SCENE).ok()?, arguments.lines().map(str::to_owned).collect()))
}
