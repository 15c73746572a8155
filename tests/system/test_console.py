"""The console in a real browser."""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

import dredge as library

pytestmark = [pytest.mark.slow, pytest.mark.browser]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]


expect.set_options(timeout=30_000)  # a machine that tests may be busy


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    assert program, "scripts/test leaves these tests out where there is no Chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def page(browser, dredge):
    page = browser.new_page(viewport={"width": 1280, "height": 1100})
    page.failures = []
    page.on("pageerror", lambda error: page.failures.append(str(error)))
    page.on("requestfailed", lambda request: request.failure != "net::ERR_ABORTED" and page.failures.append(request.url))
    page.goto(f"{dredge.server}/console/")
    yield page
    assert not page.failures
    page.close()


def test_the_example_is_there_with_its_picture_and_its_twelve_waves(page):
    expect(page.locator("#scores")).to_contain_text("12 waves, 73 numbers, SNR 2")
    expect(page.locator("#picture .main-svg").first).to_be_visible()
    expect(page.locator("#events .ag-center-cols-container .ag-row")).to_have_count(12)


def test_a_ticked_wave_is_drawn_alone_and_the_list_is_saved(page):
    page.locator("#events .ag-row input[type=checkbox]").first.check()
    expect(page.locator("#picture .legendtext").filter(has_text="chosen waves")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("time,width,frequency,chirp_rate,amplitude")
    assert len(lines) == 13


def test_a_recording_is_uploaded_and_fitted(page, dredge):
    page.locator("#upload input[type=file]").set_input_files(library.example("seismogram"))
    expect(page.locator("#message")).to_contain_text("3,000 samples")
    page.locator("#waves").fill("5")
    page.locator("#name").fill("from-the-console")
    page.get_by_role("button", name="Fit", exact=True).click()
    expect(page.locator("#stage")).to_contain_text("from-the-console, version 1: 5 waves", timeout=60_000)
    expect(page.locator("#scores")).to_contain_text("5 waves, 31 numbers")


def test_a_file_that_cannot_be_read_is_answered_with_a_sentence(page, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text("time,value\n0,1\n1,banana\n")
    page.locator("#upload input[type=file]").set_input_files(broken)
    expect(page.locator("#message")).to_contain_text("banana")
    expect(page.locator("#message")).not_to_contain_text("Traceback")


def test_a_fit_is_cancelled(page):
    page.locator("#upload input[type=file]").set_input_files(library.example("seismogram"))
    expect(page.locator("#message")).to_contain_text("3,000 samples")
    page.locator("#waves").fill("200")
    page.get_by_role("button", name="Fit", exact=True).click()
    expect(page.get_by_role("button", name="Cancel")).to_be_enabled()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#stage")).to_contain_text("cancelled", timeout=20_000)
