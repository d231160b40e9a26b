"""A report as one HTML page that needs nothing else: no script, no font, no address."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from html import escape

from bot.evidence.reporting import Report
from bot.report_tables import Section, sections

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
color: #222; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums }
th:first-child, td:first-child { text-align: left }
img { max-width: 100%; height: auto }
.scroll { overflow-x: auto }
footer { color: #666 }
@media (prefers-color-scheme: dark) {
body { background: #1b1b1b; color: #ddd }
th, td { border-color: #444 }
footer { color: #aaa }
}
"""


def page(report: Report, pictures: Mapping[str, bytes], *, made_at: datetime) -> str:
    """Write the page.

    Parameters
    ----------
    report : what to show.
    pictures : PNGs by name, from :func:`bot.report_plots.plots`; none is fine.
    made_at : aware.
    """
    title = escape(report.title)
    body = "\n".join(_section(section) for section in sections(report))
    shown = "\n".join(
        f'<p><img alt="{escape(name)}: the same figures as in the tables" '
        f'src="data:image/png;base64,{b64encode(png).decode()}"></p>'
        for name, png in pictures.items()
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Segue: {title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"{body}\n{shown}\n<footer>Made by segue feedback report at {made_at:%Y-%m-%d %H:%M} UTC.</footer>\n"
        "</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    parts += [f"<p>{escape(sentence)}</p>" for sentence in section.sentences]
    if section.rows:
        header = "".join(f'<th scope="col">{escape(name)}</th>' for name in section.header)
        rows = "\n".join(
            "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>" for row in section.rows
        )
        table = f"<table><thead><tr>{header}</tr></thead><tbody>\n{rows}\n</tbody></table>"
        parts.append(f'<div class="scroll">{table}</div>')
    return "\n".join(parts)
