//! The program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match uppsikt::cli::parse(std::env::args_os()) {
        Ok(arguments) => uppsikt::cli::run(arguments),
        Err(code) => code,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        <uppsikt::cli::Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
