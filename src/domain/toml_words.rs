//! What a reader of TOML says of a broken file, in Swedish.

/// The parser's faults in Swedish, each with a mend. The parser names kinds of characters, never
/// what was written.
pub fn syntax(message: &str) -> &'static str {
    let head = message.split(", expected").next().unwrap_or(message);
    match head {
        "duplicate key" => "nyckeln eller avsnittet står två gånger: ta bort det ena",
        "string values must be quoted" => {
            "värdet saknas eller är en text utan citattecken: skriv `nyckel = \"värde\"`"
        }
        "key with no value" | "missing value for key" | "missing value" => {
            "värde saknas efter nyckeln: skriv `nyckel = värde`"
        }
        "missing assignment between key-value pairs" => "`=` saknas: skriv `nyckel = värde`",
        "extra `=`" | "extra assignment between key-value pairs" => {
            "ett `=` för mycket: skriv `nyckel = värde`"
        }
        "unclosed table" | "unclosed array table" | "missing table open" => {
            "avsnittets rubrik är inte avslutad: skriv `[namn]` eller `[[namn]]`"
        }
        "unclosed array" => "listan är inte avslutad: skriv `]` sist",
        "unclosed inline table" => "`{` är inte avslutad: skriv `}` sist",
        "missing comma between array elements" => "komma saknas mellan två värden i listan",
        "missing comma between key-value pairs" => "komma saknas mellan två värden inom `{ }`",
        "invalid basic string" | "invalid literal string" | "invalid multi-line basic string" => {
            "texten är inte avslutad på samma rad, eller innehåller styrtecken: kontrollera citattecknen"
        }
        "missing opening quote" => "ett citattecken saknas i början av texten",
        "missing escaped value" | "too few unicode value digits" => {
            "omvänt snedstreck inom \"…\" måste skrivas dubbelt: `\\\\`"
        }
        "invalid unquoted key" | "unquoted keys cannot be empty" => {
            "nyckeln får bara ha bokstäverna a–z, siffror, `_` och `-`"
        }
        "unexpected leading zero" => "talet får inte börja med noll",
        "unexpected key or value" | "unexpected content" => {
            "raden har något efter värdet: en nyckel per rad, kommentarer efter `#`"
        }
        "recursion limit" | "cannot recurse further; max recursion depth met" => {
            "hakparenteser eller klamrar ligger i varandra i för många led: ta bort några"
        }
        _ => "raden går inte att läsa: jämför med en rad som stämmer",
    }
}
