"""lipex.batch on Ray Data, Spark and Dask: the bits of one process, with a worker killed, and resumed.

Each is skipped without its engine. Run by hand, since the engines are large:
`pip install "ray[data]" pyspark "dask[distributed]" pyarrow pandas`.
"""

import os
import sys

import numpy as np
import pytest
from conftest import HERE
from model import NAMES, predict

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as parquet  # noqa: E402

import lipex.batch  # noqa: E402

WORDS = "a wonderful film and moving not too long dreadful acting music story scene".split()
ROWS = [{"id": i, "text": " ".join(np.random.RandomState(i).choice(WORDS, 7))} for i in range(49)] + [
    {"id": 49, "text": ""}
]
SETTINGS = dict(class_names=NAMES, samples=200)


def load():
    return predict


@pytest.fixture(scope="module")
def one():
    """What one process makes of it."""
    return lipex.batch.Explain(load, **SETTINGS)(pa.Table.from_pylist(ROWS))


def same(rows, one):
    """Each row once, with the bits of one process."""
    rows = sorted(rows, key=lambda row: row["id"])
    assert [row["id"] for row in rows] == list(range(50))
    assert [row["explanation"] for row in rows] == one["explanation"].to_pylist()
    assert [row["error"] for row in rows] == one["error"].to_pylist()


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray")
    environment = {"env_vars": {"PYTHONPATH": str(HERE)}}
    ray.init(num_cpus=4, include_dashboard=False, logging_level="ERROR", log_to_driver=False, runtime_env=environment)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray
    ray.shutdown()


def written(place):
    files = [place / name for name in os.listdir(place)] if place.is_dir() else []
    return [row for file in files if file.suffix == ".parquet" for row in parquet.read_table(file).to_pylist()]


def sources(place):
    (place / "in").mkdir()
    for part in range(5):
        parquet.write_table(pa.Table.from_pylist(ROWS[part * 10 : part * 10 + 10]), place / f"in/{part}.parquet")
    return str(place / "in")


def explained(ray, place, explain):
    return ray.data.read_parquet(place, override_num_blocks=5).map_batches(
        explain, fn_constructor_args=(load,), fn_constructor_kwargs=SETTINGS, batch_format="pyarrow", batch_size=5,
        concurrency=1, max_restarts=3, max_task_retries=2,
    )  # fmt: skip


def test_ray(ray, one, tmp_path):
    explained(ray, sources(tmp_path), lipex.batch.Explain).write_parquet(str(tmp_path / "out"))
    same(written(tmp_path / "out"), one)


def test_ray_goes_on_after_a_death(ray, one, tmp_path):
    flag = tmp_path / "killed"

    class Dies(lipex.batch.Explain):
        def __call__(self, table):
            if 20 in table["id"].to_pylist() and not flag.exists():
                flag.touch()
                os._exit(1)
            return super().__call__(table)

    explained(ray, sources(tmp_path), Dies).write_parquet(str(tmp_path / "out"))
    assert flag.exists()
    same(written(tmp_path / "out"), one)


def test_ray_resumes(ray, one, tmp_path):
    checkpoint = pytest.importorskip("ray.data.checkpoint")
    context = ray.data.DataContext.get_current()
    source, bad, calls = sources(tmp_path), tmp_path / "bad", tmp_path / "calls"

    class Fails(lipex.batch.Explain):
        def __call__(self, table):
            ids = table["id"].to_pylist()
            if bad.exists() and max(ids) >= 30:
                import time

                for _ in range(60):
                    if (tmp_path / "out").is_dir() and os.listdir(tmp_path / "out"):
                        break
                    time.sleep(0.5)
                raise RuntimeError("the model's server is down")
            with open(calls, "a") as told:
                told.write("".join(f"{i}\n" for i in ids))
            return super().__call__(table)

    config = dict(id_column="id", checkpoint_path=str(tmp_path / "ck"), delete_checkpoint_on_success=False)
    context.checkpoint_config = checkpoint.CheckpointConfig(**config)
    context.target_min_block_size, context.target_max_block_size = 1, 3000
    try:
        bad.touch()
        with pytest.raises(Exception, match="server is down"):
            explained(ray, source, Fails).write_parquet(str(tmp_path / "out"))
        before = {row["id"] for row in written(tmp_path / "out")}
        bad.unlink()
        calls.write_text("")
        explained(ray, source, Fails).write_parquet(str(tmp_path / "out"))
        again = [int(line) for line in calls.read_text().split()]
        print(f"written before the failure: {len(before)}; explained by the second run: {len(again)}")
        assert before and not before & set(again)
        same(written(tmp_path / "out"), one)
    finally:
        context.checkpoint_config = None


@pytest.fixture(scope="module")
def session():
    sql = pytest.importorskip("pyspark.sql")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(HERE)
    builder = sql.SparkSession.builder.master("local[2,4]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "8").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def frame(session):
    rows = [(row["id"], row["text"]) for row in ROWS]
    return session.createDataFrame(rows, "id long, text string").repartition(4)


def test_spark(session, one, tmp_path):
    out = frame(session).mapInArrow(lipex.batch.spark(load, **SETTINGS), "id long, " + lipex.batch.SPARK)
    out.write.parquet(str(tmp_path / "out"))
    back = session.read.parquet(str(tmp_path / "out"))
    same([row.asDict() for row in back.collect()], one)
    # What is not done is what a second run is given.
    left = frame(session).join(back.filter("id < 45"), "id", "left_anti").collect()
    assert sorted(row["id"] for row in left) == list(range(45, 50))


def test_spark_goes_on_after_a_death(session, one, tmp_path):
    flag = str(tmp_path / "killed")

    def dies(batches):
        def watched():
            for batch in batches:
                if 20 in batch["id"].to_pylist() and not os.path.exists(flag):
                    open(flag, "w").close()
                    os._exit(1)
                yield batch

        yield from lipex.batch.spark(load, **SETTINGS)(watched())

    rows = frame(session).mapInArrow(dies, "id long, " + lipex.batch.SPARK).collect()
    assert os.path.exists(flag)
    same([row.asDict() for row in rows], one)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_dask(one, scheduler):
    dask = pytest.importorskip("dask")
    explain = lipex.batch.Explain(load, **SETTINGS)
    tasks = [dask.delayed(explain)(pa.Table.from_pylist(ROWS[at : at + 10])) for at in range(0, 50, 10)]
    same(pa.concat_tables(dask.compute(*tasks, scheduler=scheduler, num_workers=2)).to_pylist(), one)
