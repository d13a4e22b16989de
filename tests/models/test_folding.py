"""Linear pipelines of scikit-learn are one weight per feature; what is not linear is noticed."""

import warnings
from inspect import signature

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA, KernelPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

from preddiff import load_model
from preddiff.errors import EngineWarning, ModelError
from preddiff.models import Linear
from preddiff.models.sources.sklearn import Estimator

# As newer versions of scikit-learn want it said, and older ones do not know it.
_WITHOUT_WARNING = {
    name: value
    for name, value in {"use_legacy_attributes": False, "l1_ratios": (0,)}.items()
    if "use_legacy_attributes" in signature(LogisticRegressionCV).parameters
}
LINEAR = [
    (LogisticRegression(),),
    (LogisticRegressionCV(Cs=3, **_WITHOUT_WARNING),),
    (LinearDiscriminantAnalysis(),),
    (StandardScaler(), LogisticRegression()),
    (StandardScaler(with_std=False), PCA(4), LogisticRegression()),
    (StandardScaler(with_mean=False), PCA(4, whiten=True), LogisticRegression()),
    (StandardScaler(), KernelPCA(), LogisticRegression()),
    (RobustScaler(), "passthrough", SelectKBest(k=5), LogisticRegression()),
    (RobustScaler(with_centering=False, with_scaling=False), LogisticRegression()),
    (MinMaxScaler(), VarianceThreshold(), TruncatedSVD(3, random_state=0), LogisticRegression()),
    (MaxAbsScaler(), LogisticRegression(fit_intercept=False)),
]
OTHER = [
    (RandomForestClassifier(5, random_state=0),),
    (PolynomialFeatures(2), LogisticRegression(max_iter=1000)),
    (MinMaxScaler(clip=True), LogisticRegression()),
    (KernelPCA(kernel="rbf"), LogisticRegression()),
    (FunctionTransformer(np.tanh), LogisticRegression()),
]


def fitted(steps, rng, classes):
    x = 50 + rng.normal(size=(80, 12)) * rng.uniform(1, 5, size=12)
    y = np.digitize(
        x[:, 0] + x[:, 3], np.quantile(x[:, 0] + x[:, 3], np.arange(1, classes) / classes)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(*steps).fit(x, y), x


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("steps", LINEAR, ids=str)
def test_linear_steps_become_weights(rng, steps, classes):
    estimator, x = fitted(steps, rng, classes)
    model = load_model(estimator)
    assert isinstance(model, Linear)
    inputs = x.reshape(-1, 1, 3, 4).astype(np.float32)
    expected = estimator.predict_proba(inputs.reshape(80, 12).astype(np.float64))
    np.testing.assert_allclose(model.predict(inputs), expected, atol=1e-9)
    assert model.spec == "sklearn:Pipeline"
    assert model.labels == [str(n) for n in range(classes)]


@pytest.mark.parametrize(
    ("steps", "examples"),
    [
        ((StandardScaler(), LogisticRegression()), 80),
        ((StandardScaler(), KernelPCA(kernel="rbf"), LogisticRegression()), 80),
        ((PCA(4), LogisticRegression()), 80),
        ((LogisticRegression(),), None),
    ],
)
def test_a_pipeline_knows_how_many_examples_it_has_seen(rng, steps, examples):
    """A classifier of 80 scans is not as sure as one of a million pictures."""
    assert load_model(fitted(steps, rng, 2)[0]).train_size == examples


@pytest.mark.parametrize("steps", OTHER, ids=str)
def test_anything_else_is_asked_about_every_draw(rng, steps):
    estimator, x = fitted(steps, rng, 2)
    model = load_model(estimator)
    assert isinstance(model, Estimator)
    inputs = x.reshape(-1, 1, 3, 4).astype(np.float32)
    expected = estimator.predict_proba(inputs.reshape(80, 12).astype(np.float64))
    np.testing.assert_allclose(model.predict(inputs), expected, atol=1e-9)


@pytest.mark.parametrize(
    "last",
    [
        lambda: CalibratedClassifierCV(LinearSVC(), ensemble=True),
        lambda: CalibratedClassifierCV(SVC(kernel="linear"), ensemble=True),
        lambda: SVC(kernel="linear", probability=True, random_state=0),
    ],
    ids=["mean of calibrated", "mean of calibrated svc", "svc with probabilities"],
)
def test_linear_scores_whose_probabilities_are_none_of_theirs_are_right(rng, last):
    estimator, x = fitted((StandardScaler(), last()), rng, 2)
    model = load_model(estimator)
    assert isinstance(model, Estimator)
    expected = estimator.predict_proba(x.astype(np.float32).astype(np.float64))
    inputs = x.reshape(-1, 1, 3, 4).astype(np.float32)
    np.testing.assert_allclose(model.predict(inputs), expected, atol=1e-9)


@pytest.mark.parametrize(
    "estimator",
    [SGDClassifier(loss="log_loss"), OneVsRestClassifier(LogisticRegression())],
    ids=str,
)
def test_several_classes_one_by_one_are_no_softmax(rng, estimator):
    assert isinstance(load_model(fitted((estimator,), rng, 3)[0]), Estimator)


@pytest.mark.parametrize("classes", [3, 4])
def test_weights_that_were_fitted_in_float32_are_folded(rng, classes):
    """Rows of a softmax sum to 0 but for rounding, which must not be inverted."""
    x = (100 + 10 * rng.normal(size=(40, 120))).astype(np.float32)
    y = np.arange(40) % classes
    x[np.arange(40), y] += 30
    estimator = make_pipeline(StandardScaler(), PCA(8), LogisticRegression()).fit(x, y)
    last = estimator[-1]  # which scikit-learn before 1.5 fits in float64
    last.coef_, last.intercept_ = (
        each.astype(np.float32) for each in (last.coef_, last.intercept_)
    )
    model = load_model(estimator)
    assert isinstance(model, Linear)
    inputs = x.reshape(-1, 1, 10, 12)
    np.testing.assert_allclose(model.predict(inputs), estimator.predict_proba(x), atol=1e-5)


def test_a_step_that_only_casts_is_passed_over(rng):
    steps = FunctionTransformer(np.float64), FunctionTransformer(), LogisticRegression()
    assert isinstance(load_model(fitted(steps, rng, 2)[0]), Linear)


CALIBRATED = CalibratedClassifierCV(LinearSVC(), ensemble=False)


@pytest.mark.parametrize(
    "steps",
    [
        (CALIBRATED,),
        (StandardScaler(), CALIBRATED),
        (CalibratedClassifierCV(make_pipeline(StandardScaler(), LinearSVC()), ensemble=False),),
        (StandardScaler(), GridSearchCV(LogisticRegression(), {"C": [0.1, 1]})),
    ],
    ids=str,
)
def test_calibrated_and_searched_linear_pipelines_become_weights(rng, steps):
    estimator, x = fitted(steps, rng, 2)
    model = load_model(estimator)
    assert isinstance(model, Linear)
    inputs = x.reshape(-1, 1, 3, 4).astype(np.float32)
    expected = estimator.predict_proba(inputs.reshape(80, 12).astype(np.float64))
    np.testing.assert_allclose(model.predict(inputs), expected, atol=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("last", [LinearSVC(), RidgeClassifier()], ids=str)
def test_linear_classifiers_without_probabilities_are_folded_and_say_so(rng, last, classes):
    estimator, x = fitted((StandardScaler(), last), rng, classes)
    with pytest.warns(EngineWarning, match="Pipeline has no predict_proba: its decision values"):
        model = load_model(estimator)
    assert isinstance(model, Linear)
    logits = model.predict(x.reshape(-1, 1, 3, 4), "logits")
    found = logits[:, 1] if classes == 2 else logits
    np.testing.assert_allclose(found, estimator.decision_function(x), atol=1e-9)


@pytest.mark.parametrize("svc", [SVC(), SVC(kernel="linear")], ids=str)
def test_a_support_vector_machine_without_probabilities_says_what_to_do(rng, svc):
    estimator, _ = fitted((svc,), rng, 3)
    for what in (estimator, estimator[-1]):
        with pytest.raises(ModelError, match=r"has no predict_proba, .*CalibratedClassifierCV"):
            load_model(what)
