//! The program: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    uppsikt::cli::run(uppsikt::cli::Arguments::parse())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        <uppsikt::cli::Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
