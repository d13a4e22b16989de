"""Tables of scores."""

import numpy as np

from preddiff.studies.evaluation.table import tables
from studies.evaluation.test_scores import score


def scores(values, **settings):
    return [
        score(picture=f"{n}.png", scores={"SRG grey": value}, **settings)
        for n, value in enumerate(values)
    ]


def cells(text, row, table=0):
    (line,) = [
        line
        for line in text.split("| map |")[table + 1].splitlines()
        if line.startswith(f"| {row}")
    ]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_means_have_the_standard_error_over_pictures():
    values = [1.0, 2.0, 4.5]
    text = tables(scores(values, contender="grad_cam"), "grad_cam")
    error = np.std(values, ddof=1) / np.sqrt(3)
    assert cells(text, "Grad-CAM") == ["Grad-CAM", f"2.50 ± {error:.2f}", "0.5"]
    assert "3 pictures of the half “choose”" in text
    assert "here" in text


def test_differences_are_paired():
    """Pictures differ much more than methods do: paired, the difference is exact."""
    first, second = scores([1, 5, 9], contender="grad_cam"), scores([2, 6, 10], contender="sobel")
    text = tables([*first, *second], "grad_cam")
    assert cells(text, "edges")[1].startswith("6.00 ± 2.31")
    assert cells(text, "edges", 1)[1] == "1.00 ± 0.00"


def test_pictures_that_only_one_has_are_no_difference():
    first, second = scores([1, 5], contender="grad_cam"), scores([2, 6, 100], contender="sobel")
    assert cells(tables([*first, *second], "grad_cam"), "edges", 1)[1] == "1.00 ± 0.00"


def test_what_a_method_lacks_is_a_dash():
    made = [*scores([1, 2], contender="grad_cam"), score(contender="sobel", scores={"pointing": 1})]
    text = tables(made, "grad_cam")
    assert cells(text, "edges") == ["edges (Sobel) (1 of 2 pictures)", "–", "1.00", "0.5"]


def test_what_hides_as_the_map_does_is_marked():
    made = [
        score(contender="lime", scores={"SRG grey": 1.0, "SRG telea": 2.0}),
        score(contender="grad_cam", scores={"SRG grey": 1.0, "SRG telea": 2.0}),
    ]
    text = tables(made, "grad_cam")
    assert cells(text, "LIME") == ["LIME", "1.00\\*", "2.00", "0.5"]
    assert cells(text, "Grad-CAM") == ["Grad-CAM", "1.00", "2.00", "0.5"]
    assert "no fair judge" in text


def test_what_takes_longer_than_the_budget_is_named():
    made = [
        *scores([1, 2], contender="grad_cam", seconds=1.0),
        *scores([1, 2], contender="rise-256", seconds=30.0),
    ]
    text = tables(made, "grad_cam", budget=10)
    assert "Longer than 10 seconds a map: RISE, 256 masks." in text
    assert "| RISE" not in text
    assert "| RISE" in tables(made, "grad_cam", budget=60)


def test_failures_are_listed_once():
    made = [
        score(metric, picture=picture, contender="lime", scores={}, error="ModelError: no lasso")
        for picture in ("a", "b")
        for metric in ("pointing", "stability")
    ]
    text = tables([*made, *scores([1], contender="sobel")], "grad_cam")
    assert "- lime failed on 2 pictures (pointing, stability): ModelError: no lasso" in text
    assert text.count("no lasso") == 1
    assert "| LIME" not in text


def test_each_model_has_its_own_tables():
    made = [*scores([1, 2], contender="sobel"), *scores([5, 6], contender="sobel", model="other")]
    text = tables(made, "grad_cam")
    assert text.index("### embedded") < text.index("1.50 ±") < text.index("### other")
    assert text.count("| map |") == 2


def test_a_file_without_scores_has_no_table():
    assert tables([], "grad_cam") == ""
