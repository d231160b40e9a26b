"""Settings come from the environment, and a wrong value is one sentence that names the variable."""

import pytest
from sqlalchemy.engine import make_url

from bot.feedback.engine import open_engine
from bot.settings import default_database_url, load_settings, metrics_address, require_token
from recommender.errors import SettingsError

VARIABLES = [
    "DISCORD_TOKEN", "SEGUE_MODELS", "SEGUE_MODEL", "SEGUE_DATABASE_URL", "SEGUE_PREFIX", "SEGUE_MESSAGE_CONTENT",
    "SEGUE_LOG_LEVEL", "SEGUE_METRICS_PORT", "SEGUE_METRICS_PUBLIC",
]  # fmt: skip


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_anything_set_the_defaults_hold():
    settings = load_settings()
    assert settings.prefix == "!"
    assert settings.message_content is True
    assert settings.log_level == "INFO"
    assert settings.model is None
    assert settings.models.name == "models"
    assert make_url(settings.database_url).database.endswith("segue.sqlite3")


def test_empty_variables_count_as_not_set(monkeypatch):
    unset = load_settings()
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert load_settings() == unset


def test_every_variable_is_read(monkeypatch, tmp_path):
    values = dict(
        zip(
            VARIABLES,
            ["abc.def", str(tmp_path), "m1", "sqlite:///x.db", "?", "false", "debug", "9108", "true"],
            strict=True,
        )
    )
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert require_token(settings) == "abc.def"
    assert settings.models == tmp_path
    assert (settings.model, settings.prefix, settings.message_content) == ("m1", "?", False)
    assert (settings.database_url, settings.log_level) == ("sqlite:///x.db", "DEBUG")
    assert (settings.metrics_port, settings.metrics_public) == ("9108", True)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("9108", "127.0.0.1:9108"),
        ("localhost:1", "localhost:1"),
        ("[::1]:9108", "[::1]:9108"),
        ("127.0.0.2:0", "127.0.0.2:0"),
    ],
)
def test_metrics_are_for_this_machine_alone(monkeypatch, given, address):
    monkeypatch.setenv("SEGUE_METRICS_PORT", given)
    assert str(metrics_address(load_settings())) == address


@pytest.mark.parametrize("given", ["0.0.0.0:9108", "[::]:9108", "192.168.1.5:9108", "example.org:9108"])
def test_metrics_for_other_machines_have_to_be_said_twice(monkeypatch, given):
    monkeypatch.setenv("SEGUE_METRICS_PORT", given)
    with pytest.raises(SettingsError, match="SEGUE_METRICS_PUBLIC=true"):
        metrics_address(load_settings())
    monkeypatch.setenv("SEGUE_METRICS_PUBLIC", "true")
    assert str(metrics_address(load_settings())) == given


@pytest.mark.parametrize("given", ["port", "127.0.0.1", "127.0.0.1:", "65536", "-1", "٣"])
def test_what_is_no_port_is_one_sentence(monkeypatch, given):
    monkeypatch.setenv("SEGUE_METRICS_PORT", given)
    with pytest.raises(SettingsError, match="write a port such as 9108"):
        metrics_address(load_settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEGUE_MESSAGE_CONTENT", "perhaps"),
        ("SEGUE_LOG_LEVEL", "LOUD"),
        ("SEGUE_PREFIX", "much too long a prefix"),
        ("SEGUE_PREFIX", "a b"),
    ],
)
def test_a_wrong_value_is_one_sentence(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert str(raised.value).startswith(f"{name} is {value!r}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("token", [None, "", "   ", "abc def", "tökén"])
def test_a_missing_or_impossible_token_is_refused_without_showing_it(monkeypatch, token):
    if token is not None:
        monkeypatch.setenv("DISCORD_TOKEN", token)
    with pytest.raises(SettingsError, match="DISCORD_TOKEN") as raised:
        require_token(load_settings())
    assert not token or not token.strip() or token not in str(raised.value)


def test_a_home_folder_is_found_as_a_shell_would(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SEGUE_MODELS", "~/models")
    assert load_settings().models == tmp_path / "models"
    engine = open_engine("sqlite:///~/segue.sqlite3")
    assert engine.url.database == str(tmp_path / "segue.sqlite3")
    engine.dispose()


def test_the_token_is_not_in_the_settings_text(monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "very.secret.token")
    assert "secret" not in repr(load_settings())


def test_a_database_path_with_odd_characters_survives_as_url(tmp_path):
    path = tmp_path / "a b?c#d%e" / "segue.sqlite3"
    assert make_url(default_database_url(path)).database == str(path)


def test_the_example_file_names_every_variable_and_no_other(request):
    example = (request.config.rootpath / ".env.example").read_text(encoding="utf-8")
    named = [line.split("=")[0] for line in example.splitlines() if line and not line.startswith("#")]
    assert sorted(named) == sorted(VARIABLES)
