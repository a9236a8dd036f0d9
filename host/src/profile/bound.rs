//! The most instructions that a piece of the firmware's work can take, by its executable.
//!
//! The bound is that of the longest path through the code. A call costs what the called function's longest path does; a loop
//! costs its longest turn as often as the source says that it turns (`baton_abi::work::Turns`): the executable has the address of
//! a place that each turn passes, and the number. A loop without such a place is an error, and so is recursion. Paths that end
//! in a panic do not count. Nothing is assumed of data: paths count that no input takes.

use super::code::{Code, Flow, Function};
use anyhow::{bail, ensure, Context, Result};
use std::collections::{BTreeMap, BTreeSet};

/// The functions, the image's and the compiler's own, that set or copy as many bytes as the third argument says.
const MEMORY: [&str; 6] = [
    "memset",
    "memcpy",
    "memmove",
    "compiler_builtins::mem::memset",
    "compiler_builtins::mem::memcpy",
    "compiler_builtins::mem::memmove",
];

/// A place that a turn of a loop passes: the loop's place in the source, and the most turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TurnMark {
    pub line: u32,
    pub most: u32,
}

/// A loop of the executable.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Address of the instruction by which it is entered.
    pub header: u32,
    /// Addresses of its instructions.
    pub members: BTreeSet<u32>,
    /// How often the header runs at most each time that the loop is entered.
    pub most: u64,
}

/// Longest paths of all functions that were asked for.
pub struct Bounds<'a> {
    code: &'a Code,
    marks: &'a BTreeMap<u32, Vec<TurnMark>>,
    /// By function: the most instructions until it returns, `None` where it never does; missing while it is worked out.
    known: BTreeMap<(u32, Option<u32>), Option<u64>>,
    open: BTreeSet<u32>,
    /// Bytes that the function at hand sets or copies, when it is one of the compiler's own for that.
    bytes: Option<u32>,
    pub loops: Vec<Loop>,
}

/// A part of a function, its loops collapsed.
struct Region {
    /// Nodes of each part; what a part leads to comes before it.
    parts: Vec<Vec<usize>>,
    part_of: BTreeMap<usize, usize>,
    /// Instructions of each part.
    costs: Vec<u64>,
    /// Whether a part is a loop.
    is_loop: Vec<bool>,
}

impl<'a> Bounds<'a> {
    pub fn new(code: &'a Code, marks: &'a BTreeMap<u32, Vec<TurnMark>>) -> Self {
        Bounds { code, marks, known: BTreeMap::new(), open: BTreeSet::new(), bytes: None, loops: Vec::new() }
    }

    fn function(&self, address: u32) -> Result<&'a Function> {
        self.code.functions.get(&address).with_context(|| format!("{address:#x} is no function"))
    }

    /// The function whose name ends so.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, name: &str) -> Result<&'a Function> {
        let mut found = self.code.functions.values().filter(|function| function.name.ends_with(name));
        match (found.next(), found.next()) {
            (Some(function), None) => Ok(function),
            (None, _) => bail!("the executable has no function {name}"),
            _ => bail!("the executable has several functions {name}"),
        }
    }

    /// The most instructions of a function from its entry to its return. `None`: it never returns.
    ///
    /// # Errors
    /// When a loop has no bound, or functions call each other in a circle.
    pub fn of(&mut self, address: u32) -> Result<Option<u64>> {
        let key = (address, self.bytes);
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let function = self.function(address)?;
        ensure!(self.open.insert(address), "{} calls itself", function.name);
        let bound = self.longest(function, 0, &BTreeSet::new(), true)?;
        self.open.remove(&address);
        self.known.insert(key, bound);
        Ok(bound)
    }

    /// The most instructions from one of these places of a function to the next one. Where `calls` is false, calls count as one
    /// instruction.
    ///
    /// # Errors
    /// As [`Bounds::of`].
    pub fn between(&mut self, function: &'a Function, places: &[u32], calls: bool) -> Result<u64> {
        let cut: BTreeSet<usize> = places.iter().filter_map(|place| function.index(*place)).collect();
        let mut most = None;
        for &start in &cut {
            most = most.max(self.longest(function, start, &cut, calls)?);
        }
        most.with_context(|| format!("{} never comes round", function.name))
    }

    /// The most instructions from `start` to a return, or to an edge into `cut` if that is not empty.
    fn longest(
        &mut self,
        function: &'a Function,
        start: usize,
        cut: &BTreeSet<usize>,
        calls: bool,
    ) -> Result<Option<u64>> {
        // What never ends, whatever it calls, is not looked into: the paths there do not count.
        let ends = |graph: &mut Graph| {
            graph.start = start;
            graph.nodes(start)
        };
        if calls && ends(&mut self.graph(function, cut, false)?).is_empty() {
            return Ok(None);
        }
        let mut graph = self.graph(function, cut, calls)?;
        let nodes = ends(&mut graph);
        if nodes.is_empty() {
            return Ok(None);
        }
        let region = self.region(&graph, &nodes, &BTreeSet::new())?;
        Ok(region.longest(&graph, start, None, |node| graph.ends.get(&node).copied()))
    }

    /// [`Bounds::of`] for what is called, or gone on with, at an instruction.
    fn of_called(&mut self, function: &Function, at: usize, target: u32) -> Result<Option<u64>> {
        let before = self.bytes;
        if MEMORY.contains(&self.function(target)?.name.as_str()) {
            let place =
                || format!("how much is copied at {:#x} in {}?", function.address_of(at), function.name);
            self.bytes = Some(before.or_else(|| function.third_argument(at)).with_context(place)?);
        }
        let bound = self.of(target);
        self.bytes = before;
        bound
    }

    fn graph(&mut self, function: &'a Function, cut: &BTreeSet<usize>, calls: bool) -> Result<Graph<'a>> {
        let count = function.flows.len();
        let mut graph = Graph {
            function,
            start: 0,
            weights: vec![Some(1); count],
            next: vec![Vec::new(); count],
            ends: BTreeMap::new(),
        };
        for (index, flow) in function.flows.iter().enumerate() {
            let mut targets = Vec::new();
            if matches!(flow, Flow::Next | Flow::Branch(_) | Flow::Call(_)) {
                targets.push(index + 1);
            }
            match *flow {
                Flow::Branch(target) | Flow::Jump(target) => match function.index(target) {
                    Some(target) => targets.push(target),
                    None => {
                        // The rest of the work is another function's.
                        let rest = if calls { self.of_called(function, index, target)? } else { Some(0) };
                        if let (Some(rest), true) = (rest, cut.is_empty()) {
                            graph.ends.insert(index, rest);
                        }
                    }
                },
                Flow::Call(target) if calls => {
                    graph.weights[index] = self.of_called(function, index, target)?.map(|called| called + 1);
                }
                Flow::Return if cut.is_empty() => {
                    graph.ends.insert(index, 0);
                }
                _ => {}
            }
            if graph.weights[index].is_none() {
                continue;
            }
            // A function may end with the call of one that never returns.
            let ends_in_call = !calls && index + 1 == count && matches!(flow, Flow::Call(_));
            for target in targets.into_iter().filter(|_| !ends_in_call) {
                ensure!(target < count, "{} runs on past its end", function.name);
                if cut.contains(&target) {
                    graph.ends.insert(index, 0);
                } else {
                    graph.next[index].push(target);
                }
            }
        }
        Ok(graph)
    }

    /// Collapses the loops among `nodes`. Edges to `cut` are left out: they close the loop that the nodes are.
    fn region(&mut self, graph: &Graph, nodes: &BTreeSet<usize>, cut: &BTreeSet<usize>) -> Result<Region> {
        let parts = components(graph, nodes, cut);
        let mut region =
            Region { part_of: BTreeMap::new(), costs: Vec::new(), is_loop: Vec::new(), parts: Vec::new() };
        for part in parts {
            let first = part[0];
            let is_loop = part.len() > 1 || graph.next[first].contains(&first) && !cut.contains(&first);
            let cost = if is_loop {
                self.loop_cost(graph, nodes, &part, cut)?
            } else {
                graph.weights[first].unwrap_or(0)
            };
            for &node in &part {
                region.part_of.insert(node, region.parts.len());
            }
            region.parts.push(part);
            region.costs.push(cost);
            region.is_loop.push(is_loop);
        }
        Ok(region)
    }

    /// The most instructions that a loop takes from where it is entered to where it is left.
    fn loop_cost(
        &mut self,
        graph: &Graph,
        around: &BTreeSet<usize>,
        part: &[usize],
        outer: &BTreeSet<usize>,
    ) -> Result<u64> {
        let members: BTreeSet<usize> = part.iter().copied().collect();
        let function = graph.function;
        let place = |node: usize| format!("{:#x} in {}", function.address_of(node), function.name);
        let entries: BTreeSet<usize> = around
            .iter()
            .filter(|node| !members.contains(node))
            .flat_map(|&node| graph.next[node].iter().copied())
            .chain([graph.start])
            .filter(|target| members.contains(target))
            .collect();
        let mut entries = entries.into_iter();
        let Some(header) = entries.next() else { bail!("the loop at {} has no entry", place(part[0])) };
        ensure!(entries.next().is_none(), "the loop at {} has several entries", place(header));
        let cut = BTreeSet::from([header]);

        let mut turns: BTreeMap<TurnMark, BTreeSet<usize>> = BTreeMap::new();
        for &node in &members {
            for mark in self.marks.get(&function.address_of(node)).into_iter().flatten() {
                turns.entry(*mark).or_default().insert(node);
            }
        }
        // A loop of the source that has become several, one in the other, is bounded as a whole: from place to place.
        if let Some(cost) = self.bounded_together(graph, &members, header, &turns)? {
            return Ok(cost);
        }
        let body = self.region(graph, &members, &cut)?;
        // Places of turns that lie in this loop and in none within it.
        for marked in turns.values_mut() {
            marked.retain(|node| !body.is_loop[body.part_of[node]]);
        }
        turns.retain(|_, marked| !marked.is_empty());
        let closes = |node: usize| graph.next[node].contains(&header).then_some(0);
        let passed_by = |marked: &BTreeSet<usize>| {
            marked.contains(&header) || body.longest(graph, header, Some(marked), closes).is_none()
        };
        // Where several loops of the source are one of the executable, and each turn passes the places of more than one, the
        // outermost counts; it cannot be told which that is.
        let alone =
            turns.iter().filter(|(_, marked)| passed_by(marked)).map(|(mark, _)| u64::from(mark.most)).max();
        let all: BTreeSet<usize> = turns.values().flatten().copied().collect();
        let most = match (alone, self.bytes) {
            (Some(most), _) => most,
            // These loops go byte by byte over less than 16, or by words.
            (None, Some(bytes)) => {
                let by_byte = members.iter().any(|&node| function.stores_byte(node));
                let words = members.iter().filter(|&&node| function.stores_word(node)).count().max(1) as u32;
                u64::from(if by_byte { 16 } else { bytes / (4 * words) + 1 })
            }
            _ if !turns.is_empty() && passed_by(&all) => {
                turns.keys().map(|mark| u64::from(mark.most) + 1).product()
            }
            _ => bail!("nothing bounds the loop at {}", place(header)),
        };
        let leaves = |node: usize| {
            let out = |target: &usize| !members.contains(target) || outer.contains(target);
            (graph.next[node].iter().any(out) || graph.ends.contains_key(&node)).then_some(0)
        };
        let turn = body.longest(graph, header, None, closes).unwrap_or(0);
        let last = body.longest(graph, header, None, leaves).unwrap_or(0);
        // After as many turns as there can be, the way out passes no place of a turn.
        let after_all = body.longest(graph, header, Some(&all), leaves);
        let marked = all.contains(&header);
        let cost = (most.saturating_sub(1) * turn + last)
            .max(after_all.filter(|_| !marked).map_or(0, |after| most * turn + after));
        self.loops.push(Loop {
            header: function.address_of(header),
            members: members.iter().map(|&node| function.address_of(node)).collect(),
            most: most + u64::from(!marked),
        });
        Ok(cost)
    }
}

impl Bounds<'_> {
    /// The cost of a loop each turn of which passes the same places as the turns of a loop within it. `None`: it has places of its own.
    fn bounded_together(
        &mut self,
        graph: &Graph,
        members: &BTreeSet<usize>,
        header: usize,
        turns: &BTreeMap<TurnMark, BTreeSet<usize>>,
    ) -> Result<Option<u64>> {
        let parts = components(graph, members, &BTreeSet::from([header]));
        let in_loop: BTreeSet<usize> = parts
            .iter()
            .filter(|part| part.len() > 1 || graph.next[part[0]].contains(&part[0]) && part[0] != header)
            .flatten()
            .copied()
            .collect();
        if in_loop.is_empty() || turns.values().flatten().any(|node| !in_loop.contains(node)) {
            return Ok(None);
        }
        let mut worst = None;
        for (mark, marked) in turns {
            // Without the edges to the places, the header must not come round any more.
            let cut: BTreeSet<usize> = marked.clone();
            let parts = components(graph, members, &cut);
            let comes_round = parts.iter().any(|part| {
                part.contains(&header) && (part.len() > 1 || graph.next[header].contains(&header))
            });
            if comes_round {
                continue;
            }
            let body = self.region(graph, members, &cut)?;
            let anywhere = |_| Some(0);
            let from = |node| body.longest(graph, node, None, anywhere).unwrap_or(0);
            let turn = marked.iter().map(|&node| from(node)).max().unwrap_or(0);
            let cost = u64::from(mark.most) * turn + if marked.contains(&header) { 0 } else { from(header) };
            worst = worst.max(Some(cost));
            self.loops.push(Loop {
                header: graph.function.address_of(header),
                members: members.iter().map(|&node| graph.function.address_of(node)).collect(),
                most: u64::from(mark.most) + 1,
            });
        }
        Ok(worst)
    }
}

struct Graph<'a> {
    function: &'a Function,
    /// Where paths begin.
    start: usize,
    /// Instructions of each node; `None` where a call does not return.
    weights: Vec<Option<u64>>,
    next: Vec<Vec<usize>>,
    /// Nodes at which the path may end, and what it costs beyond.
    ends: BTreeMap<usize, u64>,
}

impl Graph<'_> {
    /// The nodes that lie on a path from `start` to an end.
    fn nodes(&self, start: usize) -> BTreeSet<usize> {
        let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut seen = BTreeSet::from([start]);
        let mut todo = vec![start];
        while let Some(node) = todo.pop() {
            for &target in &self.next[node] {
                before.entry(target).or_default().push(node);
                if seen.insert(target) {
                    todo.push(target);
                }
            }
        }
        let mut live = BTreeSet::new();
        let mut todo: Vec<usize> = self.ends.keys().copied().filter(|end| seen.contains(end)).collect();
        while let Some(node) = todo.pop() {
            if live.insert(node) {
                todo.extend(before.get(&node).into_iter().flatten());
            }
        }
        live
    }
}

impl Region {
    /// The most instructions from `start` to a node that `ends` names with what follows it. No path passes `without`.
    fn longest(
        &self,
        graph: &Graph,
        start: usize,
        without: Option<&BTreeSet<usize>>,
        ends: impl Fn(usize) -> Option<u64>,
    ) -> Option<u64> {
        let mut best: Vec<Option<u64>> = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.iter().enumerate() {
            let barred = |node: &usize| without.is_some_and(|without| without.contains(node));
            let mut rest = None;
            for node in part.iter().filter(|node| !barred(node) || self.is_loop[index]) {
                rest = rest.max(ends(*node));
                for target in &graph.next[*node] {
                    match self.part_of.get(target) {
                        Some(&other) if other < index => rest = rest.max(best[other]),
                        _ => {}
                    }
                }
            }
            best.push(rest.map(|rest| rest + self.costs[index]));
        }
        best[*self.part_of.get(&start)?]
    }
}

/// Strongly connected parts of `nodes` without the edges to `cut`, each after all that it leads to (Tarjan's order).
fn components(graph: &Graph, nodes: &BTreeSet<usize>, cut: &BTreeSet<usize>) -> Vec<Vec<usize>> {
    struct Search<'a> {
        graph: &'a Graph<'a>,
        nodes: &'a BTreeSet<usize>,
        cut: &'a BTreeSet<usize>,
        number: BTreeMap<usize, usize>,
        low: BTreeMap<usize, usize>,
        stack: Vec<usize>,
        on_stack: BTreeSet<usize>,
        parts: Vec<Vec<usize>>,
    }
    impl Search<'_> {
        fn targets(&self, node: usize) -> Vec<usize> {
            let kept = |target: &usize| self.nodes.contains(target) && !self.cut.contains(target);
            self.graph.next[node].iter().copied().filter(kept).collect()
        }

        fn enter(&mut self, node: usize) -> (usize, Vec<usize>) {
            self.number.insert(node, self.number.len());
            self.low.insert(node, self.number[&node]);
            self.stack.push(node);
            self.on_stack.insert(node);
            (node, self.targets(node))
        }

        fn visit(&mut self, root: usize) {
            let mut path = vec![self.enter(root)];
            while let Some((node, targets)) = path.last_mut() {
                let node = *node;
                if let Some(target) = targets.pop() {
                    if !self.number.contains_key(&target) {
                        path.push(self.enter(target));
                    } else if self.on_stack.contains(&target) {
                        let low = self.low[&node].min(self.number[&target]);
                        self.low.insert(node, low);
                    }
                    continue;
                }
                path.pop();
                if let Some((before, _)) = path.last() {
                    let low = self.low[before].min(self.low[&node]);
                    self.low.insert(*before, low);
                }
                if self.low[&node] == self.number[&node] {
                    let at = self.stack.iter().position(|other| *other == node).unwrap_or(0);
                    let part = self.stack.split_off(at);
                    part.iter().for_each(|node| {
                        self.on_stack.remove(node);
                    });
                    self.parts.push(part);
                }
            }
        }
    }
    let mut search = Search {
        graph,
        nodes,
        cut,
        number: BTreeMap::new(),
        low: BTreeMap::new(),
        stack: Vec::new(),
        on_stack: BTreeSet::new(),
        parts: Vec::new(),
    };
    for &node in nodes {
        if !search.number.contains_key(&node) {
            search.visit(node);
        }
    }
    search.parts
}

#[cfg(test)]
mod tests;
