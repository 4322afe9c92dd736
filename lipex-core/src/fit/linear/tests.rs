use super::*;

/// 8 features, 3 classes, pairs (0, 1), (0, 5), (2, 7), (6, 7); every column sums to 0 over classes.
fn game(link: Link) -> Linear {
    let mut terms: Vec<Term> = (0..8).map(Term::one).collect();
    terms.extend([(1, 0), (5, 0), (2, 7), (7, 6)].map(|(a, b)| Term::pair(a, b).unwrap()));
    let first = [1.5, -0.25, 0.5, 0.0, 2.0, -1.0, 0.125, 0.75, -1.25, 0.5, 2.0, -0.375];
    let second = [-1.0, 1.0, 0.25, 0.5, -0.5, 1.5, 0.375, -0.25, 0.25, 1.0, -0.5, 0.875];
    let third = first.iter().zip(&second).map(|(a, b)| -a - b).collect();
    let coefficients = vec![first.to_vec(), second.to_vec(), third];
    let base = Base::Anchored([0.7f64, 0.2, 0.1].map(f64::ln).to_vec());
    Linear::new((0..8).collect(), terms, coefficients, base, vec![(0..8).collect(); 3], link).unwrap()
}

/// The mask of 8 bits.
fn keeps(mask: usize) -> Vec<bool> {
    (0..8).map(|j| mask >> j & 1 == 1).collect()
}

#[test]
fn what_was_fitted_is_scaled_and_what_is_anchored_stays() {
    let linear =
        |base| Linear::of_features(vec![0], vec![vec![1.0], vec![-1.0]], base, vec![vec![0]; 2], Link::Identity);
    let fitted = linear(Base::Intercept(vec![3.0, -3.0])).unwrap();
    assert_eq!(fitted.scaled(2.0).predict(&[true]).unwrap(), [6.0, -6.0]);
    assert_eq!(fitted.scaled(2.0).intercept(), [4.0, -4.0]);
    let anchored = linear(Base::Anchored(vec![3.0, -3.0])).unwrap().scaled(2.0);
    assert_eq!(
        (anchored.predict(&[true]).unwrap(), anchored.predict(&[false]).unwrap()),
        (vec![3.0, -3.0], vec![1.0, -1.0])
    );
}

#[test]
fn shares_are_shapley_values_of_centred_logits() {
    let game = game(Link::Softmax);
    let value = |mask: usize| -> Vec<f64> {
        let ln_q: Vec<f64> = game.predict(&keeps(mask)).unwrap().into_iter().map(f64::ln).collect();
        let mean = ln_q.iter().sum::<f64>() / 3.0;
        ln_q.iter().map(|l| l - mean).collect()
    };
    let values: Vec<Vec<f64>> = (0..256).map(value).collect();
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    for c in 0..3 {
        for j in 0..8 {
            let without = (0..256usize).filter(|mask| mask >> j & 1 == 0);
            let gain = |mask: usize| {
                let size = mask.count_ones();
                let weight = factorial(size) * factorial(7 - size) / factorial(8);
                weight * (values[mask | 1 << j][c] - values[mask][c])
            };
            let shapley: f64 = without.map(gain).sum();
            let share = game.shares().row(c)[j];
            assert!((share - shapley).abs() < 1e-9, "class {c}, feature {j}: {share} against {shapley}");
        }
    }
}

#[test]
fn removals_add_up_as_the_coefficients_say() {
    let game = game(Link::Identity);
    let whole = game.whole();
    let off = |mask: usize| game.predict(&keeps(mask)).unwrap()[0] - whole[0];
    assert_eq!(game.predict(&keeps(255)).unwrap(), whole);
    // −W_0, −W_1, and both with V_01 = −1.25 beside them.
    let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
    assert!(near(off(0b1111_1110), -1.5) && near(off(0b1111_1101), 0.25) && near(off(0b1111_1100), -1.5 + 0.25 - 1.25));
    let (empty, intercept) = (game.predict(&keeps(0)).unwrap(), game.intercept());
    for c in 0..3 {
        let sum: f64 = game.shares().row(c).iter().sum();
        assert!(near(empty[c], intercept[c]) && near(whole[c] - sum, intercept[c]));
    }
    let pairs = game.pairs();
    assert_eq!((pairs.len(), pairs[1].features, pairs[1].effects[..2].to_vec()), (4, [0, 5], vec![0.5, 1.0]));
    assert!(game.presence().is_none());
}

#[test]
fn presence_and_removal_are_one_answer() {
    let matrix = vec![vec![0.5, -2.0], vec![-0.5, 2.0]];
    let of = |b: Option<Vec<f64>>| {
        Linear::from_presence(vec![1, 4], matrix.clone(), b, vec![vec![0, 1]; 2], Link::Identity).unwrap()
    };
    let fitted = of(Some(vec![0.25, -0.25]));
    assert_eq!(fitted.predict(&[true, false]).unwrap(), [0.75, -0.75]);
    assert_eq!(fitted.base(), &Base::Intercept(vec![-1.25, 1.25]));
    assert_eq!(fitted.presence(), Some((matrix.as_slice(), vec![0.25, -0.25])));
    assert_eq!(fitted.shares().matrix(), matrix);
    let none = of(None);
    assert_eq!((none.intercept(), none.whole()), (vec![0.0; 2], vec![-1.5, 1.5]));
    assert_eq!(none.predict(&[false, true]).unwrap(), [-2.0, 2.0]);
}

#[test]
fn carried_over_it_keeps_what_both_have() {
    let game = game(Link::Identity);
    let kept = vec![0, 1, 3, 9];
    let moved = game.carried_to(kept.clone(), vec![vec![0, 1, 2, 3]; 3]).unwrap();
    assert_eq!(moved.terms().last(), Some(&Term::pair(0, 1).unwrap()));
    assert_eq!(moved.coefficients()[0], [1.5, -0.25, 0.0, 0.0, -1.25]);
    assert_eq!(moved.whole(), game.whole());
    // A fitted intercept stays where nothing is left.
    let fitted = Base::Intercept(vec![1.0, 2.0, 3.0]);
    let terms = game.terms().to_vec();
    let fitted = Linear::new(
        (0..8).collect(),
        terms,
        game.coefficients().to_vec(),
        fitted,
        game.support().to_vec(),
        Link::Identity,
    );
    let fitted = fitted.unwrap();
    let moved = fitted.carried_to(kept, vec![vec![]; 3]).unwrap();
    assert!(moved.intercept().iter().zip(fitted.intercept()).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let new = |kept: &[usize], terms: Vec<Term>, base: Base, support: usize| {
        let coefficients = vec![vec![1.0; terms.len()]; 2];
        Linear::new(kept.to_vec(), terms, coefficients, base, vec![vec![support]; 2], Link::Softmax)
    };
    let base = || Base::Intercept(vec![0.0; 2]);
    let (one, pair) = (Term::one(2), Term::pair(2, 5).unwrap());
    assert!(new(&[2, 5], vec![one, pair], base(), 1).is_ok());
    let error = |made: Result<Linear>| made.unwrap_err().to_string();
    assert!(error(new(&[5, 2], vec![one], base(), 0)).contains("ascending"));
    assert!(error(new(&[2, 5], vec![one, one], base(), 0)).contains("twice"));
    assert!(error(new(&[2, 4], vec![pair], base(), 0)).contains("kept"));
    assert!(error(new(&[2, 5], vec![one], Base::Intercept(vec![0.0]), 0)).contains("base"));
    assert!(error(new(&[2, 5], vec![one], base(), 2)).contains("support"));
    assert!(error(new(&[2, 5], vec![pair], Base::None, 0)).contains("pairs"));
    assert!(Term::pair(3, 3).is_err() && Term::try_from(vec![1, 2, 3]).is_err() && Term::try_from(vec![]).is_err());
    assert!(Base::by_kind("other", vec![]).is_err());
}
