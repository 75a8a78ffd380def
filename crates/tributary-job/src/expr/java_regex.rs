//! Patterns of Java's `java.util.regex.Pattern`, written for this automaton. Every construct means here what it means
//! there, or is refused by name.
//!
//! One thing no automaton can say: `$` also stands before a line end that ends the text. So it is written as that line
//! end, in a group of its own, which belongs to no match; [`Translation::tails`] lists these groups.

/// `\R`, `.` and `$`: where a line ends.
const LINE_ENDS: &str = r"\n\r\x{85}\x{2028}\x{2029}";

type Result<T, E = String> = std::result::Result<T, E>;

/// The same pattern here.
pub(crate) struct Translation {
    pub(crate) pattern: String,
    /// Our number of each of Java's groups; the first is the whole.
    pub(crate) groups: Vec<usize>,
    /// The groups that hold a line end which `$` stands before.
    pub(crate) tails: Vec<usize>,
    /// Whether there is a `$`.
    pub(crate) ends: bool,
}

/// How the text ends that the pattern is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextEnd {
    /// With no line end.
    Plain,
    /// With one that is a single character.
    Line,
    /// With `\r\n`.
    CrLf,
}

/// Translates a pattern.
///
/// # Errors
/// What is wrong or not supported, in one line.
pub(crate) fn translate(pattern: &str, end: TextEnd) -> Result<Translation> {
    let out = Translation { pattern: String::new(), groups: vec![0], tails: Vec::new(), ends: false };
    let mut java = Java { rest: pattern, end, out, names: Vec::new(), depth: 0 };
    java.alternatives(Flags::default())?;
    match java.rest {
        "" => Ok(java.out),
        _ => Err("a `)` has no `(`".to_owned()),
    }
}

struct Java<'a> {
    rest: &'a str,
    end: TextEnd,
    out: Translation,
    names: Vec<&'a str>,
    depth: usize,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    /// `i`: letters of ASCII in both cases.
    caseless: bool,
    /// `s`: `.` is every character.
    dot_all: bool,
}

/// What a part of a pattern can match.
#[derive(Clone, Copy, Default)]
struct Part {
    /// Nothing at all.
    empty: bool,
    /// Up to a `$`.
    ends: bool,
    /// It is a place, not characters.
    place: bool,
}

/// Groups and classes inside each other.
const DEPTH: usize = 100;

// === impl Java ===

impl<'a> Java<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn push(&mut self, text: &str) {
        self.out.pattern.push_str(text);
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH { Err(format!("more than {DEPTH} parts inside each other")) } else { Ok(()) }
    }

    /// `a|b`, up to the end or a `)`.
    fn alternatives(&mut self, mut flags: Flags) -> Result<Part> {
        self.deeper()?;
        let mut part = self.sequence(&mut flags)?;
        while self.eat("|") {
            self.push("|");
            let other = self.sequence(&mut flags)?;
            part.empty |= other.empty;
            part.ends |= other.ends;
        }
        self.depth -= 1;
        Ok(part)
    }

    fn sequence(&mut self, flags: &mut Flags) -> Result<Part> {
        let mut whole = Part { empty: true, ..Part::default() };
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let begin = self.out.pattern.len();
            let Some(mut part) = self.atom(flags)? else { continue };
            if whole.ends {
                return Err("something behind `$` is not supported".to_owned());
            }
            if let Some((least, most)) = self.quantifier(part, begin)? {
                part.empty |= least == 0;
                part.ends &= most != Some(0);
            }
            whole.empty &= part.empty;
            whole.ends |= part.ends;
        }
        Ok(whole)
    }

    /// `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}` and their lazy forms, behind the part that begins at `begin`.
    fn quantifier(&mut self, part: Part, begin: usize) -> Result<Option<(u32, Option<u32>)>> {
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                let (range, rest) = self.rest[1..].split_once('}').ok_or("a `{` has no `}`")?;
                let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{{{range}}}` is no quantifier"));
                let (least, most) = match range.split_once(',') {
                    None => (number(range)?, Some(number(range)?)),
                    Some((least, "")) => (number(least)?, None),
                    Some((least, most)) => (number(least)?, Some(number(most)?)),
                };
                self.rest = rest;
                self.wrap(begin, &format!("{{{range}}}"));
                return self.behind(part, least, most);
            }
            _ => return Ok(None),
        };
        let sign = self.rest[..1].to_owned();
        self.next();
        self.wrap(begin, &sign);
        self.behind(part, least, most)
    }

    /// Everything since `begin`, repeated.
    fn wrap(&mut self, begin: usize, quantifier: &str) {
        self.out.pattern.insert_str(begin, "(?:");
        self.push(")");
        self.push(quantifier);
    }

    fn behind(&mut self, part: Part, least: u32, most: Option<u32>) -> Result<Option<(u32, Option<u32>)>> {
        let repeats = most.is_none_or(|most| most > 1);
        if part.place {
            return Err("a quantifier behind a place such as `^` or `$` is not supported".to_owned());
        }
        if part.ends && repeats {
            return Err("a repeated `$` is not supported".to_owned());
        }
        if part.empty && repeats {
            return Err("repeating what can be empty is not supported".to_owned());
        }
        if self.eat("?") {
            self.push("?");
        }
        match self.peek() {
            Some('+') => Err("possessive quantifiers are not supported".to_owned()),
            Some('*' | '?' | '{') => Err("two quantifiers in a row are not supported".to_owned()),
            _ => Ok(Some((least, most))),
        }
    }

    /// One character, class, group or place; none if it is but a flag.
    fn atom(&mut self, flags: &mut Flags) -> Result<Option<Part>> {
        let place = Part { empty: true, place: true, ends: false };
        let Some(c) = self.next() else { return Ok(None) };
        match c {
            '.' if flags.dot_all => self.push("(?s:.)"),
            '.' => self.push(&format!("[^{LINE_ENDS}]")),
            '^' => {
                self.push(r"\A");
                return Ok(Some(place));
            }
            '$' => return Ok(Some(self.text_end())),
            '[' => {
                let class = self.class(*flags)?;
                self.push(&class);
            }
            '(' => return self.group(flags),
            '*' | '+' | '?' => return Err(format!("a `{c}` has nothing to repeat")),
            '{' => return Err("a `{` has nothing to repeat: write \\{".to_owned()),
            '\\' => match self.next().ok_or("it ends with a single \\")? {
                'b' | 'B' if self.rest.starts_with('{') => return Err("\\b{…} is not supported".to_owned()),
                c @ ('b' | 'B' | 'A' | 'z') => {
                    self.push(&format!("\\{c}"));
                    return Ok(Some(place));
                }
                'Z' => return Ok(Some(self.text_end())),
                'R' => self.push(&format!(r"(?:\r\n|[{LINE_ENDS}\x0B\f])")),
                'Q' => {
                    let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                    // A quantifier behind it belongs to the last character alone.
                    let last = quoted.char_indices().last();
                    let Some((at, last)) = last else {
                        self.rest = rest;
                        return Ok(None);
                    };
                    for c in quoted[..at].chars() {
                        self.push(&literal(c, *flags));
                    }
                    self.rest = rest;
                    if at > 0 && matches!(self.peek(), Some('*' | '+' | '?' | '{')) {
                        return Err("a quantifier behind \\E is not supported".to_owned());
                    }
                    self.push(&literal(last, *flags));
                }
                c @ '1'..='9' => return Err(format!("back references such as \\{c} are not supported")),
                'k' => return Err("back references such as \\k are not supported".to_owned()),
                c => {
                    let set = self.escape(c, *flags)?;
                    self.push(&set.unwrap_or_else(|c| literal(c, *flags)));
                }
            },
            c => self.push(&literal(c, *flags)),
        }
        Ok(Some(Part::default()))
    }

    /// `$` and `\Z`.
    fn text_end(&mut self) -> Part {
        self.out.ends = true;
        let line_end = match self.end {
            TextEnd::Plain => None,
            TextEnd::Line => Some(format!("[{LINE_ENDS}]")),
            TextEnd::CrLf => Some(r"\r\n".to_owned()),
        };
        if let Some(line_end) = line_end {
            let number = self.out.groups.len() + self.out.tails.len();
            self.out.tails.push(number);
            self.push(&format!("({line_end})?"));
        }
        self.push(r"\z");
        Part { empty: true, ends: true, place: true }
    }

    /// Behind a `(`.
    fn group(&mut self, flags: &mut Flags) -> Result<Option<Part>> {
        let mut inside = *flags;
        if self.eat("?") {
            match self.peek() {
                Some('=' | '!') => return Err("look-ahead is not supported".to_owned()),
                Some('>') => return Err("atomic groups are not supported".to_owned()),
                Some('<') if self.rest.starts_with("<=") || self.rest.starts_with("<!") => {
                    return Err("look-behind is not supported".to_owned());
                }
                Some('<') => {
                    let (name, rest) = self.rest[1..].split_once('>').ok_or("the name of a group has no `>`")?;
                    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic());
                    if !plain || !name.chars().all(|c| c.is_ascii_alphanumeric()) || self.names.contains(&name) {
                        return Err(format!("`{name}` cannot be the name of a group, or is so twice"));
                    }
                    self.names.push(name);
                    self.rest = rest;
                    self.capture();
                }
                _ => {
                    if self.flags(&mut inside)? {
                        *flags = inside;
                        return Ok(None);
                    }
                    self.push("(?:");
                }
            }
        } else {
            self.capture();
        }
        let part = self.alternatives(inside)?;
        if !self.eat(")") {
            return Err("a `(` has no `)`".to_owned());
        }
        self.push(")");
        Ok(Some(part))
    }

    fn capture(&mut self) {
        let number = self.out.groups.len() + self.out.tails.len();
        self.out.groups.push(number);
        self.push("(");
    }

    /// `i`, `s`, `-`; true if they are for the rest of the group, `)`, and not for one of their own, `:`.
    fn flags(&mut self, flags: &mut Flags) -> Result<bool> {
        let mut on = true;
        loop {
            match self.next() {
                Some('i') => flags.caseless = on,
                Some('s') => flags.dot_all = on,
                Some('-') if on => on = false,
                Some(':') => return Ok(false),
                Some(')') => return Ok(true),
                Some(other) => return Err(format!("the flag (?{other}) is not supported")),
                None => return Err("a `(` has no `)`".to_owned()),
            }
        }
    }

    /// A class behind its `[`, up to and with its `]`.
    fn class(&mut self, flags: Flags) -> Result<String> {
        self.deeper()?;
        let mut out = String::from(if self.eat("^") { "[^" } else { "[" });
        let mut some = false;
        loop {
            let c = self.next().ok_or("a `[` has no `]`")?;
            match c {
                ']' if some => break,
                '[' => out += &self.class(flags)?,
                '&' if self.eat("&") => {
                    if !some || matches!(self.peek(), Some(']' | '&')) {
                        return Err("a `&&` needs a class on both sides".to_owned());
                    }
                    out += "&&";
                    continue;
                }
                '\\' => match self.next().ok_or("it ends with a single \\")? {
                    'Q' => return Err("\\Q inside a class is not supported".to_owned()),
                    c => match self.escape(c, flags)? {
                        Ok(set) => out += &set,
                        Err(c) => self.range(c, flags, &mut out)?,
                    },
                },
                c => self.range(c, flags, &mut out)?,
            }
            some = true;
        }
        self.depth -= 1;
        out.push(']');
        Ok(out)
    }

    /// A character of a class, or a range that begins with it.
    fn range(&mut self, low: char, flags: Flags, out: &mut String) -> Result<()> {
        let mut high = low;
        if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
            self.next();
            high = match self.next().ok_or("a `[` has no `]`")? {
                '[' => return Err("a class behind `-` is not supported".to_owned()),
                '\\' => match self.next().map(|c| self.escape(c, flags)).ok_or("it ends with a single \\")?? {
                    Ok(_) => return Err("a class behind `-` is not supported".to_owned()),
                    Err(c) => c,
                },
                c => c,
            };
        }
        if high < low {
            return Err(format!("the range {low}-{high} is the wrong way round"));
        }
        *out += &format!(r"\x{{{:x}}}-\x{{{:x}}}", low as u32, high as u32);
        if flags.caseless {
            let both = (low..=high).take_while(char::is_ascii).filter(char::is_ascii_alphabetic);
            out.extend(both.flat_map(|c| [c.to_ascii_lowercase(), c.to_ascii_uppercase()]));
        }
        Ok(())
    }

    /// What is behind a `\`: a class, or one character.
    fn escape(&mut self, c: char, flags: Flags) -> Result<Result<String, char>> {
        let set = match c {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            's' => r"[ \t\n\x0B\f\r]",
            'S' => r"[^ \t\n\x0B\f\r]",
            'h' => r"[ \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]",
            'H' => r"[^ \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]",
            'v' => r"[\n\x0B\f\r\x{85}\x{2028}\x{2029}]",
            'V' => r"[^\n\x0B\f\r\x{85}\x{2028}\x{2029}]",
            'p' | 'P' => return self.property(c == 'P', flags).map(Ok),
            't' => return Ok(Err('\t')),
            'n' => return Ok(Err('\n')),
            'r' => return Ok(Err('\r')),
            'f' => return Ok(Err('\x0C')),
            'a' => return Ok(Err('\x07')),
            'e' => return Ok(Err('\x1B')),
            'x' | 'u' => return self.code_point(c).map(Err),
            c if c.is_ascii_alphanumeric() => return Err(format!("\\{c} is not supported here")),
            c => return Ok(Err(c)),
        };
        Ok(Ok(set.to_owned()))
    }

    /// `\xhh`, `\x{h…}` or `\uhhhh`.
    fn code_point(&mut self, kind: char) -> Result<char> {
        let wrong = || format!("\\{kind} needs the code of a character, in hexadecimal");
        let braced = kind == 'x' && self.eat("{");
        let length = if braced { self.rest.find('}') } else { Some(if kind == 'x' { 2 } else { 4 }) };
        let digits = length.and_then(|length| self.rest.get(..length)).ok_or_else(wrong)?;
        if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        self.rest = &self.rest[digits.len() + usize::from(braced)..];
        u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).ok_or_else(wrong)
    }

    /// `\p{…}` or `\pL`: the classes of POSIX, in ASCII; general categories and scripts of Unicode.
    fn property(&mut self, negated: bool, flags: Flags) -> Result<String> {
        let name = if self.eat("{") {
            let (name, rest) = self.rest.split_once('}').ok_or("a `{` has no `}`")?;
            self.rest = rest;
            name
        } else {
            let length = self.peek().map_or(0, char::len_utf8);
            let (name, rest) = self.rest.split_at(length);
            self.rest = rest;
            name
        };
        if flags.caseless {
            return Err(format!("\\p{{{name}}} together with (?i) is not supported"));
        }
        let not = if negated { "^" } else { "" };
        let ascii = match name {
            "Lower" => "a-z",
            "Upper" => "A-Z",
            "ASCII" => r"\x00-\x7F",
            "Alpha" => "a-zA-Z",
            "Digit" => "0-9",
            "Alnum" => "a-zA-Z0-9",
            "Punct" => r"!-/:-@\[-`{-~",
            "Graph" => "!-~",
            "Print" => " -~",
            "Blank" => r" \t",
            "Cntrl" => r"\x00-\x1F\x7F",
            "XDigit" => "0-9a-fA-F",
            "Space" => r" \t\n\x0B\f\r",
            _ => "",
        };
        if !ascii.is_empty() {
            return Ok(format!("[{not}{ascii}]"));
        }
        const CATEGORIES: &[&str] = &[
            "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps",
            "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "Cc", "Cf", "Co",
        ];
        let named = name.strip_prefix("Is").unwrap_or(name);
        if CATEGORIES.contains(&named) {
            return Ok(format!(r"[{not}\p{{gc={named}}}]"));
        }
        let script = name.starts_with("Is").then(|| format!(r"[{not}\p{{sc={named}}}]"));
        match script.filter(|_| named.chars().all(|c| c.is_ascii_alphabetic() || c == '_')) {
            Some(script) if regex::Regex::new(&script).is_ok() => Ok(script),
            _ => Err(format!("\\p{{{name}}} is not supported")),
        }
    }
}

/// A character as itself.
fn literal(c: char, flags: Flags) -> String {
    if flags.caseless && c.is_ascii_alphabetic() {
        return format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase());
    }
    regex::escape(c.encode_utf8(&mut [0; 4]))
}
