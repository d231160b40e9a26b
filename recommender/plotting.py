"""Pictures of an evaluation, for who would rather look than read; needs matplotlib, which Segue does not."""

from collections.abc import Mapping
from pathlib import Path

from recommender.errors import ParameterError
from recommender.evaluating import EvaluationParams, Judged
from recommender.wording import plain_name


def require_matplotlib() -> None:
    """Say so at once where pictures cannot be drawn, not after the work.

    Raises
    ------
    ParameterError : matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401  asked for, not used
    except ImportError as err:
        raise ParameterError(
            "--plot needs matplotlib, which is not installed; run `pip install matplotlib`, or leave --plot out"
        ) from err


def plot_evaluation(path: Path, judged: Mapping[str, Judged], params: EvaluationParams, *, subject: str) -> None:
    """Draw each figure of each system with its 95 % interval, as PNG.

    Parameters
    ----------
    path : the file; replaced whole or not at all.
    judged : by name.
    subject : what was judged on, for the title.

    Raises
    ------
    ParameterError : matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [plain_name(name) for name in judged]
    height = 1.2 + 0.35 * len(names)
    figure = Figure(figsize=(3.6 * len(params.names), height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"Recommendations on {plain_name(subject)}")
    panels = figure.subplots(1, len(params.names), sharey=True, squeeze=False)[0]
    for panel, metric in zip(panels, params.names, strict=True):
        means = [one.means[metric] for one in judged.values()]
        panel.barh(names, [one.mean for one in means], color="#6a8caf")
        panel.errorbar(
            [one.mean for one in means],
            range(len(names)),
            xerr=[[one.mean - one.low for one in means], [one.high - one.mean for one in means]],
            fmt="none",
            ecolor="#333333",
            capsize=3,
        )
        panel.set_title(metric)
        panel.set_xlim(left=0)
    panels[0].invert_yaxis()
    part = path.with_name(f".{path.name}.part")
    try:
        # Neither time nor version goes into the file: the same figures give the same bytes.
        figure.savefig(part, format="png", dpi=120, metadata={"Software": None})
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
