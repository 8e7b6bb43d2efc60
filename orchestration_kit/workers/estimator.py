"""A fitted scikit-learn estimator becomes a worker: rows in, plain labels or a table out.

Anything with `fit`, `get_params` and `predict` or `transform` will do. scikit-learn is imported when a worker is made
of an estimator, and so is there already.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from orchestration_kit.errors import AttemptError, InvalidWorker, counted, did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext

Method = Literal["predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "transform"]


class InputUnfit(AttemptError, ValueError):
    """What an estimator was given are no rows as it was fitted with."""

    is_final = True

    def __init__(self, estimator: str, reason: str, hint: str) -> None:
        super().__init__(estimator, reason, hint)
        self.estimator, self.reason, self.hint = estimator, reason, hint

    def __str__(self) -> str:
        return f"The input does not fit {self.estimator}: {self.reason}. {self.hint}"


def is_estimator(thing: Any) -> bool:
    """Whether a thing looks like an estimator, fitted or not."""
    kind = cast("Any", type(thing))
    has = {name for name in ("fit", "get_params", "predict", "transform") if hasattr(kind, name)}
    return {"fit", "get_params"} <= has and len(has) > 2


def estimator(model: Any, *, method: Method | None = None) -> Callable[[Any, WorkflowContext], Any]:
    """Return a fitted estimator as a worker.

    It takes a DataFrame, a list of mappings, a list of lists, a list of texts, an array; or one row: a mapping, a
    Series, a list of numbers, a text. Where the estimator knows names of its features, columns are put in their order,
    and others are left out. Labels come back as a list of plain values, one for one row; probabilities and what a
    transformer makes as a DataFrame with named columns, as a mapping for one row.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from orchestration_kit import WorkflowContext
    >>> tree = DecisionTreeClassifier(random_state=0).fit([[1.0], [9.0]], ["low", "high"])
    >>> context = WorkflowContext("try", "Sort")
    >>> estimator(tree)([[2.0], [8.0]], context), estimator(tree, method="predict_proba")([2.0], context)
    (['low', 'high'], {'high': 0.0, 'low': 1.0})

    Args:
        model: The estimator, or a pipeline, fitted.
        method: What to call; `predict` by default, for transformers `transform`.

    Raises:
        InvalidWorker: it is not fitted, or has no such method.
    """
    title = cast("Any", type(model)).__name__
    if isinstance(model, type) or not is_estimator(model):
        hint = "Give a fitted estimator: LogisticRegression().fit(X, y)."
        raise InvalidWorker(getattr(model, "__name__", title), "it is no estimator, or the class of one", hint)
    _check_fitted(model, title)
    able = [name for name in get_args(Method) if hasattr(model, name)]
    chosen = method or ("predict" if "predict" in able else "transform")
    if chosen not in able:
        raise InvalidWorker(
            title, f"it has no method {chosen!r}{did_you_mean(chosen, able)}", f"It has: {listed(able)}."
        )
    told = (chosen, _digest(model))  # held by the worker, so that its fingerprint changes with the model

    def infer(input_data: Any, context: WorkflowContext) -> Any:
        _ = told
        context.add_usage(model=title)
        rows, is_one = _rows(model, title, input_data)
        return _plain(model, chosen, getattr(model, chosen)(rows), rows, is_one=is_one)

    infer.__name__ = infer.__qualname__ = title
    return infer


def _check_fitted(model: Any, title: str) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils import validation

    try:
        cast("Any", validation).check_is_fitted(model)
    except NotFittedError:
        hint = f"Fit it first: {title}(...).fit(X, y). To fit it within a run, make a function that does so the worker."
        raise InvalidWorker(title, "it is not fitted, so that it knows nothing yet", hint) from None


def _digest(model: Any) -> str:
    """Return a text that changes when the model is trained anew."""
    joblib: Any = importlib.import_module("joblib")  # scikit-learn brings it; arrays are hashed as they lie in memory
    try:
        return str(joblib.hash(model))
    except Exception:  # noqa: BLE001 - a model may hold anything, a lambda say; then its settings have to do
        return repr(sorted(model.get_params(deep=False)))


def _rows(model: Any, title: str, given: Any) -> tuple[Any, bool]:
    """Return rows as the estimator takes them, and whether it was one row by itself."""
    import numpy as np
    import pandas as pd

    if isinstance(given, (str, bytes)):
        return _texts(model, title, [given]), True
    if isinstance(given, pd.DataFrame):
        return _named(model, title, given), False
    if isinstance(given, pd.Series):
        series = cast("pd.Series[Any]", given)
        return _named(model, title, series.to_frame().T.infer_objects()), True
    if isinstance(given, Mapping):
        return _named(model, title, pd.DataFrame([dict(cast("Mapping[str, Any]", given))])), True
    if isinstance(given, np.ndarray):
        array = cast("Any", given)
        return _unnamed(model, array.reshape(1, -1) if array.ndim == 1 else array), bool(array.ndim == 1)
    if isinstance(given, Sequence) and len(cast("Sequence[Any]", given)):
        rows = list(cast("Sequence[Any]", given))
        if all(isinstance(row, Mapping) for row in rows):
            return _named(model, title, pd.DataFrame([dict(row) for row in rows])), False
        if all(isinstance(row, str) for row in rows):
            return _texts(model, title, rows), False
        listed_rows = sum(isinstance(row, (Sequence, np.ndarray)) and not isinstance(row, str) for row in rows)
        is_one = listed_rows == 0 and not any(isinstance(row, Mapping) for row in rows)
        if is_one or listed_rows == len(rows):
            return _unnamed(model, [rows] if is_one else rows), is_one
    kind = "an empty list" if isinstance(given, Sequence) else cast("Any", type(given)).__name__
    hint = "Give a DataFrame, a list of mappings or of lists, or one row; an input_transformer can make it."
    raise InputUnfit(title, f"it is {kind}, and no rows", hint)


def _texts(model: Any, title: str, texts: list[Any]) -> list[Any]:
    """Return texts, where the estimator reads such: one that counts features was fitted with columns."""
    count = getattr(model, "n_features_in_", None)
    if count is None:
        return texts
    names = _names(model)
    fitted = f"the columns {listed(map(str, names))}" if names else counted(count, "column")
    hint = "Give rows; an input_transformer(input_data, context) can make them of what the worker gets."
    raise InputUnfit(title, f"it is text, and the estimator was fitted with {fitted}", hint)


def _names(model: Any) -> list[Any] | None:
    """Return the names of the features it was fitted with; None where there were none."""
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else list(names)


def _named(model: Any, title: str, frame: Any) -> Any:
    names = _names(model)
    if names is None:
        # It was fitted with bare rows, or it chooses columns itself: a pipeline that does knows its names.
        return frame.to_numpy()
    missing = [name for name in names if name not in frame.columns]
    if missing:
        near = did_you_mean(str(missing[0]), map(str, frame.columns)).strip()
        hint = f"{near} It was fitted with: {listed(map(str, names))}; given: {listed(map(str, frame.columns))}."
        raise InputUnfit(title, f"the column {missing[0]!r} is missing", hint.strip())
    return frame[names]


def _unnamed(model: Any, rows: Any) -> Any:
    """Return bare rows with the names that the estimator knows, where there are as many."""
    import pandas as pd

    names = _names(model)
    if names is None or any(len(row) != len(names) for row in rows):
        return rows
    return pd.DataFrame(rows, columns=names)


def _plain(model: Any, method: str, found: Any, rows: Any, *, is_one: bool) -> Any:
    """Return what a method gave as plain values, or a table with named columns."""
    import pandas as pd

    if hasattr(found, "toarray"):  # sparse
        found = found.toarray()
    if not isinstance(found, (pd.DataFrame, pd.Series)) and getattr(found, "ndim", 1) == 2:
        index = rows.index if isinstance(rows, pd.DataFrame) else None
        found = pd.DataFrame(found, columns=_columns(model, method, found.shape[1]), index=index)
    if isinstance(found, pd.DataFrame):
        return found.to_dict("records")[0] if is_one else found
    plain: Any = cast("Any", found)
    values: Any = plain.tolist() if hasattr(plain, "tolist") else plain
    if not is_one or not isinstance(values, list):
        return values
    one, *others = cast("list[Any]", values)
    return [one, *others] if others else one


def _columns(model: Any, method: str, count: int) -> list[Any] | None:
    classes = getattr(model, "classes_", None)
    if method in ("predict_proba", "predict_log_proba", "decision_function") and classes is not None:
        labels = classes.tolist() if hasattr(classes, "tolist") else list(classes)
        return labels if len(labels) == count else None
    if method == "transform" and hasattr(model, "get_feature_names_out"):
        try:
            names = [str(name) for name in model.get_feature_names_out()]
        except (AttributeError, ValueError):  # a step of a pipeline that cannot name what it makes
            return None
        return names if len(names) == count else None
    return None
