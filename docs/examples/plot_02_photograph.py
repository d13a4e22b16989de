"""
Why espresso?
=============

A photograph, and the classifier of 1,000 classes that comes with the extra ``demo``.
"""

import numpy as np
from skimage import data

import preddiff

coffee = np.float32(data.coffee().transpose(2, 0, 1)[:, 88:312, 188:412] / 255)
explanation = preddiff.explain("embedded", coffee, sets=300, window=32, stride=32)

# %%
# Random sets of blurred windows were hidden; more sets give a sharper and more certain map.

figure = preddiff.figure(explanation)
figure

# %%
# The result is data: arrays with named axes, and how they were made.

print(explanation.relevance.dims, explanation.unit)
print(explanation.precision_text)

# %%
# The result shows itself as its page: click a pixel to read its value.

explanation
