"""The viewer in a real browser: true millimetres measured in the picture, no partial trace, keyboard and phone."""

import io
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from playwright.async_api import Browser, Page
from viewer_harness import harness_app, running

pytestmark = pytest.mark.e2e

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PX_PER_MM = 96 / 25.4
DARK = 90
"""A trace's pixels are darker than this in every channel; the grid's red lines are not."""


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, FastAPI]]:
    app = harness_app()
    with running(app) as base:
        yield base, app


@pytest.fixture
async def page(chromium: Browser, served: tuple[str, FastAPI]) -> AsyncIterator[Page]:
    context = await chromium.new_context(base_url=served[0], viewport=DESKTOP, color_scheme="light")
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on(
        "console",
        lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield opened
    await context.close()
    assert not errors, errors


async def show(page: Page, recording: str, **settings: object) -> None:
    await page.goto(f"/look/viewer?recording={recording}")
    await page.wait_for_selector("ecg-viewer[data-state=ready]")
    for method, value in settings.items():
        await page.evaluate("([m, v]) => document.querySelector('ecg-viewer')[m](v)", [method, value])
    await drawn(page)


async def drawn(page: Page) -> None:
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def picture(page: Page) -> np.ndarray:
    """The paper as seen, RGB."""
    png = await page.locator(".ecg-canvas").screenshot()
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def dark(rgb: np.ndarray) -> np.ndarray:
    return (rgb < DARK).all(axis=2)


def runs(line: np.ndarray) -> list[tuple[int, int]]:
    """(first, length) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], line.astype(int), [0]))))
    return [(int(first), int(end - first)) for first, end in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.parametrize(("speed", "gain"), [(25, 10), (50, 20), (12.5, 5)])
async def test_a_second_and_a_millivolt_are_true_to_the_millimetre(page: Page, speed: float, gain: float) -> None:
    await show(page, "square", setSpeed=speed, setGain=gain)
    await page.evaluate("document.querySelector('ecg-viewer').toggleMarks()")
    await page.evaluate("document.querySelector('.ecg-stage').scrollTo(0, 0)")
    await drawn(page)
    ink = dark(await picture(page))
    # Lead I is a pulse of 1 mV from second 2 to second 3: its plateau is the longest dark run of its row's top.
    plateau = next(
        (row, found) for row in range(ink.shape[0]) for found in runs(ink[row]) if found[1] > 0.9 * speed * PX_PER_MM
    )
    row, (first, length) = plateau
    assert abs(length - speed * PX_PER_MM) <= 2.0
    foot = next(r for r in range(row + 4, ink.shape[0]) if ink[r, first - 30 : first - 5].all())
    assert abs((foot - row) - gain * PX_PER_MM) <= 1.5
    start_px = (11 + 2 * speed) * PX_PER_MM
    assert abs(first - start_px) <= 1.5


async def test_the_calibration_pulse_is_10_mm_high_and_5_mm_wide(page: Page) -> None:
    await show(page, "square")
    ink = dark(await picture(page))[:, : int(10 * PX_PER_MM)]
    columns = [(x, max(length for _, length in runs(ink[:90, x]))) for x in range(ink.shape[1]) if ink[:90, x].any()]
    sides = [(x, length) for x, length in columns if length > 20]
    assert [length for _, length in sides] == pytest.approx([10 * PX_PER_MM] * len(sides), abs=1.6)
    assert sides[-1][0] - sides[0][0] == pytest.approx(5 * PX_PER_MM, abs=1.5)


async def test_the_grid_has_a_strong_line_every_five_millimetres(page: Page) -> None:
    await show(page, "square")
    rgb = await picture(page)
    major = np.array([0xEE, 0xB3, 0xAA])
    line = np.abs(rgb[:, :900] - major).max(axis=2) < 12
    strong = np.flatnonzero(line.mean(axis=0) > 0.6)
    assert np.diff(strong) == pytest.approx([5 * PX_PER_MM] * (len(strong) - 1), abs=1.0)
    assert (strong[-1] - strong[0]) / (len(strong) - 1) == pytest.approx(5 * PX_PER_MM, abs=0.05)


async def test_a_one_sample_spike_is_seen_at_every_zoom(page: Page) -> None:
    await show(page, "spike")
    for zoom in (1, 0.5, 0.36):
        await page.evaluate("(zoom) => document.querySelector('ecg-viewer').setZoom(zoom)", zoom)
        await drawn(page)
        ink = dark(await picture(page))
        x = round((11 + 25 * 4.0) * PX_PER_MM * zoom)
        tallest = max(length for column in range(x - 3, x + 4) for _, length in runs(ink[:, column]))
        assert tallest > 0.5 * 5 * PX_PER_MM * zoom


async def test_missing_flat_and_off_leads_are_named_and_not_drawn_as_a_line(page: Page) -> None:
    await show(page, "holes")
    ink = dark(await picture(page))
    zero = await page.evaluate(
        "() => Object.fromEntries(document.querySelector('ecg-viewer').page.lanes.map((l) => [l.name, l.zero_mm]))"
    )
    for lead, has_line in {"II": True, "V1": False, "V6": False}.items():
        row = round(zero[lead] * PX_PER_MM)
        band = ink[row - 2 : row + 3, int(60 * PX_PER_MM) : int(100 * PX_PER_MM)]
        assert band.any() == has_line, lead


@pytest.mark.parametrize(
    ("recording", "words"),
    [("short", "119998 / 120000"), ("future", "格式版本 2"), ("none", "没有这条采集数据")],
)
async def test_a_recording_that_is_not_whole_is_refused_in_words(page: Page, recording: str, words: str) -> None:
    await page.goto(f"/look/viewer?recording={recording}")
    await page.wait_for_selector("ecg-viewer[data-state=error]")
    assert words in await page.inner_text(".ecg-message")
    assert await page.locator(".ecg-stage").is_hidden()


async def test_trying_again_draws_once_the_centre_answers(page: Page, served: tuple[str, FastAPI]) -> None:
    served[1].state.broken = True
    try:
        await page.goto("/look/viewer?recording=500hz")
        await page.wait_for_selector("ecg-viewer[data-state=error]")
    finally:
        served[1].state.broken = False
    await page.click(".ecg-message button")
    await page.wait_for_selector("ecg-viewer[data-state=ready]")


async def test_the_first_full_draw_takes_less_than_50_ms(page: Page) -> None:
    await show(page, "500hz")
    times = await page.evaluate(
        """() => Array.from({length: 7}, () => {
            const viewer = document.querySelector("ecg-viewer");
            viewer.drawNow();
            document.querySelector(".ecg-canvas").getContext("2d").getImageData(0, 0, 1, 1);
            return viewer.drawTook;
        })"""
    )
    assert sorted(times)[3] < 50, times


async def test_everything_is_reached_by_the_keyboard(page: Page) -> None:
    await show(page, "500hz")
    await page.focus(".ecg-stage")
    state = page.locator(".ecg-state")
    for key, words in [
        ("]", "50 mm/s"),
        ("[", "25 mm/s"),
        ("+", "20 mm/mV"),
        ("-", "10 mm/mV"),
        ("f", "显示滤波：基线"),
    ]:
        await page.keyboard.press(key)
        assert words in await state.inner_text()
    await page.keyboard.press("f")
    assert "原始波形" in await state.inner_text()
    await page.keyboard.press("3")
    assert await page.evaluate("document.querySelector('ecg-viewer').layout") == "3x4"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.querySelector('ecg-viewer').isSingle")
    await page.keyboard.press("ArrowDown")
    assert "II 导联" in await page.inner_text(".ecg-single")
    await page.keyboard.press("Escape")
    assert not await page.evaluate("document.querySelector('ecg-viewer').isSingle")
    await page.keyboard.press("c")
    assert "1000 ms · 60 次/分" in await page.evaluate("document.querySelector('ecg-viewer').calliper.text")
    await page.keyboard.press("ArrowRight")
    assert "1004 ms" in await page.evaluate("document.querySelector('ecg-viewer').calliper.text")
    await page.keyboard.press("Escape")
    assert await page.evaluate("document.querySelector('ecg-viewer').calliper") is None
    await page.keyboard.press("?")
    assert await page.locator("dialog[open] kbd").count() > 10


async def test_dragging_measures(page: Page) -> None:
    await show(page, "square")
    box = await page.locator(".ecg-stage").bounding_box()
    assert box is not None
    x, y = box["x"] + (11 + 2 * 25) * PX_PER_MM, box["y"] + 12 * PX_PER_MM
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 25 * PX_PER_MM, y - 10 * PX_PER_MM, steps=4)
    await page.mouse.up()
    reading = await page.evaluate("document.querySelector('ecg-viewer').calliper.text")
    ms, _, mv = reading.split(" · ")
    assert abs(int(ms.split()[0]) - 1000) <= 11
    assert abs(float(mv.split()[0]) - 1.0) <= 0.03


async def test_evidence_is_framed_and_brought_into_sight(page: Page) -> None:
    await show(page, "500hz", setSpeed=50)
    await page.evaluate("document.querySelector('.ecg-stage').scrollTo(9999, 0)")
    await page.click("#evidence")
    await drawn(page)
    rgb = await picture(page)
    frame = np.abs(rgb - np.array([0xD9, 0x7A, 0x00])).max(axis=2) < 40
    assert frame.sum() > 200


SPY = """() => {
  window.words = [];
  const plain = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    window.words.push(text);
    return plain.call(this, text, ...rest);
  };
}"""


async def test_beats_have_their_letters_and_the_median_beat_its_u(page: Page) -> None:
    await show(page, "500hz")
    await page.evaluate(SPY)
    await page.evaluate("document.querySelector('ecg-viewer').relayout()")
    await drawn(page)
    words = await page.evaluate("window.words")
    assert {"V", "F", "P", "Q"} <= set(words)
    assert "N" not in words
    await page.evaluate("window.words = []; document.querySelector('ecg-viewer').setLayout('median')")
    await drawn(page)
    words = await page.evaluate("window.words")
    assert {"P", "QRS", "T", "U"} <= set(words)
    assert "F" not in words


async def test_the_screen_is_measured_with_a_card_once(page: Page) -> None:
    await show(page, "square")
    await page.click(".ecg-scale")
    await page.locator("#ecg-scale").evaluate(
        "(slider) => { slider.value = '5'; slider.dispatchEvent(new Event('input')); }"
    )
    width = await page.locator(".ecg-card").evaluate("(card) => card.getBoundingClientRect().width")
    assert width == pytest.approx(85.6 * 5, abs=1)
    await page.click("dialog[open] .button.primary")
    assert "实际毫米" in await page.inner_text(".ecg-state")
    await page.reload()
    await page.wait_for_selector("ecg-viewer[data-state=ready]")
    assert await page.evaluate("document.querySelector('ecg-viewer').pxPerMm") == 5


@pytest.mark.parametrize("recording", ["500hz", "dicom"])
async def test_on_a_phone_it_fits_scrolls_and_is_sharp(
    chromium: Browser, served: tuple[str, FastAPI], recording: str
) -> None:
    context = await chromium.new_context(
        base_url=served[0], viewport=PHONE, device_scale_factor=3, has_touch=True, is_mobile=True
    )
    page = await context.new_page()
    await show(page, recording)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    canvas = page.locator(".ecg-canvas")
    shown, real = await canvas.evaluate("(c) => [c.clientWidth, c.width]")
    assert real == pytest.approx(shown * 3, abs=2)
    assert (
        await page.evaluate(
            "(() => { const s = document.querySelector('.ecg-stage'); s.scrollLeft = 500; return s.scrollLeft; })()"
        )
        > 400
    )
    await context.close()
