"""Claims about kept conversions: the same as reading, whatever happens to files and folders meanwhile."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import recommender.converted as converted
from recommender.converted import Conversions, stamp_of
from recommender.errors import DataError
from recommender.plays import Columns, PlayCounts, load_plays
from worlds import FEW_ROWS, MBID_BEATLES, packings, tsv

MESSY = (
    tsv([*FEW_ROWS, ("bob", MBID_BEATLES, "THE BEATLES", 5), ("cid", "", "Can", 2**31 - 1)] * 2)
    + b"a\tb\nx\t\t\xff\t1\n"
)


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def conversions(tmp_path: Path, warnings: list[str]) -> Conversions:
    return Conversions(tmp_path / "cache" / "plays", warn=warnings.append)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "plays.tsv"
    path.write_bytes(MESSY)
    return path


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch):
    """From when it is called on, reading fails: what still loads was kept."""

    def forbid() -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("it was read again")

        monkeypatch.setattr("recommender.plays._load", refuse)

    return forbid


def same(first: PlayCounts, second: PlayCounts) -> bool:
    arrays = [(counts.plays.indptr, counts.plays.indices, counts.plays.data) for counts in (first, second)]
    return (
        all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(*arrays, strict=True))
        and first.plays.shape == second.plays.shape
        and first.listeners == second.listeners
        and first.artist_names == second.artist_names
        and first.artist_mbids == second.artist_mbids
        and (first.report, first.data_hash) == (second.report, second.data_hash)
    )


def entries(conversions: Conversions) -> list[Path]:
    return sorted(conversions.folder.iterdir())


@pytest.mark.parametrize("way", packings(b"x\n"))
def test_what_is_kept_is_what_was_read(way: str, path: Path, conversions: Conversions, unreadable, warnings) -> None:
    path.write_bytes(packings(MESSY)[way])
    read = load_plays(path, conversions=conversions)
    assert same(read, load_plays(path))
    unreadable()
    assert same(load_plays(path, conversions=conversions), read)
    assert warnings == []


def test_hetrecs_pair_and_parquet_are_kept_too(tmp_path: Path, conversions: Conversions, unreadable) -> None:
    (tmp_path / "artists.dat").write_bytes(b"id\tname\turl\tpictureURL\n7\tBlur\t\t\n9\tCan\t\t\n")
    (tmp_path / "user_artists.dat").write_bytes(b"userID\tartistID\tweight\n2\t9\t13\n2\t7\t11\n3\t7\t5\n")
    table = tmp_path / "table"
    pl.DataFrame({"user": ["a", "b"], "artist": ["x", "y"], "plays": [3, 4]}).write_parquet(table)
    sources = (tmp_path, tmp_path / "artists.dat", table)
    read = [load_plays(source, conversions=conversions) for source in sources]
    assert len(entries(conversions)) == 2
    unreadable()
    for source, counts in zip(sources, read, strict=True):
        assert same(load_plays(source, conversions=conversions), counts)


def test_a_file_that_holds_both_of_a_pair_is_another_source(tmp_path: Path, conversions: Conversions) -> None:
    """Same bytes, same hash, but not the same plays."""
    artists, plays = b"id\tname\turl\tpictureURL\n7\tBlur\t\t\n", b"userID\tartistID\tweight\n2\t7\t11\n3\t7\t5\n"
    (tmp_path / "artists.dat").write_bytes(artists)
    (tmp_path / "user_artists.dat").write_bytes(plays)
    pair = load_plays(tmp_path, conversions=conversions)
    (tmp_path / "one").write_bytes(artists + plays)
    with pytest.raises(DataError):
        load_plays(tmp_path / "one", conversions=conversions)
    assert pair.artist_names == ["Blur"]


def test_the_same_content_elsewhere_is_known(path: Path, tmp_path: Path, conversions: Conversions, unreadable) -> None:
    read = load_plays(path, conversions=conversions)
    other = tmp_path / "copy.csv"
    other.write_bytes(MESSY)
    unreadable()
    assert same(load_plays(other, conversions=conversions), read)


def test_a_changed_byte_is_read_even_if_size_and_times_are_the_old_ones(path: Path, conversions: Conversions) -> None:
    path.write_bytes(tsv(FEW_ROWS) * 4000 + b"ann\t\tLow\t3\n")
    stat = path.stat()
    load_plays(path, conversions=conversions)
    path.write_bytes(tsv(FEW_ROWS) * 4000 + b"ann\t\tLow\t4\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    changed = load_plays(path, conversions=conversions)
    assert changed.plays[0, changed.artist_names.index("Low")] == 4
    assert same(changed, load_plays(path))


def test_other_columns_are_another_conversion(path: Path, conversions: Conversions) -> None:
    path.write_bytes(b"who,whom,artist,plays\nann,bob,Blur,9\n")
    for column in ("who", "whom", "who"):
        columns = Columns(listener=column)
        assert same(load_plays(path, columns=columns, conversions=conversions), load_plays(path, columns=columns))
    assert len(entries(conversions)) == 2


def test_strict_refuses_what_was_kept_with_bad_rows(path: Path, conversions: Conversions) -> None:
    load_plays(path, conversions=conversions)
    with pytest.raises(DataError, match=r"plays\.tsv:15: wrong number of fields in 'a\\tb'; fix or drop the row"):
        load_plays(path, strict=True, conversions=conversions)


def test_strict_takes_what_was_kept_without_bad_rows(path: Path, conversions: Conversions, unreadable) -> None:
    path.write_bytes(tsv(FEW_ROWS))
    read = load_plays(path, conversions=conversions)
    unreadable()
    assert same(load_plays(path, strict=True, conversions=conversions), read)


def test_damage_anywhere_is_noticed_and_mended(path: Path, conversions: Conversions, warnings: list[str]) -> None:
    read = load_plays(path, conversions=conversions)
    (entry,) = entries(conversions)
    whole = entry.read_bytes()
    for position in [*range(0, len(whole), 37), len(whole) - 1]:
        entry.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert conversions.find(path, Columns()) is None, position
    for size in (0, 1, 31, 32, 33, 100, len(whole) - 1):
        entry.write_bytes(whole[:size])
        assert conversions.find(path, Columns()) is None, size
    assert same(load_plays(path, conversions=conversions), read)
    assert entry.read_bytes() == whole
    assert warnings == []


def test_an_entry_under_anothers_name_is_not_taken(path: Path, conversions: Conversions) -> None:
    load_plays(path, conversions=conversions)
    (entry,) = entries(conversions)
    path.write_bytes(MESSY.replace(b"Can", b"Low"))
    load_plays(path, conversions=conversions)
    (other,) = set(entries(conversions)) - {entry}
    other.write_bytes(entry.read_bytes())
    assert "Low" in load_plays(path, conversions=conversions).artist_names


def test_another_version_of_the_code_reads_anew(
    path: Path, conversions: Conversions, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_plays(path, conversions=conversions)
    monkeypatch.setattr(converted, "_code_digest", lambda: "another")
    assert conversions.find(path, Columns()) is None


def test_a_file_that_changes_while_it_is_read_is_not_kept(path: Path, conversions: Conversions) -> None:
    before = stamp_of(path)
    counts = load_plays(path)
    path.write_bytes(MESSY + b"\n")
    conversions.keep(path, Columns(), counts, stamp=before)
    assert not conversions.folder.exists()


def test_what_was_used_longest_ago_makes_room(tmp_path: Path, warnings: list[str]) -> None:
    paths = [tmp_path / str(number) for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(tsv(FEW_ROWS) + f"ann\t\tartist {number}\t1\n".encode())
    probe = Conversions(tmp_path / "probe", warn=warnings.append)
    load_plays(paths[0], conversions=probe)
    conversions = Conversions(tmp_path / "cache", warnings.append, max_bytes=2 * entries(probe)[0].stat().st_size + 9)
    for age, path in ((30, paths[0]), (20, paths[1])):
        load_plays(path, conversions=conversions)
        for entry in entries(conversions):
            if entry.stat().st_mtime > 1e9:
                os.utime(entry, (1000 - age, 1000 - age))
    assert conversions.find(paths[0], Columns()) is not None  # used: now the second is the oldest
    load_plays(paths[2], conversions=conversions)
    assert [conversions.find(path, Columns()) is not None for path in paths] == [True, False, True]
    tiny = Conversions(tmp_path / "tiny", warnings.append, max_bytes=10)
    load_plays(paths[0], conversions=tiny)
    assert not tiny.folder.exists()
    assert warnings == []


def test_a_folder_that_cannot_be_made_costs_one_sentence(path: Path, tmp_path: Path, warnings: list[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    conversions = Conversions(tmp_path / "file" / "plays", warn=warnings.append)
    assert same(load_plays(path, conversions=conversions), load_plays(path))
    (sentence,) = warnings
    assert sentence.startswith(f"the converted data was not kept in {conversions.folder}: ")


def test_a_full_disk_costs_one_sentence_and_leaves_nothing(
    path: Path, conversions: Conversions, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    load_plays(path, conversions=conversions)
    assert warnings == [f"the converted data was not kept in {conversions.folder}: No space left on device"]
    assert entries(conversions) == []


def test_half_of_the_free_space_is_left(path: Path, conversions: Conversions, warnings, monkeypatch) -> None:
    load_plays(path, conversions=conversions)
    (entry,) = entries(conversions)
    size = entry.stat().st_size
    for free, is_kept in ((2 * size - 100, False), (2 * size, True)):
        conversions.clear()
        warnings.clear()
        monkeypatch.setattr("shutil.disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        load_plays(path, conversions=conversions)
        assert bool(entries(conversions)) == is_kept
        assert len(warnings) == (not is_kept)


def test_what_is_kept_can_be_counted_and_deleted(path: Path, conversions: Conversions) -> None:
    assert conversions.sizes() == []
    conversions.clear()
    load_plays(path, conversions=conversions)
    assert conversions.sizes() == [entries(conversions)[0].stat().st_size]
    (conversions.folder / "of another program").write_text("stays")
    conversions.clear()
    assert conversions.sizes() == []
    assert [entry.name for entry in entries(conversions)] == ["of another program"]


def test_many_writers_at_once_leave_one_whole_conversion(path: Path, conversions: Conversions, warnings) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: load_plays(path, conversions=conversions), range(24)))
    assert len(entries(conversions)) == 1
    assert all(same(counts, load_plays(path)) for counts in found)
    assert conversions.find(path, Columns()) is not None
    assert warnings == []


def test_an_interrupted_reader_leaves_neither_threads_nor_files(tmp_path: Path, conversions: Conversions) -> None:
    path = tmp_path / "long.tsv"
    path.write_bytes(tsv(FEW_ROWS) * 100_000)

    def interrupt(done: int, _total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_plays(path, conversions=conversions, progress=interrupt)
    assert not conversions.folder.exists()
    assert {thread.name for thread in threading.enumerate() if "ahead" in thread.name or "hash" in thread.name} == set()


def test_an_interrupted_writer_leaves_nothing(
    path: Path, conversions: Conversions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_self: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_plays(path, conversions=conversions)
    assert entries(conversions) == []


def test_progress_of_hashing_counts_up_to_the_end(path: Path, conversions: Conversions) -> None:
    load_plays(path, conversions=conversions)
    seen: list[tuple[int, int | None]] = []
    load_plays(path, conversions=conversions, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(len(MESSY), len(MESSY))]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_only_the_owner_may_look_into_the_folder(path: Path, conversions: Conversions) -> None:
    load_plays(path, conversions=conversions)
    assert conversions.folder.stat().st_mode & 0o077 == 0
