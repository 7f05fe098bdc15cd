//! Any serialisable value as a tree with sorted members. `serde_json::Value` would not do: it
//! turns "not a number" into null without a word.

use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{CanonicalError, LARGEST, Problem};

/// Under this name `serde_json` smuggles ready-made JSON through a serialiser.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// A JSON value whose objects are sorted.
pub enum Node {
    Null,
    Bool(bool),
    Whole(i128),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Serialises into [`Node`].
pub struct ToNode;

fn whole(n: i128) -> Result<Node, CanonicalError> {
    if n.abs() <= LARGEST {
        Ok(Node::Whole(n))
    } else {
        Err(CanonicalError::new(Problem::LargeNumber))
    }
}

fn refused<T>(problem: Problem) -> Result<T, CanonicalError> {
    Err(CanonicalError::new(problem))
}

/// One member, the way externally tagged enums are written.
fn tagged(variant: &str, node: Node) -> Node {
    Node::Object(vec![(variant.to_owned(), node)])
}

/// Sorts by UTF-16 code units, which differs from the order of bytes above U+FFFF.
fn object(mut members: Vec<(String, Node)>) -> Result<Node, CanonicalError> {
    members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    for pair in members.windows(2) {
        if pair[0].0 == pair[1].0 {
            return refused(Problem::NameTwice(pair[0].0.clone()));
        }
    }
    Ok(Node::Object(members))
}

impl Serializer for ToNode {
    type Ok = Node;
    type Error = CanonicalError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Members;

    fn serialize_bool(self, v: bool) -> Result<Node, CanonicalError> {
        Ok(Node::Bool(v))
    }
    fn serialize_i8(self, v: i8) -> Result<Node, CanonicalError> {
        whole(v.into())
    }
    fn serialize_i16(self, v: i16) -> Result<Node, CanonicalError> {
        whole(v.into())
    }
    fn serialize_i32(self, v: i32) -> Result<Node, CanonicalError> {
        whole(v.into())
    }
    fn serialize_i64(self, v: i64) -> Result<Node, CanonicalError> {
        whole(v.into())
    }
    fn serialize_i128(self, v: i128) -> Result<Node, CanonicalError> {
        // The most negative number has no positive twin.
        if v == i128::MIN { refused(Problem::LargeNumber) } else { whole(v) }
    }
    fn serialize_u8(self, v: u8) -> Result<Node, CanonicalError> {
        whole(v.into())
    }
    fn serialize_u16(self, v: u16) -> Result<Node, CanonicalError> {
        whole(v.into())
    }
    fn serialize_u32(self, v: u32) -> Result<Node, CanonicalError> {
        whole(v.into())
    }
    fn serialize_u64(self, v: u64) -> Result<Node, CanonicalError> {
        whole(v.into())
    }
    fn serialize_u128(self, v: u128) -> Result<Node, CanonicalError> {
        i128::try_from(v).map_or_else(|_| refused(Problem::LargeNumber), whole)
    }
    fn serialize_f32(self, _: f32) -> Result<Node, CanonicalError> {
        refused(Problem::Fraction)
    }
    fn serialize_f64(self, _: f64) -> Result<Node, CanonicalError> {
        refused(Problem::Fraction)
    }
    fn serialize_char(self, v: char) -> Result<Node, CanonicalError> {
        Ok(Node::Text(v.to_string()))
    }
    fn serialize_str(self, v: &str) -> Result<Node, CanonicalError> {
        Ok(Node::Text(v.to_owned()))
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<Node, CanonicalError> {
        Ok(Node::Array(v.iter().map(|&b| Node::Whole(b.into())).collect()))
    }
    fn serialize_none(self) -> Result<Node, CanonicalError> {
        Ok(Node::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Result<Node, CanonicalError> {
        v.serialize(self)
    }
    fn serialize_unit(self) -> Result<Node, CanonicalError> {
        Ok(Node::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Node, CanonicalError> {
        Ok(Node::Null)
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Node, CanonicalError> {
        Ok(Node::Text(variant.to_owned()))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        v: &T,
    ) -> Result<Node, CanonicalError> {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        v: &T,
    ) -> Result<Node, CanonicalError> {
        Ok(tagged(variant, v.serialize(ToNode).map_err(|e| e.within(variant))?))
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Items, CanonicalError> {
        Ok(Items { items: Vec::with_capacity(len.unwrap_or(0)), variant: None })
    }
    fn serialize_tuple(self, len: usize) -> Result<Items, CanonicalError> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items, CanonicalError> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items, CanonicalError> {
        Ok(Items { items: Vec::with_capacity(len), variant: Some(variant) })
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Members, CanonicalError> {
        Ok(Members { members: Vec::with_capacity(len.unwrap_or(0)), name: None, variant: None })
    }
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Members, CanonicalError> {
        if name == RAW_VALUE {
            return refused(Problem::Raw);
        }
        self.serialize_map(Some(len))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Members, CanonicalError> {
        Ok(Members { members: Vec::with_capacity(len), name: None, variant: Some(variant) })
    }
}

/// An array under way.
pub struct Items {
    items: Vec<Node>,
    variant: Option<&'static str>,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), CanonicalError> {
        let node = v.serialize(ToNode).map_err(|e| e.within(self.items.len().to_string()))?;
        self.items.push(node);
        Ok(())
    }

    fn finish(self) -> Node {
        match self.variant {
            Some(variant) => tagged(variant, Node::Array(self.items)),
            None => Node::Array(self.items),
        }
    }
}

macro_rules! items {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait for Items {
            type Ok = Node;
            type Error = CanonicalError;
            fn $method<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), CanonicalError> {
                self.push(v)
            }
            fn end(self) -> Result<Node, CanonicalError> {
                Ok(self.finish())
            }
        }
    )*};
}

items!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

/// An object under way.
pub struct Members {
    members: Vec<(String, Node)>,
    name: Option<String>,
    variant: Option<&'static str>,
}

impl Members {
    fn push<T: Serialize + ?Sized>(&mut self, name: String, v: &T) -> Result<(), CanonicalError> {
        let node = v.serialize(ToNode).map_err(|e| e.within(name.clone()))?;
        self.members.push((name, node));
        Ok(())
    }

    fn finish(self) -> Result<Node, CanonicalError> {
        let node = object(self.members)?;
        Ok(match self.variant {
            Some(variant) => tagged(variant, node),
            None => node,
        })
    }
}

impl SerializeMap for Members {
    type Ok = Node;
    type Error = CanonicalError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CanonicalError> {
        self.name = Some(key.serialize(KeyText)?);
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), CanonicalError> {
        match self.name.take() {
            Some(name) => self.push(name, v),
            None => refused(Problem::KeyNotText),
        }
    }
    fn end(self) -> Result<Node, CanonicalError> {
        self.finish()
    }
}

macro_rules! members {
    ($($trait:ident),*) => {$(
        impl $trait for Members {
            type Ok = Node;
            type Error = CanonicalError;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                v: &T,
            ) -> Result<(), CanonicalError> {
                self.push(name.to_owned(), v)
            }
            fn end(self) -> Result<Node, CanonicalError> {
                self.finish()
            }
        }
    )*};
}

members!(SerializeStruct, SerializeStructVariant);

/// Keys of maps: text, or a whole number or variant written as text.
struct KeyText;

macro_rules! whole_keys {
    ($($method:ident $type:ty),*) => {$(
        fn $method(self, v: $type) -> Result<String, CanonicalError> {
            Ok(v.to_string())
        }
    )*};
}

macro_rules! no_keys {
    ($($method:ident ( $($arg:ty),* ) -> $out:ty;)*) => {$(
        fn $method(self, $(_: $arg),*) -> Result<$out, CanonicalError> {
            refused(Problem::KeyNotText)
        }
    )*};
}

type NoKey = Impossible<String, CanonicalError>;

impl Serializer for KeyText {
    type Ok = String;
    type Error = CanonicalError;
    type SerializeSeq = NoKey;
    type SerializeTuple = NoKey;
    type SerializeTupleStruct = NoKey;
    type SerializeTupleVariant = NoKey;
    type SerializeMap = NoKey;
    type SerializeStruct = NoKey;
    type SerializeStructVariant = NoKey;

    whole_keys!(
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64,
        serialize_char char, serialize_str &str
    );

    no_keys! {
        serialize_bool(bool) -> String;
        serialize_f32(f32) -> String;
        serialize_f64(f64) -> String;
        serialize_bytes(&[u8]) -> String;
        serialize_none() -> String;
        serialize_unit() -> String;
        serialize_unit_struct(&'static str) -> String;
        serialize_seq(Option<usize>) -> NoKey;
        serialize_tuple(usize) -> NoKey;
        serialize_tuple_struct(&'static str, usize) -> NoKey;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> NoKey;
        serialize_map(Option<usize>) -> NoKey;
        serialize_struct(&'static str, usize) -> NoKey;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> NoKey;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<String, CanonicalError> {
        refused(Problem::KeyNotText)
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<String, CanonicalError> {
        Ok(variant.to_owned())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        v: &T,
    ) -> Result<String, CanonicalError> {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, CanonicalError> {
        refused(Problem::KeyNotText)
    }
}
