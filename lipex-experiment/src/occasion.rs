//! One input under one model, and how it is damaged.

use lipex::{
    BlackBox, Cpu, Domain, Error, Instance, Masks, Render, Result, Texts, arg_max, checked_answers, pack_bits,
};

/// One input under one model: what methods explain, and what they are judged by.
///
/// ```
/// use lipex::prelude::*;
/// use lipex_experiment::Occasion;
///
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
///     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.7, 0.3] }).collect()
/// });
/// let text = TextInstance::new("a fine day")?;
/// let at = Occasion::new(&text, &model)?;
/// assert_eq!(at.predicted(), 1);
/// // Without "fine", and with it alone.
/// let asked = at.without(&[&[1], &[0, 2]])?;
/// assert!((asked[0][0] - 0.7).abs() < 1e-6 && (asked[1][0] - 0.1).abs() < 1e-6);
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Occasion<'a, Batch> {
    on: Cpu,
    instance: &'a dyn Render<Cpu, Batch>,
    model: &'a dyn BlackBox<Cpu, Batch>,
    damage: Option<&'a dyn Damage<Batch>>,
    versions: &'a [Version<'a, Batch>],
    label: Option<usize>,
    whole: Vec<f64>,
}

/// Another version of the model, with its name.
pub type Version<'a, Batch> = (String, &'a dyn BlackBox<Cpu, Batch>);

/// How an input is damaged when a method is judged, where that is not how the method damages it.
///
/// An instance with other settings is one: explained by words that are left out, judged by words that become a mask token.
pub trait Damage<Batch>: Send + Sync {
    /// The input without such features, once for each of `removed`.
    ///
    /// # Errors
    /// Those of rendering.
    fn damaged(&self, on: &Cpu, removed: &[&[usize]]) -> Result<Batch>;
}

impl<Batch, I: Render<Cpu, Batch>> Damage<Batch> for I {
    fn damaged(&self, on: &Cpu, removed: &[&[usize]]) -> Result<Batch> {
        by_render(self, on, removed)
    }
}

fn by_render<Batch>(instance: &dyn Render<Cpu, Batch>, on: &Cpu, removed: &[&[usize]]) -> Result<Batch> {
    let features = instance.features().len();
    let mut dense = vec![1; removed.len() * features];
    for (row, gone) in dense.chunks_exact_mut(features.max(1)).zip(removed) {
        for &j in *gone {
            let bit = row.get_mut(j);
            *bit.ok_or_else(|| Error::shape("feature to remove (below the number of features)", features, j))? = 0;
        }
    }
    let masks = Masks::new(on, removed.len(), features, pack_bits(features, &dense))?;
    instance.render(on, &masks, 0..removed.len())
}

impl<'a, Batch> Occasion<'a, Batch> {
    /// Asks the model for the whole input.
    ///
    /// # Errors
    /// Those of the model; [`Error::Instance`] without features.
    pub fn new(instance: &'a dyn Render<Cpu, Batch>, model: &'a dyn BlackBox<Cpu, Batch>) -> Result<Self> {
        if instance.features().is_empty() {
            return Err(Error::Instance("has no features".into()));
        }
        let mut at =
            Occasion { on: Cpu::new(), instance, model, damage: None, versions: &[], label: None, whole: Vec::new() };
        at.whole = at.ask(&by_render(instance, &at.on, &[&[]])?, 1)?.remove(0);
        Ok(at)
    }

    /// The same with another way to damage the input when methods are judged.
    #[must_use]
    pub fn judged_by(mut self, damage: &'a dyn Damage<Batch>) -> Self {
        self.damage = Some(damage);
        self
    }

    /// The same with other versions of the model, by name: for [`Experiment::Distortion`](crate::Experiment::Distortion).
    #[must_use]
    pub fn distorted(mut self, versions: &'a [Version<'a, Batch>]) -> Self {
        self.versions = versions;
        self
    }

    /// The same with the class that the input has in truth.
    #[must_use]
    pub fn labelled(mut self, class: usize) -> Self {
        self.label = Some(class);
        self
    }

    /// Other versions of the model.
    pub fn versions(&self) -> &'a [Version<'a, Batch>] {
        self.versions
    }

    /// The class that the input has in truth, where that is known.
    pub fn label(&self) -> Option<usize> {
        self.label
    }

    /// The backend that everything runs on.
    pub fn on(&self) -> &Cpu {
        &self.on
    }

    /// What is explained.
    pub fn instance(&self) -> &'a dyn Render<Cpu, Batch> {
        self.instance
    }

    /// The black box.
    pub fn model(&self) -> &'a dyn BlackBox<Cpu, Batch> {
        self.model
    }

    /// D.
    pub fn features(&self) -> usize {
        self.instance.features().len()
    }

    /// What kind of thing is explained.
    pub fn domain(&self) -> Domain {
        self.instance.domain()
    }

    /// The model's answer for the whole input, C numbers.
    pub fn whole(&self) -> &[f64] {
        &self.whole
    }

    /// The likeliest class.
    pub fn predicted(&self) -> usize {
        arg_max(&self.whole)
    }

    /// The second likeliest class.
    pub fn second(&self) -> usize {
        let first = self.predicted();
        let others: Vec<usize> = (0..self.whole.len()).filter(|&c| c != first).collect();
        let p: Vec<f64> = others.iter().map(|&c| self.whole[c]).collect();
        others.get(arg_max(&p)).copied().unwrap_or(first)
    }

    /// The model's answers for the input without such features, damaged as methods are judged.
    ///
    /// # Errors
    /// [`Error::Shape`] for a feature that does not exist; those of the model.
    pub fn without(&self, removed: &[&[usize]]) -> Result<Vec<Vec<f64>>> {
        if removed.is_empty() {
            return Ok(Vec::new());
        }
        let batch = match self.damage {
            Some(damage) => damage.damaged(&self.on, removed)?,
            None => by_render(self.instance, &self.on, removed)?,
        };
        self.ask(&batch, removed.len())
    }

    /// The same of inputs that keep such features alone.
    ///
    /// # Errors
    /// Those of [`without`](Occasion::without).
    pub fn with_only(&self, kept: &[&[usize]]) -> Result<Vec<Vec<f64>>> {
        let rest = |kept: &&[usize]| (0..self.features()).filter(|j| !kept.contains(j)).collect::<Vec<usize>>();
        let removed: Vec<Vec<usize>> = kept.iter().map(rest).collect();
        self.without(&removed.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn ask(&self, batch: &Batch, rows: usize) -> Result<Vec<Vec<f64>>> {
        let p = checked_answers(&self.on, self.model, batch, rows)?;
        Ok((0..rows).map(|i| p.row(i).iter().map(|&v| f64::from(v)).collect()).collect())
    }
}

/// How the paper's released scripts damage a text when they score a ranking: each word is cut out of the characters wherever it
/// occurs, inside other words too, and what is left ends after 128 characters. For their numbers; a defect on purpose.
///
/// ```
/// use lipex::prelude::*;
/// use lipex_experiment::{AsReleased, Damage};
///
/// let text = TextInstance::new("he and the other one")?;
/// let damaged: Texts = AsReleased::new(&text).damaged(&Cpu::new(), &[&[0]])?;
/// assert_eq!(damaged.as_slice(), [" and t otr one"]);
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct AsReleased<'a> {
    instance: &'a dyn Instance,
}

impl<'a> AsReleased<'a> {
    /// Of a text.
    pub fn new(instance: &'a dyn Instance) -> Self {
        AsReleased { instance }
    }
}

impl Damage<Texts> for AsReleased<'_> {
    fn damaged(&self, _: &Cpu, removed: &[&[usize]]) -> Result<Texts> {
        const CHARACTERS: usize = 128;
        let whole = self.instance.text().ok_or_else(|| Error::Instance("is no text".into()))?;
        let features = self.instance.features();
        let one = |gone: &&[usize]| {
            let names = gone.iter().filter_map(|&j| features.get(j)).map(|f| f.name.as_str());
            let left =
                names.filter(|name| !name.is_empty()).fold(whole.to_string(), |text, name| text.replace(name, ""));
            left.chars().take(CHARACTERS).collect::<String>()
        };
        Ok(Texts::from(removed.iter().map(one).collect::<Vec<_>>()))
    }
}
