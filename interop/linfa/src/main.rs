//! Why does a logistic regression of linfa take this iris for a versicolor?

use linfa::prelude::*;
use linfa_logistic::MultiLogisticRegression;
use lipex::prelude::*;
use lipex::{Cell, Table, TabularFn, TabularInstance};
use ndarray::Array2;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let irises = linfa_datasets::iris();
    let columns = irises.feature_names().to_vec();
    let classifier = MultiLogisticRegression::default().max_iterations(100).fit(&irises)?;

    let model = TabularFn::new(["setosa", "versicolor", "virginica"], |rows: &[Vec<Cell>]| {
        let numbers = rows.iter().flatten().map(|cell| if let Cell::Number(x) = cell { *x } else { f64::NAN });
        let table = Array2::from_shape_vec((rows.len(), 4), numbers.collect()).expect("four columns");
        classifier.predict_probabilities(&table).outer_iter().map(|row| row.to_vec()).collect()
    });

    let cells = |row: ndarray::ArrayView1<'_, f64>| row.iter().map(|x| Cell::from(*x)).collect();
    let all = Table::new(columns, irises.records().outer_iter().map(cells).collect())?;
    let row = TabularInstance::new(&all.only([70])?, &all)?;
    let explanation = kernel_shap().explain(&row, &model)?;

    let class = explanation.predicted();
    println!("{} {:.3}", explanation.classes[class], explanation.probabilities.model[class]);
    for share in explanation.top_k(class, 4, Rank::Absolute) {
        println!("{:+.3} {}", share.value, explanation.features[share.feature].name);
    }
    Ok(())
}
