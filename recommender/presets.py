"""Presets as files: a recipe written down as JSON, found again by its name or path.

The presets that come with Segue stand in :mod:`recommender.recipes`. Those of a person, written by ``segue tune`` or
by hand, are ``<store>/presets/NAME.json``, or a file anywhere. What a file does not name is as by default.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from recommender.errors import ParameterError
from recommender.folders import at_home, durable_file
from recommender.recipes import PRESETS, Recipe, choose_preset
from recommender.store import check_id, is_path

FORMAT = "segue-preset"
SUFFIX = ".json"
LARGEST_BYTES = 1_000_000


def find_preset(name: str, *, store: Path) -> Recipe:
    """Return a preset by its name, or by the path of its file.

    Parameters
    ----------
    name : one of :data:`recommender.recipes.PRESETS`, of ``store``, or a path.
    store : folder of all models.

    Raises
    ------
    ParameterError : there is none, or its file makes no sense.
    """
    if name in PRESETS:
        return PRESETS[name]
    own = preset_path(name, store=store)
    if not own.is_file():
        saved = sorted(path.stem for path in (store / "presets").glob(f"*{SUFFIX}"))
        known = ", ".join([*PRESETS, *saved])
        raise ParameterError(f"preset {name!r} is unknown; use one of {known}, or the path of a preset's file")
    return read_preset(own)


def chosen_recipe(preset: str | None, algorithm: str | None, *, store: Path) -> tuple[str, Recipe]:
    """Name and return the preset that a person meant by a preset, an algorithm, both or neither.

    Raises
    ------
    ParameterError : a name is unknown, or the preset is not of that algorithm.
    """
    if preset is None or preset in PRESETS:
        name = choose_preset(preset, algorithm)
        return name, PRESETS[name]
    choose_preset(None, algorithm)  # an unknown algorithm has its sentence there
    recipe = find_preset(preset, store=store)
    if algorithm is not None and recipe.algorithm != algorithm:
        raise ParameterError(f"preset {preset!r} is {recipe.algorithm}, not {algorithm}; leave one of them out")
    return preset_name(preset), recipe


def preset_name(name: str) -> str:
    """What a preset is called in a model's card and id: the name, or the file's name without its ending."""
    return at_home(name).stem if _is_file(name) else name


def preset_path(name: str, *, store: Path) -> Path:
    """Where a person's preset of this name or path is, or would be.

    Raises
    ------
    ParameterError : a name that cannot be a file's.
    """
    return at_home(name) if _is_file(name) else store / "presets" / f"{check_id(name)}{SUFFIX}"


def new_preset_path(name: str, *, store: Path) -> Path:
    """Where a preset of this name or path can be written.

    Raises
    ------
    ParameterError : the name is one of Segue's own, which would hide it, or a folder is there.
    """
    if name in PRESETS:
        raise ParameterError(f"{name} is a preset of Segue's own and cannot be written anew; choose another --name")
    path = preset_path(name, store=store)
    if path.is_dir():
        raise ParameterError(f"{path} is a folder; choose another --name for the preset")
    return path


def write_preset(path: Path, recipe: Recipe) -> None:
    """Write a recipe whole or not at all, in place of what was there.

    Raises
    ------
    ParameterError : the file cannot be written.
    """
    content = json.dumps({"format": FORMAT, "recipe": asdict(recipe)}, indent=2).encode() + b"\n"
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with durable_file(beside) as file:
            file.write(content)
        beside.replace(path)
    except OSError as err:
        raise ParameterError(f"the preset {path} could not be written: {err.strerror or err}; choose another") from err
    finally:
        beside.unlink(missing_ok=True)


def read_preset(path: Path) -> Recipe:
    """Read a recipe from its file.

    Raises
    ------
    ParameterError : the file cannot be read, or holds something that is no recipe; says which option.
    """
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(LARGEST_BYTES))
    except (OSError, ValueError, RecursionError) as err:
        raise ParameterError(f"the preset {path} cannot be read: {err}; write it anew with `segue tune`") from err
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ParameterError(f"{path} is no preset: it has no format {FORMAT!r}; write one with `segue tune`")
    try:
        return recipe_of(content.get("recipe"))
    except ParameterError as err:
        raise ParameterError(f"{path}: {err}") from err


def recipe_of(values: object) -> Recipe:
    """Make a recipe of plain values, as :func:`dataclasses.asdict` takes it apart.

    Raises
    ------
    ParameterError : an option is unknown, missing, of another kind, or out of its range.
    """
    recipe = _built(Recipe, values, "recipe")
    assert isinstance(recipe, Recipe), "a recipe is built"
    return recipe


def _is_file(name: str) -> bool:
    return is_path(name) or name.endswith(SUFFIX)


def _built(kind: type[Any], values: object, where: str) -> Any:
    """Build one dataclass of parameters, and those inside it."""
    if not isinstance(values, Mapping):
        raise ParameterError(f"{where} is {values!r}, not a group of options")
    hints = get_type_hints(kind)
    unknown = sorted(str(name) for name in values.keys() - hints.keys())
    if unknown:
        raise ParameterError(f"{where} has no option {unknown[0]!r}; it has {', '.join(hints)}")
    given = {name: _value(hints[name], value, f"{where}.{name}") for name, value in values.items()}
    try:
        return kind(**given)
    except TypeError as err:
        needed = [one.name for one in fields(kind) if one.name not in given]
        raise ParameterError(f"{where} lacks an option, one of {', '.join(needed)}") from err


def _value(hint: Any, value: object, where: str) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        return _built(hint, value, where)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ParameterError(f"{where} is {value!r}; use one of {', '.join(map(str, get_args(hint)))}")
        return value
    allowed = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    # A whole number is good where a fraction may stand, but true and false are no numbers.
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not any(type(value) is one for one in allowed):
        raise ParameterError(f"{where} is {value!r}, which is not {' or '.join(one.__name__ for one in allowed)}")
    return value
