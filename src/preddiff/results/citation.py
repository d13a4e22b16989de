"""A paragraph for a methods section, from a result's own provenance, with its references."""

from collections.abc import Mapping

from preddiff.results.explanation import Explanation, percent

_REFERENCES = {
    "zintgraf2017": """@inproceedings{zintgraf2017,
  author = {Zintgraf, Luisa M. and Cohen, Taco S. and Adel, Tameem and Welling, Max},
  title = {Visualizing Deep Neural Network Decisions: Prediction Difference Analysis},
  booktitle = {International Conference on Learning Representations},
  year = {2017}
}""",
    "robnik2008": """@article{robnik2008,
  author = {Robnik-{\\v{S}}ikonja, Marko and Kononenko, Igor},
  title = {Explaining Classifications for Individual Instances},
  journal = {IEEE Transactions on Knowledge and Data Engineering},
  volume = {20}, number = {5}, pages = {589--600}, year = {2008}
}""",
    "owen1972": """@article{owen1972,
  author = {Owen, Guillermo},
  title = {Multilinear Extensions of Games},
  journal = {Management Science},
  volume = {18}, number = {5}, pages = {64--79}, year = {1972}
}""",
}


def citation(result: Explanation) -> str:
    """Return a paragraph that says how a result was made, and its references as BibTeX."""
    facts = result.provenance
    keys = ["zintgraf2017", "robnik2008", *(["owen1972"] if result.random_sets else [])]
    sentences = [_of_question(result), _of_sampling(result), _of_measure(facts), _of_error(result)]
    paragraph = " ".join([*filter(None, sentences), _of_software(facts)])
    return "\n\n".join([paragraph, *(_REFERENCES[key] for key in keys)])


def _of_question(result: Explanation) -> str:
    facts = result.provenance
    explained = ", ".join(
        f"{label} ({value})" for label, value in zip(result.labels, result.values, strict=True)
    )
    fingerprint = f" (SHA-256 {facts['model_sha256']:.16}…)" if facts["model_sha256"] else ""
    return (
        f"The answer of the model {facts['model']}{fingerprint} to {facts['input']}, {explained}, "
        "was explained by prediction difference analysis [zintgraf2017, robnik2008]."
    )


def _of_sampling(result: Explanation) -> str:
    facts = result.provenance
    hidden = f"the sampler {facts['sampler']}" + (
        f" ({facts['sampler_description']})" if facts.get("sampler_description") else ""
    )
    if result.regions is not None:
        what = f"{facts['regions']:,} regions"
    else:
        size, step = (str(facts[name]).replace("x", "×") for name in ("window", "stride"))
        what = f"windows of length {size}, {step} apart,"
    if result.random_sets:
        return (
            f"Random sets of {what} ({result.draws}) were hidden together by {hidden}; the "
            "evidence of each is what it changes among others [owen1972]."
        )
    return f"{facts['windows']:,} {what} were hidden by {hidden}: {result.draws} of each."


def _of_measure(facts: Mapping[str, object]) -> str:
    corrected = f", Laplace correction with N = {facts['train_size']}"
    return (
        f"Evidence is the {str(facts['measure']).replace('_', ' ')}"
        f"{corrected if facts.get('train_size', 'infinite') != 'infinite' else ''}, in "
        f"{facts['unit']}; relevance is its mean over the windows that cover a place."
    )


def _of_error(result: Explanation) -> str:
    error = result.provenance["relative_error"]
    if error == "":
        return ""
    stopped = ", which was stopped before its end," if result.is_partial else ""
    return f"The standard error of the map{stopped} is {percent(error)} of its size."


def _of_software(facts: Mapping[str, object]) -> str:
    return (
        f"Computed with preddiff {facts['preddiff_version']} ({facts['libraries']}; "
        f"{facts['engine']} engine in {facts['precision']}; {facts['machine']}), "
        f"seed {facts['seed']}."
    )
