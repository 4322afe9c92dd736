//! What every stage gives on the device that there is, a hash of its bits a line: to compare two devices.
//!
//! `LIPEX_CUDA=emulator|device cargo run -p lipex-conformance --example bits`. On the emulator the kernels are PTX, on the oracle
//! of kernels/oracle they are compiled from the sources; `.ci/run` compares what both print.

use lipex_conformance::{Case, Made, divergences, instance_and_model, made};
use lipex_core::{
    Backend, Draw, Evaluator, Explainer, Exponential, Forward, Intercept, Neighbourhood, OutOfFold, Perturber, Problem,
    Proximity, Ridge, Selector, Softmax, Surrogate, UniformSize,
};
use lipex_cuda::{Cuda, LaunchMode};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Prints the hash of a value as it is debugged: the digits of a number are those that tell it from its neighbours.
fn say(what: &str, value: &impl Debug) {
    let mut hasher = DefaultHasher::new();
    format!("{value:?}").hash(&mut hasher);
    println!("{what}: {:016x}", hasher.finish());
}

fn device() -> Cuda {
    if std::env::var("LIPEX_CUDA").as_deref() != Ok("device") {
        let program = std::env::current_exe().unwrap();
        let path = program.parent().unwrap().join("../libcuda_emulator.so");
        // SAFETY: the emulator's initialisers do nothing; it stays mapped, so that the driver's name leads to it from now on.
        std::mem::forget(unsafe { libloading::Library::new(&path) }.unwrap());
    }
    Cuda::new().unwrap()
}

/// Fits under every divergence, launched both ways, anchored too.
fn fits(on: &Cuda, problems: &[Problem<'_, Cuda>]) {
    let many = on.clone().with_launch_mode(LaunchMode::ManyLaunches);
    for divergence in divergences() {
        let settings = Softmax::default().erased_divergence(divergence.clone());
        let name = divergence.name();
        say(&format!("fit, {name}"), &settings.fit(on, problems).unwrap());
        say(&format!("fit in many launches, {name}"), &settings.fit(&many, problems).unwrap());
        let anchored = settings.intercept(Intercept::Anchored);
        say(&format!("fit, anchored, {name}"), &anchored.fit(on, problems).unwrap());
    }
}

fn main() {
    let on = device();
    eprintln!("on {}", on.info().name);
    let case = |features, rows, classes, kept| Case { features, rows, classes, kept };
    let made: Vec<Made> = [case(12, 300, 3, 6), case(33, 127, 6, 16), case(5, 40, 2, 5)].map(|c| made(c, 7)).into();
    let near: Vec<Neighbourhood<Cuda>> = made.iter().map(|m| m.on(&on)).collect();
    let problems: Vec<_> = near.iter().zip(&made).map(|(near, m)| Problem::new(near, &m.selection)).collect();

    let drawn = UniformSize::default().perturb(&on, &Draw::whole(&[44, 250], 300, 5)).unwrap();
    let masks: Vec<_> = drawn.into_iter().map(|sample| sample.masks).collect();
    for masks in &masks {
        say("masks", &on.download(masks.bits()).unwrap());
    }
    for weights in Exponential::default().weigh(&on, &masks).unwrap() {
        say("weights", &on.download(weights.values()).unwrap());
    }
    say("selection", &Forward::default().select(&on, &near).unwrap());
    say("ridge", &Ridge::default().fit(&on, &problems).unwrap());
    fits(&on, &problems);
    let settings = Softmax::default();
    let fitted = settings.fit(&on, &problems).unwrap();
    say("fidelity", &OutOfFold::default().evaluate(&on, &problems, &fitted, &settings).unwrap());
    for (problem, fit) in problems.iter().zip(&fitted) {
        say("standard errors", &settings.spread(&on, problem, fit).unwrap());
    }
    say("penalty chosen", &settings.clone().lambda_auto().fit(&on, &problems).unwrap());
    let (instance, model) = instance_and_model(12, 3);
    let explanation = Explainer::lipex(on.clone()).samples(200).explain(&instance, &model).unwrap();
    say("explanation", &(&explanation.answer, &explanation.fidelity));
}
