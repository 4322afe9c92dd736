//! The embedded demo classifier as a black box.

use lipex_core::{Backend, Batching, BlackBox, Probabilities, Result, Texts};
#[cfg(feature = "cuda")]
use lipex_cuda::{Cuda, DemoLayers, DemoNet, TokenBatch};
use lipex_demo::Demo;

/// The demo classifier: the emotion of an English sentence, one of seven. Its model card says what it is not good for.
///
/// ```
/// use lipex::prelude::*;
///
/// let text = TextInstance::new("Thank you, what a lovely surprise")?;
/// let explanation = lipex().samples(200).explain(&text, &DemoModel::embedded())?;
/// assert_eq!(explanation.classes[explanation.predicted()], "joy");
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DemoModel {
    /// The classifier.
    demo: Demo,
    /// Its class names.
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

    /// The classifier with its weights on a device: it takes word hashes there and leaves probabilities there.
    ///
    /// # Errors
    /// Those of the device.
    #[cfg(feature = "cuda")]
    pub fn on_device(&self, on: &Cuda) -> Result<DemoOnDevice> {
        let layers = self.demo.layers();
        let layers = DemoLayers {
            hashes: &layers.hashes,
            idf: &layers.idf,
            hidden: &layers.hidden,
            hidden_bias: &layers.hidden_bias,
            output: &layers.output,
            output_bias: &layers.output_bias,
        };
        Ok(DemoOnDevice { net: DemoNet::new(on, layers)?, labels: self.labels.clone() })
    }
}

/// The demo classifier on a device; explains a [`TokenText`](crate::TokenText) made with [`lipex_demo::word_hashes`].
///
/// ```no_run
/// use lipex::{Cuda, DemoModel, Explainer, TextInstance};
///
/// let (on, demo) = (Cuda::new()?, DemoModel::embedded());
/// let text = TextInstance::new("so sad")?.with_tokens(lipex::word_hashes)?;
/// let explanation = Explainer::lipex(on.clone()).explain(&text, &demo.on_device(&on)?)?;
/// assert_eq!(explanation.classes.len(), 7);
/// # Ok::<(), lipex::Error>(())
/// ```
#[cfg(feature = "cuda")]
pub struct DemoOnDevice {
    /// Its weights on the device.
    net: DemoNet,
    /// Its class names.
    labels: Vec<String>,
}

#[cfg(feature = "cuda")]
impl BlackBox<Cuda, TokenBatch> for DemoOnDevice {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.labels)
    }

    fn batching(&self) -> Batching {
        Batching::Free
    }

    fn predict(&self, on: &Cuda, batch: &TokenBatch) -> Result<Probabilities<Cuda>> {
        self.net.predict(on, batch)
    }
}

impl<B: Backend> BlackBox<B, Texts> for DemoModel {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.labels)
    }

    fn batching(&self) -> Batching {
        Batching::Free
    }

    fn predict(&self, on: &B, batch: &Texts) -> Result<Probabilities<B>> {
        let values = on.upload(self.demo.predict(&batch.as_strs()))?;
        Probabilities::new(on, batch.len(), self.labels.len(), values)
    }
}
