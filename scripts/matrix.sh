#!/usr/bin/env bash
# Run tests with the oldest and the newest packages that pyproject.toml allows, by every Python from
# 3.11 to 3.14 that is at hand:
#
#     scripts/matrix.sh [EXTRAS [ARGUMENT-OF-PYTEST...]]      # default: dev, all tests
set -euo pipefail
cd "$(dirname "$0")/.."
extras=${1:-dev}
shift || true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "name>=1.2" in pyproject.toml becomes "name==1.2.*", whose last repairs are taken, "name>=3" "name==3.0.*".
python3 - >"$work/oldest.txt" <<'PYTHON'
import re, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
every = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
for name, version in sorted(set(re.findall(r"^([\w-]+)>=([\d.]+)$", each)[0] for each in every if ">=" in each)):
    print(f"{name}=={version if '.' in version else version + '.0'}.*")
PYTHON
: >"$work/newest.txt"

failed=0
for version in 3.11 3.12 3.13 3.14; do
	"python$version" --version >/dev/null 2>&1 || { echo "python$version: not at hand"; continue; }
	for which in oldest newest; do
		echo "== python$version, $which"
		rm -rf "$work/env"
		"python$version" -m venv "$work/env"
		# Of old packages that new ones deprecate, nothing is to be learned about this one.
		told=()
		[ "$which" = newest ] || told=(-W ignore::DeprecationWarning -W ignore::FutureWarning)
		"$work/env/bin/pip" install --quiet --constraint "$work/$which.txt" --editable ".[$extras]" pytest hypothesis &&
			"$work/env/bin/pytest" -q ${told[@]+"${told[@]}"} "$@" || { echo "== python$version, $which: failed"; failed=1; }
	done
done
exit $failed
