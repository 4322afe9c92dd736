//! The embedded demo classifier as a black box.

use crate::text::Texts;
use lipex_core::{Backend, BlackBox, Probabilities, Result};
use lipex_demo::Demo;

/// The demo classifier: the emotion of an English sentence, one of seven. Its model card says what it is not good for.
#[derive(Clone, Debug)]
pub struct DemoModel {
    demo: Demo,
    labels: Vec<String>,
}

impl DemoModel {
    /// The classifier that comes with the program.
    pub fn embedded() -> Self {
        Self::new(Demo::embedded())
    }

    /// A classifier of the same kind, for instance one whose layers were changed to see the explanation follow.
    pub fn new(demo: Demo) -> Self {
        let labels = demo.classes().iter().map(|c| c.to_string()).collect();
        DemoModel { demo, labels }
    }
}

impl<B: Backend> BlackBox<B, Texts> for DemoModel {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn predict(&self, on: &B, batch: &Texts, out: &mut Probabilities<B>) -> Result<()> {
        *out.values_mut() = on.upload(self.demo.predict(&batch.as_strs()))?;
        Ok(())
    }
}
