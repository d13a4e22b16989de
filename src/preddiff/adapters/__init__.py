"""Other libraries' interfaces to prediction difference analysis, each as thin as can be.

`captum` an attribution like its Occlusion, `monai` an inferer, `quantus` a function that explains,
`sklearn` an inspection of rows, `nilearn` maps as images and in its plots. Each file imports its
own library, or only speaks as it does.
"""
