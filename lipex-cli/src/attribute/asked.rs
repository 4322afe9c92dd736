//! What is asked of `lipex attribute`: a method, and outputs.

use crate::against::Against;
use crate::options::AttributeOptions;
use crate::parse;
use crate::report::Choice;
use lipex::{Domain, Error, Output, Result, arg_max};

/// The methods by their names.
const NAMES: [&str; 13] = [
    "saliency",
    "input-x-gradient",
    "guided",
    "integrated-gradients",
    "deeplift",
    "smoothgrad",
    "guided-ig",
    "blur-ig",
    "gradcam",
    "xrai",
    "occlusion",
    "leave-one-out",
    "random",
];

/// How scores are made.
pub enum Method {
    LeaveOneOut,
    Occlusion,
    Random,
    #[cfg(feature = "gradients")]
    Gradients(super::gradients::Method),
}

/// Options that only some methods have: whether they were given, and of which methods they are.
fn given(options: &AttributeOptions) -> [(&'static str, bool, &'static [&'static str]); 13] {
    [
        ("steps", options.steps.is_some(), &["integrated-gradients", "smoothgrad", "guided-ig", "blur-ig", "xrai"][..]),
        ("noise", options.noise.is_some(), &["smoothgrad"]),
        ("seed", options.seed.is_some(), &["smoothgrad", "random"]),
        ("fraction", options.fraction.is_some(), &["guided-ig"]),
        ("distance", options.distance.is_some(), &["guided-ig"]),
        ("sigma", options.sigma.is_some(), &["blur-ig"]),
        ("layer", options.layer.is_some(), &["gradcam"]),
        (
            "baseline",
            options.baseline.is_some(),
            &["integrated-gradients", "deeplift", "guided-ig", "occlusion", "leave-one-out"],
        ),
        ("compat", options.compat.is_some(), &["guided", "deeplift"]),
        ("cut", options.cut.is_some(), &NAMES[..7]),
        ("pool", options.pool.is_some(), &NAMES[..8]),
        ("window", options.window.is_some(), &["occlusion"]),
        ("stride", options.stride.is_some(), &["occlusion"]),
    ]
}

impl Method {
    /// The method that was named, with no option that it does not have.
    pub fn read(options: &AttributeOptions) -> Result<Self> {
        let name = options.method.as_str();
        if !NAMES.contains(&name) {
            return Err(Error::choice("method", name, &NAMES));
        }
        for (option, given, methods) in given(options) {
            if given && !methods.contains(&name) {
                let reason = format!("has no --{option}; that is of {}", methods.join(", "));
                return Err(Error::setting("method", name, reason));
            }
        }
        match name {
            "leave-one-out" => Ok(Method::LeaveOneOut),
            "occlusion" => Ok(Method::Occlusion),
            "random" => Ok(Method::Random),
            _ => Self::by_gradients(options),
        }
    }

    #[cfg(feature = "gradients")]
    fn by_gradients(options: &AttributeOptions) -> Result<Self> {
        super::gradients::Method::read(options).map(Method::Gradients)
    }

    #[cfg(not(feature = "gradients"))]
    fn by_gradients(options: &AttributeOptions) -> Result<Self> {
        let reason = "this lipex was built without gradients; build it with the feature gradients: cargo install lipex-cli \
                      --features gradients (leave-one-out, occlusion and random need none)";
        Err(Error::setting("method", &options.method, reason))
    }
}

/// Which number is attributed.
pub enum Asked {
    Logit,
    Probability,
    Contrast(usize, usize),
}

/// Outputs with what they are about.
pub struct Wanted {
    pub outputs: Vec<Output>,
    /// The class of each.
    pub classes: Vec<usize>,
    /// The class that a contrast is against.
    pub against: Option<usize>,
    /// What --against asks for.
    pub targeted: Option<Against>,
}

impl Asked {
    /// What `--output` says: logits of texts and probabilities of photos, if it says nothing.
    pub fn read(value: Option<&str>, domain: Domain, labels: &[String]) -> Result<Self> {
        match (value, domain) {
            (Some("logit"), _) | (None, Domain::Text) => Ok(Asked::Logit),
            (Some("probability"), _) | (None, Domain::Image | Domain::Rows) => Ok(Asked::Probability),
            (Some(value), _) => match value.strip_prefix("contrast:") {
                Some(pair) => parse::contrast("output", pair, labels).map(|(a, b)| Asked::Contrast(a, b)),
                None => Err(Error::setting("output", value, "choose logit, probability or contrast:A:B")),
            },
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Asked::Logit => "logit",
            Asked::Probability => "probability",
            Asked::Contrast(..) => "contrast",
        }
    }

    /// The outputs: a class that is shown each, the likeliest, those that are contrasted, and further ones up to `least`; or the one
    /// contrast.
    pub fn wanted(&self, choice: &Choice, probabilities: &[f64], least: usize) -> Wanted {
        if let Asked::Contrast(of, against) = *self {
            return Wanted {
                outputs: vec![Output::Contrast { of, against }],
                classes: vec![of],
                against: Some(against),
                targeted: None,
            };
        }
        let mut classes = choice.shown_of(probabilities);
        let more = choice.contrast().map(|(a, b)| [a, b]).into_iter().flatten();
        for class in more.chain([arg_max(probabilities)]) {
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        let mut likeliest: Vec<usize> = (0..probabilities.len()).collect();
        likeliest.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        for class in likeliest {
            if classes.len() < least && !classes.contains(&class) {
                classes.push(class);
            }
        }
        let output = |&class: &usize| match self {
            Asked::Probability => Output::Probability(class),
            _ => Output::Logit(class),
        };
        Wanted { outputs: classes.iter().map(output).collect(), classes, against: None, targeted: None }
    }
}

impl Wanted {
    /// What the rows are called.
    pub fn names(&self, labels: &[String]) -> Vec<String> {
        let name = |&class: &usize| match self.against {
            Some(against) => format!("{} over {}", labels[class], labels[against]),
            None => labels[class].clone(),
        };
        self.classes.iter().map(name).collect()
    }
}
