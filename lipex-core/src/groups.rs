//! Class groups: merging classes on the simplex before the fit.

use crate::backend::{Backend, Probabilities};
use crate::error::{Error, Result};
use crate::nearest::class_by_name;
use std::fmt;

/// Which classes are merged before selection and fit.
///
/// Merging adds probabilities; the squared Hellinger distance of merged rows is at most that of the full ones.
///
/// ```
/// use lipex_core::Groups;
///
/// // Two feelings against all the others.
/// let groups = Groups::Named(vec![("glad".into(), vec!["joy".into(), "surprise".into()])]);
/// assert_eq!(groups.to_string(), "glad=joy+surprise");
/// assert_eq!(Groups::Top(3).to_string(), "top:3");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Groups {
    /// None are merged.
    #[default]
    All,
    /// The `n` classes likeliest at the instance stay, the others become one class, "the rest".
    Top(usize),
    /// Each group is a name and its classes' names; classes in no group become "the rest".
    Named(Vec<(String, Vec<String>)>),
}

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Groups::All => f.write_str("all"),
            Groups::Top(n) => write!(f, "top:{n}"),
            Groups::Named(groups) => {
                let groups: Vec<String> = groups.iter().map(|(n, c)| format!("{n}={}", c.join("+"))).collect();
                f.write_str(&groups.join(","))
            }
        }
    }
}

/// The name of the group of all classes in no other.
pub const REST: &str = "the rest";

pub(crate) struct Merged<B: Backend> {
    pub probabilities: Probabilities<B>,
    pub labels: Vec<String>,
}

impl Groups {
    /// For each class the group that it belongs to, and the groups' names.
    fn assign(&self, first_row: &[f32], labels: &[String]) -> Result<(Vec<usize>, Vec<String>)> {
        let c = labels.len();
        let mut of = vec![usize::MAX; c];
        let mut names = Vec::new();
        match self {
            Groups::All => return Ok(((0..c).collect(), labels.to_vec())),
            Groups::Top(n) => {
                if *n == 0 {
                    return Err(Error::setting("groups", "top:0", "at least one class stays by itself"));
                }
                for k in likeliest(first_row, c, *n) {
                    of[k] = names.len();
                    names.push(labels[k].clone());
                }
            }
            Groups::Named(groups) => {
                for (name, members) in groups {
                    for member in members {
                        *ungrouped(member, labels, &mut of)? = names.len();
                    }
                    names.push(name.clone());
                }
            }
        }
        if of.contains(&usize::MAX) {
            of.iter_mut().filter(|g| **g == usize::MAX).for_each(|g| *g = names.len());
            names.push(REST.into());
        }
        if names.len() < 2 {
            return Err(Error::setting("groups", self, "at least two groups must remain"));
        }
        Ok((of, names))
    }

    pub(crate) fn merge<B: Backend>(&self, on: &B, p: Probabilities<B>, labels: &[String]) -> Result<Merged<B>> {
        if *self == Groups::All {
            return Ok(Merged { probabilities: p, labels: labels.to_vec() });
        }
        if p.is_independent() {
            return Err(Error::setting("groups", self, "labels that are independent of one another cannot be merged"));
        }
        let host = on.download(p.values())?;
        let (c, rows) = (p.classes(), p.rows());
        let (of, names) = self.assign(&host[..c], labels)?;
        let mut merged = vec![0.0f32; rows * names.len()];
        for (row, out) in host.chunks_exact(c).zip(merged.chunks_exact_mut(names.len())) {
            row.iter().zip(&of).for_each(|(v, &g)| out[g] += v);
        }
        let probabilities = Probabilities::new(on, rows, names.len(), on.upload(merged)?)?;
        Ok(Merged { probabilities, labels: names })
    }
}

/// The `n` likeliest of `c` classes in a row of probabilities, in the order of the classes; ties to the lowest.
fn likeliest(row: &[f32], c: usize, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..c).collect();
    order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
    order.truncate(n);
    order.sort_unstable();
    order
}

/// The place of a class in the table of groups; an error for a class that is not there or has a group already.
fn ungrouped<'a>(member: &str, labels: &[String], of: &'a mut [usize]) -> Result<&'a mut usize> {
    let wrong = |reason: String| Error::setting("groups", format!("\"{member}\""), reason);
    let place = class_by_name(member, labels);
    let k = place.ok_or_else(|| wrong(format!("no such class; the classes are {}", labels.join(", "))))?;
    if of[k] != usize::MAX {
        return Err(wrong("is in two groups".into()));
    }
    Ok(&mut of[k])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["a", "b", "c", "d"].map(String::from).to_vec()
    }

    #[test]
    fn the_top_classes_stay_in_their_order() {
        let (of, names) = Groups::Top(2).assign(&[0.1, 0.2, 0.3, 0.4], &labels()).unwrap();
        assert_eq!(of, [2, 2, 0, 1]);
        assert_eq!(names, ["c", "d", REST]);
        assert_eq!(Groups::Top(4).assign(&[0.25; 4], &labels()).unwrap().1, labels());
        assert!(Groups::Top(0).assign(&[0.25; 4], &labels()).is_err());
    }

    #[test]
    fn named_groups_take_their_members() {
        let groups = Groups::Named(vec![("x".into(), vec!["a".into(), "d".into()])]);
        let (of, names) = groups.assign(&[0.25; 4], &labels()).unwrap();
        assert_eq!((of, names), (vec![0, 1, 1, 0], vec!["x".to_string(), REST.into()]));
        let unknown = Groups::Named(vec![("x".into(), vec!["e".into()])]);
        assert!(unknown.assign(&[0.25; 4], &labels()).unwrap_err().to_string().contains("a, b, c, d"));
        let twice = Groups::Named(vec![("x".into(), vec!["a".into()]), ("y".into(), vec!["a".into()])]);
        assert!(twice.assign(&[0.25; 4], &labels()).is_err());
    }
}
