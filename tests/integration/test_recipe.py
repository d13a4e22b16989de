"""The conda recipe says what pyproject.toml says."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
ON_CONDA = {"matplotlib": "matplotlib-base"}  # the part without windows of its own


def test_the_recipe_has_the_project_s_requirements():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = stated["project"]
    recipe = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text())
    context = recipe["context"]
    assert f">={context['python_min']}" == project["requires-python"]
    wanted = {ON_CONDA.get(n, n): v for n, v in (d.split(">=") for d in project["dependencies"])}
    said = dict(each.split(" >=") for each in recipe["requirements"]["run"])
    assert said.pop("python") == "${{ python_min }}"
    assert said == wanted
    assert recipe["requirements"]["host"][-1] in stated["build-system"]["requires"]
    entries = [f"{name} = {value}" for name, value in project["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == entries
    assert recipe["about"]["license"] == project["license"]
