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

flowers, kinds = load_iris(return_X_y=True)
names = ["sepal length", "sepal width", "petal length", "petal width"]
forest = RandomForestClassifier(20, random_state=0).fit(flowers, kinds)

# %%
# The values of other flowers stand in for a hidden feature.

found = prediction_difference(forest, flowers[[0, 80]], background=flowers, train_size=len(flowers))
print(names)
print(np.round(found.relevance, 2))
figure = preddiff.figure(found.explanations[1])

# %%
# Values that fit the other features: a normal distribution given these.

sampler = preddiff.samplers.RowGaussian.fit(flowers.astype(np.float32))
given_rest = prediction_difference(forest, flowers[[80]], sampler=sampler, train_size=len(flowers))
print(np.round(given_rest.relevance, 2))
