"""The demo page, used in a browser as a person does, and with requests that it must refuse."""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from test_page_server import send
from videos import make_frames, write_video

from zoo.card import read_card
from zoo.errors import UsageError
from zoo.preprocessing.video import open_video
from zoo.serving.model_process import prepare
from zoo.serving.page import PageServer

ROOT = Path(__file__).parents[1]
NAMES = ("captioning", "language_model", "sentiment", "tagging", "translation")


@pytest.fixture(scope="module")
def page() -> Iterator[PageServer]:
    is_ready = threading.Event()
    with PageServer({name: ROOT / "saved_models" / name / "1" for name in NAMES}, port=0) as page:
        thread = threading.Thread(target=page.serve_forever, kwargs={"on_loaded": is_ready.set})
        thread.start()
        assert is_ready.wait(600)
        yield page
        page.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(page: PageServer, chromium: tuple[str, str]) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location, driver = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1100,1400"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    browser.get(page.url)
    yield browser
    browser.quit()


@pytest.fixture(autouse=True)
def console(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test in which the browser reports errors, other than that an input cannot be predicted, or not yet."""
    yield
    if "browser" in request.fixturenames:
        messages = [entry["message"] for entry in request.getfixturevalue("browser").get_log("browser")]
        refused = re.compile(r"\S+/predict/\w+ - Failed to load resource: .* (422|503) \(.*\)")
        assert [message for message in messages if not refused.fullmatch(message)] == []


@pytest.fixture
def panel(browser: webdriver.Chrome) -> Callable[[str], WebElement]:
    """Opens a tab; returns its panel."""

    def open_tab(name: str) -> WebElement:
        browser.find_element(By.ID, f"tab-{name}").click()
        sections = browser.find_elements(By.CSS_SELECTOR, "section")
        displayed = [section for section in sections if section.is_displayed()]
        assert [section.get_attribute("id") for section in displayed] == [f"panel-{name}"]
        return displayed[0]

    return open_tab


def wait_for_rows(panel: WebElement) -> list[list[str]]:
    """Return the rows of the prediction's table, once the prediction has arrived."""
    button = panel.find_element(By.CLASS_NAME, "go")
    WebDriverWait(panel, 60).until(lambda _: button.is_enabled())
    rows = panel.find_elements(By.CSS_SELECTOR, "tbody tr")
    return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")] for row in rows]


def alert(panel: WebElement) -> str:
    return panel.find_element(By.CSS_SELECTOR, "[role=alert]").text


def assert_plot_is_shown(panel: WebElement, browser: webdriver.Chrome) -> None:
    image = panel.find_element(By.CSS_SELECTOR, "figure img")
    WebDriverWait(panel, 10).until(lambda _: image.get_property("naturalWidth") > 100)
    assert image.size["width"] <= panel.size["width"]
    with media(browser, 390, "light"):
        assert image.size["width"] <= panel.size["width"]
    assert image.get_attribute("alt")


def predict(panel: WebElement, text: str) -> None:
    field = panel.find_element(By.TAG_NAME, "textarea")
    field.clear()
    field.send_keys(text)
    panel.find_element(By.CLASS_NAME, "go").click()


@contextmanager
def media(browser: webdriver.Chrome, width: int, scheme: str) -> Iterator[None]:
    """The page on a screen of this width in CSS pixels, in the color scheme "light" or "dark"."""
    screen = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def assert_is_accessible(browser: webdriver.Chrome) -> None:
    """What axe-core finds on what is displayed, in both color schemes on a desktop and on a phone."""
    if not browser.execute_script("return 'axe' in window"):
        axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
        browser.execute_cdp_cmd(
            "Runtime.evaluate", {"expression": axe}
        )  # the page's policy forbids a script tag
    for width, scheme in ((1280, "light"), (390, "dark")):
        with media(browser, width, scheme):
            found = browser.execute_async_script("axe.run().then(arguments[0])")["violations"]
            assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_there_is_a_tab_for_each_model(browser: webdriver.Chrome) -> None:
    tabs = browser.find_elements(By.CSS_SELECTOR, "[role=tab]")
    assert [tab.text for tab in tabs] == ["Captioning", "Next words", "Sentiment", "Tagging", "Translation"]
    tabs[0].click()
    tabs[0].send_keys(Keys.ARROW_LEFT)
    assert tabs[-1].get_attribute("aria-selected") == "true"
    assert browser.switch_to.active_element == tabs[-1]
    tabs[-1].send_keys(Keys.HOME)
    assert browser.switch_to.active_element == tabs[0]
    with media(browser, 390, "light"):
        assert len({tab.rect["y"] for tab in tabs}) == 1
        assert max(tab.rect["height"] for tab in tabs) < 45  # a line of text
        assert tabs[-1].rect["x"] + tabs[-1].rect["width"] <= 390


def test_models_are_described_for_people(panel: Callable[[str], WebElement]) -> None:
    titles = {name: panel(name).find_element(By.TAG_NAME, "h2").text for name in NAMES}
    assert titles["translation"] == "English to German"
    opened = panel("sentiment")
    assert "Classifies a text as negative or positive." in opened.text
    assert re.search(
        r"^Accuracy on test data: \d\d\.\d %\. It is the share of answers that are right\.$",
        opened.text,
        re.MULTILINE,
    )
    assert f"License: {read_card(ROOT / 'saved_models/sentiment/1')['license']}" in opened.text
    for name, score in (
        ("captioning", r"BLEU-4 on test data: [\d.]+\. It compares .*\."),
        (
            "language_model",
            r"Perplexity per word on test data: [\d.]+; per word piece: [\d.]+\. The model .*\.",
        ),
        ("tagging", r"F1 of transitions on test data: [\d.]+\. It counts .*\."),
        ("translation", r"BLEU on test data: [\d.]+\. It compares .*\."),
    ):
        assert re.search(f"^{score}$", panel(name).text, re.MULTILINE)


def test_examples_have_the_names_of_their_files(panel: Callable[[str], WebElement]) -> None:
    buttons = panel("tagging").find_elements(By.CSS_SELECTOR, "[aria-label^=Example]")
    assert [button.text for button in buttons] == ["film.mp4", "fast_pan.mp4", "flashes.mp4", "iris.mp4"]
    images = panel("captioning").find_elements(By.CSS_SELECTOR, ".picture img")
    assert [image.get_attribute("alt") for image in images][:2] == ["dog.jpg", "balloon.jpg"]


def test_page_says_that_a_model_is_loading(
    page: PageServer, browser: webdriver.Chrome, panel: Callable[[str], WebElement]
) -> None:
    process = page._processes["text"]
    process.is_loading = True
    try:
        browser.refresh()
        assert "The model is loading." in panel("sentiment").text
        assert "loading" not in panel("tagging").text
    finally:
        process.is_loading = False
    opened = panel("sentiment")
    WebDriverWait(opened, 10).until(lambda _: "loading" not in opened.text)


def test_code_in_limits(
    page: PageServer,
    browser: webdriver.Chrome,
    panel: Callable[[str], WebElement],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only backticks are read as markup; a card cannot add other elements to the page."""
    with monkeypatch.context() as context:
        context.setitem(
            page._cards["sentiment"], "limits", ["`step` <b>and</b> `<i>finish</i>`, one ` alone"]
        )
        browser.refresh()
        opened = panel("sentiment")
        opened.find_element(By.TAG_NAME, "summary").click()
        limit = opened.find_element(By.TAG_NAME, "li")
        assert limit.text == "step <b>and</b> <i>finish</i>, one ` alone"
        codes = limit.find_elements(By.CSS_SELECTOR, "*")
        assert [(code.tag_name, code.text) for code in codes] == [("code", "step"), ("code", "<i>finish</i>")]
        assert_is_accessible(browser)
    browser.refresh()


def test_card_of_a_model(browser: webdriver.Chrome, panel: Callable[[str], WebElement]) -> None:
    panel("captioning").find_element(By.LINK_TEXT, "Model card").click()
    assert (
        browser.find_element(By.TAG_NAME, "h1").text == read_card(ROOT / "saved_models/captioning/1")["title"]
    )
    examples, metrics, *_ = browser.find_elements(By.TAG_NAME, "table")
    assert "a brown dog" in examples.text
    assert "test CIDEr" in metrics.text
    browser.find_element(By.LINK_TEXT, "All models").click()


@pytest.mark.parametrize("name", NAMES)
def test_card_fits_on_a_phone(
    name: str, browser: webdriver.Chrome, panel: Callable[[str], WebElement]
) -> None:
    panel(name).find_element(By.LINK_TEXT, "Model card").click()
    assert_is_accessible(browser)
    browser.find_element(By.LINK_TEXT, "All models").click()


def test_a_text_goes_on_with_a_predicted_word(
    panel: Callable[[str], WebElement], browser: webdriver.Chrome
) -> None:
    opened = panel("language_model")
    text = "Thank you for your"
    for word, longer in (("help", "Thank you for your help"), (".", "Thank you for your help.")):
        predict(opened, text)
        rows = wait_for_rows(opened)
        assert (len(rows), rows[0][0]) == (5, word)
        button = opened.find_element(By.CSS_SELECTOR, "tbody button")
        assert button.accessible_name == f"Go on with {word}"
        assert_is_accessible(browser)
        button.click()
        text = opened.find_element(By.TAG_NAME, "textarea").get_property("value")
        assert text == longer


def test_sentiment_with_its_words_and_gates(
    panel: Callable[[str], WebElement], browser: webdriver.Chrome
) -> None:
    opened = panel("sentiment")
    text = "A moving story, finely acted, and dull at times."
    predict(opened, text)
    best, other, whole, *without = (row for row in wait_for_rows(opened) if len(row) < 4)  # without the gates
    assert (best[0], other[0]) == ("positive", "negative")
    assert sum(float(row[1].removesuffix(" %")) for row in (best, other)) == pytest.approx(100, abs=0.11)
    assert whole == ["all of it", best[1]]
    assert [row[0][:9] for row in without] == ["without “"] * 3
    words = opened.find_element(By.CLASS_NAME, "words")
    assert words.text == text
    shades = {
        span.text: span.value_of_css_property("border-bottom-style")
        for span in words.find_elements(By.TAG_NAME, "span")
    }
    assert shades["dull"] == "dashed"  # it speaks against
    opened.find_element(By.XPATH, ".//summary[.='Gates at each word']").click()
    columns = [cell.text for cell in opened.find_elements(By.CSS_SELECTOR, ".gates thead th")]
    assert columns == ["word", *(f"{gate} {way}" for gate in ("forget", "input", "output") for way in "→←")]
    gates = opened.find_elements(By.CSS_SELECTOR, ".gates tbody tr")
    assert [row.find_element(By.TAG_NAME, "th").text for row in gates][:4] == ["a", "moving", "story", ","]
    assert_is_accessible(browser)
    predict(opened, "Dull.")
    assert len([row for row in wait_for_rows(opened) if len(row) < 4]) == 2  # no other word to compare with
    assert len(opened.find_elements(By.CSS_SELECTOR, ".gates tbody tr")) == 2  # the word and the period
    assert opened.find_elements(By.TAG_NAME, "figure") == []
    predict(opened, " ")
    wait_for_rows(opened)
    assert alert(opened) == "no words in the text"


def test_busy_page_is_asked_again(
    page: PageServer, panel: Callable[[str], WebElement], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = panel("sentiment")
    with monkeypatch.context() as context:
        context.setattr(page._processes["text"], "_max_waiting", 0)
        assert send(page, "POST", "/predict/sentiment", b"Dull.")[0] == 503
        predict(opened, "Dull.")
        time.sleep(1)
        assert not opened.find_element(By.CLASS_NAME, "go").is_enabled()
    assert wait_for_rows(opened)[0][0] == "negative"


def test_translation_and_its_attention(panel: Callable[[str], WebElement], browser: webdriver.Chrome) -> None:
    opened = panel("translation")
    predict(opened, "Where is the station?" + Keys.CONTROL + Keys.ENTER)
    rows = wait_for_rows(opened)
    assert len(rows) == 5
    assert "Bahnhof" in rows[0][0]
    assert opened.find_element(By.CSS_SELECTOR, "tbody td").get_attribute("lang") == "de"
    assert "A score is a log-probability" in opened.text
    assert_plot_is_shown(opened, browser)
    assert_is_accessible(browser)


def test_caption_of_an_image_and_its_attention(
    panel: Callable[[str], WebElement], browser: webdriver.Chrome, tmp_path: Path
) -> None:
    opened = panel("captioning")
    opened.find_element(By.CLASS_NAME, "go").click()
    assert alert(opened) == "Choose an image first."
    chooser = opened.find_element(By.CSS_SELECTOR, "input[type=file]")
    chooser.send_keys(str(ROOT / "docs/drawings/dog.jpg"))
    assert "dog" in wait_for_rows(opened)[0][0]
    assert_plot_is_shown(opened, browser)
    image, larger = (opened.find_element(By.CSS_SELECTOR, part) for part in ("figure img", "[aria-pressed]"))
    fitted = image.size["width"]
    larger.click()
    assert image.size["width"] == image.get_property("naturalWidth") > fitted
    assert larger.get_attribute("aria-pressed") == "true"
    larger.click()
    assert_is_accessible(browser)
    broken = tmp_path / "brökén.jpg"
    broken.write_bytes(b"no picture")
    chooser.send_keys(str(broken))
    assert wait_for_rows(opened) == []
    assert alert(opened).startswith("the file is no picture of a known format")
    opened.find_element(By.CLASS_NAME, "picture").click()
    WebDriverWait(opened, 60).until(lambda _: wait_for_rows(opened))


def test_shots_of_a_video(
    panel: Callable[[str], WebElement], browser: webdriver.Chrome, tmp_path: Path
) -> None:
    opened = panel("tagging")
    chooser = opened.find_element(By.CSS_SELECTOR, "input[type=file]")
    chooser.send_keys(str(ROOT / "docs/drawings/film.mp4"))
    rows = wait_for_rows(opened)
    assert [row[0] for row in rows] == ["start", "cut", "dissolve", "fade", "wipe"]
    assert rows[1][1] == "0:00:02.800"
    announcement = opened.find_element(By.CLASS_NAME, "unseen").get_property("textContent")
    assert announcement == "Predicted: start, cut, dissolve, fade, wipe."
    assert_plot_is_shown(opened, browser)
    assert_is_accessible(browser)
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    chooser.send_keys(str(text))
    wait_for_rows(opened)
    assert re.match(r"text\.mp4 (cannot be read as|holds no) ", alert(opened))
    chooser.send_keys(str(ROOT / "docs/drawings/film.mp4"))
    chooser.send_keys(str(text))  # supersedes the request for the film
    assert wait_for_rows(opened) == []
    assert re.match(r"text\.mp4 ", alert(opened))
    opened.find_element(By.CSS_SELECTOR, "[aria-label^=Example]").click()
    WebDriverWait(opened, 60).until(lambda _: len(wait_for_rows(opened)) > 1)


# Requests.


def test_a_prediction_is_json(page: PageServer) -> None:
    """As docs/serving.md describes it."""
    text = "Dull, but the end is moving."
    status, headers, body = send(page, "POST", "/predict/sentiment", text.encode())
    response = json.loads(body)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    described = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
    assert set(response) == set(
        re.findall(r"^\| `(\w+)` \|", described.split("### Predictions as JSON")[1], re.MULTILINE)
    )
    assert set(response["prediction"]) == {"label", "scores", "status", "is_partial"}
    label, probability = response["table"]["rows"][0]
    assert response["prediction"]["scores"][response["prediction"]["label"]] == probability
    assert label == response["prediction"]["label"]
    explanation = response["explanation"]
    assert "".join(word["text"] for word in explanation["words"]) == text
    assert len(explanation["gates"]["rows"][0]) == len(explanation["gates"]["columns"])
    assert (response["plot"], response["is_plot_left_out"]) == ("", False)
    response = json.loads(send(page, "POST", "/predict/translation", b"Thank you.")[2])
    assert response["prediction"]["translations"][0] == response["table"]["rows"][0][0]
    assert response["explanation"] is None
    assert response["plot"].startswith("data:image/svg+xml;base64,")


def test_file_names_and_bytes_may_be_anything(page: PageServer) -> None:
    status, _, body = send(page, "POST", "/predict/tagging", b"no video", X_File_Name="a.%00b/../c")
    assert (status, list(json.loads(body))) == (422, ["error"])
    status, _, body = send(page, "POST", "/predict/sentiment", b"caf\xe9")
    assert status == 422
    assert "Expected text in UTF-8" in (error := json.loads(body)["error"])
    assert "Save it as UTF-8" in error
    assert "--" not in error


def test_what_is_wrong_with_a_video_has_the_name_of_the_user(page: PageServer, tmp_path: Path) -> None:
    content = write_video(tmp_path / "a.mkv", make_frames(40)).read_bytes()[:-9]
    status, _, body = send(page, "POST", "/predict/tagging", content, X_File_Name="my%20film.mkv")
    result = json.loads(body)
    assert status == 200
    assert result["status"].startswith("my film.mkv is corrupt: the file seems truncated")
    assert result["prediction"]["status"] == result["status"]


def test_the_page_loads_nothing_from_elsewhere(page: PageServer) -> None:
    _, headers, body = send(page, "GET", "/")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert not re.search(rb"https?:|//\w+\.", body.split(b'id="models">')[0])
    assert b"{{" not in body


def test_a_port_in_use_is_reported(page: PageServer) -> None:
    host, port = page.server_address
    with pytest.raises(UsageError, match=rf"{host}:{port}: .*Choose another --port"):
        PageServer(page.models, host, port)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
)
@pytest.mark.parametrize("name", ["x.m3u8", "x.mp4"])
def test_playlists_are_refused(page: PageServer, content: bytes, name: str) -> None:
    status, _, body = send(page, "POST", "/predict/tagging", content, X_File_Name=name)
    assert status == 422
    assert json.loads(body)["error"].startswith(f"{name} cannot be read as a video: ")
    assert b"/tmp" not in body


def test_invalid_inputs_of_all_kinds_have_answers_without_paths(page: PageServer) -> None:
    inputs = [b"", b"\0" * 1000, b"\xff\xfe" * 1000, b"GIF89a" + bytes(7), b"[" * 200, b"nan " * 20]
    for name in NAMES:
        for content in inputs:
            status, _, body = send(page, "POST", f"/predict/{name}", content, X_File_Name="a.b")
            assert status in (200, 422), (name, content[:9])
            assert re.search(rb"/tmp|/home|/root|saved_models", body) is None


# The command, and what the process of the models can take.


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_demo_ends_while_it_is_busy(tmp_path: Path, number: signal.Signals, code: int) -> None:
    models, temporary = tmp_path / "models", tmp_path / "temporary"
    temporary.mkdir()
    shutil.copytree(ROOT / "saved_models/sentiment", models / "sentiment")
    command = [sys.executable, "-m", "zoo_command", "demo", "--port", "0", "--models", str(models)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:
        match = re.search(r":(\d+)/", process.stdout.readline())
        with socket.create_connection(("127.0.0.1", int(match[1]))) as connection:
            text = b"good " * 3000
            connection.sendall(
                b"POST /predict/sentiment HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15000\r\n\r\n"
            )
            connection.sendall(text)
            while not list(temporary.glob("zoo-demo-*/*.mp4")):  # the text; models load meanwhile
                time.sleep(0.01)
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert process.returncode == code
        # TensorFlow logs its start where the tests have set its level.
        lines = [line for line in err.splitlines() if not re.match(r"WARNING|[IWE]\d{4} |$", line)]
        assert lines == ["interrupted" if number == signal.SIGINT else "The page is closed."]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", [*NAMES, "text", "image", "video"])
def test_a_model_predicts_an_example_while_it_loads(name: str) -> None:
    """Of a card that shows none, a small input of the kind. What fails then fails when users send something."""
    received = []

    class Failing:
        directory = ROOT / "saved_models" / name / "1"
        card = read_card(directory) if name in NAMES else {"input_kind": name, "example": {"inputs": {}}}
        input_kind = card["input_kind"]

        def parse(self, content: bytes) -> bytes:
            return content

        def predict(self, items: list) -> list:
            [item] = items
            if self.input_kind == "video":
                received.append(len(list(open_video(item).decode())))
            else:
                received.append(item if self.input_kind == "text" else Image.open(io.BytesIO(item)).size)
            raise ValueError

    prepare(Failing())
    assert len(received) == 1
    assert received[0]


LIMIT = """
import sys
from pathlib import Path
import numpy as np
import zoo_quiet
from zoo.serving.model_process import compute_reply, limit_memory

class Predictor:
    input_kind, directory = "image", Path("model")
    def predict(self, items):
        import tensorflow as tf
        return [np.ones(200_000_000) if items[0] == b"numpy" else tf.ones([400_000_000])]

limit_memory(500_000_000)
for content in (b"numpy", b"tensorflow"):
    Path(sys.argv[1]).write_bytes(content)
    reply = compute_reply(Predictor(), Path(sys.argv[1]), "", False)
    print(reply.status.value, reply.content.decode())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_memory_of_a_prediction_is_limited(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMIT, str(tmp_path / "input")]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert output == ['422 {"error": "The prediction needs too much memory. Send a smaller image."}'] * 2
