//! What a run of `lipex attribute` leaves: the report, files for people and for programs.

use crate::image::stage_overlays;
use crate::output::{self, Folder, Targets};
use crate::report::{Attributed, Choice, render_attributions};
use crate::staging::Staging;
use lipex::{
    Explanation, ImageInstance, PageOptions, Result, ScoredOutputs, attributions_to_explanation, attributions_to_json,
    to_csv, to_html, to_svg,
};

/// Scores with all that files are made of.
pub struct Files {
    pub attributed: Attributed,
    pub choice: Choice,
    /// The text that was scored.
    pub text: Option<String>,
    /// The photo that was scored.
    pub image: Option<ImageInstance>,
}

impl Files {
    /// Writes what was asked for, all of it or nothing, and prints the report unless a file took its place.
    pub fn write(mut self, targets: &Targets, folder: Option<&Folder>) -> Result<()> {
        let mut staged = Staging::default();
        targets.stage(&mut staged, |option| self.content(option).map(String::into_bytes))?;
        if let (Some(folder), Some(image)) = (folder, &self.image) {
            let e = self.explanation()?;
            self.attributed.told += &stage_overlays(&mut staged, folder, (image, &e), &self.shown(), "|score|")?;
        }
        if !targets.take_standard_output() {
            staged.report(&render_attributions(&self.attributed, &self.choice, output::width()));
        }
        staged.commit()
    }

    fn content(&self, option: &str) -> Result<String> {
        match option {
            "html" => to_html(&self.explanation()?, &self.page()),
            "svg" => to_svg(&self.explanation()?, &self.page()),
            "csv" => to_csv(&self.explanation()?),
            _ => self.about(|about| Ok(attributions_to_json(&self.attributed.found, about))),
        }
    }

    /// The scores as pages and pictures read them.
    fn explanation(&self) -> Result<Explanation> {
        self.about(|about| attributions_to_explanation(&self.attributed.found, about))
    }

    /// The rows that are shown: of a contrast both.
    fn shown(&self) -> Vec<usize> {
        match self.attributed.against {
            Some(_) => vec![0, 1],
            None => self
                .choice
                .shown_of(&self.attributed.probabilities)
                .iter()
                .filter_map(|&c| self.attributed.row(c))
                .collect(),
        }
    }

    fn page(&self) -> PageOptions {
        let a = &self.attributed;
        let mut page = PageOptions::default().classes(self.shown());
        if let Some((x, y)) = self.choice.contrast().and_then(|(x, y)| Some((a.row(x)?, a.row(y)?))) {
            page = page.contrast(x, y);
        }
        match &self.image {
            Some(image) => page.image(image),
            None => page,
        }
    }

    fn about<T>(&self, read: impl FnOnce(&ScoredOutputs<'_>) -> Result<T>) -> Result<T> {
        let a = &self.attributed;
        let probabilities: Vec<f64> = a.classes.iter().map(|&c| a.probabilities[c]).collect();
        let rows: Vec<String> = a.classes.iter().map(|&c| a.labels[c].clone()).collect();
        read(&ScoredOutputs {
            output: a.output,
            rows: &rows,
            against: a.against.map(|c| a.labels[c].as_str()),
            probabilities: &probabilities,
            against_probability: a.against.map_or(0.0, |c| a.probabilities[c]),
            text: self.text.as_deref(),
        })
    }
}
