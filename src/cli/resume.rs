//! Where answers go, and how many a run that broke off has left there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write};
use std::path::Path;

use anyhow::Context as _;

/// How the line begins that tells of a packed file's bad end: it answers no record.
const NO_RECORD: &[u8] = b"{\"id\":null,\"line\":null,";
/// The same, as a map in order of its keys is written.
const NO_RECORD_SORTED: &[u8] = b"{\"error\":";

/// Opens the output. With `resume` a file that is there is kept up to its last whole line, and the
/// number of records that are answered in it comes along.
///
/// # Errors
/// The file cannot be opened, read or cut.
pub fn output(file: Option<&Path>, resume: bool) -> anyhow::Result<(Box<dyn Write>, u64)> {
    let Some(path) = file else { return Ok((Box::new(io::stdout().lock()), 0)) };
    let cannot = || format!("{} kan inte skrivas", path.display());
    if !resume {
        return Ok((Box::new(File::create(path).with_context(cannot)?), 0));
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(cannot)?;
    let (n, length) = answered(&file).with_context(cannot)?;
    file.set_len(length).with_context(cannot)?;
    file.seek(SeekFrom::End(0)).with_context(cannot)?;
    if n > 0 {
        eprintln!("Fortsätter efter {n} poster som redan har svar i {}.", path.display());
    }
    Ok((Box::new(file), n))
}

/// How many records have whole answers, and how many bytes these take.
fn answered(file: &File) -> io::Result<(u64, u64)> {
    let mut lines = BufReader::with_capacity(1 << 18, file);
    let (mut n, mut length, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line)?;
        let is_of_file = line.starts_with(NO_RECORD)
            || line.starts_with(NO_RECORD_SORTED) && line.ends_with(b"\"line\":null}\n");
        if line.last() != Some(&b'\n') || is_of_file {
            return Ok((n, length));
        }
        (n, length) = (n + 1, length + read as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_answer_is_cut_away_and_the_whole_ones_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("svar.jsonl");
        for (before, n, kept) in [
            ("", 0, ""),
            ("{\"id\":1}\n{\"id\":2}\n", 2, "{\"id\":1}\n{\"id\":2}\n"),
            ("{\"id\":1}\n{\"id\":2,\"lab", 1, "{\"id\":1}\n"),
            ("{\"id\":1}\n{\"error\":\"x\",\"id\":null,\"line\":null}\n", 1, "{\"id\":1}\n"),
            (
                "{\"error\":\"x\",\"id\":null,\"line\":3}\n",
                1,
                "{\"error\":\"x\",\"id\":null,\"line\":3}\n",
            ),
        ] {
            std::fs::write(&path, before).unwrap();
            let (mut out, answered) = output(Some(&path), true).unwrap();
            assert_eq!(answered, n, "{before}");
            out.write_all(b"mer\n").unwrap();
            drop(out);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{kept}mer\n"));
        }
        let (out, answered) = output(Some(&path), false).unwrap();
        drop(out);
        assert_eq!((answered, std::fs::read(&path).unwrap().len()), (0, 0));
    }
}
