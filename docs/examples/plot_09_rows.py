"""
Rows of a table
===============

Why did the forest say so of this flower? The same method, for features instead of pixels.
"""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import preddiff
from preddiff.adapters.sklearn import prediction_difference

iris = load_iris(as_frame=True)
flowers, kinds = iris.data, iris.target_names[iris.target]
forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=0).fit(flowers, kinds)

# %%
# Two flowers, a versicolor and a virginica. The values of other flowers stand in for a hidden
# feature; the bars' lines are 95 % intervals.

doubtful = flowers.iloc[[52, 101]]
found = prediction_difference(
    forest, doubtful, background=flowers, n_draws=100, train_size=len(flowers)
)
print(list(flowers))
print(np.round(found.relevance, 2))
figure = preddiff.figure(found.explanations[1])
figure

# %%
# Values that fit the other features: a normal distribution given these. What another feature tells
# as well is missed less.

sampler = preddiff.samplers.RowGaussian.fit(flowers.to_numpy(np.float32))
given_rest = prediction_difference(
    forest, doubtful, sampler=sampler, n_draws=100, train_size=len(flowers)
)
print(np.round(given_rest.relevance, 2))
figure_given_rest = preddiff.figure(given_rest.explanations[1])
figure_given_rest
