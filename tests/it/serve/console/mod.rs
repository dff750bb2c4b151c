//! The console, page by page, without a socket. What a real browser makes of it, `tests/clients/console` tells.

mod browser;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod chromium;
mod devices;
mod sessions;
mod sign_in;

/// What a suite holds on to is documented, and nothing is documented that isn't there.
#[test]
fn docs_console_md_names_every_data_testid() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut there = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(root.join("templates/console")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let fields = ["fields::code(\"", "fields::password(\""].map(|call| (call, "-input"));
        for (mark, end) in fields.into_iter().chain([("data-testid=\"", "")]) {
            let names = text.split(mark).skip(1).map(|rest| rest.split('"').next().unwrap());
            there.extend(names.filter(|name| !name.contains('{')).map(|name| format!("{name}{end}")));
        }
    }
    let document = std::fs::read_to_string(root.join("docs/console.md")).unwrap();
    let table = document.split("| Where |").nth(1).unwrap();
    let words = table.split('`').skip(1).step_by(2);
    let others = ["data-testid", "data-serial", "data-id"];
    let names = words.filter(|word| !word.contains(['/', ' ']) && !others.contains(word));
    let told: std::collections::BTreeSet<String> = names.map(str::to_owned).collect();
    assert!(there.len() > 60, "{there:?}");
    assert_eq!(there, told);
}
