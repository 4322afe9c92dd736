//! Runs that are stopped, and runs that are watched.

use lipex::prelude::*;
use lipex::{Error, ErrorBars, Progress, Stage};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A classifier of so many classes, each moved by words of its own.
fn model(classes: usize) -> TextFn<'static> {
    let labels: Vec<String> = (0..classes).map(|c| format!("c{c}")).collect();
    let score = |text: &str, c: usize| {
        let of_word = |w: &str| ((w.len() * 31 + usize::from(w.as_bytes()[0]) * 17 + c * 7) % 11) as f64 / 4.0;
        text.split(' ').filter(|w| !w.is_empty()).map(of_word).sum::<f64>()
    };
    let row = move |text: &str| (0..classes).map(|c| score(text, c)).collect::<Vec<f64>>();
    TextFn::new(labels, move |texts: &[&str]| texts.iter().map(|t| row(t)).collect::<Vec<_>>()).logits()
}

fn text() -> TextInstance {
    TextInstance::new("some people would rather walk ten miles than ask a stranger which way home is").unwrap()
}

fn with_bars(samples: usize) -> Explainer<Cpu> {
    lipex().samples(samples).error_bars(ErrorBars::default().refits(20).unwrap())
}

/// Time that this thread has worked: others may have the machine meanwhile.
#[cfg(target_os = "linux")]
fn worked() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

#[cfg(not(target_os = "linux"))]
fn worked() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// How often a run asks, which is never longer at work than 100 ms without; and its explanation.
fn asks(model: &TextFn<'_>, text: &TextInstance) -> (usize, Explanation) {
    let gaps = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&gaps);
    let counting = with_bars(120).interrupt(move || {
        list.lock().unwrap().push(worked());
        false
    });
    let started = worked();
    let explanation = counting.explain(text, model).unwrap();
    let ended = worked();
    let asked = std::mem::take(&mut *gaps.lock().unwrap());
    let times: Vec<Duration> = [started].into_iter().chain(asked.iter().copied()).chain([ended]).collect();
    let longest = times.windows(2).map(|t| t[1] - t[0]).max().unwrap();
    assert!(longest < Duration::from_millis(100), "{longest:?} of work between two questions");
    assert!(asked.len() > 200, "asked {} times", asked.len());
    (asked.len(), explanation)
}

/// A run of 200 classes with error bars (by refits; of 30 classes: by the sandwich) stops wherever it is told to.
#[test]
fn a_run_stops_within_100_ms_of_work_wherever_it_is() {
    let text = text();
    asks(&model(30), &text);
    let model = model(200);
    let whole = with_bars(120).explain(&text, &model).unwrap();
    let (asked, counted) = asks(&model, &text);
    assert_eq!((&counted.shares().matrix(), &counted.uncertainty), (&whole.shares().matrix(), &whole.uncertainty));
    // Stopped at 20 moments of the run, early and late; each time the explainer is as good as before.
    let (limit, count) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::new(AtomicUsize::new(0)));
    let (most, so_far) = (Arc::clone(&limit), Arc::clone(&count));
    let stoppable =
        with_bars(120).interrupt(move || so_far.fetch_add(1, Ordering::Relaxed) + 1 >= most.load(Ordering::Relaxed));
    let mut state = 7u64;
    for _ in 0..20 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let moment = 1 + (state >> 33) as usize % asked;
        limit.store(moment, Ordering::Relaxed);
        count.store(0, Ordering::Relaxed);
        let stopped = stoppable.explain(&text, &model);
        assert!(matches!(stopped, Err(Error::Interrupted)), "at {moment}: {stopped:?}");
        assert_eq!(count.load(Ordering::Relaxed), moment, "nothing is asked after a yes");
    }
    limit.store(usize::MAX, Ordering::Relaxed);
    let again = stoppable.explain(&text, &model).unwrap();
    assert_eq!((again.answer, again.uncertainty), (whole.answer, whole.uncertainty));
}

/// Time that the thread of that number, one of this process, has worked.
#[cfg(target_os = "linux")]
fn worked_by(thread: &std::path::Path) -> Duration {
    let stat = std::fs::read_to_string(std::path::Path::new("/proc").join(thread).join("schedstat")).unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// A program stops runs of 200 classes with error bars at 20 random moments by the clock, from another thread: each ends within
/// 100 ms of the run's own work, and the explainer is as good as before.
#[cfg(target_os = "linux")]
#[test]
fn another_thread_stops_a_run_within_100_ms_at_any_moment() {
    let (model, text) = (model(200), text());
    let stop = Arc::new(AtomicBool::new(false));
    let read = Arc::clone(&stop);
    let explainer = with_bars(120).interrupt(move || read.load(Ordering::Relaxed));
    let start = Instant::now();
    let whole = explainer.explain(&text, &model).unwrap();
    let long = start.elapsed();
    let this = std::fs::read_link("/proc/thread-self").unwrap();
    let (mut state, mut stopped) = (11u64, 0);
    let (mut longest, mut by_the_clock) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..60 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let moment = long.mul_f64((state >> 33) as f64 / (1u64 << 31) as f64);
        stop.store(false, Ordering::Relaxed);
        let (result, at) = std::thread::scope(|scope| {
            let stopper = scope.spawn(|| {
                std::thread::sleep(moment);
                let at = (worked_by(&this), Instant::now());
                stop.store(true, Ordering::Relaxed);
                at
            });
            let result = explainer.explain(&text, &model);
            let ended = (worked(), Instant::now());
            (result.map_err(|error| (error, ended)), stopper.join().unwrap())
        });
        // A run that was faster than the first may have been over.
        if let Err((error, ended)) = result {
            assert!(matches!(error, Error::Interrupted), "{error}");
            longest = longest.max(ended.0.saturating_sub(at.0));
            by_the_clock = by_the_clock.max(ended.1 - at.1);
            stopped += 1;
        }
        if stopped == 20 {
            break;
        }
    }
    println!(
        "{stopped} runs of {long:?} stopped, the slowest within {longest:?} of work, {by_the_clock:?} by the clock"
    );
    assert!(
        stopped == 20 && longest <= Duration::from_millis(100),
        "{stopped} stopped, the slowest within {longest:?}"
    );
    stop.store(false, Ordering::Relaxed);
    let again = explainer.explain(&text, &model).unwrap();
    assert_eq!((again.answer, again.uncertainty), (whole.answer, whole.uncertainty));
}

/// By the clock, on two threads.
#[test]
fn threads_stop_too() {
    let (model, text) = (model(60), text());
    let start = Instant::now();
    let explainer = Explainer::lipex(Cpu::with_threads(2).unwrap())
        .error_bars(ErrorBars::default().refits(20_000).unwrap())
        .interrupt(move || start.elapsed() > Duration::from_millis(300));
    assert!(matches!(explainer.explain(&text, &model), Err(Error::Interrupted)));
}

#[test]
fn every_surrogate_and_selector_asks() {
    let (model, text) = (model(3), text());
    for explainer in
        [lime(), authors(), kernel_shap(), lipex().selector(LassoPath::new(3).unwrap()), lipex().lambda_auto()]
    {
        let count = Arc::new(AtomicUsize::new(0));
        let so_far = Arc::clone(&count);
        let explainer = explainer.samples(200).interrupt(move || {
            so_far.fetch_add(1, Ordering::Relaxed);
            false
        });
        explainer.explain(&text, &model).unwrap();
        let asked = count.load(Ordering::Relaxed);
        // Between batches and stages alone it would be some ten times.
        assert!(asked > 20, "{:?}: {asked}", explainer.settings());
    }
}

#[test]
fn a_listener_sees_each_stage_to_its_end() {
    let told = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let list = Arc::clone(&told);
    let explainer = with_bars(100).watch(move |progress| list.lock().unwrap().push(progress));
    let explanation = explainer.explain(&text(), &model(3)).unwrap();
    let told = told.lock().unwrap();
    let stages = [Stage::Predict, Stage::Select, Stage::Fit, Stage::Evaluate, Stage::Uncertainty];
    let mut seen: Vec<Stage> = told.iter().map(|p| p.stage).collect();
    seen.dedup();
    assert_eq!(seen, stages);
    for stage in stages {
        let of: Vec<&Progress> = told.iter().filter(|p| p.stage == stage).collect();
        assert!(of.windows(2).all(|p| p[0].done <= p[1].done && p[0].total <= p[1].total), "{of:?}");
        assert!(of.iter().all(|p| p.done <= p.total));
        let (first, last) = (of[0], of[of.len() - 1]);
        assert_eq!((first.done, last.done), (0, last.total), "{of:?}");
    }
    let asked = told.iter().filter(|p| p.stage == Stage::Predict).count();
    assert!(asked > explanation.calls.inputs / 64, "{asked} reports of batches");
    assert_eq!(told.iter().find(|p| p.stage == Stage::Predict).unwrap().total, explanation.calls.inputs + 1);
}
