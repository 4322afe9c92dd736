"""Exceptions, signals, threads, forks, pickles."""

import multiprocessing
import os
import pickle
import signal
import threading
import time

import pytest
from model import NAMES, TEXT, predict

import lipex

LONG = " ".join(f"word{i} wonderful{i % 7} dreadful" for i in range(120))


def test_the_callables_exception_is_its_own():
    own, calls = KeyError("wonderful"), []

    def deep(texts):
        raise own

    def model(texts):
        calls.append(len(texts))
        return deep(texts)

    with pytest.raises(KeyError) as raised:
        lipex.explain_text(TEXT, model, class_names=NAMES)
    assert raised.value is own and len(calls) == 1
    assert [entry.name for entry in raised.traceback][-2:] == ["model", "deep"]


def test_the_wordless_text_is_refused():
    with pytest.raises(ValueError, match="no words") as refused:
        lipex.explain_text(" \n ", predict)
    assert "\n" not in str(refused.value)
    with pytest.raises(TypeError, match="is a str, not bytes"):
        lipex.explain_text(b"fine", predict)
    with pytest.raises(TypeError, match="not int"):
        lipex.Explainer(3)


@pytest.fixture(autouse=True)
def ctrl_c():
    """Python's own handler, also where this was started in the background, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted_after(seconds, work):
    """How long after SIGINT a KeyboardInterrupt came."""
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(seconds, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        return time.perf_counter() - sent[0]
    finally:
        timer.cancel()
        timer.join()


def test_ctrl_c_in_the_callable():
    def slow(texts):
        time.sleep(20)

    assert interrupted_after(0.2, lambda: lipex.explain_text(TEXT, slow)) < 5  # of 20


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_in_a_long_fit(threads):
    explainer = lipex.Explainer(
        lambda texts: predict([t.replace("3", " ") for t in texts]),
        class_names=NAMES, unit="occurrence", samples=20000, select="all", uncertainty=True, threads=threads,
    )  # fmt: skip
    took = [interrupted_after(seconds, lambda: explainer.explain(LONG)) for seconds in (1.0, 2.5)]
    # On an idle machine some .05 s; a crowded one needs longer, and without a way to stop it would be the fit's end.
    print(f"stopped {max(took):.3f} s after SIGINT")
    assert max(took) < 5


def test_the_default_handler_is_not_needed():
    class Stopped(Exception):
        pass

    def handler(number, frame):
        raise Stopped

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(Stopped):
            lipex.explain_text(LONG, predict, unit="occurrence", samples=20000, select="all", uncertainty=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def plain():
    return lipex.explain_text(TEXT, predict, class_names=NAMES)


def test_the_callable_is_called_on_the_callers_thread(plain):
    seen = set()

    def model(texts):
        seen.add(threading.get_ident())
        return predict(texts)

    assert lipex.explain_text(TEXT, model, class_names=NAMES, threads=2) == plain
    assert seen == {threading.get_ident()}


def test_four_threads_at_once(plain):
    made = [None] * 4

    def work(i):
        made[i] = lipex.explain_text(TEXT, predict, class_names=NAMES, threads=1 + i % 2)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert made == [plain] * 4


def test_another_thread_goes_on():
    stop, longest = threading.Event(), [0.0]

    def watch():
        last = time.perf_counter()
        while not stop.is_set():
            time.sleep(0.002)
            now = time.perf_counter()
            longest[0], last = max(longest[0], now - last), now

    thread = threading.Thread(target=watch)
    thread.start()
    lipex.explain_text(LONG, lambda texts: predict([texts[0]] * len(texts)), samples=3000, unit="occurrence")
    stop.set()
    thread.join()
    assert longest[0] < 3  # Making the texts holds the interpreter; fits and draws do not.


def test_explaining_within_the_callable(plain):
    inner = []

    def model(texts):
        if not inner:
            inner.append(lipex.explain_text(TEXT, predict, class_names=NAMES, threads=2))
        return predict(texts)

    assert lipex.explain_text(TEXT, model, class_names=NAMES, threads=2) == plain == inner[0]


def in_a_child(queue, explainer):
    queue.put(
        [explainer.explain(TEXT).to_json_canonical(), lipex.Explainer("demo", threads=2)("so happy").predicted_name]
    )


def test_forks_after_threads(plain):
    explainer = lipex.Explainer(predict, class_names=NAMES, threads=2)
    assert explainer.explain(TEXT) == plain
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=in_a_child, args=(queue, explainer))
    child.start()
    assert queue.get(timeout=60) == [plain.to_json_canonical(), "joy"]
    child.join(timeout=60)
    assert child.exitcode == 0


def test_pickles(plain):
    again = pickle.loads(pickle.dumps(plain))
    assert again == plain and hash(again) == hash(plain) and again.to_json() == plain.to_json()
    explainer = pickle.loads(pickle.dumps(lipex.Explainer(predict, class_names=NAMES)))
    assert explainer.explain(TEXT) == plain
    demo = lipex.Explainer("demo")
    told = demo.explain("so happy")
    assert pickle.loads(pickle.dumps(demo)).explain("so happy") == told


def test_a_folder_is_opened_once(monkeypatch):
    opened, own = [], lipex._lipex.open
    monkeypatch.setattr(lipex._lipex, "open", lambda *given: opened.append(given) or own(*given))
    explainer = lipex.Explainer("demo")
    told = [explainer.explain("so happy"), explainer("so sad", samples=50), *explainer.explain_many(["a", "b"])]
    assert len(told) == 4 and len(opened) == 1
    # Threads are the model's too, so another number of them opens it again.
    explainer.explain("so happy", threads=2)
    assert len(opened) == 2


def test_many_texts(plain):
    explainer = lipex.Explainer(predict, class_names=NAMES)
    texts = [TEXT, "", "a moving film"]
    told = explainer.explain_many(texts, errors="return", progress=True)
    assert told[0] == plain and isinstance(told[1], ValueError) and told[2] == explainer("a moving film")
    with pytest.raises(ValueError, match="the text is empty"):
        explainer.explain_many(texts)
    with pytest.raises(ValueError, match="choose"):
        explainer.explain_many(texts, errors="ignore")
    assert explainer.explain_many(texts[:1], seed=9)[0] == explainer(TEXT, seed=9)


@pytest.mark.parametrize(
    "model, told",
    [
        ("onnx:nowhere", "nowhere"),
        ("dem", 'give a callable, "demo" or "onnx:FOLDER"'),
        ("tests", "for the folder say onnx:tests|give a callable"),
    ],
)
def test_models_that_are_not_there(model, told):
    with pytest.raises((ValueError, RuntimeError), match=told) as refused:
        lipex.explain_text(TEXT, model)
    assert "\n" not in str(refused.value)


def test_what_a_named_model_does_not_take():
    with pytest.raises(ValueError, match="outputs = logits"):
        lipex.explain_text(TEXT, "demo", outputs="logits")
    with pytest.raises(ValueError, match="class_names = given: is for models in folders"):
        lipex.explain_text(TEXT, "demo", class_names=["a"])
    with pytest.raises(ValueError, match="the demo reads texts"):
        lipex.explain_table([1.0], "demo", background=[[2.0]])
    with pytest.raises((ValueError, RuntimeError), match="cuda"):
        lipex.explain_text(TEXT, predict, backend="cuda:99")
