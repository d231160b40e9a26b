"""Draw the picture of docs/models.md from the tables of the same page, so that the two cannot differ; needs matplotlib.

Run: ``python benchmarks/models_picture.py``; the page is found beside it, and the picture is written beside the page.
"""

from pathlib import Path

from rich.console import Console

PAGE = Path(__file__).parent.parent / "docs" / "models.md"
PICTURE = PAGE.with_name("models.svg")
METHODS, BANDS = "tag nDCG@10 | pairs R@10", "tag nDCG@10 | 5-9"
OURS, PEERS, ARTICLE, MEASURES = "#1b6ca8", "#8a8a8a", "#d1762b", "#9cc3de"


def main() -> None:
    """Write the picture."""
    page = PAGE.read_text(encoding="utf-8")
    draw(table_after(page, METHODS), table_after(page, BANDS), PICTURE)
    Console().print(f"wrote {PICTURE}", markup=False, soft_wrap=True)


def table_after(page: str, heading: str) -> tuple[list[str], dict[str, list[float]]]:
    """Read the table whose heading has these words: the names of its columns, and the figures of each row."""
    lines = page.splitlines()
    (begin,) = (number for number, line in enumerate(lines) if line.startswith("|") and heading in line)
    columns = _cells(lines[begin])[1:]
    rows = {}
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        name, *figures = _cells(line)
        rows[name.replace("`", "")] = [float(figure.strip("*").split()[0]) for figure in figures if figure]
    return columns, rows


def draw(
    methods: tuple[list[str], dict[str, list[float]]], bands: tuple[list[str], dict[str, list[float]]], path: Path
) -> None:
    """Draw how good each method's lists are, and how that depends on how many listeners an artist has."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figures = {name.split(" (now")[0]: row[0] for name, row in methods[1].items()}
    names = sorted(figures, key=lambda name: figures[name])
    # The same figures give the same bytes; text stays text, which any viewer has letters for.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "segue", "font.family": "sans-serif"}):
        picture = Figure(figsize=(10, 5), layout="constrained")
        left, right = picture.subplots(1, 2, width_ratios=[1.3, 1])
        bars = left.barh(names, [figures[name] for name in names], color=[_colour(name) for name in names])
        left.bar_label(bars, [f"{figures[name]:.3f}" for name in names], padding=3, fontsize=8)
        left.set_xlim(0.45, 0.72)
        left.set_title("Similar artists on HetRec: tag nDCG@10", fontsize=10)
        for name, row in bands[1].items():
            right.plot(bands[0], row, marker="o", color=_colour(name), linestyle=_line(name), label=name)
        right.set_title("... by how many listeners the artist has", fontsize=10)
        right.legend(fontsize=8, loc="lower right")
        for panel in (left, right):
            panel.tick_params(labelsize=8)
            panel.spines[["top", "right"]].set_visible(False)
        picture.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _colour(name: str) -> str:
    if "," in name:
        return PEERS
    if name.startswith("article"):
        return ARTICLE
    return OURS if name in ("best", "als") else MEASURES


def _line(name: str) -> str:
    return "-" if name in ("best", "article-als") else "--"


if __name__ == "__main__":
    main()
