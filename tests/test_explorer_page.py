"""The page in a real Chromium: what a person types, clicks, sees and links to."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from bot.evidence.simulation import World, sessions
from bot.explorer.answering import Explorer
from bot.explorer.exporting import export_site
from bot.explorer.judging import judge
from bot.explorer.maps import map_reply
from bot.explorer.shelf import open_shelf
from bot.feedback.experiments import Experiments
from bot.feedback.store import FeedbackStore
from bot.simulating import fill, simulated_model
from browser import Visit, chromium
from explorer_world import HOSTILE, served, small_app, small_layout, small_store, strangers_store
from recommender.artists import artist_id, format_artist_id

ARCADE, WOLF, METALLICA, BJORK = (
    format_artist_id(artist_id(name)) for name in ("Arcade Fire", "Wolf Parade", "Metallica", "Björk")
)
MAP = ".map[data-drawn]"
SERIOUS = ("serious", "critical")
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def browser():
    # Closed before other modules: playwright's own event loop would be in the way of asynchronous tests.
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return small_store(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="module")
def base(store):
    with served(small_app(store)) as address:
        yield address


@pytest.fixture(scope="module")
def profile(browser):
    # One profile, so that the drawing library is read and compiled once.
    return browser.new_context(viewport={"width": 1100, "height": 760})


@pytest.fixture
def visit(browser, base, profile):
    visit = Visit(browser, base, shared=profile)
    yield visit
    visit.close()
    assert visit.wrong == [], "the console has errors"
    assert visit.outside == [], "the page asked somebody else"


@pytest.fixture
def page(visit):
    return visit.open()


def shown_lists(page):
    """The names in each list, by its model."""
    lists = page.locator(".list")
    return {
        lists.nth(i).locator("h3").inner_text(): lists.nth(i).locator(".name").all_inner_texts()
        for i in range(lists.count())
    }


def test_the_first_view_compares_the_first_two_models_for_an_example(page):
    expect(page.locator("h1")).to_have_text("Arcade Fire")
    lists = shown_lists(page)
    assert list(lists) == ["by-als", "by-counting"]
    assert all("Wolf Parade" in names for names in lists.values())
    expect(page.locator(".headline")).to_contain_text("synthetic listeners")


def test_a_misspelt_name_finds_its_artist_and_says_so(page):
    box = page.get_by_role("combobox", name="Artist")
    box.fill("metalica")
    box.press("Enter")
    expect(page.locator("h1")).to_have_text("Metallica")
    expect(page.locator("#said")).to_contain_text("Metallica - read from “metalica”")
    assert f"artist={METALLICA}" in page.url


def test_a_name_that_nobody_has_offers_the_nearest_or_says_so(page):
    box = page.get_by_role("combobox", name="Artist")
    box.fill("zzzzzzzzzz")
    box.press("Enter")
    expect(page.locator("#said")).to_contain_text("No artist here is called “zzzzzzzzzz”")


def test_suggestions_are_chosen_with_the_keyboard(page):
    box = page.get_by_role("combobox", name="Artist")
    box.click()
    page.keyboard.type("iron m")
    expect(page.get_by_role("option")).to_have_count(1)
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", re.compile("artist-1-0"))
    box.press("Enter")
    expect(page.locator("h1")).to_have_text("Iron Maiden")
    expect(box).to_have_attribute("aria-expanded", "false")


def test_methods_are_switched_and_the_last_one_stays(page):
    page.get_by_role("checkbox", name="by-als").uncheck(force=True)
    expect(page.locator(".list h3")).to_have_text(["by-counting"])
    expect(page.get_by_role("checkbox", name="by-counting")).to_be_disabled()
    expect(page.locator("svg.slopes")).to_have_count(0)
    page.get_by_role("checkbox", name="by-als").check(force=True)
    expect(page.locator(".list h3")).to_have_text(["by-counting", "by-als"])
    page.get_by_role("button", name="Swap the order").click()
    expect(page.locator(".list h3")).to_have_text(["by-als", "by-counting"])


def test_the_slope_graph_draws_each_change_of_rank(page):
    lists = shown_lists(page)
    before, after = ({name: rank for rank, name in enumerate(names)} for names in lists.values())
    both = before.keys() & after.keys()
    kinds = {
        "rise": sum(after[name] < before[name] for name in both),
        "fall": sum(after[name] > before[name] for name in both),
        "same": sum(after[name] == before[name] for name in both),
    }
    for kind, n in kinds.items():
        expect(page.locator(f".slope.{kind}")).to_have_count(n)
    alone = len(before.keys() ^ after.keys())
    expect(page.locator(".point.alone")).to_have_count(alone)
    label = page.locator("svg.slopes").get_attribute("aria-label")
    assert f"{len(both)} artists stand in both lists" in label
    page.locator(".list a.name").first.focus()
    expect(page.locator(".slope.marked, .point.marked").first).to_be_visible()


def test_overlaps_are_drawn_as_circles_and_told_as_numbers(page):
    expect(page.locator("svg.circles").first.locator("circle")).to_have_count(3)
    expect(page.locator(".overlap table").first).to_contain_text("Arcade Fire and Wolf Parade")


def test_a_hostile_name_stays_text_everywhere(visit):
    page = visit.open(f"#/compare?artist={METALLICA}")
    expect(page.locator(".list .name", has_text="<script>").first).to_be_visible()
    assert page.locator(".list .name").all_inner_texts().count(HOSTILE) >= 1
    page.get_by_role("combobox", name="Artist").fill(HOSTILE[:30])
    page.locator(f'.list a[href*="{format_artist_id(artist_id(HOSTILE))}"]').first.click()
    expect(page.locator("h1")).to_contain_text("<script>window.hacked = 1</script>")
    visit.open(f"#/map?artist={format_artist_id(artist_id(HOSTILE))}")
    page.wait_for_selector(MAP)
    expect(page.locator(".panel")).to_contain_text("<script>")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main img[src='x']").count() == 0


def test_the_map_is_drawn_found_and_followed(visit):
    page = visit.open("#/map")
    page.wait_for_selector(MAP)
    expect(page.locator(".labels span").first).to_be_attached()
    box = page.locator(".map").bounding_box()
    picture = page.locator(".map canvas").screenshot()
    assert len(picture) > 2_000
    # Points are where the layout says: the first artist's is found under the pointer and leads to it.
    x, y = page.evaluate("""() => {
        const label = [...document.querySelectorAll('.labels span')].find((one) => one.textContent === 'Arcade Fire');
        const box = label.getBoundingClientRect();
        return [box.x + box.width / 2, box.bottom + 9];
    }""")
    assert box["x"] < x < box["x"] + box["width"]
    page.mouse.move(x, y)
    expect(page.locator(".tip")).to_contain_text("Arcade Fire")
    page.mouse.click(x, y)
    expect(page.locator(".panel b").first).to_have_text("Arcade Fire")
    expect(page.locator(".near a").first).to_have_text("Wolf Parade")
    assert f"artist={ARCADE}" in page.url


@pytest.mark.parametrize("by", ["pixels", "webgl"])
def test_the_map_has_points_in_the_colours_of_its_clusters(visit, by):
    page = visit.open(f"#/map?dots={by}")
    page.wait_for_selector(f"{MAP} .dots[data-by={by}]")
    # A canvas forgets its picture after the frame, so the copy is made in the frame that draws.
    n_colours = page.evaluate(
        """async () => {
        const canvas = document.querySelector('.map canvas'), copy = document.createElement('canvas');
        [copy.width, copy.height] = [canvas.width, canvas.height];
        const context = copy.getContext('2d');
        Segue.repaintMap();
        await new Promise((done) => requestAnimationFrame(() => { context.drawImage(canvas, 0, 0); done(); }));
        const { data } = context.getImageData(0, 0, copy.width, copy.height), seen = new Set();
        for (let i = 0; i < data.length; i += 4) {
            const rgb = [...data.subarray(i, i + 3)];
            if (data[i + 3] > 150 && Math.min(...rgb) < 100) seen.add(rgb.map((c) => c >> 5).join());
        }
        return seen.size;
    }"""
    )
    assert 3 <= n_colours <= 40


def test_paths_and_blends_are_drawn_on_the_map(visit):
    page = visit.open(f"#/map?from={ARCADE}&to={METALLICA}")
    page.wait_for_selector(MAP)
    stops = page.locator(".stops li a").all_inner_texts()
    assert (stops[0], stops[-1]) == ("Arcade Fire", "Metallica")
    expect(page.locator(".labels .strong")).to_have_count(len(stops))
    page.get_by_role("link", name="Blend").click()
    box = page.get_by_role("combobox", name="More like")
    box.fill("bjork")
    box.press("Enter")
    expect(page.get_by_role("button", name="Take away Björk")).to_be_visible()
    expect(page.locator(".stops li").first).to_be_visible()
    assert f"like={ARCADE},{BJORK}" in page.url
    page.get_by_role("button", name="Take away Arcade Fire").click()
    expect(page.get_by_role("button", name="Take away Arcade Fire")).to_have_count(0)


def test_strangers_are_not_joined_by_a_line(browser, tmp_path):
    ids = [format_artist_id(artist_id(f"artist {idx}")) for idx in range(8)]
    with served(small_app(strangers_store(tmp_path), model="apart")) as address:
        visit = Visit(browser, address)
        page = visit.open(f"#/map?from={ids[0]}&to={ids[4]}")
        page.wait_for_selector(MAP)
        expect(page.locator(".notice")).to_contain_text("have nothing in common")
        expect(page.locator(".drawing circle")).to_have_count(2)
        expect(page.locator(".drawing polyline")).to_have_count(0)
        visit.open(f"#/map?from={ids[0]}&to={ids[3]}")
        expect(page.locator(".drawing polyline")).to_have_count(1)
        assert visit.wrong == []
        visit.close()


def test_guesses_are_shown_as_guesses(visit):
    page = visit.open(f"#/compare?artist={format_artist_id(artist_id('Unheard Of'))}")
    expect(page.locator(".list .empty").first).to_contain_text("only 2 people")
    expect(page.locator(".guesses").first).to_contain_text("A guess")
    expect(page.locator(".list").first.locator(".guesses a")).to_have_count(3)
    expect(page.locator(".list ol, .list .score")).to_have_count(0)


def test_votes_are_reported_read_again_and_chosen(browser, store, database_url):
    with FeedbackStore(database_url, now=lambda: NOON) as feedback:
        models = {"model_a": "simulated-a", "model_b": "simulated-b"}
        for name in models.values():
            feedback.register_model(simulated_model(name))
        experiment = Experiments(feedback).define("<b>first</b>", **models)
        world = World(n_members=12, up_rate_a=0.9, up_rate_b=0.3)
        fill(feedback, sessions(world, 120, rng=np.random.default_rng(1)), experiment)
    with served(small_app(store, database_url=database_url)) as address:
        visit = Visit(browser, address)
        page = visit.open("#/evaluation")
        expect(page.locator(".live")).to_contain_text("120 requests")
        expect(page.locator(".live h3").first).to_have_text("Coverage")
        page.get_by_label("Experiment").select_option("<b>first</b>")
        expect(page.locator(".duel")).to_contain_text("win rate of A")
        assert "experiment=" in page.url
        page.get_by_role("button", name="Read again").click()
        expect(page.locator(".live")).to_have_attribute("aria-busy", "false")
        serious = [issue for issue in Axe().run(page).response["violations"] if issue["impact"] in SERIOUS]
        assert serious == []
        assert visit.wrong == []
        visit.close()


def test_without_votes_a_sentence_says_so(visit):
    page = visit.open("#/evaluation")
    expect(page.locator(".live")).to_contain_text("--no-votes")


PLACES = """() => Object.fromEntries([...document.querySelectorAll('.labels span')].map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return [one.textContent, [x + width / 2, y + height / 2 + 16]];
}))"""


def where(page, name):
    """Where an artist's dot is, once the map stands still."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate(PLACES)[name]


def test_the_map_is_dragged_and_turned_and_pinched(visit):
    page = visit.open("#/map")
    page.wait_for_selector(MAP)
    box = page.locator(".map").bounding_box()
    x, y = where(page, "Arcade Fire")
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 230, steps=4)
    page.mouse.up()
    assert where(page, "Arcade Fire") == pytest.approx([x - 60, y + 30], abs=1)
    assert "artist=" not in page.url  # a drag is no click
    # Whatever is under the pointer stays there, and the rest moves away from it.
    near, far = where(page, "Arcade Fire"), where(page, "Metallica")
    page.mouse.move(*near)
    page.mouse.wheel(0, -60)
    assert where(page, "Arcade Fire") == pytest.approx(near, abs=1)
    assert where(page, "Metallica")[0] < far[0] - 15
    # Two fingers that part do the same around their middle.
    page.get_by_role("button", name="Show all").click()
    before = {name: where(page, name) for name in ("Arcade Fire", "Metallica")}
    middle = [sum(place) / 2 for place in zip(*before.values(), strict=True)]
    fingers = page.context.new_cdp_session(page)

    def touch(kind, *apart):
        points = [{"x": middle[0] + side, "y": middle[1], "id": number} for number, side in enumerate(apart)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -50, 50)
    for apart in (-55, 55), (-60, 60), (-65, 65):
        touch("touchMove", *apart)
    touch("touchEnd")
    after = {name: where(page, name) for name in before}
    wider = (after["Arcade Fire"][0] - after["Metallica"][0]) / (before["Arcade Fire"][0] - before["Metallica"][0])
    assert 1.1 < wider < 1.35
    assert sum(place[0] for place in after.values()) / 2 == pytest.approx(middle[0], abs=8)


def test_a_link_opens_exactly_what_it_shows_and_back_goes_back(visit):
    page = visit.open(f"#/compare?artist={BJORK}&models=by-counting,by-als")
    expect(page.locator("h1")).to_have_text("Björk")
    expect(page.locator(".list h3")).to_have_text(["by-counting", "by-als"])
    page.get_by_role("button", name="Metallica").click()
    expect(page.locator("h1")).to_have_text("Metallica")
    expect(page).to_have_title("Metallica · Segue explorer")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Björk")


@pytest.mark.parametrize(
    "address",
    [
        "#/compare?artist=nonsense",
        "#/map?artist=0123456789abcdef&model=gone",
        "#/nowhere?x=%ZZ&models=gone",
    ],
)
def test_a_broken_link_says_something_and_breaks_nothing(browser, base, address):
    visit = Visit(browser, base)
    page = visit.open(address)
    expect(page.locator("#view")).not_to_be_empty()
    # A refused request is told on the console by the browser itself; nothing else may be.
    assert all("400" in text or "404" in text for text in visit.wrong)
    visit.close()


def test_everything_is_reached_with_the_keyboard_alone(page):
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("sigur ros")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Sigur Rós")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent || document.activeElement.value"))
    assert {"Arcade Fire", "Show on the map"} <= set(reached)
    assert any("by-counting" in one for one in reached)
    page.get_by_role("link", name="Map", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(MAP)
    page.locator(".map").focus()
    label = page.locator(".labels span", has_text="Arcade Fire")
    before = label.get_attribute("style")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(label).not_to_have_attribute("style", before)
    page.keyboard.press("0")
    expect(label).to_have_attribute("style", before)


@pytest.mark.parametrize("address", ["", "#/map", "#/evaluation", f"#/map?from={ARCADE}&to={METALLICA}"])
def test_a_phone_shows_everything_without_scrolling_sideways(browser, base, address):
    visit = Visit(browser, base, viewport={"width": 390, "height": 844}, has_touch=True)
    page = visit.open(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(
        """() => [...document.querySelectorAll('nav a, button, .chip, .modes a')].filter((one) => one.offsetParent)
        .every((one) => one.getBoundingClientRect().height >= 24)"""
    )
    assert visit.wrong == []
    visit.close()


@pytest.mark.parametrize("address", ["", "#/map", f"#/map?like={ARCADE},{BJORK}", "#/evaluation"])
def test_axe_finds_no_serious_issue(visit, address):
    page = visit.open(address)
    page.get_by_role("combobox", name="Artist").click()
    page.keyboard.type("the")
    expect(page.get_by_role("option").first).to_be_visible()
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        serious = [
            (issue["id"], [node["html"] for node in issue["nodes"]])
            for issue in Axe().run(page).response["violations"]
            if issue["impact"] in SERIOUS
        ]
        assert serious == []


def test_the_theme_is_chosen_and_remembered(browser, base):
    visit = Visit(browser, base, color_scheme="light")
    page = visit.open()
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    visit.settle()
    assert page.evaluate(background) == dark
    visit.close()


def test_figures_of_the_models_are_shown_with_intervals(visit):
    page = visit.open("#/evaluation")
    expect(page.get_by_role("table", name=re.compile("Figures of each table"))).to_contain_text("by-counting")
    expect(page.locator(".heat").first).to_contain_text(" to ")


def test_an_export_opens_from_the_disk_and_answers_without_a_server(browser, store, tmp_path):
    shelf = open_shelf(store, [])
    maps = {"by-als": map_reply(shelf.first, small_layout())}
    explorer = Explorer(shelf, mapped=frozenset(maps))
    folder = tmp_path / "site"
    n_artists, _ = export_site(
        folder, explorer, maps, judge(shelf, []), artists=["arcade fire", "metallica", "bjork", HOSTILE]
    )
    assert n_artists == 4
    visit = Visit(browser, folder.as_uri() + "/index.html")
    page = visit.open(f"#/compare?artist={METALLICA}")
    expect(page.locator("h1")).to_have_text("Metallica")
    expect(page.locator(".list h3")).to_have_text(["by-als", "by-counting"])
    box = page.get_by_role("combobox", name="Artist")
    box.fill("bjork")
    box.press("Enter")
    expect(page.locator("h1")).to_have_text("Björk")
    visit.open(f"#/map?from={ARCADE}&to={METALLICA}")
    page.wait_for_selector(MAP)
    expect(page.locator(".stops li a").last).to_have_text("Metallica")
    visit.open("#/evaluation")
    expect(page.locator(".heat").first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert visit.wrong == []
    visit.close()
