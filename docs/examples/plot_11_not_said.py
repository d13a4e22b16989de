"""
What a map does not say
=======================

That a place has no relevance does not mean that it tells nothing: another place may tell the same.
"""

import numpy as np

import preddiff


def either(batch):
    """Answer "yes" where a light is on at the left or at the right."""
    left, right = batch[:, :, 8:12, 4:8].mean((1, 2, 3)), batch[:, :, 8:12, 12:16].mean((1, 2, 3))
    p = 0.05 + 0.9 * np.maximum(left, right)
    return np.stack([1 - p, p], axis=1)


picture = np.zeros((3, 20, 20), dtype=np.float32)
picture[:, 8:12, 4:8] = picture[:, 8:12, 12:16] = 1

# %%
# One window at a time: each light is not missed, as the other one is still on.

model = preddiff.load_model(either, labels=["no", "yes"])
how = {"sampler": "constant:0", "window": 4}
alone = preddiff.explain(model, picture, "yes", **how)
print(float(abs(alone.relevance).max()))

# %%
# Random sets of windows: each light tells something when the other one is off.

together = preddiff.explain(model, picture, "yes", sets=400, **how)
figure = preddiff.figure(together)
figure

# %%
# Which parts can stand in for each other? Red between two regions: either is enough.

regions = np.zeros((20, 20), dtype=int)
regions[8:12, 4:8], regions[8:12, 12:16], regions[0:4, 0:4] = 1, 2, 3
pairs = preddiff.interactions(
    model, picture, regions, targets="yes", sampler="constant:0", window=4
)
figure_of_pairs = preddiff.figure(pairs)
figure_of_pairs
