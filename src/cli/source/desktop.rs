//! Clipboard and screen.

use zeroize::Zeroizing;

use super::search::Search;
use crate::cli::error::{Error, Result};
use crate::cli::hints;
use crate::cli::progress::searching;
use crate::provision::{self, Found};

/// An image on the clipboard, else text.
pub(super) fn clipboard(search: &Search) -> Result<Found> {
    let unavailable = |error: arboard::Error| match error {
        arboard::Error::ContentNotAvailable => {
            Error::input("clipboard-empty", "the clipboard holds neither an image nor text")
        }
        error => {
            Error::input("clipboard", format!("the clipboard can't be read: {error}")).hint(hints::sources::DISPLAY)
        }
    };
    #[cfg(target_os = "linux")]
    if no_display() {
        return Err(Error::input("clipboard", format!("the clipboard can't be read: {NO_DISPLAY}"))
            .hint(hints::sources::WITHOUT_DISPLAY));
    }
    let mut clipboard = arboard::Clipboard::new().map_err(unavailable)?;
    match clipboard.get_image() {
        Ok(image) => {
            let pixels = Zeroizing::new(image.bytes.into_owned());
            let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
            searching(|| provision::read_pixels(side(image.width), side(image.height), &pixels, &search.limits()))
                .map_err(|error| Error::from(error).about("clipboard"))
        }
        // Whatever the reason, an image it isn't: some owners of text answer for an image with nonsense.
        Err(_) => {
            let text = Zeroizing::new(clipboard.get_text().map_err(unavailable)?);
            provision::read(text.as_bytes(), &search.limits()).map_err(|error| Error::from(error).about("clipboard"))
        }
    }
}

/// All monitors.
pub(super) fn screen(search: &Search) -> Result<Found> {
    let shots = shots()?;
    let mut found = Found::default();
    let mut first_error = None;
    for shot in shots {
        let read = match shot {
            #[cfg(target_os = "linux")]
            Shot::Pixels { width, height, rgba } => {
                searching(|| provision::read_pixels(width, height, &rgba, &search.limits()))
            }
            #[cfg(target_os = "linux")]
            Shot::File(bytes) => searching(|| provision::read(&bytes, &search.limits())),
        };
        match read {
            Ok(one) => found.absorb(one),
            // A monitor without a code is no error where another one has it.
            Err(
                error @ (provision::Error::NoQrCode | provision::Error::QrTimeUp | provision::Error::NotOtpauth { .. }),
            ) => {
                first_error.get_or_insert(error);
            }
            Err(error) => return Err(Error::from(error).about("screen")),
        }
    }
    match (found.enrolments.is_empty(), first_error) {
        (true, error) => Err(Error::from(error.unwrap_or(provision::Error::NoQrCode)).about("screen")),
        (false, _) => Ok(found),
    }
}

/// A picture of a monitor, or of all of them.
#[derive(Debug)]
enum Shot {
    #[cfg(target_os = "linux")]
    Pixels { width: u32, height: u32, rgba: Zeroizing<Vec<u8>> },
    #[cfg(target_os = "linux")]
    File(Zeroizing<Vec<u8>>),
}

fn no_screen(reason: impl std::fmt::Display) -> Error {
    Error::input("screen", format!("the screen can't be read: {reason}")).hint(hints::sources::WITHOUT_SCREEN)
}

#[cfg(not(target_os = "linux"))]
fn shots() -> Result<Vec<Shot>> {
    Err(no_screen("on this platform vmfa takes no pictures of it"))
}

#[cfg(target_os = "linux")]
fn shots() -> Result<Vec<Shot>> {
    use crate::cli::environment::variable;
    if variable("WAYLAND_DISPLAY").is_some() {
        return Ok(vec![linux::portal()?]);
    }
    if variable("DISPLAY").is_some() {
        return linux::x11();
    }
    Err(no_screen(NO_DISPLAY))
}

#[cfg(target_os = "linux")]
const NO_DISPLAY: &str = "there is no display (neither WAYLAND_DISPLAY nor DISPLAY is set)";

#[cfg(target_os = "linux")]
fn no_display() -> bool {
    use crate::cli::environment::variable;
    variable("WAYLAND_DISPLAY").or_else(|| variable("DISPLAY")).is_none()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;
    use std::time::Duration;

    use x11rb::connection::Connection as _;
    use x11rb::protocol::randr::ConnectionExt as _;
    use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, ImageOrder};
    use zeroize::Zeroizing;
    use zvariant::{OwnedObjectPath, OwnedValue, Value};

    use super::{Result, Shot, no_screen};
    use crate::bus::{self, BUS, Bus, Place};
    use crate::provision::Limits;
    use crate::time::Deadline;

    const PORTAL: &str = "org.freedesktop.portal.Desktop";
    const SCREENSHOT: Place<'static> =
        Place { name: PORTAL, path: "/org/freedesktop/portal/desktop", interface: "org.freedesktop.portal.Screenshot" };
    const REQUEST: &str = "org.freedesktop.portal.Request";
    const RESPONSE: &str = "Response";
    /// How long a person may take to allow it.
    const PATIENCE: Duration = Duration::from_secs(600);

    /// The desktop portal asks the person where the desktop wants that; the file it leaves is removed.
    pub(super) fn portal() -> Result<Shot> {
        let uri = uri_of_shot().map_err(|error| no_screen(format!("the desktop portal: {error}")))?;
        let uri = uri.ok_or_else(|| no_screen("the desktop portal gave no picture"))?;
        let path = uri
            .strip_prefix("file://")
            .map(|path| percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned());
        let path = path.ok_or_else(|| no_screen("the desktop portal named no file"))?;
        let bytes = std::fs::read(&path).map(Zeroizing::new);
        let _ = std::fs::remove_file(&path);
        bytes.map(Shot::File).map_err(|error| no_screen(format!("{path}: {error}")))
    }

    /// Where the portal put a picture of the screen (interface `org.freedesktop.portal.Screenshot`, versions 1 and 2); `None`
    /// where it took none, because the person said no or the desktop can't.
    fn uri_of_shot() -> std::result::Result<Option<String>, bus::Error> {
        let mut bus = Bus::connect(Deadline::after(PATIENCE))?;
        let rule = format!("type='signal',sender='{PORTAL}',interface='{REQUEST}',member='{RESPONSE}'");
        bus.call(BUS, "AddMatch", &(rule,))?;
        let options = HashMap::from([("modal", Value::from(false)), ("interactive", Value::from(false))]);
        let asked = bus.call(SCREENSHOT, "Screenshot", &("", options))?;
        let request: OwnedObjectPath = asked.body()?;
        let from = Place { name: PORTAL, path: request.as_str(), interface: REQUEST };
        loop {
            let response = bus.signal(from, RESPONSE)?;
            if response.sender() == asked.sender() {
                let (refused, results): (u32, HashMap<String, OwnedValue>) = response.body()?;
                let uri = results.get("uri").and_then(|uri| String::try_from(uri.clone()).ok());
                return Ok(uri.filter(|_| refused == 0));
            }
        }
    }

    /// Each monitor that RandR knows; the whole root window where it knows none.
    pub(super) fn x11() -> Result<Vec<Shot>> {
        let (connection, number) = x11rb::connect(None).map_err(no_screen)?;
        let setup = connection.setup();
        let screen = setup.roots.get(number).ok_or_else(|| no_screen("the display has no such screen"))?;
        let monitors = connection
            .randr_get_monitors(screen.root, true)
            .ok()
            .and_then(|cookie| cookie.reply().ok())
            .map(|reply| reply.monitors.iter().map(|m| (m.x, m.y, m.width, m.height)).collect::<Vec<_>>())
            .filter(|monitors| !monitors.is_empty())
            .unwrap_or_else(|| vec![(0, 0, screen.width_in_pixels, screen.height_in_pixels)]);
        let mut shots = Vec::with_capacity(monitors.len());
        for (x, y, width, height) in monitors {
            let pixels = u64::from(width).saturating_mul(height.into());
            if pixels > Limits::default().pixels {
                return Err(no_screen(format!("a monitor of {width}×{height} is too large")));
            }
            let image = connection
                .get_image(ImageFormat::Z_PIXMAP, screen.root, x, y, width, height, !0)
                .map_err(no_screen)?
                .reply()
                .map_err(no_screen)?;
            let bits = setup.pixmap_formats.iter().find(|format| format.depth == image.depth);
            if bits.is_none_or(|format| format.bits_per_pixel != 32) || !matches!(image.depth, 24 | 32) {
                return Err(no_screen(format!("its depth of {} bits isn't read", image.depth)));
            }
            let mut rgba = Zeroizing::new(image.data);
            let most_significant_first = setup.image_byte_order == ImageOrder::MSB_FIRST;
            for pixel in rgba.as_chunks_mut::<4>().0 {
                let [a, b, c, d] = *pixel;
                *pixel = if most_significant_first { [b, c, d, 255] } else { [c, b, a, 255] };
            }
            shots.push(Shot::Pixels { width: width.into(), height: height.into(), rgba });
        }
        Ok(shots)
    }
}
