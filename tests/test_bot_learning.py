"""Votes re-rank pairs by a rate with a prior, hide what many dislike, and become listeners; only when that helps."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.cli import app
from bot.evidence.listeners import judge, tied_ndcg
from bot.evidence.pairs import RerankParams, pair_rates, whether_it_helps
from bot.feedback.log import VotedPairs
from bot.feedback.reading import read_pairs
from bot.feedback.records import RequestRecord, Shown
from bot.feedback.tables import MemberPreference, Subject
from bot.learning import (
    Table,
    likes_of_voters,
    scores_without_and_with,
    tiny_listeners,
    with_listeners,
    write_reranked,
)
from communities import NAMES, community_counts, small_recipe
from recommender.artists import artist_id
from recommender.catalogue import Catalogue
from recommender.plays import load_plays
from recommender.store import ModelStore
from recommender.training import train

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
PARAMS = RerankParams()


def voted(rows):
    """Votes given as (request, seed, artist, score, voter, value)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    request, seed, artist, score, voter, value = (np.array(column) for column in columns)
    whole = [one.astype(np.int64) for one in (request, seed, artist)]
    return VotedPairs(
        *whole, np.zeros(len(rows), np.int64), score.astype(float), voter.astype(np.int64), value.astype(np.int16)
    )


def test_each_person_counts_once_per_pair_with_the_last_word():
    rates = pair_rates(voted([(1, 5, 7, 0.5, 0, 1), (2, 5, 7, 0.5, 0, -1), (3, 5, 7, 0.5, 1, 1), (3, 5, 8, 0.4, 1, 1)]))
    assert (rates.seed.tolist(), rates.artist.tolist()) == ([5, 5], [7, 8])
    assert (rates.ups.tolist(), rates.voters.tolist()) == ([1, 1], [2, 1])
    assert rates.mean == pytest.approx(2 / 3)


def test_factors_are_the_posterior_over_the_mean_and_1_without_votes():
    rates = pair_rates(voted([(n, 5, 7, 0.5, n, 1) for n in range(4)] + [(9, 5, 8, 0.4, n, -1) for n in range(4)]))
    found = rates.factors([5, 5, 5, 6], [7, 8, 9, 7], PARAMS)
    assert found.tolist() == pytest.approx([(4 + 8 * 0.5) / 12 / 0.5, (0 + 8 * 0.5) / 12 / 0.5, 1, 1])
    assert pair_rates(voted([])).factors([5], [7], PARAMS).tolist() == [1]


def test_a_pair_is_hidden_only_when_enough_people_dislike_it():
    """Wilson's upper bound of 0 of 8 is 0.32, of 0 of 9 is 0.30; at 5 voters only a stricter bound would do."""
    for n_voters, hidden in ((4, False), (8, False), (9, True)):
        rates = pair_rates(voted([(1, 5, 7, 0.5, n, -1) for n in range(n_voters)]))
        assert rates.hidden(PARAMS).tolist() == [hidden]
    rates = pair_rates(voted([(1, 5, 7, 0.5, n, -1) for n in range(9)] + [(1, 5, 8, 0.5, 1, 1)]))
    assert rates.factors([5], [7], PARAMS).tolist() == [0]


def community_votes(rng, *, taste):
    """Sixty people vote on lists of ten; with taste, the last five artists of each list are the better ones."""
    rows = []
    for request in range(400):
        voter, seed = int(rng.integers(60)), int(rng.integers(5))
        for artist in rng.choice(10, size=4, replace=False).tolist():
            likes = 0.5 if not taste else (0.85 if artist >= 5 else 0.3)
            rows.append((request, seed, 100 + artist, 1 - artist / 20, voter, 1 if rng.random() < likes else -1))
    return voted(rows)


def test_it_helps_where_people_share_a_taste_and_not_where_they_do_not():
    found = whether_it_helps(
        community_votes(np.random.default_rng(1), taste=True), PARAMS, rng=np.random.default_rng(0)
    )
    assert found.helps
    assert found.right > 0.6
    assert found.low > 0.5
    assert found.words.startswith("It helps: right in ")
    false_alarms = [
        whether_it_helps(
            community_votes(np.random.default_rng(seed), taste=False), PARAMS, rng=np.random.default_rng(0)
        )
        for seed in range(20)
    ]
    assert sum(one.helps for one in false_alarms) <= 2
    nothing = whether_it_helps(voted([]), PARAMS, rng=np.random.default_rng(0))
    assert (nothing.helps, nothing.comparisons) == (False, 0)
    assert nothing.words.startswith("Too early to say")


def test_nobodys_own_votes_judge_themselves():
    """One person with a strong opinion of their own: the other half never sees it, so nothing is gained."""
    rows = [(n, 1, 10 + n % 10, 1 - (n % 10) / 20, 0, 1 if n % 10 > 4 else -1) for n in range(400)]
    found = whether_it_helps(voted(rows), PARAMS, rng=np.random.default_rng(0))
    assert found.comparisons == 0


@pytest.fixture
def top(catalogue):
    """The three artists most similar to Arcade Fire."""
    found = catalogue.similar(0, k=3)
    return [row.artist for row in found.rows]


def of_pair(artist, values, first_voter=0):
    seed = artist_id("Arcade Fire")
    return [(1, seed, artist.artist_id, 0.5, first_voter + n, value) for n, value in enumerate(values)]


def test_a_reranked_model_is_a_new_model_with_the_lists_changed(model_folder, catalogue, top, tmp_path):
    first, second, third = top
    votes = voted([*of_pair(first, [-1] * 12), *of_pair(third, [1] * 12), *of_pair(second, [-1, 1])])
    folder = tmp_path / "reranked"
    card, changed, hidden = write_reranked(folder, model_folder, pair_rates(votes), PARAMS, created=NOON)
    assert (changed, hidden) == (1, 1)
    assert card.identity != catalogue.manifest.identity
    assert card.parameters["votes"]["of"] == catalogue.manifest.identity
    found = Catalogue.open(folder)
    rows = found.similar(0, k=catalogue.k).rows
    before = catalogue.similar(0, k=catalogue.k).rows
    assert [row.artist.name for row in rows][:2] == [third.name, second.name]
    assert first.name not in [row.artist.name for row in rows]
    assert len(rows) == len(before) - 1
    support = {row.artist.name: row.support for row in before}
    assert all(row.support == support[row.artist.name] for row in rows)
    assert all(one.score >= other.score for one, other in pairwise(rows))
    for idx in range(1, 12):
        assert found.similar(idx, k=catalogue.k) == catalogue.similar(idx, k=catalogue.k)


def test_voters_become_listeners_of_what_several_liked(catalogue, top):
    first, second, third = top
    rows = [*of_pair(first, [1, 1, 1]), *of_pair(second, [1]), *of_pair(third, [-1, -1])]
    rows.append((2, 99, first.artist_id, 0.5, 0, 1))  # an artist that this model does not know
    found = list(tiny_listeners(voted(rows), catalogue, min_voters=2))
    assert found == [
        (f"voter-{person}", name, 1) for person in (1, 2, 3) for name in sorted([first.name, "Arcade Fire"])
    ]
    assert {name for _, name, _ in tiny_listeners(voted(rows), catalogue, min_voters=1)} == {
        first.name,
        second.name,
        "Arcade Fire",
    }
    assert list(tiny_listeners(voted([]), catalogue, min_voters=1)) == []


REQUEST = RequestRecord("similar", "slash", 10, None, None, None, "discord:1", None, None, 3, 1.0)


@pytest.fixture
def liked(feedback, catalogue, top):
    """Three people like the first artist of Arcade Fire's list; the last of them then opts out."""
    model = catalogue.manifest.identity
    request = replace(REQUEST, seed_artist_id=artist_id("Arcade Fire"), match_kind="exact", match_score=1.0)
    for person in (1, 2, 3):
        (shown,) = feedback.record_request(request, [Shown(1, top[0].artist_id, model, 0.9, 3)]).result()
        feedback.record_vote(shown, voter=f"discord:{person}", value=1, interaction_id=f"c{person}").result()

    def opt_out(connection):
        key = connection.scalar(Subject.__table__.select().where(Subject.discord_id == "discord:3"))
        connection.execute(
            MemberPreference.__table__.insert(), {"member_key": key, "opt_out": True, "updated_at": NOON}
        )

    feedback.write(opt_out).result()


@pytest.mark.usefixtures("liked")
def test_votes_on_pairs_are_read_but_those_of_people_who_opted_out(feedback, top):
    with feedback.reading() as connection:
        votes = read_pairs(connection)
    assert votes.seed.tolist() == [artist_id("Arcade Fire")] * 2
    assert votes.artist.tolist() == [top[0].artist_id] * 2
    assert (votes.score.tolist(), votes.value.tolist(), votes.voter.tolist()) == ([0.9, 0.9], [1, 1], [0, 1])


@pytest.mark.usefixtures("liked")
def test_the_commands_refuse_what_is_not_shown_to_help(model_folder, database_url, tmp_path, monkeypatch, top):
    monkeypatch.setenv("SEGUE_DATABASE_URL", database_url)
    monkeypatch.setenv("SEGUE_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)

    def segue(*arguments):
        return CliRunner().invoke(app, ["feedback", *map(str, arguments), "--model", str(model_folder)])

    assert segue("rerank").output.startswith("Too early to say: ")
    refused = segue("rerank", "--new", "better")
    assert refused.exit_code == 1
    assert "better was not written" in refused.output
    assert segue("rerank", "--new", "better", "--anyway").exit_code == 0
    assert ModelStore(tmp_path / "models").ids() == ["better"]
    done = segue("listeners", "votes.tsv")
    assert done.output == "Wrote 2 listeners and 4 rows to votes.tsv.\n"
    lines = (tmp_path / "votes.tsv").read_text().splitlines()
    label = re.match(r"voter-[0-9a-f]{8}", lines[0])[0]
    assert set(lines) == {
        f"{label}-{person}\t\t{name}\t1" for person in (1, 2) for name in ("Arcade Fire", top[0].name)
    }
    assert segue("listeners", "more.tsv").exit_code == 0
    assert label not in (tmp_path / "more.tsv").read_text()  # another file's listeners are others
    assert segue("listeners", "votes.tsv").exit_code == 1  # never over a file


ARTIST_IDS = np.array([artist_id(name) for name in NAMES], dtype=np.int64)


def fit_small(plays):
    found = train(plays, small_recipe(), rng=np.random.default_rng(0)).neighbours
    return Table(found.idx, found.score)


def many_votes(rng, n_people=50, n_votes=2_000):
    """People who vote a great deal, several times on the same pairs, also against what they said before."""
    seed, artist = rng.integers(len(NAMES), size=(2, n_votes))
    value = np.where(rng.random(n_votes) < 0.7, 1, -1)
    voter = np.minimum(rng.zipf(1.3, size=n_votes), n_people) - 1
    return voted(
        list(zip(range(n_votes), ARTIST_IDS[seed], ARTIST_IDS[artist], np.zeros(n_votes), voter, value, strict=True))
    )


def test_the_last_word_of_a_person_makes_the_listener():
    seed, liked, other = 5, 7, 8
    rows = [(1, seed, liked, 0.5, 0, 1), (1, seed, other, 0.5, 0, 1), (2, seed, other, 0.5, 0, -1)]
    assert likes_of_voters(voted(rows), min_voters=1) == [(seed, liked)]
    assert likes_of_voters(voted(rows), min_voters=2) == []


@pytest.mark.parametrize("seed", range(5))
def test_in_the_matrix_that_is_trained_on_a_person_weighs_one_at_most(seed):
    """One row a person, however often they voted; one play an artist; the rows of the data as they were."""
    votes, plays = many_votes(np.random.default_rng(seed)), community_counts().plays
    likes = likes_of_voters(votes, min_voters=2)
    joined = with_listeners(plays, ARTIST_IDS, [*likes, (ARTIST_IDS[0],), (123, 456)])
    added = joined[plays.shape[0] :]
    assert (joined[: plays.shape[0]] != plays).nnz == 0
    assert 0 < added.shape[0] == sum(len(artists) > 1 for artists in likes) <= np.unique(votes.voter).size
    assert joined.dtype == plays.dtype
    assert joined.has_canonical_format
    assert added.data.max() <= 1
    assert sorted(np.diff(added.indptr)) == sorted(len(artists) for artists in likes if len(artists) > 1)


def test_the_file_of_voters_trains_the_same_matrix(catalogue, tmp_path):
    """Through the loader, behind data whose listeners are called as voters once were: nobody is added to anybody."""
    votes = many_votes(np.random.default_rng(3))
    counts = community_counts()
    lines = [
        f"voter-{row + 1}\t\t{NAMES[artist]}\t{int(plays)}" for (row, artist), plays in counts.plays.todok().items()
    ]
    named = list(tiny_listeners(votes, catalogue, min_voters=2, label="voter-0f0f0f0f"))
    lines += [f"{listener}\t\t{name}\t{plays}" for listener, name, plays in named]
    (tmp_path / "all.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    loaded = load_plays(tmp_path / "all.tsv")
    voters = [place for place, name in enumerate(loaded.listeners) if name.startswith("voter-0f0f0f0f")]
    of_voters = loaded.plays[voters]
    assert len(voters) == len(likes_of_voters(votes, min_voters=2)) == len({listener for listener, *_ in named})
    assert of_voters.data.tolist() == [1.0] * len(named)
    assert loaded.report.duplicates == 0
    assert loaded.plays.sum() == counts.plays.sum() + len(named)


def test_votes_as_listeners_bring_two_artists_together():
    """Trained again with forty voters who like a pair of two communities, the two become neighbours."""
    rows = [(1, ARTIST_IDS[0], ARTIST_IDS[4], 0.1, person, 1) for person in range(40)]
    plays = community_counts().plays
    joined = with_listeners(plays, ARTIST_IDS, likes_of_voters(voted(rows), min_voters=2))

    def score(given):
        table = fit_small(given)
        return dict(zip(table.idx[0].tolist(), table.score[0].tolist(), strict=True)).get(4, -1.0)

    assert score(joined) > score(plays) + 0.1


def judged(votes, seed=0, fit=fit_small):
    rng = np.random.default_rng(seed)
    before, after = scores_without_and_with(votes, community_counts().plays, ARTIST_IDS, fit, min_voters=2, rng=rng)
    return judge(votes, before, after, rng=rng)


def opinions(rng, *, shared, n_people=60):
    """Votes on Arcade Fire's list; a shared taste likes an artist of another community, which the plays know not of."""
    rows = []
    for person in range(n_people):
        for artist in rng.choice([1, 2, 3, 4, 5, 8, 9], size=5, replace=False).tolist():
            likes = (0.9 if artist in (4, 8) else 0.15) if shared else 0.5
            rows.append((person, ARTIST_IDS[0], ARTIST_IDS[artist], 0.5, person, 1 if rng.random() < likes else -1))
    return voted(rows)


def test_voters_as_listeners_are_found_to_help_where_they_know_more_than_the_plays():
    found = judged(opinions(np.random.default_rng(1), shared=True))
    assert found.helps, found
    assert found.after > found.before + 0.05
    assert 0 < found.low < found.after - found.before < found.high
    assert found.words.startswith("It helps: nDCG of held-out votes is 0.")


def fit_cosine(plays):
    """Cosines of who listens to whom, all of them: a training in a millisecond."""
    heard = (plays.toarray() > 0).astype(float)
    length = np.linalg.norm(heard, axis=0)
    cosine = heard.T @ heard / np.outer(length, length)
    np.fill_diagonal(cosine, -1)
    idx = np.argsort(-cosine, axis=1)[:, :-1]
    return Table(idx, np.take_along_axis(cosine, idx, axis=1))


def test_voters_as_listeners_are_not_found_to_help_where_votes_are_noise():
    """At 2.5 % each way, three Monte-Carlo errors of 80 communities are 6 alarms."""
    found = [judged(opinions(np.random.default_rng(seed), shared=False), seed, fit=fit_cosine) for seed in range(80)]
    assert sum(one.helps for one in found) <= 6
    assert {one.words.partition(":")[0] for one in found} <= {"It is not shown to help", "It helps"}
    known = [judged(opinions(np.random.default_rng(seed), shared=True), seed, fit=fit_cosine) for seed in range(20)]
    assert sum(one.helps for one in known) == 20


def test_nobodys_votes_judge_a_model_that_learned_from_them():
    """Of people who all like pairs of their own, the other half learns nothing about theirs, and nothing changes."""
    seen = []
    votes = opinions(np.random.default_rng(2), shared=True)

    def fit(plays):
        seen.append(plays.shape[0])
        return fit_small(plays)

    before, after = scores_without_and_with(
        votes, community_counts().plays, ARTIST_IDS, fit, min_voters=10**6, rng=np.random.default_rng(0)
    )
    assert (before == after).all()
    assert seen == [150, 150, 150]
    one = votes.chosen(votes.voter == 0)
    before, after = scores_without_and_with(
        one, community_counts().plays, ARTIST_IDS, fit_small, min_voters=1, rng=np.random.default_rng(0)
    )
    assert (before == after).all()
    found = judge(one, before, after, rng=np.random.default_rng(0))
    assert (found.helps, found.judges) == (False, 1)
    assert found.words.startswith("Too early to say")
    assert judge(voted([]), np.zeros(0), np.zeros(0), rng=np.random.default_rng(0)).judges == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=6))
def test_ndcg_of_ties_is_the_mean_over_all_their_orders(rows):
    liked = np.array([one for one, _ in rows])
    scores = np.array([score for _, score in rows], dtype=float)
    if not liked.any():
        return
    discounts = 1 / np.log2(np.arange(2, len(rows) + 2))
    ordered = [
        list(order)
        for order in permutations(range(len(rows)))
        if all(scores[one] >= scores[other] for one, other in pairwise(order))
    ]
    values = [(liked[order] * discounts).sum() / discounts[: liked.sum()].sum() for order in ordered]
    assert tied_ndcg(liked, scores) == pytest.approx(np.mean(values))


@pytest.mark.usefixtures("liked")
def test_the_command_says_whether_voters_as_listeners_would_help(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_DATABASE_URL", database_url)
    monkeypatch.setenv("SEGUE_MODELS", str(tmp_path / "models"))
    plays = community_counts().plays.todok()
    lines = [f"l{row}\t\t{NAMES[artist]}\t{int(count)}" for (row, artist), count in plays.items()]
    (tmp_path / "plays.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def segue(*arguments):
        command = ["feedback", "judge-listeners", "--plays", str(tmp_path / "plays.tsv"), "--preset", "jaccard"]
        return CliRunner().invoke(app, [*command, *arguments])

    done = segue()
    assert done.exit_code == 0, done.output
    assert "Too early to say: nobody liked one artist and not another." in done.output
    assert json.loads(segue("--json").stdout)["helps"] is False
