//! Values of AMF 0 (Adobe, "Action Message Format -- AMF 0", December 2007), which RTMP's commands are made of. Knows no
//! command.

use super::Malformed;
use std::fmt;

/// How deep values may lie in each other; commands of encoders reach 3.
const DEEPEST: u8 = 8;
/// Values of one message; the longest `onMetaData` seen has 30.
const MOST: u16 = 512;

/// One value. Dates are numbers, XML is text; undefined is null.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// A double.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// UTF-8; what is none is made so.
    Text(String),
    /// Names and their values, in order. ECMA arrays, too.
    Object(Vec<(String, Value)>),
    /// Nothing.
    Null,
    /// A strict array.
    List(Vec<Value>),
}

impl fmt::Debug for Value {
    /// Texts stay out of it: one of them is the stream key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Text(text) => write!(f, "[text of {}]", text.len()),
            Self::Object(members) => f.debug_map().entries(members.iter().map(|(name, value)| (name, value))).finish(),
            Self::Null => f.write_str("null"),
            Self::List(values) => f.debug_list().entries(values).finish(),
        }
    }
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An object of these members.
    #[must_use]
    pub fn object<const N: usize>(members: [(&str, Value); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A member of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(members) => members.iter().find(|(found, _)| found == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Writes it.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => {
                out.push(0);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Self::Boolean(truth) => out.extend_from_slice(&[1, u8::from(*truth)]),
            Self::Text(text) => match u16::try_from(text.len()) {
                Ok(len) => {
                    out.push(2);
                    out.extend_from_slice(&len.to_be_bytes());
                    out.extend_from_slice(text.as_bytes());
                }
                Err(_) => {
                    out.push(12);
                    out.extend_from_slice(&(text.len() as u32).to_be_bytes());
                    out.extend_from_slice(text.as_bytes());
                }
            },
            Self::Object(members) => {
                out.push(3);
                for (name, value) in members {
                    out.extend_from_slice(&(name.len() as u16).to_be_bytes());
                    out.extend_from_slice(name.as_bytes());
                    value.write(out);
                }
                out.extend_from_slice(&[0, 0, 9]);
            }
            Self::Null => out.push(5),
            Self::List(values) => {
                out.push(10);
                out.extend_from_slice(&(values.len() as u32).to_be_bytes());
                for value in values {
                    value.write(out);
                }
            }
        }
    }
}

/// All values of a message.
///
/// # Errors
/// Where it ends inside a value, nests deeper than 8, has more than 512 values or one of a type that nobody sends.
pub fn read(mut bytes: &[u8]) -> Result<Vec<Value>, Malformed> {
    let mut left = MOST;
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(value(&mut bytes, DEEPEST, &mut left)?);
    }
    Ok(values)
}

fn value(bytes: &mut &[u8], depth: u8, left: &mut u16) -> Result<Value, Malformed> {
    *left = left.checked_sub(1).ok_or(Malformed::Amf)?;
    let inner = depth.checked_sub(1);
    let [kind] = take(bytes)?;
    Ok(match kind {
        0 => Value::Number(f64::from_be_bytes(take(bytes)?)),
        1 => Value::Boolean(take::<1>(bytes)? != [0]),
        2 => Value::Text(short_text(bytes)?),
        3 => Value::Object(members(bytes, inner.ok_or(Malformed::Amf)?, left)?),
        5 | 6 | 13 => Value::Null,
        8 => {
            // How many there are is a hint only; the end counts.
            take::<4>(bytes)?;
            Value::Object(members(bytes, inner.ok_or(Malformed::Amf)?, left)?)
        }
        10 => {
            let (count, inner) = (u32::from_be_bytes(take(bytes)?), inner.ok_or(Malformed::Amf)?);
            let mut values = Vec::new();
            for _ in 0..count {
                values.push(value(bytes, inner, left)?);
            }
            Value::List(values)
        }
        11 => {
            let number = f64::from_be_bytes(take(bytes)?);
            // The time zone, which must be 0.
            take::<2>(bytes)?;
            Value::Number(number)
        }
        12 | 15 => {
            let len = u32::from_be_bytes(take(bytes)?) as usize;
            Value::Text(text(bytes, len)?)
        }
        _ => return Err(Malformed::Amf),
    })
}

fn members(bytes: &mut &[u8], depth: u8, left: &mut u16) -> Result<Vec<(String, Value)>, Malformed> {
    let mut members = Vec::new();
    loop {
        let name = short_text(bytes)?;
        if name.is_empty() && bytes.first() == Some(&9) {
            *bytes = &bytes[1..];
            return Ok(members);
        }
        members.push((name, value(bytes, depth, left)?));
    }
}

fn short_text(bytes: &mut &[u8]) -> Result<String, Malformed> {
    let len = u16::from_be_bytes(take(bytes)?);
    text(bytes, len.into())
}

fn text(bytes: &mut &[u8], len: usize) -> Result<String, Malformed> {
    let (text, rest) = bytes.split_at_checked(len).ok_or(Malformed::Amf)?;
    *bytes = rest;
    Ok(String::from_utf8_lossy(text).into_owned())
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or(Malformed::Amf)?;
    *bytes = rest;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        value.write(&mut out);
        out
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            (-1e9..1e9).prop_map(Value::Number),
            any::<bool>().prop_map(Value::Boolean),
            ".{0,20}".prop_map(Value::Text),
            Just(Value::Null),
        ];
        leaf.prop_recursive(3, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::vec(("[a-z]{1,8}", inner), 0..5).prop_map(Value::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in prop::collection::vec(any_value(), 0..4)) {
            let bytes: Vec<u8> = values.iter().flat_map(written).collect();
            prop_assert_eq!(read(&bytes).unwrap(), values);
            // Cut anywhere it is an error or fewer values, never a panic.
            for len in 0..bytes.len() {
                let _ = read(&bytes[..len]);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn a_list_that_says_it_is_long_costs_nothing() {
        assert!(read(&[10, 0xff, 0xff, 0xff, 0xff, 5, 5]).is_err());
        assert!(read(&[10, 0, 0, 0, 1].repeat(9)).is_err(), "nine deep");
        assert!(read(&[5].repeat(513)).is_err());
        assert_eq!(read(&[5].repeat(512)).unwrap().len(), 512);
    }

    #[test]
    fn a_long_text_has_a_long_length() {
        let long = Value::text("x".repeat(70_000));
        assert_eq!(written(&long)[0], 12);
        assert_eq!(read(&written(&long)).unwrap(), [long]);
    }

    // acceptance: SEC8
    #[test]
    fn a_printed_value_shows_no_text() {
        let shown = format!("{:?}", Value::object([("key", Value::text("0123456789abcdef"))]));
        assert!(!shown.contains("0123") && shown.contains("key"), "{shown}");
    }
}
