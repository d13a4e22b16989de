"""Explain one input: the front door."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from preddiff.errors import suggests_keywords
from preddiff.media.input import Input, Source, open_input
from preddiff.media.labels import RegionSource
from preddiff.models import Model, load_model
from preddiff.pipeline import plan as plans
from preddiff.pipeline import subject as subjects
from preddiff.pipeline.analysis import Callback, Progress, analyse
from preddiff.pipeline.elsewhere import Workers
from preddiff.pipeline.lengths_on import on_input
from preddiff.pipeline.plan import Plan
from preddiff.pipeline.remembered import with_remembered
from preddiff.pipeline.settings import Settings, Targets
from preddiff.results.checkpoint import UntilSaved
from preddiff.results.explanation import Explanation
from preddiff.samplers import Sampler


@suggests_keywords
def explain(
    model: Any,
    picture: Source,
    targets: Targets | None = None,
    node: str | None = None,
    source: str | None = None,
    sampler: str | Sampler | None = None,
    window: int | str | Sequence[int | str | Sequence[int]] | None = None,
    margin: int = 2,
    samples: int | None = None,
    stride: int | str | Sequence[int] | None = None,
    seed: int = 0,
    sets: int | None = None,
    regions: RegionSource | None = None,
    engine: str = "auto",
    precision: str = "auto",
    tolerance: float | None = None,
    mask: ArrayLike | str | Path | None = None,
    resample: bool = False,
    channels: Sequence[str] | None = None,
    train_size: float | None = None,
    measure: str = "auto",
    baselines: Sequence[str] = (),
    progress: bool | Progress = False,
    checkpoint: str | Path | UntilSaved | None = None,
    callback: Callback | None = None,
    device: str = "cpu",
    memory: int | None = None,
    budget: float | None = None,
    client: object = None,
    settings: Mapping[str, Any] | None = None,
) -> Explanation:
    """Explain why a model decided as it did about one input: prediction difference analysis.

    Of a picture of which nothing is said of how it is sampled (sampler, window, samples, stride,
    sets, tolerance, engine, precision) and whose classes are explained, 1000 random sets of blurred
    windows are hidden, of a fourteenth of the shorter side, at every half of that: the map that
    holds best against hiding what it marks (docs/evaluation.md), from a thousand forward passes.
    All else has the paper's settings for pictures and for scans (sections 4.1 and 4.2);
    `settings=preddiff.PAPER` asks for them.

    Parameters
    ----------
    model : a Model, or anything that `load_model` takes.
    picture : a path or PIL image, resized and cropped as the model's preprocessing says; or
        floats (channel, y, x) in [0, 1], or a volume (channel, z, y, x), taken as it is; or a scan:
        the path of a NIfTI, Analyze, MGH or DICOM file, or of a folder of DICOM slices; or several
        on one grid, "T1.nii.gz+FLAIR.nii.gz", which are its channels; or an image of nibabel; or a
        row of a table, (feature,) or a Series of pandas, or a `media.Signal` (channel, time), which
        need a sampler of such (docs/models.md).
    targets : class numbers, labels, "topN" or "all"; None is "top1". For a node, its channels, each
        the mean over its places, or units: "12:5,7" is channel 12 at y = 5, x = 7. Also what is
        made of the output: "husky against wolf", one of `preddiff.targets`, or a function of what
        the model returns (docs/models.md).
    node : explain a hidden node's channels instead of the output's classes (section 3.3).
    source : hide windows of a hidden node's values instead of the input's (equation 5); the node
        that is explained must lie behind it.
    sampler : conditional, conditional:FILE, marginal:FOLDER, blurred:SIGMA, inpaint:telea|ns,
        cohort:FILE[@NAME=NUMBER,...], constant:VALUE|mean, channel:NUMBER:SPEC, which hides one
        channel alone; or a Sampler, which is taken as it is (a
        ConditionalGaussian brings its own patch, whatever the margin). None is conditional, or the
        sampler that a classifier of scans was fitted with (`preddiff classify fit --reference`).
    window : length of the window in pixels (the paper's k); None is 10, and 3 for volumes; with
        sets a fourteenth of a picture's shorter side (16 of 224), and 6 for volumes. With a source,
        "channel" hides one of the node's channels at a time and "unit" one unit; a number hides all
        channels at k × k places. Of several, such as (10, 20, 40), each is analysed by itself, with
        its share of the sets; the map is the mean of theirs. A window with a length for each axis
        is "3x5x5", slowest axis first, or a tuple among the sizes: ((3, 5, 5),). "12mm" is
        millimetres of a scan, "12x12x6mm" along each axis, rounded to whole voxels. "token" is a
        patch that a transformer embeds, "token:2" two along each axis; they are a token apart.
    margin : pixels around the window that are conditioned on, on each side ((l - k) / 2).
    samples : draws per window (S); no more are taken than the sampler has different ones. None is
        10; of sets, where it is draws per set, 1.
    stride : pixels from one window to the next, as window also for each axis: "2x3x3" or
        (2, 3, 3), "6mm". The last window ends at the border. None is 1; of sets, the window's
        length: less lets windows overlap, and the map show more detail.
    seed : the draws follow from it.
    sets : how many random sets of windows to hide, each of which hides a tenth, three tenths or
        half of all windows together. A window's evidence is then what it tells when others are
        unknown, too (`method/sets.py`): between the evidence of the window alone and Shapley's
        value. A thousand are enough for most pictures. None hides one window at a time, as the
        paper does.
    regions : with sets, what is hidden instead of windows: a number, of superpixels (extra `demo`);
        boxes along each axis, e.g. (4, 4); labels (*spatial) of the input as the model sees it; or
        a picture or scan whose values are labels, such as an atlas. Labels are whole numbers, 0
        where no region is. The map is constant inside each. The window is then what the
        conditional sampler draws at once.
    engine : "incremental" recomputes only what a window can change, and is exact; "dense" makes
        whole forward passes; "linear" takes no draws, but the exact expectation over all of them,
        of `models.Linear` with samplers that do not clip; "auto" takes the one that does least.
    precision : of the incremental engine's arithmetic: "float32", "bfloat16", "float16"; "auto"
        takes a shorter one only if this machine computes faster in it, and it changes the evidence
        by less than 1 %.
    tolerance : stop when the map's standard error is below this share of its root mean square,
        counting the windows that were not visited, too; draws then come in antithetic pairs, where
        the sampler can make them. None is the full protocol: every window, all its draws.
    mask : true where it matters, (y, x) or (z, y, x), or the path of a picture or a scan: only
        windows that touch it are analysed.
    resample : let a scan, and its mask, be interpolated to the model's grid, if that is another.
    channels : names of the channels of a scan of four dimensions, the last of which they are.
    train_size : N of the Laplace correction; None is the model's own, or ImageNet's where that is
        unknown; `math.inf` corrects nothing.
    measure : "weight_of_evidence" or "WE", in bits; "activation_difference" or "AD"; of
        probabilities also "difference_of_probabilities" or "DP" and "information_difference" or
        "ID", in bits (Robnik-Šikonja & Kononenko); "auto" is WE for probabilities, AD for anything
        else.
    baselines : other methods' maps of the same classes of a picture, beside ours: "occlusion" by
        grey patches of the window's size, every half window, in the same measure; through Captum
        (extra `captum`) "integrated_gradients" and "grad_cam" of the value before the softmax. The
        sensitivity map is always there, where the model has a gradient.
    progress : True for a bar on the terminal, or a function of windows done and of how many; with
        a tolerance, of how many it will probably take, those that come again counted again. With
        windows of several sizes, it counts those of each size anew.
    checkpoint : a file (.npz) for unfinished work, written after each chunk of windows: an analysis
        that was killed goes on from it, by the engine and in the precision that it was begun with,
        to the same numbers; it is removed at the end. With a tolerance it stays, and a smaller one
        goes on with the same draws. Of `results.checkpoint.UntilSaved(file)`, it stays until its
        `remove`, for when the result is saved. Of an analysis that was stopped, it stays, too.
    callback : given the explanation so far about once a second: windows are visited in an order
        that covers the input evenly at every moment (with a tolerance: more densely where the map
        is less sure). Where it returns true, the analysis stops, and what was visited by then is
        the result.
    device : "cpu", or where torch is to run a network: "cuda", "mps".
    memory : bytes that a batch of draws may take; None is a sixteenth of the machine's, half a GiB
        at most.
    budget : seconds after which windows are no longer visited: the result is the map so far, and is
        marked as partial (`Explanation.is_partial`). None takes the time that it takes.
    client : a `distributed.Client` (extra `cluster`), by the workers of whose cluster chunks of
        windows are evaluated, to the same numbers (docs/scale.md). None does everything here.
    settings : the sampling where the call leaves it at None: `preddiff.PAPER`, or names and values.

    Returns
    -------
    Explanation

    Raises
    ------
    PreddiffError
        A subclass that says which setting, model or input cannot be used, and what to do.
    """
    opened = open_input(picture, channels)
    chosen = Settings.of(
        settings,
        targets=targets,
        node=node,
        source=source,
        sampler=sampler,
        window=window,
        margin=margin,
        samples=samples,
        stride=stride,
        seed=seed,
        sets=sets,
        regions=regions,
        engine=engine,
        precision=precision,
        tolerance=tolerance,
        mask=mask,
        resample=resample,
        channels=channels,
        train_size=train_size,
        measure=measure,
        baselines=baselines,
        device=device,
        memory=memory,
        budget=budget,
    )
    loaded = load_model(model)
    planned = plans_of_sizes(loaded, opened, chosen, announce=progress is True)
    return analyse(planned, progress, checkpoint, callback, _workers(client, loaded))


def _workers(client: object, model: Model) -> Workers | None:
    """Return the workers of a client, which are sent the model if they do not have it."""
    if client is None:
        return None
    from preddiff.pipeline.cluster.workers import workers_of

    workers = workers_of(client)
    workers.share(model)
    return workers


def plans_of_sizes(
    model: Model, opened: Input, settings: Settings, *, announce: bool = False
) -> list[tuple[Settings, Plan]]:
    """Return settings and plan of each size of windows, by which everything has been checked.

    Parameters
    ----------
    announce : print a line that says which sampler a classifier of scans remembers.
    """
    settings = with_remembered(settings, model, announce=announce)
    if opened.is_row:
        settings = settings.of_row(len(opened.features or ()))
    if opened.is_signal:
        settings = settings.of_signal(opened.values.shape)  # type: ignore[union-attr]
    settings = settings.over(volume=opened.is_volume, side=subjects.shorter_side(model, opened))
    return [_planned(model, opened, each) for each in settings.parts]


def _planned(model: Model, opened: Input, settings: Settings) -> tuple[Settings, Plan]:
    question, sampling, device = settings.question, settings.sampling, settings.work.device
    regions = sampling.opened_regions
    subject = subjects.make(model, opened, question, sampling, device, regions)
    settings, said = on_input(settings, subject)
    plan = plans.make(subject, settings)
    facts = {**plan.facts, **{f"{name}_said": text for name, text in said.items()}}
    return settings, replace(plan, facts=facts)
