"""``segue bot check`` finds what would stop the bot, says so in words, and changes nothing."""

import base64
import json
import shutil
import sqlite3

import pytest
from typer.testing import CliRunner

from bot.checking import check
from bot.cli import app
from bot.settings import load_settings

TOKEN = f"{base64.urlsafe_b64encode(b'123456789012345678').decode().rstrip('=')}.Gabcde.s3cret_s3cret-s3cret"


@pytest.fixture(autouse=True)
def environment(model_folder, tmp_path, monkeypatch):
    """Settings with which the bot would start, in a folder without ``.env``; the database does not exist yet."""
    model = tmp_path / "models" / model_folder.name
    shutil.copytree(model_folder, model)
    values = {
        "DISCORD_TOKEN": TOKEN,
        "SEGUE_MODELS": str(model.parent),
        "SEGUE_MODEL": model.name,
        "SEGUE_DATABASE_URL": f"sqlite:///{tmp_path}/new/segue.sqlite3",
        "SEGUE_MESSAGE_CONTENT": "",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def found(tmp_path):
    """Look, and return mark and sentence by subject."""
    return lambda: {one.subject: (one.mark, one.sentence) for one in check(load_settings(), dotenv=tmp_path / ".env")}


def test_a_bot_that_would_start_is_said_to_and_nothing_is_made(tmp_path):
    result = CliRunner().invoke(app, ["bot", "check"])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.replace("│", " ").split())  # a narrow table breaks its sentences
    assert "Nothing would stop the bot." in said
    assert "does not exist yet; the bot will create it" in said
    assert "of application 123456789012345678" in said
    assert "s3cret" not in said
    assert not (tmp_path / "new").exists()


def test_every_line_says_its_mark_in_words(monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "")
    lines = CliRunner().invoke(app, ["bot", "check"]).output.splitlines()
    assert any("STOP" in line and "token" in line and "DISCORD_TOKEN is not set" in line for line in lines)
    assert any("note" in line and "intents" in line for line in lines)
    assert any("ok" in line and "disk" in line for line in lines)


def test_scripts_get_json_and_an_exit_status(monkeypatch):
    monkeypatch.setenv("SEGUE_MODEL", "absent")
    result = CliRunner().invoke(app, ["bot", "check", "--json"])
    answer = json.loads(result.output)
    assert result.exit_code == 1
    assert answer["would_start"] is False
    assert [one["subject"] for one in answer["checks"] if one["mark"] == "stop"] == ["model"]


def test_a_wrong_setting_stops_it(monkeypatch):
    monkeypatch.setenv("SEGUE_LOG_LEVEL", "LOUD")
    result = CliRunner().invoke(app, ["bot", "check"])
    assert result.exit_code == 1
    assert "SEGUE_LOG_LEVEL is 'LOUD'" in result.output


@pytest.mark.parametrize(
    "token",
    [
        "a" * 32,  # a client secret
        "123456789012345678",  # the application's id
        "0f" * 32,  # its public key
        "bm90LWFuLWlk.Gabcde.s3cret",  # the first part is no id
        "%%%.Gabcde.s3cret",
        TOKEN + ".more",
    ],
)
def test_what_is_no_bot_token_is_refused_and_not_shown(found, monkeypatch, token):
    monkeypatch.setenv("DISCORD_TOKEN", token)
    mark, sentence = found()["token"]
    assert mark == "stop"
    assert token not in sentence


def test_without_the_privileged_intent_there_is_nothing_to_note(found, monkeypatch):
    monkeypatch.setenv("SEGUE_MESSAGE_CONTENT", "false")
    assert found()["intents"][0] == "ok"


def test_a_database_of_this_version_and_an_empty_one_are_told_apart(found, monkeypatch, database_url, tmp_path):
    monkeypatch.setenv("SEGUE_DATABASE_URL", database_url)
    assert "is at version" in found()["database"][1]
    monkeypatch.setenv("SEGUE_DATABASE_URL", f"sqlite:///{tmp_path}/empty.sqlite3")
    (tmp_path / "empty.sqlite3").touch()
    mark, sentence = found()["database"]
    assert (mark, "is empty; the bot will bring it to" in sentence) == ("ok", True)


@pytest.mark.usefixtures("database_url")
def test_a_database_of_a_newer_segue_and_one_of_others_stop_it(found, monkeypatch, tmp_path):
    with sqlite3.connect(tmp_path / "others.sqlite3") as connection:
        connection.execute("create table guests (name text)")
    connection.close()
    with sqlite3.connect(tmp_path / "segue.sqlite3") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    for name, words in (("others", "another program's tables"), ("segue", "does not know")):
        monkeypatch.setenv("SEGUE_DATABASE_URL", f"sqlite:///{tmp_path}/{name}.sqlite3")
        mark, sentence = found()["database"]
        assert mark == "stop"
        assert words in sentence


def test_a_file_that_is_no_database_stops_it(found, monkeypatch, tmp_path):
    (tmp_path / "notes.txt").write_text("not a database " * 100)
    monkeypatch.setenv("SEGUE_DATABASE_URL", f"sqlite:///{tmp_path}/notes.txt")
    mark, sentence = found()["database"]
    assert (mark, "not a database" in sentence) == ("stop", True)


def test_a_bit_that_flipped_without_a_trace_stops_it(found, tmp_path):
    """Also where the model was found sound before and its file's times say that nobody wrote it."""
    assert found()["model"][0] in ("ok", "note")
    path = tmp_path / "models" / "communities" / "artist_factors.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    mark, sentence = found()["model"]
    assert mark == "stop"
    assert "artist_factors.npy was altered" in sentence


def test_files_that_others_may_open_are_noted_with_what_to_do(found, tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("SEGUE_PREFIX=!\n")
    dotenv.chmod(0o644)
    mark, sentence = found()["permissions"]
    assert mark == "note"
    assert f"chmod 600 {dotenv}" in sentence
    dotenv.chmod(0o600)
    assert found()["permissions"][0] == "ok"


def test_a_folder_that_cannot_be_used_stops_it(found, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEGUE_DATABASE_URL", f"sqlite:///{tmp_path}/file/segue.sqlite3")
    assert "stop" in {found()["database"][0], found()["disk"][0]}
