//! Fit: surrogates that are solved on the CPU, on copies of the neighbourhoods.
//!
//! These are closed forms or recipes of a single sequence that no batch fills a device with. The neighbourhood is copied to
//! the host, 4·(words + C + 1) bytes a row, and fitted by lipex-cpu, so the result is the CPU's to the bit.

use crate::device::Cuda;
use crate::select::to_host;
use lipex_core::{Authors, Backend, Fitted, KernelShap, Problem, Result, Surrogate, TreeSurrogate};
use lipex_cpu::Cpu;

/// The CPU's fits of copies.
pub(crate) fn on_the_host(
    surrogate: &dyn Surrogate<Cpu>,
    on: &Cuda,
    problems: &[Problem<'_, Cuda>],
) -> Result<Vec<Fitted>> {
    let mut fitted = Vec::with_capacity(problems.len());
    for problem in problems {
        let around = to_host(on, problem.around)?;
        let Problem { selection, multiplicities, start, tolerance, requery, .. } = *problem;
        let copy = Problem { around: &around, selection, multiplicities, start, tolerance, requery };
        fitted.extend(surrogate.fit(&Cpu::new().watched(on.watch.clone()), &[copy])?);
    }
    Ok(fitted)
}

macro_rules! by_the_host {
    ($($surrogate:ty),*) => {$(
        impl Surrogate<Cuda> for $surrogate {
            fn fit(&self, on: &Cuda, problems: &[Problem<'_, Cuda>]) -> Result<Vec<Fitted>> {
                on_the_host(self, on, problems)
            }

            fn fits_intercept(&self) -> bool {
                Surrogate::<Cpu>::fits_intercept(self)
            }

            fn requeries(&self) -> bool {
                Surrogate::<Cpu>::requeries(self)
            }

            fn takes_labels(&self) -> bool {
                Surrogate::<Cpu>::takes_labels(self)
            }
        }
    )*};
}
by_the_host!(Authors, KernelShap, TreeSurrogate);
