//! Pictures, texts and files that enrol a device, or don't.

// No source is named, or it isn't there.

pub(in crate::cli) const NAME_SOURCE: &str = "give a path, `-` (stdin), `clipboard` or `screen`";
pub(in crate::cli) const SECRETLY: &str =
    "a secret comes by the hidden prompt (leave SOURCE out), `-` (stdin), or `clipboard`";
pub(in crate::cli) const LEAVE_OUT: &str = "leave the source out for a hidden prompt";
pub(in crate::cli) const ONE_SOURCE: &str = "several sources are pictures in files; give any other source alone";
pub(in crate::cli) const SEVERAL_LINES: &str = "several lines come by `-` (stdin), a file, or `clipboard`";

// Clipboard and screen can't be reached.

pub(in crate::cli) const WITHOUT_DISPLAY: &str = "a path, `-` or the hidden prompt work without one";
pub(in crate::cli) const DISPLAY: &str = "`vmfa doctor` looks for a display; a path or `-` works without one";
pub(in crate::cli) const WITHOUT_SCREEN: &str = "a picture of it works everywhere: a path, `-`, or `clipboard`";

// It is a web address, or a page.

pub(in crate::cli) const CURL: &str = "if it is the address of a picture: curl -sS URL | vmfa add NAME -";
pub(in crate::cli) const SHOW_PAGE: &str = "if it is a page: show it and use `screen`";
pub(in crate::cli) const OPEN_ADDRESS: &str =
    "open the address: if that page shows a QR code for an authenticator app, use `screen`";
pub(in crate::cli) const SAVE_QR_CODE: &str = "show the page and use `screen`, or save its QR code as a picture; browsers save pictures in a folder beside the page";

// It is a file of a kind that isn't read.

pub(in crate::cli) const KINDS: &str = "`vmfa help sources` lists what is read";
pub(in crate::cli) const AS_PNG: &str = "save it as PNG or JPEG, or open it and read the screen (SOURCE is `screen`)";
pub(in crate::cli) const SCREENSHOT: &str =
    "open it and read the screen (SOURCE is `screen`), or take a screenshot of it";
pub(in crate::cli) const STILL: &str = "take a screenshot of the moment that shows the code";
pub(in crate::cli) const UNPACK: &str = "unpack it first";
pub(in crate::cli) const SMALLER: &str = "cut the code out of the picture, or scale it down";
pub(in crate::cli) const IN_BROWSER: &str = "open it in a browser, and use `screen`";
pub(in crate::cli) const SHOW_OR_DRAW: &str =
    "show it on a screen and use `screen`; or have the program write a picture: qrencode -o qr.png";
pub(in crate::cli) const ONE_CELL: &str =
    "copy the cell with the otpauth URI or the secret key, and paste it at the prompt of: vmfa add NAME";
pub(in crate::cli) const ONE_VALUE: &str =
    "copy the otpauth URI or the secret key alone, and paste it at the prompt of: vmfa add NAME";

// It was only looked at.

pub(in crate::cli) const NOTHING_STORED: &str = "nothing was stored; to add it: vmfa add NAME SOURCE";

// A picture has no QR code that enrols.

pub(in crate::cli) const SHARPER: &str = "it was searched enlarged, sharpened, turned and inverted: try a larger or sharper picture with the margin around the code";
pub(in crate::cli) const KEY_INSTEAD: &str =
    "or the secret key as text, which services show as \"can't scan\"; or `screen`, while the code is shown";
pub(in crate::cli) const LONGER: &str = "give it longer, such as `--deadline 20s`, or cut the code out of the picture";
pub(in crate::cli) const ALL_PARTS: &str =
    "give the pictures of all parts, in any order: vmfa add NAME 1.png 2.png; or take one picture with all parts in it";
pub(in crate::cli) const PARTS_OF_ONE: &str = "give the pictures of all parts of one text, and no others";
pub(in crate::cli) const RIGHT_ONE: &str =
    "the service shows the right one where it sets up an authenticator app: a QR code, or a secret key";
pub(in crate::cli) const OTHER_APP: &str =
    "where the service offers it, choose another authenticator app (or \"can't scan\"): it shows an otpauth code";

// A secret key can't be right.

pub(in crate::cli) const BASE32: &str =
    "base32 has the letters A to Z and the digits 2 to 7: was 0 an O, 1 an I or L, 8 a B? check the original";
pub(in crate::cli) const HEX: &str = "to read it as hexadecimal: --hex";
pub(in crate::cli) const WITHOUT_OPTIONS: &str =
    "leave it out: a URI, a QR code or an answer of AWS says how codes are made, and for whom";
pub(in crate::cli) const WHOLE_KEY: &str = "a secret key has 16 characters or more: was all of it copied?";
pub(in crate::cli) const ALLOW_SHORT: &str = "to use it all the same: --allow-short";
pub(in crate::cli) const NO_SEED: &str = "AWS shows the secret key only in the answer that creates the device";

// A URI can't be read.

pub(in crate::cli) const TOTP_OR_HOTP: &str = "vmfa reads otpauth://totp/, otpauth://hotp/ and otpauth://steam/";
pub(in crate::cli) const TIME_OFFSET: &str =
    "remove it if the service uses the true time; else add the device without it, then: vmfa drift NAME --set SECONDS";
pub(in crate::cli) const RENAME_PARAMETER: &str =
    "if it changes the codes, rename it as the format does (algorithm, digits, period); if not, remove it";
pub(in crate::cli) const SEPARATE: &str = "put a `?` before the first parameter, and an `&` between the others";
pub(in crate::cli) const ESCAPE: &str = "separate parameters by `&`, and write a `#` in a name as %23";
pub(in crate::cli) const PERIOD: &str = "most services use 30 s, a few 60 s: set `period=30`, or leave it out";
pub(in crate::cli) const COUNTER: &str =
    "for a new device, add `&counter=0` to the URI; else the counter that the service expects next";

pub(in crate::cli) const STEAM: &str =
    "if its codes are Steam Guard's, remove that from the URI; if not, give it another issuer, and no Steam elsewhere";

// Its codes are made in another way.

pub(in crate::cli) const YANDEX: &str = "Yandex's own app, Aegis and Stratum ask for the PIN";
pub(in crate::cli) const TWO_STEP: &str = "ask the administrator to enrol it without two-step enrolment";

// It has several enrolments, or lines that are none.

pub(in crate::cli) const PICK: &str = "to choose one on the terminal: --pick";
pub(in crate::cli) const ONE_LINE: &str = "leave one line of that account in the source";

pub(in crate::cli) fn account(name: &str) -> String {
    format!("--account '{}'", name.replace('\'', r"'\''"))
}

/// Takes the lines with otpauth URIs out of any text.
pub(in crate::cli) const GREP: &str = "only the lines that have one: grep -o 'otpauth://.*' FILE | vmfa add NAME -";

// It is another program's export.

pub(in crate::cli) const IMPORT: &str = "for all of its accounts: vmfa import FILE; to see them first, with --dry-run";
pub(in crate::cli) const JQ: &str =
    "its otpauth URIs: jq -r '.. | strings | select(startswith(\"otpauth://\"))' FILE | vmfa add NAME/ -";
pub(in crate::cli) const JQ_FIELD: &str = "if it has the secret key in a field: jq -r .FIELD FILE | vmfa add NAME -";
pub(in crate::cli) const CSV: &str = "its otpauth URIs: grep -o 'otpauth://[^,\"]*' FILE | vmfa add NAME/ -";
pub(in crate::cli) const BROWSER_EXTENSION: &str =
    "one account: jq -r '.[].secret' FILE | head -1 | vmfa add NAME - (if it has 6 digits, 30 s and SHA1)";
pub(in crate::cli) const IN_THE_APP: &str = "show an account's QR code or secret key in the app, and add that";
pub(in crate::cli) const KEE_PASS: &str = "one entry: keepassxc-cli show -s -a otp DATABASE ENTRY | vmfa add NAME -";
pub(in crate::cli) const XML: &str = "vmfa reads the XML with which AWS answers CreateVirtualMFADevice";

// It is encrypted.

pub(in crate::cli) const GPG: &str = "gpg -d FILE | vmfa add NAME -";
pub(in crate::cli) const AGE: &str = "age -d -i IDENTITY FILE | vmfa add NAME -";
pub(in crate::cli) const DECRYPT: &str = "decrypt it first, and pipe the result: … | vmfa add NAME -";
