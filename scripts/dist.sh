#!/usr/bin/env bash
# Build sdist and wheel, and try the wheel where there is nothing else: `make dist`.
# Refuses a version that is not that of the commit's tag.
#
# First without PyTorch: help, a scan with a linear model, its page; then with the extra `demo`, the
# demo from outside the repository. Prints what each installation downloads and takes on the disk.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
picture=$PWD/scripts/demo_picture.py scan=$PWD/scripts/linear_scan.py
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT

"$python" scripts/release.py
rm -rf dist
"$python" -m build --outdir dist .
wheel=$(echo "$PWD"/dist/preddiff-*.whl)
# Listed into files: grep leaves a pipe at the first match, which Python takes for a failure.
"$python" -m zipfile --list "$wheel" >"$elsewhere/wheel"
"$python" -m tarfile --list dist/preddiff-*.tar.gz >"$elsewhere/sdist"
for file in LICENSE preddiff/py.typed preddiff/viewer/static/picture.html.j2 vendor/niivue.umd.js; do
	grep -q "$file" "$elsewhere/wheel" || { echo "$wheel: has no $file" >&2; exit 1; }
done
grep -q LICENSE "$elsewhere/sdist"

"$python" -m venv "$elsewhere/env"
cd "$elsewhere"
size() { du -sm "$1" | cut -f1; }
empty=$(size env)
env/bin/pip download --quiet --dest wheels "$wheel"
downloaded=$(size wheels)
env/bin/pip install --quiet --no-index --find-links wheels "$wheel"
without=$(($(size env) - empty))
env/bin/python -c "import sys, importlib.util as u; sys.exit(u.find_spec('torch') is not None)"
env/bin/preddiff --help >/dev/null
env/bin/pip install --quiet "$wheel[volumes]"
env/bin/python "$scan" scan
test -s scan/scan.html
env/bin/pip install --quiet "$wheel[demo]"
env/bin/preddiff explain "$(env/bin/python "$picture")" --target top3 --output demo
test -s demo/coffee.html
echo "wheel $(du -k "$wheel" | cut -f1) kB; without PyTorch $downloaded MB downloaded, $without MB installed; with volumes and demo $(($(size env) - empty)) MB"
