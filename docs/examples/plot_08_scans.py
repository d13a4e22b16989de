"""
Where in this brain?
====================

From a table of scans to a map on an atlas: a linear classifier needs no PyTorch, and its map is exact.
"""

import nibabel as nib
import numpy as np
from sklearn.linear_model import LogisticRegression

import preddiff
from preddiff.adapters.nilearn import plot_relevance

# %%
# Simulated controls and patients, who lost signal in two regions; on real data, use
# ``preddiff classify fit table.csv``.

cohort = preddiff.datasets.simulated_cohort(subjects=24, spacing=6, loss=35)
shape = cohort.mask.shape
print([name for name, loss in zip(cohort.names, cohort.loss[1], strict=True) if loss])
scans = [nib.Nifti1Image(scan[0].T, cohort.grid.affine) for scan in cohort.scans]
mask = nib.Nifti1Image(cohort.mask.T.astype(np.uint8), cohort.grid.affine)
inside = np.stack([scan.get_fdata()[cohort.mask.T] for scan in scans])
classifier = LogisticRegression(C=0.01).fit(inside, cohort.patient)

# %%
# The classifier saw voxels in a mask: say which, so that they are put back where they lie. Hidden
# voxels get the values that controls have there.

model = preddiff.load_model(classifier, mask=mask, labels=["control", "patient"])
controls = preddiff.samplers.Marginal(cohort.scans[::2])
controls.scan_grid = cohort.grid  # where their voxels lie
patient = scans[1]
explanation = preddiff.explain(model, patient, "patient", sampler=controls, window=2)
print(explanation)
display = plot_relevance(explanation, display_mode="z", cut_coords=[-16, 0, 32])
figure = display.frame_axes.figure

# %%
# What does the map say of each region? The regions are those of the simulation; an atlas is the path
# of a scan whose values are labels.

atlas = np.zeros(shape, dtype=int)
for number, region in enumerate(cohort.regions, start=1):
    atlas[region > 0] = number
table = preddiff.region_table(explanation, atlas, dict(enumerate(cohort.names, start=1)))
table[["name", "elements", "relevance", "speaks"]]

# %%
# The page of the result has all slices, and the map in three dimensions.

explanation
