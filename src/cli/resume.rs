//! Where answers go, and how many a run that broke off has left there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write};
use std::path::Path;

use anyhow::Context as _;

/// How the line begins that tells of a packed file's bad end: it answers no record.
const NO_RECORD: &[u8] = b"{\"id\":null,\"line\":null,";
/// The same, as a map in order of its keys is written.
const NO_RECORD_SORTED: &[u8] = b"{\"error\":";

/// What answers an earlier run left in the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Records that are answered.
    pub records: u64,
    /// How many of them could not be read.
    pub malformed: u64,
}

/// Opens the output. With `resume` a file that is there is kept up to its last whole line, and what
/// is answered in it comes along.
///
/// # Errors
/// The file cannot be opened, read or cut, or it is the very file that is being read.
pub fn output(
    file: Option<&Path>,
    resume: bool,
    input: &Path,
) -> anyhow::Result<(Box<dyn Write>, Answered)> {
    let nothing = Answered::default();
    let Some(path) = file else { return Ok((Box::new(io::stdout().lock()), nothing)) };
    anyhow::ensure!(
        !is_same_file(path, input),
        "{} är den fil som läses. Välj en annan fil för svaren.",
        path.display()
    );
    let cannot = || format!("{} kan inte skrivas", path.display());
    if !resume {
        return Ok((Box::new(File::create(path).with_context(cannot)?), nothing));
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(cannot)?;
    let (answered, length) = answered(&file).with_context(cannot)?;
    file.set_len(length).with_context(cannot)?;
    file.seek(SeekFrom::End(0)).with_context(cannot)?;
    if answered.records > 0 {
        let (n, path) = (answered.records, path.display());
        eprintln!("Fortsätter efter {n} poster som redan har svar i {path}.");
    }
    Ok((Box::new(file), answered))
}

/// Whether both names, links followed, lead to one file.
fn is_same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let of = |path: &Path| std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()));
    of(a).is_some_and(|a| of(b) == Some(a)) && a.is_file()
}

/// Which records have whole answers, and how many bytes these take.
fn answered(file: &File) -> io::Result<(Answered, u64)> {
    let mut lines = BufReader::with_capacity(1 << 18, file);
    let (mut answered, mut length, mut line) = (Answered::default(), 0, Vec::new());
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line)?;
        let is_of_file = line.starts_with(NO_RECORD)
            || line.starts_with(NO_RECORD_SORTED) && line.ends_with(b"\"line\":null}\n");
        if line.last() != Some(&b'\n') || is_of_file {
            return Ok((answered, length));
        }
        answered.records += 1;
        answered.malformed += u64::from(line.starts_with(NO_RECORD_SORTED));
        length += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_answer_is_cut_away_and_the_whole_ones_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("svar.jsonl");
        for (before, records, malformed, kept) in [
            ("", 0, 0, ""),
            ("{\"id\":1}\n{\"id\":2}\n", 2, 0, "{\"id\":1}\n{\"id\":2}\n"),
            ("{\"id\":1}\n{\"id\":2,\"lab", 1, 0, "{\"id\":1}\n"),
            ("{\"id\":1}\n{\"error\":\"x\",\"id\":null,\"line\":null}\n", 1, 0, "{\"id\":1}\n"),
            (
                "{\"error\":\"x\",\"id\":null,\"line\":3}\n",
                1,
                1,
                "{\"error\":\"x\",\"id\":null,\"line\":3}\n",
            ),
        ] {
            std::fs::write(&path, before).unwrap();
            let (mut out, answered) = output(Some(&path), true, Path::new("-")).unwrap();
            assert_eq!(answered, Answered { records, malformed }, "{before}");
            out.write_all(b"mer\n").unwrap();
            drop(out);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{kept}mer\n"));
        }
        let (out, answered) = output(Some(&path), false, Path::new("-")).unwrap();
        drop(out);
        let left = std::fs::read(&path).unwrap().len();
        assert_eq!((answered, left), (Answered::default(), 0));
    }

    #[test]
    fn the_file_that_is_read_is_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let (dump, link) = (folder.path().join("dump.jsonl"), folder.path().join("svar.jsonl"));
        std::fs::write(&dump, "{\"text\":\"hej\"}\n").unwrap();
        std::os::unix::fs::symlink(&dump, &link).unwrap();
        for (out, resume) in [(&dump, false), (&dump, true), (&link, false), (&link, true)] {
            let refused = output(Some(out), resume, &dump).err().expect("refused").to_string();
            assert!(refused.ends_with("Välj en annan fil för svaren."), "{refused}");
        }
        assert_eq!(std::fs::read_to_string(&dump).unwrap(), "{\"text\":\"hej\"}\n");
    }
}
