//! Tables as parquet files.

use super::input::Columns;
use super::journal::Journal;
use lipex::{BATCH_SCHEMA, BatchRow, Error, Result, RowId};
use parquet::basic::{Compression, ConvertedType, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// The columns of [`BatchRow`]. Lists in the three levels that every reader knows.
const SCHEMA: &str = "message lipex_batch {
    REQUIRED INT64 row;
    REQUIRED BYTE_ARRAY id (UTF8);
    OPTIONAL group classes (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (UTF8); } }
    OPTIONAL BYTE_ARRAY predicted (UTF8);
    OPTIONAL group features (LIST) { REPEATED group list { REQUIRED BYTE_ARRAY element (UTF8); } }
    OPTIONAL group kept (LIST) { REPEATED group list { REQUIRED INT32 element; } }
    OPTIONAL group matrix (LIST) { REPEATED group list { REQUIRED group element (LIST) {
        REPEATED group list { REQUIRED DOUBLE element; } } } }
    OPTIONAL group intercept (LIST) { REPEATED group list { REQUIRED DOUBLE element; } }
    OPTIONAL group p_model (LIST) { REPEATED group list { REQUIRED DOUBLE element; } }
    OPTIONAL group p_surrogate (LIST) { REPEATED group list { REQUIRED DOUBLE element; } }
    OPTIONAL DOUBLE tv_unseen;
    OPTIONAL INT32 inputs;
    OPTIONAL BYTE_ARRAY explanation (UTF8);
    OPTIONAL BYTE_ARRAY error (UTF8);
}";

/// Rows of a group, which is what is in memory at once.
const GROUP: usize = 1000;

type Failure = parquet::errors::ParquetError;
type Tried<T> = std::result::Result<T, Failure>;

fn open(path: &Path) -> std::result::Result<SerializedFileReader<File>, String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    SerializedFileReader::new(file).map_err(|e| format!("is no parquet file that can be read: {e}"))
}

/// The places of content and id among the columns.
pub fn find(path: &Path, columns: &Columns) -> std::result::Result<(usize, Option<usize>), String> {
    let reader = open(path)?;
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_string()).collect();
    let found = columns.find(&names)?;
    let readable = |place: usize| {
        let field = &schema.get_fields()[place];
        let text = field.is_primitive()
            && field.get_physical_type() == Physical::BYTE_ARRAY
            && matches!(field.get_basic_info().converted_type(), ConvertedType::UTF8 | ConvertedType::NONE);
        let number = field.is_primitive() && matches!(field.get_physical_type(), Physical::INT32 | Physical::INT64);
        (text, number)
    };
    if !readable(found.0).0 {
        return Err(format!("the column {} holds no texts", names[found.0]));
    }
    if let Some(id) = found.1.filter(|&id| readable(id) == (false, false)) {
        return Err(format!("the column {} holds neither texts nor whole numbers", names[id]));
    }
    Ok(found)
}

/// A row's content, or why there is none, and its id if one is asked for and there.
type Cell = (std::result::Result<String, String>, Option<RowId>);

/// The rows' contents and ids.
pub fn cells(
    path: &Path,
    content: usize,
    id: Option<usize>,
) -> std::result::Result<Box<dyn Iterator<Item = Cell> + Send>, String> {
    let reader = open(path)?;
    let schema = reader.metadata().file_metadata().schema().clone();
    let wanted = [Some(content), id.filter(|id| *id != content)];
    let fields: Vec<Arc<Type>> = wanted.iter().flatten().map(|&place| schema.get_fields()[place].clone()).collect();
    // Columns come in the order of the file's.
    let name = |place: usize| schema.get_fields()[place].name().to_string();
    let (content, id) = (name(content), id.map(name));
    let projection = Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(|e| e.to_string())?;
    let rows = RowIter::from_file_into(Box::new(reader)).project(Some(projection)).map_err(|e| e.to_string())?;
    Ok(Box::new(rows.map(move |row| match row {
        Err(e) => (Err(format!("the row cannot be read: {e}")), None),
        Ok(row) => {
            let field = |name: &str| row.get_column_iter().find(|(own, _)| *own == name).map(|(_, field)| field);
            let id = id.as_deref().and_then(field).and_then(of_field);
            (text(field(&content)).ok_or_else(|| format!("the row has no {content}")), id)
        }
    })))
}

fn text(field: Option<&Field>) -> Option<String> {
    match field? {
        Field::Str(text) => Some(text.clone()),
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec()).ok(),
        _ => None,
    }
}

fn of_field(field: &Field) -> Option<RowId> {
    let number = match field {
        Field::Byte(n) => i64::from(*n),
        Field::UByte(n) => i64::from(*n),
        Field::Short(n) => i64::from(*n),
        Field::UShort(n) => i64::from(*n),
        Field::Int(n) => i64::from(*n),
        Field::UInt(n) => i64::from(*n),
        Field::Long(n) => *n,
        Field::ULong(n) => return Some(i64::try_from(*n).map_or_else(|_| RowId::Text(n.to_string()), RowId::Number)),
        other => return text(Some(other)).map(RowId::Text),
    };
    Some(RowId::Number(number))
}

/// Writes all rows of a journal.
pub fn table(
    journal: &Journal,
    file: &File,
    mut take: impl FnMut(&str) -> Result<BatchRow>,
    io: impl Fn(&std::io::Error) -> Error,
) -> Result<()> {
    let told = |e: Failure| io(&std::io::Error::other(e.to_string()));
    let schema = Arc::new(parse_message_type(SCHEMA).map_err(told)?);
    let about = KeyValue::new("lipex.schema".to_string(), BATCH_SCHEMA.to_string());
    // Equal tables are equal bytes.
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("lipex ", env!("CARGO_PKG_VERSION")).into())
        .set_key_value_metadata(Some(vec![about]))
        .build();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).map_err(told)?;
    let mut rows: Vec<BatchRow> = Vec::with_capacity(GROUP);
    journal.each(|line| {
        rows.push(take(line)?);
        if rows.len() == GROUP {
            group(&mut writer, &rows).map_err(told)?;
            rows.clear();
        }
        Ok(())
    })?;
    if !rows.is_empty() {
        group(&mut writer, &rows).map_err(told)?;
    }
    writer.close().map(drop).map_err(told)
}

/// Writes some rows, a column after the other, in the order of [`SCHEMA`].
fn group(writer: &mut SerializedFileWriter<&File>, rows: &[BatchRow]) -> Tried<()> {
    let mut to = writer.next_row_group()?;
    let numbers: Vec<i64> = rows.iter().map(|row| row.row as i64).collect();
    column::<Int64Type>(&mut to, &numbers, None, None)?;
    let ids: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(row.id.to_string().into_bytes())).collect();
    column::<ByteArrayType>(&mut to, &ids, None, None)?;
    let bytes = |text: &String| ByteArray::from(text.clone().into_bytes());
    let double = |x: &f64| *x;
    list::<ByteArrayType, _>(&mut to, rows.iter().map(|row| row.classes.as_deref()), bytes)?;
    one::<ByteArrayType, _>(&mut to, rows.iter().map(|row| row.predicted.as_ref()), bytes)?;
    list::<ByteArrayType, _>(&mut to, rows.iter().map(|row| row.features.as_deref()), bytes)?;
    list::<Int32Type, _>(&mut to, rows.iter().map(|row| row.kept.as_deref()), |k| *k as i32)?;
    lists(&mut to, rows.iter().map(|row| row.matrix.as_deref()))?;
    list::<DoubleType, _>(&mut to, rows.iter().map(|row| row.intercept.as_deref()), double)?;
    list::<DoubleType, _>(&mut to, rows.iter().map(|row| row.p_model.as_deref()), double)?;
    list::<DoubleType, _>(&mut to, rows.iter().map(|row| row.p_surrogate.as_deref()), double)?;
    one::<DoubleType, _>(&mut to, rows.iter().map(|row| row.tv_unseen.as_ref()), double)?;
    one::<Int32Type, _>(&mut to, rows.iter().map(|row| row.inputs.as_ref()), |n| *n as i32)?;
    one::<ByteArrayType, _>(&mut to, rows.iter().map(|row| row.explanation.as_ref()), bytes)?;
    one::<ByteArrayType, _>(&mut to, rows.iter().map(|row| row.error.as_ref()), bytes)?;
    to.close().map(drop)
}

type Group<'a, 'b> = SerializedRowGroupWriter<'a, &'b File>;

fn column<D: DataType>(
    to: &mut Group<'_, '_>,
    values: &[D::T],
    definition: Option<&[i16]>,
    repetition: Option<&[i16]>,
) -> Tried<()> {
    let Some(mut column) = to.next_column()? else {
        return Err(Failure::General("more columns than the schema".into()));
    };
    column.typed::<D>().write_batch(values, definition, repetition)?;
    column.close()
}

/// A column of values that may be absent.
fn one<'r, D: DataType, T: 'r>(
    to: &mut Group<'_, '_>,
    rows: impl Iterator<Item = Option<&'r T>>,
    value: impl Fn(&T) -> D::T,
) -> Tried<()> {
    let (mut values, mut definition) = (Vec::new(), Vec::new());
    for row in rows {
        definition.push(i16::from(row.is_some()));
        values.extend(row.map(&value));
    }
    column::<D>(to, &values, Some(&definition), None)
}

/// A column of lists that may be absent: level 0 for none, 1 for an empty one, 2 for an entry.
fn list<'r, D: DataType, T: 'r>(
    to: &mut Group<'_, '_>,
    rows: impl Iterator<Item = Option<&'r [T]>>,
    value: impl Fn(&T) -> D::T,
) -> Tried<()> {
    let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let entries = row.unwrap_or(&[]);
        if entries.is_empty() {
            definition.push(i16::from(row.is_some()));
            repetition.push(0);
        }
        for (i, entry) in entries.iter().enumerate() {
            definition.push(2);
            repetition.push(i16::from(i > 0));
            values.push(value(entry));
        }
    }
    column::<D>(to, &values, Some(&definition), Some(&repetition))
}

/// A column of lists of lists that may be absent: level 0 for none, 1 without a list, 2 for an empty list, 3 for an entry.
fn lists<'r>(to: &mut Group<'_, '_>, rows: impl Iterator<Item = Option<&'r [Vec<f64>]>>) -> Tried<()> {
    let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let outer = row.unwrap_or(&[]);
        if outer.is_empty() {
            definition.push(i16::from(row.is_some()));
            repetition.push(0);
        }
        for (i, inner) in outer.iter().enumerate() {
            let first = i16::from(i > 0);
            if inner.is_empty() {
                definition.push(2);
                repetition.push(first);
            }
            for (j, x) in inner.iter().enumerate() {
                definition.push(3);
                repetition.push(if j > 0 { 2 } else { first });
                values.push(*x);
            }
        }
    }
    column::<DoubleType>(to, &values, Some(&definition), Some(&repetition))
}
