use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use serde::Serialize;
use terminal_size::{Height, Width};
use zeroize::Zeroizing;

use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, environment, hints, private_file};
use crate::provision::draw::Drawing;
use crate::provision::uri;

use super::uri::{ask_for_reveal, of_device};

/// Show a device's QR code, to add it to another authenticator
///
/// It holds the secret, readable by every camera. It is drawn on the terminal, or written as PNG or SVG to a new file that
/// only you can read.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("form").args(["png", "svg"])))]
#[command(after_help = "\
Examples:
  vmfa qr alice                           # on the terminal
  vmfa qr alice --png alice.png")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    /// Write a PNG to this file; `-` for stdout
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Write an SVG to this file; `-` for stdout
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The width of a module of the PNG, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 6, requires = "png",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(Drawing::MOST_PIXELS)))]
    scale: u32,
    /// Write the secret even if stdout is not a terminal
    #[arg(long)]
    reveal: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Written {
    device: String,
    file: String,
}

impl Answer for Written {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "wrote {}: anybody who reads it has the secret of {}", plain(&self.file), plain(&self.device))
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Drawn {
    device: String,
    #[cfg_attr(test, schemars(with = "String"))]
    text: Zeroizing<String>,
}

impl Answer for Drawn {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.text.as_bytes())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let file = self.png.as_ref().or(self.svg.as_ref());
        match file {
            Some(path) if path.as_os_str() != "-" => {
                let image = self.image(&drawing(&uri::format(&of_device(global, &self.device)?))?)?;
                private_file::write(path, &image, false)?;
                let answer = Written { device: self.device.clone(), file: path.display().to_string() };
                render::print(&answer, global.json)
            }
            Some(_) if self.png.is_some() && io::stdout().is_terminal() => {
                Err(Error::usage("a terminal can't show a PNG").hint(hints::usage::NAME_PNG))
            }
            Some(_) => {
                ask_for_reveal(self.reveal)?;
                let image = self.image(&drawing(&uri::format(&of_device(global, &self.device)?))?)?;
                render::answer(|out| out.write_all(&image))
            }
            None => {
                ask_for_reveal(self.reveal)?;
                let colours = io::stdout().is_terminal() && environment::text("TERM").as_deref() != Some("dumb");
                let text = self.text(global, colours)?;
                render::print(&Drawn { device: self.device.clone(), text }, global.json)
            }
        }
    }

    /// For the terminal. One that is too low for the full URI, with a line for the shell's next prompt, gets its short
    /// form; one that is too small for that too, a narrower margin.
    fn text(&self, global: &Global, colours: bool) -> Result<Zeroizing<String>> {
        let enrolment = of_device(global, &self.device)?;
        let full = drawing(&uri::format(&enrolment))?;
        let size = terminal_size::terminal_size();
        let Some((Width(columns @ 1..), Height(rows @ 1..))) = size else {
            return Ok(full.to_terminal(colours, Drawing::QUIET));
        };
        let short = drawing(&uri::format_short(&enrolment))?;
        let forms = [
            (&full, Drawing::QUIET),
            (&short, Drawing::QUIET),
            (&full, Drawing::LEAST_QUIET),
            (&short, Drawing::LEAST_QUIET),
        ];
        let fits = |(form, quiet): &&(&Drawing, usize)| {
            let (wide, high) = form.terminal_size(*quiet);
            wide <= usize::from(columns) && high < usize::from(rows)
        };
        if let Some((form, quiet)) = forms.iter().find(fits) {
            return Ok(form.to_terminal(colours, *quiet));
        }
        let (wide, high) = short.terminal_size(Drawing::LEAST_QUIET);
        let needed = high.saturating_add(1);
        let message = format!("the code needs {wide} columns and {needed} rows; the terminal has {columns} and {rows}");
        Err(Error::new(Kind::Usage, "terminal-size", message).hint(hints::usage::ENLARGE))
    }

    fn image(&self, drawing: &Drawing) -> Result<Zeroizing<Vec<u8>>> {
        if self.svg.is_some() {
            return Ok(Zeroizing::new(drawing.to_svg().as_bytes().to_vec()));
        }
        drawing.to_png(self.scale).map_err(drawing_failed)
    }
}

fn drawing(uri: &str) -> Result<Drawing> {
    Drawing::new(uri).map_err(drawing_failed)
}

fn drawing_failed(error: crate::provision::draw::Error) -> Error {
    Error::new(Kind::Usage, "drawing", error.to_string()).hint(hints::usage::AS_URI)
}

#[cfg(test)]
crate::cli::schema::answers! {
    "qr": Written, Drawn;
}
