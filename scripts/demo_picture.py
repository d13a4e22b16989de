"""Print the path of the demo's picture: a cup of coffee (CC0), which scikit-image ships."""

from pathlib import Path

import skimage.data

print(Path(skimage.data.__file__).with_name("coffee.png"))
