//! The program `vmfa`.

fn main() -> std::process::ExitCode {
    vmfa::cli::main()
}
