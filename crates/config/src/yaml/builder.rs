//! Builds the tree from the parser's events, without recursion.
use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::{Entry, Items, MAX_DEPTH, Node, Value, scalar};
use crate::place::{FieldPath, Location, Place, quoted};
use crate::reader::Field;
use crate::report::Report;

/// What anchors and aliases may add to a document, in bytes of text and nodes of 64 each. Sharing one
/// `authConfig` among a thousand domains stays far below it; nested aliases that double a document
/// at each level do not.
const MAX_EXPANSION: usize = 16 * 1024 * 1024;

/// What stands open, innermost last.
pub(super) struct Builder<'a, T> {
    open: Vec<Collection>,
    anchors: HashMap<usize, Anchored>,
    expanded: usize,
    items: Option<&'a Items<T>>,
    items_read: Option<Vec<T>>,
    /// Told only when the text gives a tree, as all that is wrong with its content.
    problems_of_items: Report,
}

/// A node that aliases may repeat.
struct Anchored {
    node: Node,
    weight: usize,
    height: usize,
}

struct Collection {
    location: Location,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<Key> },
}

/// A key whose value comes next.
struct Key {
    text: String,
    location: Location,
    /// Whether its value is kept: not when the key was reported.
    usable: bool,
}

type Refused = (Place, String);

impl<'a, T> Builder<'a, T> {
    pub(super) fn new(items: Option<&'a Items<T>>) -> Self {
        Self {
            open: Vec::new(),
            anchors: HashMap::new(),
            expanded: 0,
            items,
            items_read: None,
            problems_of_items: Report::default(),
        }
    }

    /// What was read from the items meanwhile; reports their problems.
    pub(super) fn items_read(self, report: &mut Report) -> Option<Vec<T>> {
        report.append(self.problems_of_items);
        self.items_read
    }

    /// Takes the next event; gives the root once it is complete.
    pub(super) fn add(
        &mut self,
        event: Event<'_>,
        location: Location,
        report: &mut Report,
    ) -> Result<Option<Node>, Refused> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag, location, report);
                let value = match style {
                    ScalarStyle::Plain => scalar::resolve(&text),
                    _ => Value::String(text.into_owned()),
                };
                self.complete(Node { location, value }, anchor, report)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag, location, report);
                self.open(location, anchor, Content::List(Vec::new()), report)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag, location, report);
                self.open(location, anchor, Content::Map { entries: Vec::new(), key: None }, report)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(report),
            Event::Alias(anchor) => self.repeat(anchor, location, report),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(None),
        }
    }

    fn open(
        &mut self,
        location: Location,
        anchor: usize,
        content: Content,
        report: &mut Report,
    ) -> Result<Option<Node>, Refused> {
        self.refuse_collection_as_key(location, report);
        if self.open.len() >= MAX_DEPTH {
            return Err((self.place(location), format!("nested more than {MAX_DEPTH} levels deep")));
        }
        self.open.push(Collection { location, anchor, content });
        Ok(None)
    }

    fn close(&mut self, report: &mut Report) -> Result<Option<Node>, Refused> {
        let Some(Collection { location, anchor, content }) = self.open.pop() else {
            return Ok(None);
        };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map { entries, .. } => Value::Map(self.without_duplicates(entries, location, report)),
        };
        self.complete(Node { location, value }, anchor, report)
    }

    fn repeat(
        &mut self,
        anchor: usize,
        location: Location,
        report: &mut Report,
    ) -> Result<Option<Node>, Refused> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err((
                self.place(location),
                "the alias stands inside the value that it repeats".to_owned(),
            ));
        };
        if self.open.len() + anchored.height > MAX_DEPTH {
            return Err((self.place(location), format!("nested more than {MAX_DEPTH} levels deep")));
        }
        self.expanded = self.expanded.saturating_add(anchored.weight);
        if self.expanded > MAX_EXPANSION {
            return Err(self.repeats_too_much(location));
        }
        let node = anchored.node.clone();
        if matches!(node.value, Value::List(_) | Value::Map(_)) {
            self.refuse_collection_as_key(location, report);
        }
        self.complete(node, 0, report)
    }

    /// Puts a complete node where it belongs: key, value or item of what stands open, or the root.
    fn complete(&mut self, node: Node, anchor: usize, report: &mut Report) -> Result<Option<Node>, Refused> {
        if anchor > 0 {
            let (weight, height) = measure(&node);
            self.expanded = self.expanded.saturating_add(weight);
            if self.expanded > MAX_EXPANSION {
                return Err(self.repeats_too_much(node.location));
            }
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight, height });
        }
        let is_key =
            matches!(self.open.last(), Some(Collection { content: Content::Map { key: None, .. }, .. }));
        if is_key {
            let next = self.key(node, report);
            if let Some(Collection { content: Content::Map { key, .. }, .. }) = self.open.last_mut() {
                *key = Some(next);
            }
            return Ok(None);
        }
        let node = self.read_item(node);
        match self.open.last_mut() {
            None => return Ok(Some(node)),
            Some(Collection { content: Content::List(items), .. }) => items.push(node),
            Some(Collection { content: Content::Map { entries, key }, .. }) => {
                if let Some(Key { text, location, usable: true }) = key.take() {
                    entries.push(Entry { key: text, key_location: location, value: node });
                }
            }
        }
        Ok(None)
    }

    /// Reads a node that is one of the items, and gives what stands for it in the tree.
    fn read_item(&mut self, node: Node) -> Node {
        let Some(items) = self.items.filter(|items| self.is_open(items.list)) else {
            return node;
        };
        let location = node.location;
        let field = Field { node: &node, place: self.place(location) };
        let item = (items.read)(&field, &mut self.problems_of_items);
        self.items_read.get_or_insert_default().extend(item);
        Node { location, value: Value::Null }
    }

    /// Whether the next node is an item of this list of the root. One that was anchored may be repeated as
    /// a whole, and of a key that is repeated only the first counts.
    fn is_open(&self, list: &str) -> bool {
        let [Collection { content: Content::Map { entries, key: Some(key) }, .. }, inner] = &*self.open
        else {
            return false;
        };
        key.usable
            && key.text == list
            && matches!(inner, Collection { anchor: 0, content: Content::List(_), .. })
            && entries.iter().all(|entry| entry.key != list)
    }

    fn repeats_too_much(&self, location: Location) -> Refused {
        (self.place(location), "anchors and aliases repeat too much of the document".to_owned())
    }

    /// A key; one that cannot be used is reported.
    fn key(&self, node: Node, report: &mut Report) -> Key {
        let Node { location, value } = node;
        let (text, kind) = match value {
            Value::String(text) if text == "<<" => {
                let message = "merge keys (<<) are not supported; write the fields out, or share a whole value \
                               with an anchor and an alias";
                report.error(&self.place(location), message);
                return Key { text, location, usable: false };
            }
            Value::String(text) => return Key { text, location, usable: true },
            Value::Number(text) => (text, "a number"),
            Value::Bool(value) => (value.to_string(), "a boolean"),
            Value::Null => ("null".to_owned(), "null"),
            // Reported where it began.
            Value::List(_) | Value::Map(_) => return Key { text: String::new(), location, usable: false },
        };
        let message = format!("the key {} is {kind}; keys must be strings: put it in quotes", quoted(&text));
        report.error(&self.place(location), message);
        Key { text, location, usable: false }
    }

    fn refuse_collection_as_key(&self, location: Location, report: &mut Report) {
        if let Some(Collection { content: Content::Map { key: None, .. }, .. }) = self.open.last() {
            report.error(&self.place(location), "a list or an object cannot be a key; keys must be strings");
        }
    }

    fn refuse_tag(&self, tag: Option<Cow<'_, Tag>>, location: Location, report: &mut Report) {
        if let Some(tag) = tag {
            let name = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
            let message = format!(
                "the tag {} is not supported; write the value without a tag, in quotes when it is a string",
                quoted(&name)
            );
            report.error(&self.place(location), message);
        }
    }

    /// Keeps the first of several entries of one key, and reports the others.
    fn without_duplicates(&self, entries: Vec<Entry>, location: Location, report: &mut Report) -> Vec<Entry> {
        let mut first_places: HashMap<&str, Location> = HashMap::with_capacity(entries.len());
        let mut repeated = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match first_places.get(entry.key.as_str()) {
                None => {
                    first_places.insert(&entry.key, entry.key_location);
                }
                Some(first) => {
                    let place = self.place(location).member(&entry.key, entry.key_location);
                    report.error(&place, format!("the key {} is already used {first}", quoted(&entry.key)));
                    repeated.push(index);
                }
            }
        }
        if repeated.is_empty() {
            return entries;
        }
        let mut repeated = repeated.into_iter().peekable();
        let is_first = |(index, entry)| (repeated.next_if_eq(&index).is_none()).then_some(entry);
        entries.into_iter().enumerate().filter_map(is_first).collect()
    }

    /// The place of what comes next, under everything that stands open.
    fn place(&self, location: Location) -> Place {
        let path =
            self.open.iter().fold(FieldPath::default(), |path, collection| match &collection.content {
                Content::List(items) => path.item(items.len()),
                Content::Map { key: Some(key), .. } => path.member(&key.text),
                Content::Map { key: None, .. } => path,
            });
        Place { location, path }
    }
}

/// Weight in bytes and number of levels of a node.
fn measure(node: &Node) -> (usize, usize) {
    let of_children = |children: &mut dyn Iterator<Item = (usize, &Node)>| {
        children.fold((64, 1), |(weight, height), (key, child)| {
            let (child_weight, child_height) = measure(child);
            (weight + key + child_weight, height.max(child_height + 1))
        })
    };
    match &node.value {
        Value::Null | Value::Bool(_) => (64, 1),
        Value::Number(text) | Value::String(text) => (64 + text.len(), 1),
        Value::List(items) => of_children(&mut items.iter().map(|item| (0, item))),
        Value::Map(entries) => of_children(&mut entries.iter().map(|entry| (entry.key.len(), &entry.value))),
    }
}
