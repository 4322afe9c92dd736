//! Where lanes that part at a branch meet again: the branch's immediate post-dominator.

use super::program::{Instruction, Kind, NOWHERE};

/// Fills in the reconvergence point of every branch in `code`.
///
/// The points are found by the algorithm of Cooper, Harvey and Kennedy on the reversed graph of basic blocks. A guarded
/// exit does not part lanes: those that leave are gone.
pub fn reconverge(code: &mut [Instruction]) {
    let blocks = Blocks::new(code);
    let dominators = blocks.post_dominators();
    for block in 0..blocks.starts.len() {
        let last = blocks.end(block, code.len()) - 1;
        if let Kind::Branch(_, meet) = &mut code[last].kind {
            let dominator = dominators[block];
            *meet = if dominator < blocks.starts.len() { blocks.starts[dominator] as u32 } else { NOWHERE };
        }
    }
}

struct Blocks {
    /// First instruction of each block.
    starts: Vec<usize>,
    /// Blocks that control may go to; the number of blocks stands for the kernel's end.
    successors: Vec<Vec<usize>>,
}

impl Blocks {
    fn new(code: &[Instruction]) -> Self {
        let mut leader = vec![false; code.len() + 1];
        leader[0] = true;
        for (i, instruction) in code.iter().enumerate() {
            match instruction.kind {
                Kind::Branch(target, _) => {
                    leader[target as usize] = true;
                    leader[i + 1] = true;
                }
                Kind::Exit | Kind::Trap if instruction.guard == NOWHERE => leader[i + 1] = true,
                _ => {}
            }
        }
        let starts: Vec<usize> = (0..code.len()).filter(|&i| leader[i]).collect();
        let mut number = vec![0; code.len() + 1];
        for (block, &start) in starts.iter().enumerate() {
            number[start] = block;
        }
        let mut blocks = Self { starts, successors: Vec::new() };
        for block in 0..blocks.starts.len() {
            let end = blocks.end(block, code.len());
            let last = &code[end - 1];
            let next = if end < code.len() { block + 1 } else { blocks.starts.len() };
            blocks.successors.push(match last.kind {
                Kind::Branch(target, _) if last.guard == NOWHERE => vec![number[target as usize]],
                Kind::Branch(target, _) => vec![number[target as usize], next],
                Kind::Exit if last.guard == NOWHERE => vec![blocks.starts.len()],
                // A trap stops everything: lanes that do not run into one still meet.
                Kind::Trap if last.guard == NOWHERE => Vec::new(),
                _ => vec![next],
            });
        }
        blocks
    }

    fn end(&self, block: usize, length: usize) -> usize {
        self.starts.get(block + 1).copied().unwrap_or(length)
    }

    /// The immediate post-dominator of each block; `usize::MAX` where the end is never reached.
    fn post_dominators(&self) -> Vec<usize> {
        let exit = self.starts.len();
        let mut predecessors = vec![Vec::new(); exit + 1];
        for (block, successors) in self.successors.iter().enumerate() {
            for &s in successors {
                predecessors[s].push(block);
            }
        }
        let order = post_order(exit, &predecessors);
        let mut rank = vec![usize::MAX; exit + 1];
        for (i, &block) in order.iter().enumerate() {
            rank[block] = i;
        }
        let mut dominator = vec![usize::MAX; exit + 1];
        dominator[exit] = exit;
        let mut changed = true;
        while changed {
            changed = false;
            for &block in order.iter().rev().filter(|&&b| b != exit) {
                let mut found = usize::MAX;
                for &s in self.successors[block].iter().filter(|&&s| dominator[s] != usize::MAX) {
                    found = if found == usize::MAX { s } else { meet(found, s, &dominator, &rank) };
                }
                changed |= dominator[block] != found;
                dominator[block] = found;
            }
        }
        dominator
    }
}

fn meet(mut a: usize, mut b: usize, dominator: &[usize], rank: &[usize]) -> usize {
    while a != b {
        while rank[a] < rank[b] {
            a = dominator[a];
        }
        while rank[b] < rank[a] {
            b = dominator[b];
        }
    }
    a
}

fn post_order(root: usize, edges: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; edges.len()];
    let (mut order, mut stack) = (Vec::new(), vec![(root, 0)]);
    seen[root] = true;
    while let Some((node, next)) = stack.pop() {
        if let Some(&to) = edges[node].get(next) {
            stack.push((node, next + 1));
            if !seen[to] {
                seen[to] = true;
                stack.push((to, 0));
            }
        } else {
            order.push(node);
        }
    }
    order
}
