"""Targets that are made of a model's output, against sums that are written out."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from preddiff import load_model
from preddiff.errors import EngineWarning, InputWarning, ModelError, SettingError, TargetError
from preddiff.models.function import Function
from preddiff.models.networks.structure import structure
from preddiff.targets import OfOutput, contrast, detection, dice, entropy, mean_over, similarity

WISH = {"sampler": "constant:0.5", "window": 4, "stride": 4, "train_size": math.inf}
GREY = 0.5


@pytest.fixture
def picture(rng):
    return rng.random((3, 16, 16), dtype=np.float32)


def hidden(picture):
    """The picture with each window hidden, in the order of windows."""
    for y in range(0, 16, 4):
        for x in range(0, 16, 4):
            changed = picture.copy()
            changed[:, y : y + 4, x : x + 4] = GREY
            yield changed


def differences(value, picture):
    """Of a number that is made of one picture: without each window."""
    return np.array([value(picture) - value(each) for each in hidden(picture)])


def of(network, picture):
    with torch.inference_mode():
        return network(torch.from_numpy(picture)[None])


@pytest.mark.parametrize("engine", ["dense", "incremental"])
def test_a_contrast_is_the_difference_of_two_logits(small_network, picture, engine):
    model = load_model(small_network, output="logits", labels=["a, aa", "b", "c", "d"])
    e = preddiff.explain(model, picture, targets=contrast("a", 2), engine=engine, **WISH)

    def bits(x):
        return float(of(small_network, x)[0, [0, 2]].double() @ torch.tensor([1.0, -1.0]).double())

    expected = differences(bits, picture) / math.log(2)
    np.testing.assert_allclose(e.evidence.values[0], expected, atol=1e-5)
    assert (e.labels, e.unit) == (("a against c",), "bits")
    odds = e.prediction.values[0] / (1 - e.prediction.values[0])
    assert math.log(odds) == pytest.approx(bits(picture), rel=1e-4)


def test_a_contrast_of_a_callable_is_that_of_its_probabilities(small_network, picture):
    def p(x):
        return of(small_network, x[0]).softmax(1).numpy()

    asked = {"targets": contrast(3, 1), "engine": "dense"}
    ours = preddiff.explain(
        lambda x: np.concatenate([p(e[None]) for e in x]), picture, **asked, **WISH
    )
    network = load_model(small_network, output="logits")
    theirs = preddiff.explain(network, picture, **asked, **WISH)
    np.testing.assert_allclose(ours.evidence, theirs.evidence, atol=1e-4)
    assert ours.labels == ("class 3 against class 1",)


@pytest.mark.parametrize("as_callable", [False, True])
def test_entropy_is_that_of_the_probabilities(small_network, picture, as_callable):
    def bits(x):
        p = of(small_network, x).double().softmax(1)[0].numpy()
        return float(-(p * np.log2(p)).sum())

    model = load_model(small_network, output="logits")
    e = preddiff.explain(
        model.predict if as_callable else model, picture, targets=entropy(), **WISH
    )
    np.testing.assert_allclose(e.evidence.values[0], differences(bits, picture), atol=1e-5)
    assert not e.of_probabilities


@pytest.mark.parametrize("engine", ["dense", "incremental"])
def test_any_function_of_the_output_is_a_target(small_network, picture, engine):
    e = preddiff.explain(
        load_model(small_network), picture, targets=lambda o: o[:, :2].sum(1), engine=engine, **WISH
    )
    expected = differences(lambda x: float(of(small_network, x)[0, :2].sum()), picture)
    np.testing.assert_allclose(e.evidence.values[0], expected, atol=1e-5)
    assert (e.labels, e.unit) == (("target",), "units of the output")
    assert "target" in repr(e)


def test_a_function_may_give_several_numbers_and_probabilities(small_network, picture):
    two = preddiff.targets.OfOutput(lambda o: o.softmax(1)[:, :2], "p", is_probability=True)
    e = preddiff.explain(load_model(small_network), picture, targets=two, **WISH)
    plain = preddiff.explain(
        load_model(small_network, output="logits"), picture, targets=[0, 1], **WISH
    )
    assert e.labels == ("p 0", "p 1")
    np.testing.assert_allclose(e.evidence, plain.evidence, atol=1e-4)


class Segmentation(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 4, 5, padding=2)

    def forward(self, x):
        return {"out": self.conv(x).relu(), "aux": x.mean((2, 3))}


@pytest.mark.parametrize("target", [mean_over, dice])
def test_segmentations_have_regions(picture, target):
    network, inside = Segmentation().eval(), np.zeros((16, 16), bool)
    inside[3:9, 4:12] = True
    e = preddiff.explain(network, picture, targets=target(2, inside), **WISH)

    def value(x):
        p = of(network, x)["out"].double().softmax(1)[0, 2].numpy()
        mean = p[inside].mean()
        if target is mean_over:
            return math.log2(mean / (1 - mean))
        return 2 * p[inside].sum() / (p.sum() + inside.sum())

    np.testing.assert_allclose(e.evidence.values[0], differences(value, picture), atol=1e-5)


class Named(Segmentation):
    """As HuggingFace's, under another name."""

    def forward(self, x):
        return {"logits": super().forward(x)["out"]}


def test_a_segmentation_may_have_other_names(picture):
    region = np.ones((16, 16), bool)
    expected = preddiff.explain(
        Segmentation().eval(), picture, targets=mean_over(1, region), **WISH
    )
    found = preddiff.explain(Named().eval(), picture, targets=mean_over(1, region), **WISH)
    np.testing.assert_array_equal(found.evidence, expected.evidence)
    other = nn.Module()
    other.forward = lambda x: {"mask": x}
    with pytest.raises(TargetError, match=r"dict with mask: expected one .*output_key=\.\.\."):
        preddiff.explain(other.eval(), picture, targets=mean_over(1, region), **WISH)


class Detector(nn.Module):
    """Two boxes whose scores are means of the picture's halves."""

    def forward(self, x):
        boxes = torch.tensor([[0.0, 0, 8, 16], [8, 0, 16, 16]])
        labels = torch.tensor([1, 2])
        return [
            {"boxes": boxes, "labels": labels, "scores": each.mean((0, 1)).reshape(2, 8).mean(1)}
            for each in x
        ]


def test_a_detection_is_overlap_times_score(picture):
    network = Detector().eval()
    e = preddiff.explain(
        network, picture, targets=detection((0, 0, 8, 8), 1), engine="dense", **WISH
    )
    expected = differences(lambda x: 0.5 * float(x[:, :, :8].mean()), picture)
    np.testing.assert_allclose(e.evidence.values[0], expected, atol=1e-6)
    absent = detection((0, 0, 8, 8), 7)
    with pytest.warns(InputWarning, match="'class 7 in the box': no detection of the class meets"):
        none = preddiff.explain(network, picture, targets=absent, engine="dense", **WISH)
    assert not none.evidence.values.any()


class Queries(nn.Module):
    """As DETR: a class of each query, or none, and boxes from 0 to 1."""

    def forward(self, x):
        halves = x.mean((1, 2)).reshape(len(x), 2, -1).mean(2, keepdim=True)
        boxes = torch.tensor([[0.25, 0.5, 0.5, 1.0], [0.75, 0.5, 0.5, 1.0]]).expand(len(x), 2, 4)
        return {"logits": torch.cat([halves, 2 * halves, -halves], 2), "pred_boxes": boxes}


def test_the_score_of_a_query_is_a_function(picture):
    with pytest.raises(TargetError, match="returns dict with logits, pred_boxes .* such as DETR"):
        preddiff.explain(Queries().eval(), picture, targets=detection((0, 0, 8, 8), 1), **WISH)
    score = OfOutput(lambda o: o["logits"].softmax(-1)[:, 1, 1], "score", is_probability=True)
    e = preddiff.explain(Queries().eval(), picture, targets=score, measure="DP", **WISH)

    def expected(x):
        half = torch.tensor(float(x[:, :, 8:].mean()))
        return float(torch.stack([half, 2 * half, -half]).softmax(0)[1])

    np.testing.assert_allclose(e.evidence.values[0], differences(expected, picture), atol=1e-5)


class MovingQueries(nn.Module):
    """As DETR of the original repository, with boxes that follow the picture."""

    def forward(self, x):
        halves = x.mean((1, 2)).reshape(len(x), 2, 8).mean(2)
        logits = 9 * torch.stack([halves, 2 * halves - 0.5, 1 - halves, halves * 0], dim=2)
        ends = torch.tensor([[0.25, 0.5, 0.5, 1.0], [0.75, 0.5, 0.5, 1.0]])
        return {"pred_logits": logits, "pred_boxes": ends * (0.8 + 0.4 * halves[:, :, None])}


def test_overlap_times_score_of_the_best_query_is_a_function(picture):
    from torchvision.ops import box_convert, box_iou

    box, label = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), 1

    def found(output):
        corners = box_convert(output["pred_boxes"], "cxcywh", "xyxy")
        overlap = torch.stack([box_iou(each, box)[:, 0] for each in corners])
        return (overlap * output["pred_logits"].softmax(-1)[:, :, label]).amax(1)

    network = MovingQueries().eval()
    with pytest.raises(TargetError, match="returns dict with pred_logits, pred_boxes"):
        preddiff.explain(network, picture, targets=detection((0, 0, 8, 8), label), **WISH)
    target = OfOutput(found, "class 1 in the box", "overlap × score")
    e = preddiff.explain(network, picture, targets=target, engine="dense", **WISH)

    def value(x):
        output = of(network, x)
        boxes, scores = output["pred_boxes"][0].tolist(), output["pred_logits"][0].softmax(1)
        values = []
        for (cx, cy, w, h), score in zip(boxes, scores.tolist(), strict=True):
            wide = max(min(cx + w / 2, 0.5) - max(cx - w / 2, 0), 0)
            both = wide * max(min(cy + h / 2, 0.5) - max(cy - h / 2, 0), 0)
            values.append(both / (w * h + 0.25 - both) * score[label])
        return max(values)

    np.testing.assert_allclose(e.evidence.values[0], differences(value, picture), atol=1e-6)
    assert np.abs(e.evidence.values).max() > 1e-3


def test_the_similarity_to_itself_is_one(small_network, picture):
    embedding = of(small_network, picture)[0]
    e = preddiff.explain(small_network, picture, targets=similarity(embedding), **WISH)
    assert e.prediction.values[0] == pytest.approx(1)
    assert (e.evidence.values >= -1e-6).all()
    assert e.evidence.values.max() > 1e-4


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (lambda o: o.sum(), r"returned shape \(\) for 1 inputs: expected"),
        (lambda o: o[None], r"returned shape \(1, 1, 4\) for 1 inputs"),
        (lambda o: o["out"], "the function raised IndexError|TypeError"),
        (lambda o: 3.0, "the function returned float: expected a tensor"),
        (contrast(1, 1), "'1 against 1': expected two different classes"),
        (contrast(0, 9), "target 9: expected 0 to 3"),
        (contrast("cat", 1), "target 'cat': this model has no labels"),
        (similarity(np.ones(3)), "a reference of 3 numbers: expected 4"),
        (mean_over(1, np.ones((16, 16))), "expected a segmentation"),
        (detection((0, 0, 4, 4), 1), "returns Tensor for a picture: expected a detector's mapping"),
        (OfOutput(lambda o: o[:, 0] + 9, "p", is_probability=True), "expected a probability"),
        ([0, lambda o: o[:, 0]], "a function among targets: expected numbers and labels"),
        ([0, "0 against 1"], "'0 against 1': a contrast stands alone"),
    ],
)  # fmt: skip
def test_wrong_targets_are_refused_in_one_line(small_network, picture, target, message):
    model = load_model(small_network, output="logits")
    with pytest.raises(TargetError, match=message) as caught:
        preddiff.explain(model, picture, targets=target, **WISH)
    assert "\n" not in str(caught.value)


def test_not_a_number_is_refused(small_network, picture):
    model = load_model(small_network, output="logits")
    for asked in (model, model.predict):
        with pytest.raises(ModelError, match="target 'target': the function returned NaN"):
            preddiff.explain(asked, picture, targets=lambda o: o[:, 0] * math.nan, **WISH)


def test_regions_that_do_not_fit_are_refused(picture):
    network = Segmentation().eval()
    with pytest.raises(TargetError, match=r"a region of shape \(4, 4\): expected that of"):
        preddiff.explain(network, picture, targets=mean_over(1, np.ones((4, 4))), **WISH)
    with pytest.raises(TargetError, match="class 9: expected its number, 0 to 3"):
        preddiff.explain(network, picture, targets=dice(9, np.ones((16, 16))), **WISH)
    with pytest.raises(TargetError, match="class 'dog': expected its number, 0 to 3"):
        preddiff.explain(network, picture, targets=mean_over("dog", np.ones((16, 16))), **WISH)
    with pytest.raises(TargetError, match="the region is empty"):
        mean_over(1, np.zeros((16, 16)))
    with pytest.raises(TargetError, match="a region with 3 different values, 0 to 2: expected"):
        mean_over(1, np.arange(3)[:, None])
    with pytest.raises(TargetError, match="the reference embedding is NaN"):
        similarity([1, math.nan])
    with pytest.raises(TargetError, match=r"box \(1, 2, 3\): expected"):
        detection((1, 2, 3), 1)


def test_what_goes_with_classes_only_is_refused(small_network, picture):
    values = load_model(small_network, output="values")
    with pytest.raises(TargetError, match="gives values, not classes"):
        preddiff.explain(values, picture, targets=contrast(0, 1), **WISH)
    with pytest.raises(SettingError, match="'entropy': is made of the model's output; leave node"):
        preddiff.explain(small_network, picture, targets=entropy(), node="3", **WISH)


def test_whether_is_a_number(small_network, picture):
    model = load_model(small_network, output="logits")
    with pytest.warns(EngineWarning, match="has no gradient"):
        e = preddiff.explain(model, picture, targets=lambda o: o[:, 0] > o[:, 1], **WISH)
    assert e.prediction.values[0] in {0, 1}


def test_entropy_is_of_classes_that_exclude_each_other(small_network, picture):
    model = load_model(small_network, output="multilabel")
    with pytest.raises(TargetError, match="'entropy': the probabilities add up to .*expected 1"):
        preddiff.explain(model, picture, targets=entropy(), **WISH)


def test_a_contrast_may_be_written_and_is_verified(small_network, picture):
    model = load_model(small_network, output="logits", labels=["a", "b", "c", "d"])
    e = preddiff.explain(model, picture, targets="a against c", **WISH)
    made = preddiff.explain(model, picture, targets=contrast("a", "c"), **WISH)
    np.testing.assert_array_equal(e.evidence, made.evidence)
    assert preddiff.verify(e, model=model).passed is True


def test_a_result_holds_no_function(small_network, picture):
    model = load_model(small_network, output="logits")
    e = preddiff.explain(model, picture, targets=entropy(), **WISH)
    with pytest.raises(TargetError, match="'entropy': is a function of the model's output"):
        preddiff.verify(e, model=model)


def test_networks_that_end_in_different_functions_are_told_apart(small_network, picture):
    model = load_model(small_network, output="logits")
    functions = (lambda o: o[:, 0], lambda o: o[:, 1], lambda o: o.norm(dim=1))
    made = [preddiff.targets.OfOutput(each).of(model, picture)[0] for each in functions]
    assert len({structure(each.module) for each in made}) == 3
    assert {each.sha256 for each in made} == {model.sha256}


def test_what_a_model_sees_of_a_picture_is_also_known_of_what_asks_it(small_network, picture):
    class Cropping(Function):
        def box(self, width, height):
            return (1, 2, width - 2, height - 4)

        @property
        def preparation(self):
            return "cropped"

    model = Cropping(load_model(small_network, output="logits").predict)
    asked, _ = contrast(0, 1).of(model, picture)
    assert asked.box(20, 30) == (1, 2, 18, 26)
    assert asked.preparation == "cropped"
