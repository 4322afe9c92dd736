//! Where a graph may be cut: the tensors that a point can stand for, and the logits.
//!
//! # How they are found
//! By the nodes alone, as they are run: what depends on constants only is none of them. A name of the file's own serves
//! as well.
//!
//! # Cost
//! Comparisons of names: at worst the square of the number of nodes.

use crate::network::Network;
use crate::number::Number;

/// What changes how numbers are written and not what they say: logits are sought before these.
const PASSING: [&str; 6] = ["Cast", "Identity", "Reshape", "Squeeze", "Flatten", "Unsqueeze"];

/// A node that is run: operator, inputs (constants are empty), output.
type Seen<'a> = (&'a str, Vec<&'a str>, &'a str);

impl<T: Number> Network<T> {
    /// The embeddings of the words of an input of token numbers: what a table gives for them, with its scale where it
    /// is kept in another; before anything else is added. `None` where no table is read by the numbers.
    ///
    /// # Shapes
    /// Of numbers 1 × tokens and a table words × dimensions: 1 × tokens × dimensions.
    ///
    /// ```
    /// use lipex_grad::Network;
    ///
    /// let digits = Network::<f32>::open("../examples/models/digits/model.onnx")?;
    /// assert_eq!(digits.word_embedding("pixel_values"), None); // pixels are no words
    /// # Ok::<(), lipex_core::Error>(())
    /// ```
    pub fn word_embedding(&self, ids: &str) -> Option<&str> {
        let (mut numbers, mut made, mut last) = (vec![ids], Vec::new(), None);
        for (operator, inputs, output) in self.nodes() {
            let known = |of: &[&str]| {
                let moving: Vec<&&str> = inputs.iter().filter(|name| !name.is_empty()).collect();
                !moving.is_empty() && moving.iter().all(|name| of.contains(*name))
            };
            match operator {
                "Cast" | "Identity" if known(&numbers) => numbers.push(output),
                "Gather" if inputs.first() == Some(&"") && known(&numbers) => {
                    made.push(output);
                    last = Some(output);
                }
                "Cast" | "Identity" | "Sub" | "Mul" if known(&made) => {
                    made.push(output);
                    last = Some(output);
                }
                _ => {}
            }
        }
        last
    }

    /// The output of the first layer normalisation after the embeddings of words, where nothing goes past it; `None`
    /// where there is none such.
    ///
    /// In a model like BERT it is the sum of word, position and segment embeddings, normalised, with scale and shift.
    /// `output` is what is attributed: no way from the words to it may avoid the block.
    pub fn embedding_block(&self, ids: &str, output: &str) -> Option<&str> {
        let word = self.word_embedding(ids)?;
        let nodes: Vec<Seen<'_>> = self.nodes().collect();
        let mut depends = vec![word];
        for (_, inputs, made) in &nodes {
            if inputs.iter().any(|name| depends.contains(name)) {
                depends.push(made);
            }
        }
        let root = nodes.iter().find(|(operator, _, made)| *operator == "Sqrt" && depends.contains(made))?.2;
        let whitened = nodes.iter().find(|(operator, inputs, _)| *operator == "Div" && inputs.get(1) == Some(&root))?.2;
        let mut block = whitened;
        // Scale and shift.
        for _ in 0..2 {
            let next = nodes.iter().find(|(operator, inputs, _)| {
                matches!(*operator, "Mul" | "Add") && inputs.contains(&block) && inputs.contains(&"")
            });
            block = next.map_or(block, |next| next.2);
        }
        (!self.needed(output, block).contains(&word)).then_some(block)
    }

    /// The picture of an input as fractions, channels before rows and columns where `transposed` says that it comes
    /// otherwise. `None` where the graph turns it into something else first.
    ///
    /// `whole` says that the input is of whole numbers, which have no gradient: the result is then behind their cast.
    ///
    /// ```
    /// use lipex_grad::Network;
    ///
    /// let digits = Network::<f32>::open("../examples/models/digits/model.onnx")?;
    /// assert_eq!(digits.picture("pixel_values", false, false), Some("pixel_values"));
    /// # Ok::<(), lipex_core::Error>(())
    /// ```
    pub fn picture(&self, input: &str, whole: bool, transposed: bool) -> Option<&str> {
        let (mut at, mut cast, mut moved) = (self.name(input)?, !whole, !transposed);
        while !(cast && moved) {
            let mut readers = self.nodes().filter(|(_, inputs, _)| inputs.contains(&at));
            let (operator, _, output) = readers.next()?;
            if readers.next().is_some() {
                return None;
            }
            match operator {
                "Cast" => cast = true,
                "Transpose" => moved = true,
                "Identity" => {}
                _ => return None,
            }
            at = output;
        }
        Some(at)
    }

    /// What a graph's last softmax or sigmoid takes; the output itself where it ends in neither. `None` for a name that
    /// the graph does not have.
    ///
    /// ```
    /// use lipex_grad::Network;
    ///
    /// let digits = Network::<f32>::open("../examples/models/digits/model.onnx")?;
    /// assert_eq!(digits.logits_of("logits"), Some("logits"));
    /// # Ok::<(), lipex_core::Error>(())
    /// ```
    pub fn logits_of(&self, output: &str) -> Option<&str> {
        let end = self.name(output)?;
        let mut at = end;
        loop {
            let Some((operator, inputs, _)) = self.nodes().find(|(_, _, made)| *made == at) else { return Some(end) };
            let Some(before) = inputs.first().filter(|name| !name.is_empty()) else { return Some(end) };
            match operator {
                "Softmax" | "Sigmoid" => return Some(before),
                _ if PASSING.contains(&operator) => at = before,
                _ => return Some(end),
            }
        }
    }

    /// The tensors that a run up to `output` makes or takes where `fed` is fed.
    fn needed(&self, output: &str, fed: &str) -> Vec<&str> {
        let mut needed: Vec<&str> = self.name(output).into_iter().collect();
        for (_, inputs, made) in self.nodes().rev() {
            if needed.contains(&made) && made != fed {
                needed.extend(inputs);
            }
        }
        needed
    }
}
