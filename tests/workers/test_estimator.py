"""scikit-learn estimators as workers, real ones."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from orchestration_kit import Orchestrator, SQLiteJournal, WorkerDefinition, usage_frame
from orchestration_kit.engine.calls import bind_worker
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.errors import InvalidWorker
from orchestration_kit.workers.adapt import worker_from
from orchestration_kit.workers.estimator import InputUnfit, estimator
from tests.support import step, workflow_of

FRAME = pd.DataFrame({"width": [1.0, 2.0, 8.0, 9.0], "height": [0.0, 1.0, 0.0, 1.0]})
LABELS = ["small", "small", "large", "large"]


@pytest.fixture
def tree():
    return DecisionTreeClassifier(random_state=0).fit(FRAME, LABELS)


@pytest.fixture
def context():
    return WorkflowContext("try", "Sort")


@pytest.mark.parametrize(
    "rows",
    [
        FRAME,
        FRAME[["height", "width"]],
        FRAME.assign(name="left out"),
        FRAME.to_dict("records"),
        FRAME.to_numpy().tolist(),
        [tuple(row) for row in FRAME.to_numpy().tolist()],
        FRAME.to_numpy(),
    ],
    ids=["frame", "other order", "more columns", "mappings", "lists", "tuples", "array"],
)
def test_rows_of_every_shape_give_plain_labels(tree, context, rows):
    found = estimator(tree)(rows, context)
    assert found == LABELS
    assert {type(label) for label in found} == {str}


@pytest.mark.parametrize("row", [{"height": 0.0, "width": 9.0}, [9.0, 0.0], np.array([9.0, 0.0]), FRAME.iloc[3]])
def test_one_row_gives_one_label(tree, context, row):
    assert estimator(tree)(row, context) == "large"


def test_probabilities_are_a_table_with_the_classes_as_columns(tree, context):
    found = estimator(tree, method="predict_proba")(FRAME.set_axis([5, 6, 7, 8]), context)
    assert found.columns.tolist() == ["large", "small"]
    assert found.index.tolist() == [5, 6, 7, 8]
    assert found["small"].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert estimator(tree, method="predict_proba")([1.0, 0.0], context) == {"large": 0.0, "small": 1.0}


def test_numbers_come_back_as_plain_numbers(context):
    line = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    found = estimator(line)([[2.0], [3.0]], context)
    assert found == pytest.approx([4.0, 6.0])
    assert {type(number) for number in found} == {float}


def test_a_transformer_makes_a_table_with_named_columns(context):
    scaler = StandardScaler().fit(FRAME)
    found = estimator(scaler)(FRAME, context)
    assert found.columns.tolist() == ["width", "height"]
    assert found["height"].tolist() == [-1.0, 1.0, -1.0, 1.0]


def test_a_sparse_result_becomes_a_table(context):
    encoder = OneHotEncoder().fit(pd.DataFrame({"c": ["a", "b"]}))
    assert estimator(encoder)([{"c": "b"}], context).to_dict("records") == [{"c_a": 0.0, "c_b": 1.0}]


def test_texts_are_rows(context):
    texts = ["good great", "bad awful", "great good", "awful bad"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, ["+", "-", "+", "-"])
    assert estimator(model)(["good", "awful"], context) == ["+", "-"]
    assert estimator(model)("great", context) == "+"


def test_a_pipeline_over_columns_and_a_search_keep_the_names(context):
    frame = FRAME.assign(colour=["r", "g", "r", "g"])
    columns = ColumnTransformer([("n", StandardScaler(), ["width"]), ("c", OneHotEncoder(), ["colour"])])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, LABELS)
    assert estimator(model)(frame[["colour", "height", "width"]], context) == LABELS
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2]}, cv=2).fit(FRAME, LABELS)
    assert estimator(search)(FRAME[["height", "width"]], context) == LABELS


def test_a_table_for_an_estimator_without_names_is_taken_as_bare_rows(context):
    clusters = KMeans(2, random_state=0, n_init=1).fit(FRAME.to_numpy())
    found = estimator(clusters)(FRAME, context)
    assert (found[0] == found[1], found[0] != found[3], {type(one) for one in found}) == (True, True, {int})


def test_a_missing_column_is_named_with_the_nearest(tree, context):
    with pytest.raises(InputUnfit) as caught:
        estimator(tree)([{"widht": 1.0, "height": 2.0}], context)
    assert str(caught.value) == (
        "The input does not fit DecisionTreeClassifier: the column 'width' is missing. Did you mean 'widht'? "
        "It was fitted with: width, height; given: widht, height."
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("given", [None, 3, [], [[1.0], "x"], object(), [{"width": 1.0}, 3]])
def test_what_is_no_rows_is_refused_and_not_tried_again(tree, given):
    hub = Orchestrator()
    hub.register_worker(WorkerDefinition(worker_type="give", name="give", executor=lambda _: given))
    hub.register_worker(worker_from(tree, worker_type="sort"))
    hub.register_workflow(workflow_of(step("give", "sort"), step("sort", max_retries=3)))
    context = hub.execute_workflow("flow", "goal", verbose=False)
    assert [entry["error_type"] for entry in context.history] == [None, "InputUnfit"]


@pytest.mark.parametrize(
    "model", [DecisionTreeClassifier(), make_pipeline(StandardScaler(), LogisticRegression()), PCA()]
)
def test_one_that_is_not_fitted_is_refused_at_once(model):
    with pytest.raises(InvalidWorker, match="not fitted.*Fit it first"):
        worker_from(model)


def test_one_that_needs_no_fitting_works_as_it_is(context):
    assert estimator(FunctionTransformer(np.log1p))([[0.0]], context).to_numpy().tolist() == [[0.0]]


def test_a_class_is_refused_with_the_right_call():
    with pytest.raises(InvalidWorker, match=r"worker_from\(DecisionTreeClassifier\(\.\.\.\)\.fit\(X, y\)\)"):
        worker_from(DecisionTreeClassifier)


def test_a_method_that_it_does_not_have_is_refused():
    with pytest.raises(InvalidWorker, match="no method 'predict_proba'.*It has: predict"):
        worker_from(LinearRegression().fit([[1.0]], [1.0]), method="predict_proba")


def test_a_run_keeps_labels_and_the_name_of_the_model_on_record(tree, tmp_path):
    hub = Orchestrator(journal=SQLiteJournal(tmp_path / "runs.db"))
    hub.register_worker(WorkerDefinition(worker_type="give", name="give", executor=lambda _: FRAME.to_dict("records")))
    hub.register_worker(worker_from(tree, worker_type="sort"))
    hub.register_workflow(workflow_of(step("give", "sort"), step("sort")))
    context = hub.execute_workflow("flow", "goal", verbose=False)
    assert context.data["sort_output"] == LABELS
    assert usage_frame(context)["model"].tolist()[1] == "DecisionTreeClassifier"


def test_a_model_that_was_trained_anew_is_another_worker(tree):
    again = DecisionTreeClassifier(random_state=0).fit(FRAME, LABELS)
    other = DecisionTreeClassifier(random_state=0).fit(FRAME, LABELS[::-1])
    prints = [bind_worker(worker_from(one)).fingerprint for one in (tree, again, other)]
    assert prints[0] == prints[1] != prints[2]


def test_a_large_model_is_not_copied_to_tell_it_from_another():
    model = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    model.trees = [np.zeros(100_000) for _ in range(40)]  # 32 MB
    tracemalloc.start()
    try:
        worker_from(model)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8_000_000


@pytest.mark.parametrize("given", ["large", ["large", "small"]])
def test_text_for_an_estimator_of_columns_is_told_with_the_columns(tree, given):
    with pytest.raises(InputUnfit, match="it is text, .* fitted with the columns width, height"):
        estimator(tree)(given, WorkflowContext("try", "goal"))
    bare = LinearRegression().fit([[1.0, 2.0], [2.0, 1.0]], [1.0, 2.0])
    with pytest.raises(InputUnfit, match="fitted with 2 columns. Give rows; an input_transformer"):
        estimator(bare)(given, WorkflowContext("try", "goal"))
