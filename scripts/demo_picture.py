"""Print the path of the demo's picture: Chelsea the cat (CC0), which scikit-image ships."""

from pathlib import Path

import skimage.data

print(Path(skimage.data.__file__).with_name("chelsea.png"))
