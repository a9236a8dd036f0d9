//! What the control plane puts into the tables: entries files (format in `docs/p4.md`), and whether they fit the
//! program.

use super::keyset::Match;
use super::machine::Context;
use super::table::{Action, Call, Contents, Table};
use super::text::{self, Literal, Pattern};
use super::value::{Type, Value};
use super::Error;
use num_bigint::BigUint;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use std::collections::HashMap;
use std::fmt;

/// The entries of all tables.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    pub entries: Vec<Entry>,
}

/// An entry of a table, or with `default` its default action.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// This and the other names are those of the control plane: what `@name` says, else what is declared.
    pub table: String,
    #[serde(default)]
    pub default: bool,
    #[serde(default, deserialize_with = "members")]
    pub key: Vec<(String, Field)>,
    pub action: String,
    #[serde(default, deserialize_with = "members")]
    pub params: Vec<(String, Field)>,
    /// Of ternary entries: the highest wins, and among equals the first.
    #[serde(default)]
    pub priority: Option<u32>,
}

/// A value of a key or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Bool(bool),
    Number(u64),
    /// A number of any size, an address, a value with its mask, or the name of an enum's member or an error.
    Text(String),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Bool(value) => write!(f, "{value}"),
            Field::Number(value) => write!(f, "{value}"),
            Field::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl Visitor<'_> for One {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, true, false or a text such as \"192.0.2.1\"")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Field, E> {
                Ok(Field::Bool(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Field, E> {
                Ok(Field::Number(value))
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Field, E> {
                Err(E::custom(format!(
                    "{value} is not a whole number below 2^64; write larger ones as text, as in \"0x1F\""
                )))
            }
            fn visit_str<E>(self, text: &str) -> Result<Field, E> {
                Ok(Field::Text(text.into()))
            }
        }
        deserializer.deserialize_any(One)
    }
}

/// The members of a JSON object, none of them twice.
fn members<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Field)>, D::Error> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, Field)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with a value for each name")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members: Vec<(String, Field)> = vec![];
            while let Some((name, field)) = map.next_entry::<String, Field>()? {
                if members.iter().any(|(former, _)| *former == name) {
                    return Err(A::Error::custom(format!("`{name}` is given twice")));
                }
                members.push((name, field));
            }
            Ok(members)
        }
    }
    deserializer.deserialize_map(Members)
}

impl Entries {
    /// Reads an entries file.
    pub fn from_json(json: &str) -> Result<Entries, Error> {
        serde_json::from_str(json).map_err(|error| Error(error.to_string()))
    }

    /// Puts the entries into the tables.
    pub(super) fn fill(&self, context: &mut Context<'_>) -> Result<(), Error> {
        let mut filled: Vec<Filled> = context.tables.iter().map(|_| Filled::default()).collect();
        for (position, entry) in self.entries.iter().enumerate() {
            let number = position + 1;
            let added = table_of(&context.tables, &entry.table).and_then(|index| {
                let table = &context.tables[index];
                filled[index].add(entry, number, table, &context.errors)
            });
            added.map_err(|reason| Error(format!("entry {number} (table `{}`): {reason}", entry.table)))?;
        }
        for (table, filled) in context.tables.iter_mut().zip(filled) {
            filled.finish(table);
        }
        Ok(())
    }
}

/// What has been said about one table.
#[derive(Default)]
struct Filled {
    /// Match, action and its arguments, priority.
    entries: Vec<(Vec<Match>, usize, Vec<Value>, u32)>,
    /// The entry that has a match.
    by_match: HashMap<Vec<Match>, usize>,
    default: Option<(usize, Vec<Value>)>,
}

impl Filled {
    fn add(
        &mut self,
        entry: &Entry,
        number: usize,
        table: &Table<'_>,
        errors: &[&str],
    ) -> Result<(), String> {
        let action = unique(table.actions.iter().map(|action| &*action.name), &entry.action, "action")?;
        let args = arguments(&entry.params, &table.actions[action].params, errors)?;
        if entry.default {
            if !entry.key.is_empty() || entry.priority.is_some() {
                return Err("a default action has neither a key nor a priority".into());
            }
            if !table.default_is_open {
                return Err("the program fixes the default action of this table".into());
            }
            return match self.default.replace((action, args)) {
                None => Ok(()),
                Some(_) => Err("the default action is given twice".into()),
            };
        }
        if table.is_const {
            return Err("it has const entries, and the control plane cannot add any".into());
        }
        if table.keys.is_empty() {
            return Err("it has no key, and so no entries".into());
        }
        let matches = matches(&entry.key, table, errors)?;
        if let Some(former) = self.by_match.insert(matches.clone(), number) {
            return Err(format!("entry {former} has the same key"));
        }
        if table.size.is_some_and(|size| self.entries.len() >= size as usize) {
            return Err(format!("it has room for {} entries, and this is one more", self.entries.len()));
        }
        let is_ternary = table.keys.iter().any(|key| key.is_ternary);
        if entry.priority.is_some() && !is_ternary {
            return Err("entries of an exact table have no priority: only one can match".into());
        }
        self.entries.push((matches, action, args, entry.priority.unwrap_or(0)));
        Ok(())
    }

    fn finish(mut self, table: &mut Table<'_>) {
        if let Some((action, args)) = self.default {
            table.default = call(&table.actions[action], action, args);
        }
        if !table.is_const {
            self.entries.sort_by_key(|(.., priority)| std::cmp::Reverse(*priority));
            let entries = self
                .entries
                .into_iter()
                .map(|(matches, action, args, _)| (matches, call(&table.actions[action], action, args)));
            let is_exact = table.keys.iter().all(|key| !key.is_ternary);
            table.contents = Contents::new(entries.collect(), is_exact);
        }
    }
}

fn call<'a>(action: &Action<'a>, place: usize, args: Vec<Value>) -> Call<'a> {
    Call { path: Some(action.path), name: action.name.clone(), listed: Some(place), args }
}

fn table_of(tables: &[Table<'_>], name: &str) -> Result<usize, String> {
    unique(tables.iter().map(|table| &*table.name), name, "table")
}

/// The place of a name of which there must be exactly one.
fn unique<'n>(names: impl Iterator<Item = &'n str> + Clone, name: &str, what: &str) -> Result<usize, String> {
    let mut places = names.clone().enumerate().filter(|(_, known)| *known == name).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => {
            Err(format!("there are several {what}s `{name}`; give them different names by `@name`"))
        }
        (None, _) => Err(format!("there is no {what} `{name}`; {}", listing(names, what))),
    }
}

fn listing<'n>(names: impl Iterator<Item = &'n str>, what: &str) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => format!("there is no {what} at all"),
        1 => format!("the only one is {}", names[0]),
        _ => format!("there are {}", names.join(", ")),
    }
}

fn arguments(
    given: &[(String, Field)],
    params: &[(String, Type)],
    errors: &[&str],
) -> Result<Vec<Value>, String> {
    for (name, _) in given {
        unique(params.iter().map(|(name, _)| &**name), name, "parameter")?;
    }
    let argument = |(name, ty): &(String, Type)| {
        let (_, field) = given
            .iter()
            .find(|(given, _)| given == name)
            .ok_or(format!("parameter `{name}` of the action is missing"))?;
        let value = field_number(field, ty, errors).and_then(|number| match ty {
            Type::Error => usize::try_from(number).ok().map(Value::Error).ok_or_else(String::new),
            ty => ty.value_of_bits(number).ok_or_else(|| format!("`{ty}` is no type of a value")),
        });
        value.map_err(|reason| format!("parameter `{name}`: {reason}"))
    };
    params.iter().map(argument).collect()
}

fn matches(given: &[(String, Field)], table: &Table<'_>, errors: &[&str]) -> Result<Vec<Match>, String> {
    for (name, _) in given {
        unique(table.keys.iter().map(|key| &*key.name), name, "key")?;
    }
    let one = |key: &super::table::Key| match given.iter().find(|(name, _)| *name == key.name) {
        None if key.is_ternary => Ok(Match::Any),
        None => Err(format!("key `{}` is missing", key.name)),
        Some((_, field)) => key_match(field, &key.ty, key.is_ternary, errors)
            .map_err(|reason| format!("key `{}`: {reason}", key.name)),
    };
    table.keys.iter().map(one).collect()
}

fn key_match(field: &Field, ty: &Type, is_ternary: bool, errors: &[&str]) -> Result<Match, String> {
    let pattern = match field {
        Field::Text(text) => text::pattern(text),
        _ => None,
    };
    match pattern {
        Some(Pattern::Any | Pattern::Mask(..)) if !is_ternary => {
            Err(format!("{field} is not one value, and the key is exact"))
        }
        Some(Pattern::Any) => Ok(Match::Any),
        Some(Pattern::Mask(value, mask)) => {
            let (value, mask) = (literal_number(&value, ty)?, literal_number(&mask, ty)?);
            match &value & &mask == value {
                true => Ok(Match::Mask { value, mask }),
                false => Err(format!("{field} has bits that its mask ignores")),
            }
        }
        _ => field_number(field, ty, errors).map(Match::Value),
    }
}

/// The number that stands for a value of the type.
fn field_number(field: &Field, ty: &Type, errors: &[&str]) -> Result<BigUint, String> {
    let wrong = |expected: &str| Err(format!("{field} is not {expected}"));
    match (field, ty) {
        (Field::Bool(value), Type::Bool) => Ok(BigUint::from(u8::from(*value))),
        (_, Type::Bool) => wrong("true or false"),
        (Field::Text(name), Type::Error) => match errors.iter().position(|error| error == name) {
            Some(code) => Ok(code.into()),
            None => wrong("a declared error"),
        },
        (_, Type::Error) => wrong("the name of an error"),
        (Field::Bool(_), _) => wrong("a number"),
        (Field::Number(number), ty) => {
            literal_number(&Literal { number: (*number).into(), notation: None }, ty)
        }
        (Field::Text(name), ty) => {
            if let Type::Enum(def) = ty {
                if let Some((_, number)) = def.members.iter().find(|(member, _)| member == name) {
                    return Ok(number.clone());
                }
            }
            match (text::pattern(name), ty) {
                (Some(Pattern::Value(literal)), ty) => literal_number(&literal, ty),
                (Some(_), _) => wrong("one value"),
                (None, Type::Enum(def)) => wrong(&format!("a member of `{}`", def.name)),
                (None, _) => wrong("a number or an address"),
            }
        }
    }
}

/// A number that fits the type.
fn literal_number(literal: &Literal, ty: &Type) -> Result<BigUint, String> {
    let width = match ty {
        Type::Bits(width) => *width,
        Type::Enum(def) => match def.width {
            Some(width) => width,
            None => return Err(format!("a value of `{ty}` is the name of a member")),
        },
        _ => return Err(format!("a value of type `{ty}` is not written as a number")),
    };
    match literal.notation {
        Some((what, bits)) if bits != width => {
            Err(format!("{what} has {bits} bits, and this is `{ty}` of {width} bits"))
        }
        _ if literal.number.bits() > u64::from(width) => {
            Err(format!("{} does not fit `{ty}` of {width} bits", literal.number))
        }
        _ => Ok(literal.number.clone()),
    }
}
