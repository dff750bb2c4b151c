//! Sheets of QR codes, as a browser shows them and another reader reads them.

use super::{pictured, scanned};
use crate::export::{filled, uris};

#[test]
fn zbarimg_reads_all_codes_of_a_sheet() {
    let home = filled(true, true);
    for format in ["html", "svg", "png"] {
        let name = format!("sheet.{format}");
        home.run(&["export", &name, "--format", format, "--plaintext"]).expect(0);
        let file = home.path().join(&name);
        let picture = if format == "png" { file } else { pictured(&home, &file) };
        let mut read: Vec<String> = scanned(&picture).iter().map(|text| format!("{text}\n")).collect();
        read.sort();
        assert_eq!(read, uris(&home), "{format}");
    }
}
