//! What a file is, told by its first bytes: never by its name, and never by what a server calls it.

/// What sort of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A picture that is drawn dot by dot.
    Picture,
    /// Moving pictures, with sound or without.
    Video,
    /// Sound alone.
    Sound,
    /// A document.
    Document,
}

impl Family {
    /// The Swedish word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Picture => "bild",
            Self::Video => "film",
            Self::Sound => "ljud",
            Self::Document => "dokument",
        }
    }
}

/// A kind of file that is kept as an attachment. What can hold a script (SVG, HTML) is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF, moving or not.
    Gif,
    /// WebP, moving or not.
    Webp,
    /// AVIF, which is kept and not drawn.
    Avif,
    /// HEIC of telephones, which is kept and not drawn.
    Heic,
    /// MP4, and what is built like it.
    Mp4,
    /// QuickTime.
    Mov,
    /// WebM and Matroska.
    Webm,
    /// MPEG transport stream.
    MpegTs,
    /// Ogg, sound or film.
    Ogg,
    /// MP3.
    Mp3,
    /// MPEG-4 sound.
    M4a,
    /// WAVE.
    Wav,
    /// FLAC.
    Flac,
    /// PDF.
    Pdf,
}

impl FileKind {
    /// What the bytes are, where they are something that is kept.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let at = |from: usize, word: &[u8]| bytes.get(from..from + word.len()) == Some(word);
        if at(0, b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        if at(0, &[0xFF, 0xD8, 0xFF]) {
            return Some(Self::Jpeg);
        }
        if at(0, b"GIF87a") || at(0, b"GIF89a") {
            return Some(Self::Gif);
        }
        if at(0, b"RIFF") {
            return match bytes.get(8..12)? {
                b"WEBP" => Some(Self::Webp),
                b"WAVE" => Some(Self::Wav),
                _ => None,
            };
        }
        if at(4, b"ftyp") {
            return Some(match bytes.get(8..12)? {
                b"avif" | b"avis" => Self::Avif,
                b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => Self::Heic,
                b"M4A " | b"M4B " => Self::M4a,
                b"qt  " => Self::Mov,
                _ => Self::Mp4,
            });
        }
        if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) {
            return Some(Self::Webm);
        }
        if at(0, b"OggS") {
            return Some(Self::Ogg);
        }
        if at(0, b"fLaC") {
            return Some(Self::Flac);
        }
        if at(0, b"%PDF-") {
            return Some(Self::Pdf);
        }
        // Each packet of a stream is 188 bytes and begins alike.
        if at(0, b"G") && at(188, b"G") && at(376, b"G") {
            return Some(Self::MpegTs);
        }
        if at(0, b"ID3") || is_mp3_frame(bytes) {
            return Some(Self::Mp3);
        }
        None
    }

    /// The media type under which it is kept and handed out.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Heic => "image/heic",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::Webm => "video/webm",
            Self::MpegTs => "video/mp2t",
            Self::Ogg => "application/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/mp4",
            Self::Wav => "audio/wav",
            Self::Flac => "audio/flac",
            Self::Pdf => "application/pdf",
        }
    }

    /// The end of its file name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Avif => "avif",
            Self::Heic => "heic",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
            Self::MpegTs => "ts",
            Self::Ogg => "ogg",
            Self::Mp3 => "mp3",
            Self::M4a => "m4a",
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Pdf => "pdf",
        }
    }

    /// What sort of file it is.
    pub const fn family(self) -> Family {
        match self {
            Self::Png | Self::Jpeg | Self::Gif | Self::Webp | Self::Avif | Self::Heic => {
                Family::Picture
            }
            Self::Mp4 | Self::Mov | Self::Webm | Self::MpegTs => Family::Video,
            Self::Ogg | Self::Mp3 | Self::M4a | Self::Wav | Self::Flac => Family::Sound,
            Self::Pdf => Family::Document,
        }
    }

    /// Whether a small picture of it can be drawn: see `formats::preview`.
    pub const fn is_drawn(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::Webp)
    }

    /// The kind with this media type.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.media_type() == media_type)
    }

    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::Webp,
        Self::Avif,
        Self::Heic,
        Self::Mp4,
        Self::Mov,
        Self::Webm,
        Self::MpegTs,
        Self::Ogg,
        Self::Mp3,
        Self::M4a,
        Self::Wav,
        Self::Flac,
        Self::Pdf,
    ];
}

/// A frame of MPEG sound, layer III: eleven bits of ones, and numbers that mean something.
fn is_mp3_frame(bytes: &[u8]) -> bool {
    let [0xFF, second, third, _, ..] = bytes else { return false };
    let is_sync = second & 0xE0 == 0xE0;
    let version = second >> 3 & 3;
    let layer = second >> 1 & 3;
    let (rate, frequency) = (third >> 4, third >> 2 & 3);
    is_sync && version != 1 && layer == 1 && !matches!(rate, 0 | 15) && frequency != 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        let ftyp = |brand: &[u8; 4]| [b"\0\0\0\x18ftyp", &brand[..], b"\0\0\0\0"].concat();
        let mut stream = vec![0; 400];
        for at in [0, 188, 376] {
            stream[at] = b'G';
        }
        let table: Vec<(Vec<u8>, Option<FileKind>)> = vec![
            (b"\x89PNG\r\n\x1a\n\0\0".to_vec(), Some(FileKind::Png)),
            (vec![0xFF, 0xD8, 0xFF, 0xE0], Some(FileKind::Jpeg)),
            (b"GIF89a\x01\0".to_vec(), Some(FileKind::Gif)),
            (b"RIFF\0\0\0\0WEBPVP8 ".to_vec(), Some(FileKind::Webp)),
            (b"RIFF\0\0\0\0WAVEfmt ".to_vec(), Some(FileKind::Wav)),
            (b"RIFF\0\0\0\0ACONanih".to_vec(), None),
            (ftyp(b"isom"), Some(FileKind::Mp4)),
            (ftyp(b"avif"), Some(FileKind::Avif)),
            (ftyp(b"heic"), Some(FileKind::Heic)),
            (ftyp(b"qt  "), Some(FileKind::Mov)),
            (ftyp(b"M4A "), Some(FileKind::M4a)),
            (vec![0x1A, 0x45, 0xDF, 0xA3, 1], Some(FileKind::Webm)),
            (b"OggS\0".to_vec(), Some(FileKind::Ogg)),
            (b"fLaC\0".to_vec(), Some(FileKind::Flac)),
            (b"ID3\x04".to_vec(), Some(FileKind::Mp3)),
            (vec![0xFF, 0xFB, 0x90, 0x64], Some(FileKind::Mp3)),
            (vec![0xFF, 0xFF, 0xFF, 0xFF], None),
            (stream, Some(FileKind::MpegTs)),
            (b"%PDF-1.7\n".to_vec(), Some(FileKind::Pdf)),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".to_vec(), None),
            (b"<!doctype html><script>alert(1)</script>".to_vec(), None),
            (b"#EXTM3U\n".to_vec(), None),
            (b"PK\x03\x04".to_vec(), None),
            (b"\x1f\x8b\x08\0".to_vec(), None),
            (b"MZ".to_vec(), None),
            (b"G".to_vec(), None),
            (Vec::new(), None),
        ];
        for (bytes, kind) in table {
            assert_eq!(FileKind::of(&bytes), kind, "{:?}", &bytes[..bytes.len().min(16)]);
        }
    }

    #[test]
    fn every_kind_has_a_type_and_an_ending_of_its_own() {
        let types: std::collections::BTreeSet<_> =
            FileKind::ALL.iter().map(|kind| kind.media_type()).collect();
        let endings: std::collections::BTreeSet<_> =
            FileKind::ALL.iter().map(|kind| kind.ending()).collect();
        assert_eq!((types.len(), endings.len()), (FileKind::ALL.len(), FileKind::ALL.len()));
        for kind in FileKind::ALL {
            assert_eq!(FileKind::from_media_type(kind.media_type()), Some(*kind));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let _ = FileKind::of(&bytes);
        }
    }
}
