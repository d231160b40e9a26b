"""The gate between a trained model and the one that serves: offline not worse, and live evidence for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.evidence.comparing import ALPHA, Comparison
from bot.evidence.reporting import shared_metrics

# Metrics of one evaluation differ by so much between seeds of the same model.
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Gate:
    """What speaks for and against a promotion.

    ``passed`` : every condition holds. ``reasons`` : a sentence per condition. ``evidence`` : the figures, for the log.
    """

    passed: bool
    reasons: tuple[str, ...]
    evidence: Mapping[str, Any]


def gate(
    champion: Mapping[str, Any] | None, challenger: Mapping[str, Any] | None, live: Comparison | None, *, side: str
) -> Gate:
    """Judge whether a challenger may serve.

    Parameters
    ----------
    champion, challenger : offline metrics by name, higher is better; None when not evaluated.
    live : their comparison in answers; None when they never met.
    side : which of the two the challenger was, "a" or "b".
    """
    offline_passed, offline_words, figures = _offline(champion or {}, challenger or {})
    live_passed, live_words = _live(live, side)
    evidence: dict[str, Any] = {"offline": figures}
    if live is not None:
        rate = live.win_rate if side == "a" else 1 - live.win_rate
        evidence["live"] = {
            "win_rate": rate,
            "always_valid_p": live.always_valid_p,
            "voter_p": live.voter_p,
            "voters": live.voters,
            "votes": live.votes,
            "verdict": live.verdict,
        }
    return Gate(offline_passed and live_passed, (offline_words, live_words), evidence)


def _offline(
    champion: Mapping[str, Any], challenger: Mapping[str, Any]
) -> tuple[bool, str, dict[str, tuple[float, float]]]:
    shared = shared_metrics(champion, challenger)
    if not shared:
        return False, "offline: no metric is known of both models; see `segue model metrics`", {}
    worse = [f"{name} {new:g} < {old:g}" for name, (old, new) in shared.items() if new < old - TOLERANCE * abs(old)]
    if worse:
        return False, f"offline: worse by more than {100 * TOLERANCE:.0f} %: {', '.join(worse)}", shared
    return True, f"offline: not worse in {', '.join(shared)}", shared


def _live(live: Comparison | None, side: str) -> tuple[bool, str]:
    if live is None:
        return False, "live: the two never met in an experiment; see `segue experiment`"
    rate = live.win_rate if side == "a" else 1 - live.win_rate
    figures = f"win rate {100 * rate:.1f} %, p = {live.always_valid_p:.3g} at any look"
    if live.verdict == side:
        return True, f"live: better ({figures}; needs p <= {ALPHA:g})"
    return False, f"live: {live.words.rstrip('.').lower()} ({figures})"
