"""Maps of linear classifiers on cohorts whose truth is known."""
