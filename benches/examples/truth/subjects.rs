//! Inputs that are explained, and the masks that judge their explanations.

use crate::judge::{Fresh, Judges};
use lipex::{
    Bernoulli, BlackBox, Cpu, Explainer, ImageInstance, Images, OutOfFold, Pairs, Picture, Render, Result, SegmentMap,
    TextInstance, Texts,
};

/// Masks a text is asked at, and how many of them fits may see.
const POOL: usize = 1500;
const SEEN: usize = 1000;
/// Masks of each law that a photo's fits are judged by.
const APART: usize = 150;

pub trait Subject<Batch> {
    type Instance: Render<Cpu, Batch>;

    fn instance(&self) -> &Self::Instance;

    /// The masks that judge fits.
    fn fresh(&self, base: &Explainer<Cpu>, model: &impl BlackBox<Cpu, Batch>) -> Result<Fresh>;
}

impl Subject<Texts> for TextInstance {
    type Instance = TextInstance;

    fn instance(&self) -> &TextInstance {
        self
    }

    fn fresh(&self, base: &Explainer<Cpu>, model: &impl BlackBox<Cpu, Texts>) -> Result<Fresh> {
        let (_, pool) = bare(base).samples(POOL).explain_with_neighbourhood(self, model)?;
        let near = |i: &usize| pool.masks.count(*i) as f64 > 0.8 * pool.masks.features() as f64;
        let rows = SEEN..pool.rows();
        let unseen = rows.clone().map(|i| (i, f64::from(pool.weights.values()[i]))).collect();
        let near = rows.filter(near).map(|i| (i, 1.0)).collect();
        let pool = std::sync::Arc::new(pool);
        Ok(Fresh { unseen: Judges { pool: pool.clone(), rows: unseen }, near: Judges { pool, rows: near } })
    }
}

impl Subject<Images> for ImageInstance {
    type Instance = ImageInstance;

    fn instance(&self) -> &ImageInstance {
        self
    }

    fn fresh(&self, base: &Explainer<Cpu>, model: &impl BlackBox<Cpu, Images>) -> Result<Fresh> {
        let of = |keep: f64| -> Result<Judges> {
            // Another seed than the fits'.
            let law = bare(base).perturber(Bernoulli::new(keep).expect("a probability")).samples(APART + 1).seed(1);
            let (_, pool) = law.explain_with_neighbourhood(self, model)?;
            let rows = (1..pool.rows()).map(|i| (i, 1.0)).collect();
            Ok(Judges { pool: pool.into(), rows })
        };
        Ok(Fresh { unseen: of(0.5)?, near: of(0.8)? })
    }
}

/// Masks are all that is wanted.
fn bare(base: &Explainer<Cpu>) -> Explainer<Cpu> {
    base.clone().evaluator(OutOfFold { folds: 0 }).pairs(Pairs::None)
}

pub fn texts(file: &str, first: usize, step: usize, count: usize) -> Result<Vec<TextInstance>> {
    let lines = std::fs::read_to_string(file).expect("the texts");
    let text = |line: &str| {
        let json = line.starts_with('{').then(|| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        match json {
            Some(value) => value["text"].as_str().expect("a text").to_string(),
            None => line.rsplit_once(';').map_or(line, |(text, _)| text).to_string(),
        }
    };
    let chosen = lines.lines().skip(first).step_by(step).map(text).take(count);
    chosen.map(TextInstance::new).collect()
}

pub fn photos(folder: &str, first: usize, count: usize) -> Result<Vec<ImageInstance>> {
    let entries = std::fs::read_dir(folder).expect("the photos").map(|entry| entry.expect("a file").path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "jpg")).collect();
    files.sort();
    let one = |file: &std::path::PathBuf| {
        let picture = Picture::decode(&std::fs::read(file).expect("a photo"))?;
        let segments = SegmentMap::grid(picture.width(), picture.height(), 6, 6)?;
        ImageInstance::new(picture, segments)
    };
    files.iter().skip(first - 1).take(count).map(one).collect()
}
